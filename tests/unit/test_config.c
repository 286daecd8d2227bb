/* SPDX-License-Identifier: MIT
 * Good configurations: what they become. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "config_text.h"

#include "banned.h"

static const char small[] =
	"elasticsearch:\n"
	"  hosts: [http://es1:9200, http://es2:9200, http://es3:9200]\n"
	"  username: mmlag\n"
	"  password_file: /etc/mmlag/es.password\n"
	"defaults:\n"
	"  host: mm1.example.com\n"
	"  user: ec2-user\n"
	"  key_file: /etc/mmlag/mm.pem\n"
	"  kafka_home: /home/ec2-user/kafka_2.12-2.6.2\n"
	"  bootstrap_server: source-kafka:9092\n"
	"  group: oasis-group\n"
	"  command_config: config/mm.properties     # relative to kafka_home\n"
	"topics:\n"
	"  - orders\n"
	"  - name: payments\n"
	"    host: mm2.example.com\n";

static const char small_json[] =
	"{\"elasticsearch\": {\"hosts\": [\"http://es1:9200\", \"http://es2:9200\",\n"
	"  \"http://es3:9200\"], \"username\": \"mmlag\",\n"
	"  \"password_file\": \"\\/etc\\/mmlag\\/es.password\"},\n"
	" \"defaults\": {\"host\": \"mm1.example.com\", \"user\": \"ec2-user\",\n"
	"  \"key_file\": \"/etc/mmlag/mm.pem\",\n"
	"  \"kafka_home\": \"/home/ec2-user/kafka_2.12-2.6.2\",\n"
	"  \"bootstrap_server\": \"source-kafka:9092\", \"group\": \"oasis-group\",\n"
	"  \"command_config\": \"config/mm.properties\"},\n"
	" \"topics\": [\"orders\", {\"name\": \"payments\", \"host\": "
	"\"mm2.example.com\"}]}\n";

/* Parses, prints everything that is said, and expects a configuration. */
static struct config *good(const char *text)
{
	struct buf said = BUF_INIT(100000);
	struct config *c = parse(text, &said);

	if (c == NULL)
		fail_msg("%s", buf_str(&said));
	buf_free(&said);
	return c;
}

/* A configuration with these topics below the usual defaults. */
static struct config *topics(const char *text)
{
	char *whole = mem_printf(TOPIC_DEFAULTS "topics:\n%s", text);
	struct config *c = good(whole);

	free(whole);
	return c;
}

static char *print(const struct config *c)
{
	struct buf b = BUF_INIT(64 << 20);

	config_print(c, &b);
	assert_false(b.failed);
	return buf_take(&b);
}

static void the_smallest_useful_file_is_complete(void **state)
{
	struct config *c = good(small);
	const struct config_topic *t = c->topics;

	(void)state;
	assert_int_equal(c->topic_count, 2);
	assert_string_equal(c->path, "test.yaml");
	assert_string_equal(c->state_dir, "/var/lib/mmlag");
	assert_true(c->elastic.set && c->elastic.gzip);
	assert_int_equal(c->elastic.hosts.n, 3);
	assert_string_equal(c->elastic.index, "consumer_lag");
	assert_int_equal(c->elastic.timeout_ms, 30000);
	assert_string_equal(t[0].name, "orders");
	assert_int_equal(t[0].line, 14);
	assert_int_equal(t[1].line, 15);
	assert_string_equal(t[0].host, "mm1.example.com");
	assert_string_equal(t[1].host, "mm2.example.com");
	assert_string_equal(t[1].user, "ec2-user");
	assert_int_equal(t[0].port, 22);
	assert_string_equal(t[0].cluster, "default");
	assert_string_equal(t[0].cli, "/home/ec2-user/kafka_2.12-2.6.2/bin/"
				      "kafka-consumer-groups.sh");
	assert_string_equal(t[0].command_config,
			    "/home/ec2-user/kafka_2.12-2.6.2/config/"
			    "mm.properties");
	assert_int_equal(t[0].known_hosts.n, 2);
	assert_string_equal(t[0].known_hosts.v[0], "/var/lib/mmlag/known_hosts");
	assert_string_equal(t[0].known_hosts.v[1], "/etc/ssh/ssh_known_hosts");
	assert_int_equal(t[0].host_key, HOST_KEY_STRICT);
	assert_int_equal(t[0].source, SOURCE_SSH);
	assert_int_equal(t[0].format, FORMAT_TABLE);
	assert_int_equal(t[0].share, SHARE_TOPIC);
	assert_int_equal(t[0].interval_ms, 10000);
	assert_false(t[0].interval_explicit);
	assert_int_equal(t[0].timeout_ms, 60000);
	assert_int_equal(t[0].watchdog_ms, 4000);
	assert_int_equal(t[0].rules.window_ms, 600000);
	assert_true(t[0].rules.minimum_complete == 0.5);
	assert_null(t[0].command);
	assert_false(t[0].objective.set || t[0].target.set || t[0].agent);
	config_unref(c);
}

