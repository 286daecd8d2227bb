/* SPDX-License-Identifier: MIT
 * The table of keys: every key is set from a file and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/scalar_int.h"
#include "config/schema_int.h"
#include "config/tree_int.h"
#include "support/document.h"

#include "banned.h"

#define PRINT                                                                         \
	"2f:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:" \
	"19:"                                                                         \
	"1a:1b:1c:1d:1e:1f"
#define PIN "SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO01"

/* Every key once, nothing at its default, no two values alike where that can be. */
static const char whole[] =
	"elasticsearch:\n"
	"  hosts: [https://e1:1, https://e2:2]\n"
	"  index: other-{yyyy.MM}\n"
	"  mapping_file: /e/mapping\n"
	"  username: e-user\n"
	"  password_file: /e/password\n"
	"  api_key_file: /e/api-key\n"
	"  client_cert_file: /e/cert\n"
	"  client_key_file: /e/key\n"
	"  ca_file: /e/ca\n"
	"  ca_fingerprint: '" PRINT "'\n"
	"  insecure_skip_verify: true\n"
	"  compression: none\n"
	"  timeout: 31s\n"
	"  bulk: {max_documents: 11, max_bytes: 6MiB, max_delay: 12ms}\n"
	"defaults: {}\n"
	"topics:\n"
	"- name: t-name\n"
	"  match: t-match\n"
	"  cluster: t-cluster\n"
	"  group: t-group\n"
	"  partitions: 13\n"
	"  labels: {l1: v1, l2: v2}\n"
	"  host: t-host\n"
	"  port: 14\n"
	"  user: t-user\n"
	"  key_file: /t/key\n"
	"  passphrase_file: /t/passphrase\n"
	"  agent: true\n"
	"  known_hosts: [/t/known-1, /t/known-2, /t/known-3]\n"
	"  host_key: " PIN "\n"
	"  proxy_jump: t-jump\n"
	"  ssh_config: true\n"
	"  run_as: t-run-as\n"
	"  watchdog: 15s\n"
	"  source: prometheus\n"
	"  kafka_home: /t/kafka\n"
	"  cli: /t/cli\n"
	"  env: {E1: w1, E2: w2, E3: w3}\n"
	"  bootstrap_server: t-boot:1\n"
	"  command_config: /t/config\n"
	"  target: {host: g-host, kafka_home: /g/kafka, bootstrap_server: 'g:1',\n"
	"           command_config: /g/config, topic: 'x.{topic}', port: 2201,\n"
	"           user: g-user, key_file: /g/key}\n"
	"  url: http://t-url\n"
	"  query: t-query\n"
	"  username: t-username\n"
	"  password_file: /t/password\n"
	"  token_file: /t/token\n"
	"  ca_file: /t/ca\n"
	"  command: 't-command ${HOME} $$'\n"
	"  format: line\n"
	"  cds_archive: /t/archive\n"
	"  interval: 16s\n"
	"  timeout: 17s\n"
	"  share: group\n"
	"  thresholds:\n"
	"  - {on: group, of: messages, warning: 18, critical: 19, leave: 20%, for: "
	"21m}\n"
	"  - {on: topic, of: time, warning: 22s, critical: 23s, leave: 24%, for: 25m}\n"
	"  rules: {window: 26m, min_distance: 27s, allowed_lag: 28, minimum_complete: "
	"29%}\n"
	"  objective: {lag_max: 30, share: 31%, over: 32h}\n"
	"state_dir: /s\n"
	"spool: {max_bytes: 33MiB, max_age: 34h, min_free: 35MiB}\n"
	"history: {max_bytes: 36MiB, max_age: 37h}\n"
	"dead_letters: {max_bytes: 38MiB, max_age: 39h}\n"
	"http: {listen: 'h-listen:1', names: [h-name], token_file: /h/token,\n"
	"       trusted: [10.0.0.0/8, 192.168.0.0/16], cert_file: /h/cert, client_ca_file: "
	"/h/ca, key_file: "
	"/h/key}\n"
	"log: {level: debug, format: json}\n"
	"clusters:\n"
	"- {name: c1, bootstrap_server: 'c1:1'}\n"
	"- {name: c2, bootstrap_server: 'c2:2'}\n"
	"brokers:\n"
	"- {name: b-name, prometheus: 'http://b', query: b-query, min_rate: 40.5,\n"
	"   username: b-user, password_file: /b/password, token_file: /b/token,\n"
	"   ca_file: /b/ca,\n"
	"   interval: 41s, for: 42s}\n"
	"alerts:\n"
	"  builtin: false\n"
	"  group_wait: 43s\n"
	"  repeat: 44h\n"
	"  quiet: [{days: [sat, sun], from: '22:00', to: '06:00', timezone: Q/Zone,\n"
	"           severity: critical}]\n"
	"receivers:\n"
	"- {name: r-name, type: email, urls: ['http://r'], url_file: /r/url, smtp: "
	"r-smtp,\n"
	"   routing_key_file: /r/key, from: r-from, to: [r-to], username: r-user,\n"
	"   password_file: /r/password,\n"
	"   argv: [r-a, r-b], severity: r-severity, template_file: /r/template, "
	"timeout: 45s}\n"
	"heartbeat: {url_file: /b/url, interval: 46s}\n";