static void the_same_file_as_json_is_the_same(void **state)
{
	struct config *a = good(small), *b = good(small_json);
	char *x = print(a), *y = print(b);

	(void)state;
	assert_string_equal(x, y);
	free(x);
	free(y);
	config_unref(a);
	config_unref(b);
}

static void without_elasticsearch_documents_stay_here(void **state)
{
	struct config *c = topics("  - a\n");

	(void)state;
	assert_false(c->elastic.set);
	assert_int_equal(c->elastic.bulk_documents, 1000);
	assert_int_equal(c->spool.max_bytes, INT64_C(1) << 30);
	assert_int_equal(c->spool.max_age_ms, INT64_C(7) * 86400000);
	assert_int_equal(c->spool.min_free, 512 << 20);
	assert_int_equal(c->dead_letters.bytes, 64 << 20);
	assert_int_equal(c->dead_letters.age_ms, INT64_C(30) * 86400000);
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->log_format, LOG_TEXT);
	config_unref(c);
}

static void the_topic_s_own_key_wins_and_maps_are_merged(void **state)
{
	struct config *c = good(
		"defaults: {host: h, user: u, key_file: /k, kafka_home: /kafka/, "
		"group: g,\n"
		"  bootstrap_server: 'b:9092', labels: {a: '1', b: '2'}, env: {A: x},\n"
		"  rules: {window: 5m, allowed_lag: 7}, run_as: kafka, timeout: 30s}\n"
		"topics:\n"
		"  - one\n"
		"  - name: two\n"
		"    labels: {b: other, c: '3'}\n"
		"    rules: {window: 6m}\n"
		"    run_as: null\n"
		"    timeout: 20s\n"
		"    env:\n");
	const struct config_topic *t = c->topics;

	(void)state;
	assert_int_equal(t[0].label_count, 2);
	assert_int_equal(t[1].label_count, 3);
	assert_string_equal(t[1].labels[0].value, "1");
	assert_string_equal(t[1].labels[1].value, "other");
	assert_string_equal(t[1].labels[2].name, "c");
	assert_int_equal(t[0].rules.allowed_lag, 7);
	assert_int_equal(t[0].rules.window_ms, 300000);
	assert_int_equal(t[1].rules.allowed_lag, 0);
	assert_int_equal(t[1].rules.window_ms, 360000);
	assert_string_equal(t[0].run_as, "kafka");
	assert_null(t[1].run_as);
	assert_int_equal(t[1].timeout_ms, 20000);
	assert_int_equal(t[1].env_count, 1);
	assert_string_equal(t[0].cli, "/kafka/bin/kafka-consumer-groups.sh");
	config_unref(c);
}

static void the_interval_grows_with_the_topics_of_a_host(void **state)
{
	struct config *c = topics("  - {name: a}\n"
				  "  - {name: b}\n"
				  "  - {name: c}\n"
				  "  - {name: d}\n"
				  "  - {name: e}\n"
				  "  - {name: f}\n"
				  "  - {name: g, interval: 1s}\n"
				  "  - {name: h, share: group}\n"
				  "  - {name: i, host: other}\n"
				  "  - {name: j, port: 23}\n");

	(void)state;
	assert_int_equal(c->topics[0].interval_ms, 16000);
	assert_int_equal(c->topics[6].interval_ms, 1000);
	assert_true(c->topics[6].interval_explicit);
	assert_int_equal(c->topics[7].interval_ms, 10000);
	assert_int_equal(c->topics[8].interval_ms, 10000);
	assert_int_equal(c->topics[9].interval_ms, 10000);
	config_unref(c);
}

static void a_command_needs_no_kafka_and_is_taken_literally(void **state)
{
	struct config *c = good("topics:\n"
				"  - name: a\n"
				"    host: h\n"
				"    user: u\n"
				"    agent: true\n"
				"    share: group\n"
				"    format: line\n"
				"    command: |\n"
				"      while sleep 1; do echo ${NOT_SET} $$ $(x | sed "
				"'s/\\s\\+/\\t/g');"
				" done\n");
	const struct config_topic *t = c->topics;

	(void)state;
	assert_string_equal(t->command,
			    "while sleep 1; do echo ${NOT_SET} $$ $(x | sed "
			    "'s/\\s\\+/\\t/g'); done\n");
	assert_int_equal(t->format, FORMAT_LINE);
	assert_int_equal(t->share, SHARE_TOPIC); /* it serves one topic only */
	assert_null(t->cli);
	assert_null(t->group);
	config_unref(c);
}

static void a_path_is_joined_only_where_it_is_relative(void **state)
{
	struct config *c = topics("  - {name: a, command_config: /abs/x}\n"
				  "  - {name: b, command_config: x, kafka_home: /}\n"
				  "  - {name: c, cli: kafka-consumer-groups}\n");

	(void)state;
	assert_string_equal(c->topics[0].command_config, "/abs/x");
	assert_string_equal(c->topics[1].command_config, "/x");
	assert_string_equal(c->topics[1].cli, "/bin/kafka-consumer-groups.sh");
	assert_string_equal(c->topics[2].cli, "kafka-consumer-groups");
	config_unref(c);
}

static void host_keys_are_strict_accepted_or_pinned(void **state)
{
	static const char pin[] = "SHA256:abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN/+1";
	char *text =
		mem_printf("  - {name: a, host_key: accept-new, known_hosts: /one}\n"
			   "  - {name: b, host_key: '%s='}\n",
			   pin);
	struct config *c = topics(text);

	(void)state;
	assert_int_equal(c->topics[0].host_key, HOST_KEY_ACCEPT_NEW);
	assert_int_equal(c->topics[0].known_hosts.n, 1);
	assert_string_equal(c->topics[0].known_hosts.v[0], "/one");
	assert_int_equal(c->topics[1].host_key, HOST_KEY_PINNED);
	assert_string_equal(c->topics[1].host_key_pin, pin);
	config_unref(c);
	free(text);
}

static void the_state_directory_is_systemd_s_where_it_gives_one(void **state)
{
	struct config *c;

	(void)state;
	setenv("STATE_DIRECTORY", "/run/state:/other", 1);
	c = topics("  - a\n");
	assert_string_equal(c->state_dir, "/run/state");
	assert_string_equal(c->topics[0].known_hosts.v[0], "/run/state/known_hosts");
	config_unref(c);
	c = good(TOPIC_DEFAULTS "topics: [a]\nstate_dir: /mine\n");
	assert_string_equal(c->state_dir, "/mine");
	config_unref(c);
	unsetenv("STATE_DIRECTORY");
}