struct filled {
	struct config_findings f;
	struct config c;
	struct node *root;
};

static void fill(struct filled *w)
{
	struct schema_filler filler = {.f = &w->f};

	memset(w, 0, sizeof(*w));
	w->root = tree_parse(whole, strlen(whole), &w->f);
	assert_non_null(w->root);
	schema_fill(&filler, &schema_root, &w->c, w->root, NULL);
	for (size_t i = 0; i < w->f.n; i++)
		if (!w->f.v[i].warning)
			fail_msg("%d:%d: %s", w->f.v[i].line, w->f.v[i].column,
				 w->f.v[i].text);
}

static void end(struct filled *w)
{
	schema_free(&schema_root, &w->c);
	tree_free(w->root);
	config_findings_free(&w->f);
}

/* Every key of the section stands in the map, and in the maps below. */
static size_t all_there(const struct section *section, const struct node *map)
{
	size_t n = section->n;

	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		const struct node *node = tree_find(map, key->name);

		if (node == NULL)
			fail_msg("%s of %s is not tested", key->name, section->title);
		if (key->type == KEY_SECTION)
			n += all_there(key->section, node);
		else if (key->type == KEY_SECTIONS)
			n += all_there(key->section, &node->child[0]);
	}
	return n;
}

static void the_test_names_every_key(void **state)
{
	struct filled w;

	(void)state;
	fill(&w);
	assert_in_range(all_there(&schema_root, w.root), 100, 1000);
	end(&w);
}

static void is(const char *got, const char *want)
{
	assert_non_null(got);
	assert_string_equal(got, want);
}

static void has(const struct config_strings *list, size_t n, const char *last)
{
	assert_int_equal(list->n, n);
	is(list->v[n - 1], last);
}

static void topics_are_read_into_their_members(void **state)
{
	struct filled w;
	const struct config_topic *t;
	const struct config_threshold *h;

	(void)state;
	fill(&w);
	t = w.c.topics;
	h = t->thresholds;
	assert_int_equal(w.c.topic_count, 1);
	is(t->name, "t-name");
	is(t->match, "t-match");
	is(t->cluster, "t-cluster");
	is(t->group, "t-group");
	assert_int_equal(t->partitions, 13);
	assert_int_equal(t->label_count, 2);
	is(t->labels[1].name, "l2");
	is(t->labels[1].value, "v2");
	is(t->host, "t-host");
	assert_int_equal(t->port, 14);
	is(t->user, "t-user");
	is(t->key_file, "/t/key");
	is(t->passphrase_file, "/t/passphrase");
	assert_true(t->agent);
	has(&t->known_hosts, 3, "/t/known-3");
	assert_int_equal(t->host_key, HOST_KEY_PINNED);
	is(t->host_key_pin, PIN);
	is(t->proxy_jump, "t-jump");
	assert_true(t->ssh_config);
	is(t->run_as, "t-run-as");
	assert_int_equal(t->watchdog_ms, 15000);
	assert_int_equal(t->source, SOURCE_PROMETHEUS);
	is(t->kafka_home, "/t/kafka");
	is(t->cli, "/t/cli");
	assert_int_equal(t->env_count, 3);
	is(t->env[2].name, "E3");
	is(t->env[2].value, "w3");
	is(t->bootstrap_server, "t-boot:1");
	is(t->command_config, "/t/config");
	assert_true(t->target.set);
	is(t->target.host, "g-host");
	is(t->target.kafka_home, "/g/kafka");
	is(t->target.bootstrap_server, "g:1");
	is(t->target.command_config, "/g/config");
	is(t->target.topic, "x.{topic}");
	assert_int_equal(t->target.port, 2201);
	is(t->target.user, "g-user");
	is(t->target.key_file, "/g/key");
	is(t->url, "http://t-url");
	is(t->query, "t-query");
	is(t->username, "t-username");
	is(t->password_file, "/t/password");
	is(t->token_file, "/t/token");
	is(t->ca_file, "/t/ca");
	is(t->command, "t-command ${HOME} $$");
	assert_int_equal(t->format, FORMAT_LINE);
	is(t->cds_archive, "/t/archive");
	assert_int_equal(t->interval_ms, 16000);
	assert_int_equal(t->timeout_ms, 17000);
	assert_int_equal(t->share, SHARE_GROUP);
	assert_int_equal(t->threshold_count, 2);
	assert_true(h[0].on == THRESHOLD_GROUP && h[0].of == THRESHOLD_MESSAGES);
	assert_true(h[0].warning == 18 && h[0].critical == 19 && h[0].leave == 0.2);
	assert_int_equal(h[0].for_ms, 21 * 60000);
	assert_true(h[1].on == THRESHOLD_TOPIC && h[1].of == THRESHOLD_TIME);
	assert_true(h[1].warning == 22000 && h[1].critical == 23000 &&
		    h[1].leave == 0.24);
	assert_int_equal(t->rules.window_ms, 26 * 60000);
	assert_int_equal(t->rules.min_distance_ms, 27000);
	assert_int_equal(t->rules.allowed_lag, 28);
	assert_true(t->rules.minimum_complete == 0.29);
	assert_true(t->objective.set && t->objective.share == 0.31);
	assert_int_equal(t->objective.lag_max, 30);
	assert_int_equal(t->objective.over_ms, 32 * 3600000);
	end(&w);
}

static void elasticsearch_and_http_are_read_into_their_members(void **state)
{
	struct filled w;
	const struct config_elastic *e;
	const struct config_http *h;

	(void)state;
	fill(&w);
	e = &w.c.elastic;
	h = &w.c.http;
	assert_true(e->set);
	has(&e->hosts, 2, "https://e2:2");
	is(e->index, "other-{yyyy.MM}");
	is(e->mapping_file, "/e/mapping");
	is(e->username, "e-user");
	is(e->password_file, "/e/password");
	is(e->api_key_file, "/e/api-key");
	is(e->client_cert_file, "/e/cert");
	is(e->client_key_file, "/e/key");
	is(e->ca_file, "/e/ca");
	is(e->ca_fingerprint, PRINT);
	assert_true(e->insecure_skip_verify);
	assert_false(e->gzip);
	assert_int_equal(e->timeout_ms, 31000);
	assert_int_equal(e->bulk_documents, 11);
	assert_int_equal(e->bulk_bytes, 6 << 20);
	assert_int_equal(e->bulk_delay_ms, 12);
	assert_false(h->off);
	is(h->listen, "h-listen:1");
	has(&h->names, 1, "h-name");
	is(h->token_file, "/h/token");
	has(&h->trusted, 2, "192.168.0.0/16");
	is(h->cert_file, "/h/cert");
	is(h->client_ca_file, "/h/ca");
	is(h->key_file, "/h/key");
	end(&w);
}

static void the_other_sections_are_read_into_their_members(void **state)
{
	struct filled w;
	const struct config *c = &w.c;

	(void)state;
	fill(&w);
	is(c->state_dir, "/s");
	assert_int_equal(c->spool.max_bytes, 33 << 20);
	assert_int_equal(c->spool.max_age_ms, 34 * 3600000);
	assert_int_equal(c->spool.min_free, 35 << 20);
	assert_int_equal(c->history.bytes, 36 << 20);
	assert_int_equal(c->history.age_ms, 37 * 3600000);
	assert_int_equal(c->dead_letters.bytes, 38 << 20);
	assert_int_equal(c->dead_letters.age_ms, 39 * 3600000);
	assert_int_equal(c->log_level, LOG_DEBUG);
	assert_int_equal(c->log_format, LOG_JSON);
	assert_int_equal(c->cluster_count, 2);
	is(c->clusters[1].name, "c2");
	is(c->clusters[1].bootstrap_server, "c2:2");
	assert_int_equal(c->broker_count, 1);
	is(c->brokers[0].name, "b-name");
	is(c->brokers[0].prometheus, "http://b");
	is(c->brokers[0].username, "b-user");
	is(c->brokers[0].password_file, "/b/password");
	is(c->brokers[0].token_file, "/b/token");
	is(c->brokers[0].ca_file, "/b/ca");
	is(c->brokers[0].query, "b-query");
	assert_true(c->brokers[0].min_rate == 40.5);
	assert_int_equal(c->brokers[0].interval_ms, 41000);
	assert_int_equal(c->brokers[0].for_ms, 42000);
	assert_false(c->alerts.builtin);
	assert_int_equal(c->alerts.group_wait_ms, 43000);
	assert_int_equal(c->alerts.repeat_ms, 44 * 3600000);
	assert_int_equal(c->alerts.quiet_count, 1);
	has(&c->alerts.quiet[0].days, 2, "sun");
	is(c->alerts.quiet[0].from, "22:00");
	is(c->alerts.quiet[0].to, "06:00");
	is(c->alerts.quiet[0].timezone, "Q/Zone");
	is(c->alerts.quiet[0].severity, "critical");
	assert_int_equal(c->receiver_count, 1);
	is(c->receivers[0].name, "r-name");
	assert_int_equal(c->receivers[0].type, RECEIVER_EMAIL);
	has(&c->receivers[0].urls, 1, "http://r");
	is(c->receivers[0].url_file, "/r/url");
	is(c->receivers[0].smtp, "r-smtp");
	is(c->receivers[0].routing_key_file, "/r/key");
	is(c->receivers[0].from, "r-from");
	has(&c->receivers[0].to, 1, "r-to");
	is(c->receivers[0].username, "r-user");
	is(c->receivers[0].password_file, "/r/password");
	has(&c->receivers[0].argv, 2, "r-b");
	is(c->receivers[0].severity, "r-severity");
	is(c->receivers[0].template_file, "/r/template");
	assert_int_equal(c->receivers[0].timeout_ms, 45000);
	is(c->heartbeat.url_file, "/b/url");
	assert_int_equal(c->heartbeat.interval_ms, 46000);
	end(&w);
}