static void numbers_may_come_from_the_environment(void **state)
{
	struct config *c;

	(void)state;
	setenv("MMLAG_T_PORT", "2222", 1);
	c = topics("  - {name: \"${MMLAG_T_NAME:orders}\", port: \"${MMLAG_T_PORT}\",\n"
		   "     agent: \"${MMLAG_T_AGENT:true}\"}\n");
	assert_string_equal(c->topics[0].name, "orders");
	assert_int_equal(c->topics[0].port, 2222);
	assert_true(c->topics[0].agent);
	config_unref(c);
	unsetenv("MMLAG_T_PORT");
}

static void two_ways_to_write_a_cluster_s_brokers_are_listed(void **state)
{
	struct config *c = good(
		TOPIC_DEFAULTS
		"topics:\n"
		"  - a\n"
		"  - {name: b, bootstrap_server: 'PLAINTEXT://c:9092,d:9092'}\n"
		"  - {name: a, cluster: x, bootstrap_server: 'e:1'}\n"
		"clusters:\n"
		"  - {name: default, bootstrap_server: 'PLAINTEXT://c:9092,d:9092'}\n"
		"  - {name: default, bootstrap_server: 'b:9092'}\n");

	(void)state;
	assert_int_equal(c->cluster_count, 2);
	config_unref(c);
}

static void a_url_s_last_slash_is_dropped(void **state)
{
	struct config *c =
		good(TOPIC_DEFAULTS
		     "topics: [a]\n"
		     "elasticsearch: {hosts: ['https://h:9200/', 'https://h/es/']}\n");

	(void)state;
	assert_string_equal(c->elastic.hosts.v[0], "https://h:9200");
	assert_string_equal(c->elastic.hosts.v[1], "https://h/es");
	config_unref(c);
}

static void a_threshold_without_a_level_has_none(void **state)
{
	struct config *c = topics(
		"  - {name: a, thresholds: [{of: time, critical: 5m, for: 3m}]}\n");

	(void)state;
	assert_int_equal(c->topics[0].threshold_count, 1);
	assert_true(isnan(c->topics[0].thresholds[0].warning));
	assert_true(c->topics[0].thresholds[0].critical == 300000);
	assert_true(c->topics[0].thresholds[0].leave == 0.8);
	config_unref(c);
}

static void http_can_be_off(void **state)
{
	struct config *c = good(TOPIC_DEFAULTS "topics: [a]\nhttp: off\n");

	(void)state;
	assert_true(c->http.off);
	config_unref(c);
}

static void the_examples_load_without_errors(void **state)
{
	static const struct {
		const char *path;
		size_t topics;
	} files[] = {{"examples/small.yaml", 2}, {"examples/mmlag.yaml", 6}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct config_findings f;
		struct config *c = NULL;
		struct err err = ERR_INIT;

		if (config_load(files[i].path, &c, &f, &err) != 0)
			fail_msg("%s: %s", err.text, f.n > 0 ? f.v[0].text : "");
		assert_int_equal(c->topic_count, files[i].topics);
		config_findings_free(&f);
		config_unref(c);
	}
}

static void a_file_that_is_not_there_is_an_error_without_findings(void **state)
{
	struct config_findings f;
	struct config *c = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(config_load("/no/such/file", &c, &f, &err), ERR_PERMANENT);
	assert_int_equal(err.class, ERR_PERMANENT);
	assert_string_equal(err.text, "/no/such/file: No such file or directory");
	assert_null(c);
	assert_int_equal(f.n, 0);
}

static void what_is_printed_loads_as_the_same(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	struct config *c, *again;
	char *first, *second;

	(void)state;
	assert_int_equal(file_read("examples/mmlag.yaml", &text, NULL), 0);
	c = good(buf_str(&text));
	first = print(c);
	again = good(first);
	second = print(again);
	assert_string_equal(first, second);
	free(first);
	free(second);
	config_unref(c);
	config_unref(again);
	buf_free(&text);
}