static char *print(const struct config *c)
{
	struct buf b = BUF_INIT(1 << 20);

	schema_print(&schema_root, c, &b);
	return buf_take(&b);
}

static void what_is_printed_is_json_and_reads_back_as_the_same(void **state)
{
	struct filled w;
	struct schema_filler filler = {.f = &w.f};
	char *first, *second;
	struct node *root;
	struct config again;
	json_t *json;

	(void)state;
	fill(&w);
	memset(&again, 0, sizeof(again));
	first = print(&w.c);
	json = json_loads(first, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_object_size(json), schema_root.n - 1); /* no defaults */
	root = tree_parse(first, strlen(first), &w.f);
	assert_non_null(root);
	schema_fill(&filler, &schema_root, &again, root, NULL);
	second = print(&again);
	assert_string_equal(first, second);
	schema_free(&schema_root, &again);
	tree_free(root);
	json_decref(json);
	free(first);
	free(second);
	end(&w);
}

/* Sections below `section`, itself included. */
static void each_section(const struct section *section,
			 void (*each)(const struct section *))
{
	each(section);
	for (size_t i = 0; i < section->n; i++)
		if (section->keys[i].section != NULL &&
		    section->keys[i].type != KEY_DEFAULTS)
			each_section(section->keys[i].section, each);
}

static void check_rows(const struct section *section)
{
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];

		if (key->help == NULL || key->help[strlen(key->help) - 1] != '.')
			fail_msg("%s: the help is no sentence", key->name);
		if (key->min > key->max ||
		    (key->def != NULL && key->automatic != NULL) ||
		    (key->def != NULL && key->required))
			fail_msg("%s: the row contradicts itself", key->name);
		if ((key->type == KEY_ENUM || key->type == KEY_HOST_KEY) !=
		    (key->names != NULL))
			fail_msg("%s: names", key->name);
		if (key->type == KEY_PAIRS && key->check == NULL)
			fail_msg("%s: pairs need a check of names", key->name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(key->name, section->keys[j].name);
	}
}

static void every_row_is_consistent(void **state)
{
	(void)state;
	each_section(&schema_root, check_rows);
}

static struct buf reference;

static void check_reference(const struct section *section)
{
	for (size_t i = 0; i < section->n; i++) {
		char *cell = mem_printf("\n| `%s` | ", section->keys[i].name);

		if (strstr(buf_str(&reference), cell) == NULL ||
		    strstr(buf_str(&reference), section->keys[i].help) == NULL)
			fail_msg("%s", cell);
		free(cell);
	}
}

static void the_reference_has_every_key_in_rows_of_six_columns(void **state)
{
	(void)state;
	buf_init(&reference, 1 << 20);
	config_print_reference(&reference);
	assert_false(reference.failed);
	each_section(&schema_root, check_reference);
	for (const char *p = reference.data; *p != '\0'; p = strchr(p, '\n') + 1) {
		size_t bars = 0;

		for (const char *q = p; *q != '\n'; q++)
			bars += *q == '|';
		assert_int_equal(bars, *p == '|' ? 7 : 0);
	}
	buf_free(&reference);
}

static void the_document_of_all_keys_is_current(void **state)
{
	struct buf now = BUF_INIT(1 << 20);

	(void)state;
	config_print_reference(&now);
	assert_document_is_current("docs/configuration.md", "| key |", &now);
	buf_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_test_names_every_key),
		cmocka_unit_test(topics_are_read_into_their_members),
		cmocka_unit_test(elasticsearch_and_http_are_read_into_their_members),
		cmocka_unit_test(the_other_sections_are_read_into_their_members),
		cmocka_unit_test(what_is_printed_is_json_and_reads_back_as_the_same),
		cmocka_unit_test(every_row_is_consistent),
		cmocka_unit_test(the_reference_has_every_key_in_rows_of_six_columns),
		cmocka_unit_test(the_document_of_all_keys_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