static void a_thousand_topics_share_and_differ(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	struct config *c;

	(void)state;
	buf_addstr(&text, TOPIC_DEFAULTS "topics:\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "  - {name: t%d, host: h%d, port: %d}\n", i, i % 100,
			   1 + i % 2);
	c = good(buf_str(&text));
	assert_int_equal(c->topic_count, 1000);
	assert_string_equal(c->topics[999].name, "t999");
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(c->topics[i].interval_ms, 20000);
	assert_int_equal(c->file_count, 1); /* key_file of defaults, once */
	config_unref(c);
	buf_free(&text);
}

static void a_shared_configuration_lives_until_the_last_one_lets_go(void **state)
{
	struct config *c = good(small);

	(void)state;
	assert_ptr_equal(config_ref(c), c);
	config_unref(c);
	assert_string_equal(c->topics[1].name, "payments");
	config_unref(c);
	config_unref(NULL);
}

static void write_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x\n", 2), 2);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void files_are_checked_with_the_place_of_their_key(void **state)
{
	char dir[] = "/tmp/mmlag-test-config-XXXXXX";
	struct config_findings f = {NULL, 0};
	char *good_key, *open_key, *text;
	struct config *c;

	(void)state;
	assert_non_null(mkdtemp(dir));
	good_key = mem_printf("%s/good", dir);
	open_key = mem_printf("%s/open", dir);
	write_file(good_key, 0600);
	write_file(open_key, 0644);
	text = mem_printf(
		"defaults: {host: h, user: u, kafka_home: /k, group: g,\n"
		"  bootstrap_server: 'b:1', key_file: %s}\n"
		"topics:\n"
		"  - {name: a, key_file: %s}\n"
		"  - {name: b, passphrase_file: /no/such}\n"
		"  - c\n"
		"elasticsearch: {hosts: ['https://h:1'], mapping_file: /no/mapping}\n",
		open_key, good_key);
	c = good(text);
	config_check_files(c, &f);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.v[0].line, 2);
	assert_int_equal(f.v[0].column, 38);
	assert_non_null(strstr(f.v[0].text, "key_file: "));
	assert_non_null(strstr(f.v[0].text, "chmod 600"));
	assert_int_equal(f.v[1].line, 5);
	assert_non_null(strstr(f.v[1].text, "passphrase_file: /no/such"));
	assert_int_equal(f.v[2].line, 7);
	assert_non_null(strstr(f.v[2].text, "mapping_file: /no/mapping"));
	config_findings_free(&f);
	config_unref(c);
	unlink(good_key);
	unlink(open_key);
	rmdir(dir);
	free(good_key);
	free(open_key);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_useful_file_is_complete),
		cmocka_unit_test(the_same_file_as_json_is_the_same),
		cmocka_unit_test(without_elasticsearch_documents_stay_here),
		cmocka_unit_test(the_topic_s_own_key_wins_and_maps_are_merged),
		cmocka_unit_test(the_interval_grows_with_the_topics_of_a_host),
		cmocka_unit_test(a_command_needs_no_kafka_and_is_taken_literally),
		cmocka_unit_test(a_path_is_joined_only_where_it_is_relative),
		cmocka_unit_test(host_keys_are_strict_accepted_or_pinned),
		cmocka_unit_test(the_state_directory_is_systemd_s_where_it_gives_one),
		cmocka_unit_test(numbers_may_come_from_the_environment),
		cmocka_unit_test(two_ways_to_write_a_cluster_s_brokers_are_listed),
		cmocka_unit_test(a_url_s_last_slash_is_dropped),
		cmocka_unit_test(a_threshold_without_a_level_has_none),
		cmocka_unit_test(http_can_be_off),
		cmocka_unit_test(the_examples_load_without_errors),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error_without_findings),
		cmocka_unit_test(what_is_printed_loads_as_the_same),
		cmocka_unit_test(a_thousand_topics_share_and_differ),
		cmocka_unit_test(
			a_shared_configuration_lives_until_the_last_one_lets_go),
		cmocka_unit_test(files_are_checked_with_the_place_of_their_key),
	};

	unsetenv("STATE_DIRECTORY");
	unsetenv("MMLAG_LOG_LEVEL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
