/* SPDX-License-Identifier: MIT
 * What receivers are told: the body of each kind, and templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "notify/message.h"
#include "notify/notify.h"

#define NOW ((struct wall){1795220000123})
#define NAMES                                                                     \
	.cluster = dc1, .group = group, .topic = orders, .host = none, .at = mm1, \
	.changed = none

static char none[] = "", dc1[] = "dc1", group[] = "oasis-group", orders[] = "orders",
	    mm1[] = "mm1", stopped[] = "stopped", stalled[] = "stalled",
	    host_down[] = "host_down", says[] = "nobody <owns> \"it\" & more\nbad";
static int32_t list[] = {3, 17};

static struct alert firing = {.rule = stopped,
			      .severity = SEVERITY_CRITICAL,
			      NAMES,
			      .partitions = list,
			      .partition_count = 2,
			      .value = 1234,
			      .message = says,
			      .incident = "0123456789abcdef",
			      .life = {.state = ALERT_FIRING,
				       .since = {1795219900000}}};
static struct alert over = {.rule = stalled,
			    .severity = SEVERITY_WARNING,
			    NAMES,
			    .value = NAN,
			    .message = says,
			    .incident = "fedcba9876543210",
			    .life = {.state = ALERT_RESOLVED,
				     .since = {1795219900000},
				     .ended = {1795219990000}}};

static const struct alert *both[] = {&firing, &over}, *only_over[] = {&over};

static struct message message(const struct alert **alerts, size_t n)
{
	return (struct message){.receiver = "ops",
				.url = "http://127.0.0.1:9308/",
				.alerts = alerts,
				.n = n,
				.now = NOW};
}

/* The JSON that `make` gives; the caller lets go of it. */
static json_t *parsed(struct buf *b)
{
	json_error_t e;
	json_t *root = json_loadb(buf_str(b), b->len, 0, &e);

	if (root == NULL)
		fail_msg("%s in %s", e.text, buf_str(b));
	buf_free(b);
	return root;
}

static const char *text_at(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s != NULL ? s : "(none)";
}

static void the_webhook_is_of_alertmanagers_shape(void **state)
{
	struct message m = message(both, 2);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root, *one, *labels;

	(void)state;
	message_webhook(&b, &m);
	root = parsed(&b);
	assert_string_equal(text_at(root, "version"), "4");
	assert_string_equal(text_at(root, "status"), "firing");
	assert_string_equal(text_at(root, "receiver"), "ops");
	assert_string_equal(text_at(root, "groupKey"),
			    "{}:{cluster=\"dc1\", group=\"oasis-group\"}");
	assert_int_equal(json_integer_value(json_object_get(root, "truncatedAlerts")),
			 0);
	assert_int_equal(json_array_size(json_object_get(root, "alerts")), 2);
	one = json_array_get(json_object_get(root, "alerts"), 0);
	labels = json_object_get(one, "labels");
	assert_string_equal(text_at(labels, "alertname"), "mmlag_stopped");
	assert_string_equal(text_at(labels, "severity"), "critical");
	assert_string_equal(text_at(labels, "topic"), "orders");
	assert_null(json_object_get(labels, "host")); /* of a host's alerts only */
	assert_string_equal(text_at(one, "startsAt"), "2026-11-21T00:11:40.000Z");
	assert_string_equal(text_at(one, "endsAt"), "0001-01-01T00:00:00Z");
	assert_int_equal(strlen(text_at(one, "fingerprint")), 16);
	one = json_array_get(json_object_get(root, "alerts"), 1);
	assert_string_equal(text_at(one, "status"), "resolved");
	assert_string_equal(text_at(one, "endsAt"), "2026-11-21T00:13:10.000Z");
	labels = json_object_get(root, "commonLabels");
	assert_string_equal(text_at(labels, "topic"), "orders");
	assert_null(json_object_get(labels, "alertname"));
	json_decref(root);
}

static void what_all_alerts_of_a_webhook_say_alike_stands_above_them(void **state)
{
	struct alert other = firing;
	const struct alert *pair[] = {&firing, &other};
	struct message m = message(pair, 1);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root, *common, *its;

	(void)state;
	message_webhook(&b, &m);
	root = parsed(&b);
	common = json_object_get(root, "commonAnnotations");
	its = json_object_get(json_array_get(json_object_get(root, "alerts"), 0),
			      "annotations");
	assert_true(json_object_size(common) > 3);
	assert_true(json_equal(common, its)); /* of one they are its own */
	json_decref(root);
	other.value = firing.value + 1;
	other.partition_count = 0; /* has no annotation of that name */
	m = message(pair, 2);
	buf_reset(&b);
	message_webhook(&b, &m);
	root = parsed(&b);
	common = json_object_get(root, "commonAnnotations");
	assert_string_equal(text_at(common, "description"), firing.message);
	assert_string_equal(text_at(common, "incident"), firing.incident);
	assert_null(json_object_get(common, "summary"));
	assert_null(json_object_get(common, "value"));
	assert_null(json_object_get(common, "partitions"));
	json_decref(root);
	buf_free(&b);
}

static void an_alertmanager_hears_how_long_to_believe_it(void **state)
{
	struct message m = message(both, 2);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root;

	(void)state;
	message_alertmanager(&b, &m, 300000);
	root = parsed(&b);
	assert_int_equal(json_array_size(root), 2);
	assert_string_equal(text_at(json_array_get(root, 0), "endsAt"),
			    "2026-11-21T00:18:20.123Z");
	assert_string_equal(text_at(json_array_get(root, 1), "endsAt"),
			    "2026-11-21T00:13:10.000Z");
	json_decref(root);
}

/* A label that changes would be another alert over there. */
static void labels_do_not_change_with_what_is_said(void **state)
{
	struct alert a = firing;
	char one[17], two[17];

	(void)state;
	message_fingerprint(&a, one);
	a.value = 9;
	a.partition_count = 1;
	a.message = a.at = none;
	message_fingerprint(&a, two);
	assert_string_equal(one, two);
	a.severity = SEVERITY_WARNING;
	message_fingerprint(&a, two);
	assert_string_not_equal(one, two);
}

static void slack_gets_its_three_characters_escaped(void **state)
{
	struct message m = message(both, 2);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root, *attachment;

	(void)state;
	message_slack(&b, &m);
	root = parsed(&b);
	assert_string_equal(text_at(root, "text"),
			    "[FIRING:1] dc1/oasis-group: stopped, stalled");
	attachment = json_array_get(json_object_get(root, "attachments"), 0);
	assert_string_equal(text_at(attachment, "color"), "#d00000");
	assert_non_null(strstr(text_at(attachment, "text"), "nobody &lt;owns&gt;"));
	assert_non_null(strstr(text_at(attachment, "text"), "&amp; more"));
	json_decref(root);
}

static void pagerduty_triggers_and_resolves_by_the_incident(void **state)
{
	struct message m = message(both, 1);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root;

	(void)state;
	message_pagerduty(&b, &m, "key");
	root = parsed(&b);
	assert_string_equal(text_at(root, "event_action"), "trigger");
	assert_string_equal(text_at(root, "dedup_key"), "0123456789abcdef");
	assert_string_equal(text_at(root, "routing_key"), "key");
	assert_string_equal(text_at(json_object_get(root, "payload"), "severity"),
			    "critical");
	assert_string_equal(text_at(json_object_get(root, "payload"), "source"), "mm1");
	json_decref(root);
	m = message(only_over, 1);
	buf_init(&b, 1 << 20);
	message_pagerduty(&b, &m, "key");
	root = parsed(&b);
	assert_string_equal(text_at(root, "event_action"), "resolve");
	assert_int_equal(json_object_size(root), 3);
	json_decref(root);
}

static void a_long_message_is_cut_where_the_service_ends(void **state)
{
	struct alert a = firing;
	const struct alert *alerts[] = {&a};
	struct message m = message(alerts, 1);
	struct buf b = BUF_INIT(1 << 20);
	json_t *root;

	(void)state;
	a.message = mem_calloc(1, 5001);
	for (int i = 0; i < 5000; i += 2)
		memcpy(a.message + i, "\xc3\xa4", 2);
	message_pagerduty(&b, &m, "key");
	root = parsed(&b); /* valid UTF-8, too */
	assert_in_range(strlen(text_at(json_object_get(root, "payload"), "summary")),
			1000, 1024);
	json_decref(root);
	free(a.message);
}

static void a_mail_has_a_subject_that_nothing_hides_in(void **state)
{
	static const char *const to[] = {"a@x.example", "b@x.example"};
	struct message m = message(both, 2);
	struct buf b = BUF_INIT(1 << 20);
	const char *body;

	(void)state;
	message_email(&b, &m, "mmlag@x.example", to, 2);
	body = strstr(buf_str(&b), "\r\n\r\n");
	assert_non_null(body);
	assert_non_null(strstr(buf_str(&b), "Date: Sat, 21 Nov 2026 00:13:20 +0000"));
	assert_non_null(strstr(buf_str(&b), "To: a@x.example, b@x.example\r\n"));
	assert_non_null(strstr(buf_str(&b), "Subject: =?UTF-8?B?"));
	for (const char *p = buf_str(&b); *p != '\0'; p++) {
		if (*p == '\n')
			assert_int_equal(p[-1], '\r');
		assert_true((unsigned char)*p < 128);
	}
	buf_free(&b);
}

static const struct {
	const char *template, *want;
	bool json;
} templates[] = {
	{"{{status}} {{ severity }} {{rule}} {{topic}}",
	 "firing critical stopped orders", false},
	{"{{partitions}}|{{value}}|{{since}}|{{alerts}}",
	 "3 17|1234|2026-11-21T00:11:40.000Z|2", false},
	{"{\"a\":\"{{message}}\"}", "{\"a\":\"nobody <owns> \\\"it\\\" & more\\nbad\"}",
	 true},
	{"{{unknown}}.", ".", false},
	{"{{ not closed", "{{ not closed", false},
	{"{{{rule}}}", "{stopped}", false},
	{"", "", false},
	{"{{host}} {{incident}} {{receiver}}", "mm1 0123456789abcdef ops", false},
};

static void templates_have_named_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		struct message m = message(both, 2);
		struct buf b = BUF_INIT(1 << 20);

		m.template = templates[i].template;
		message_template(&b, &m, templates[i].json);
		if (strcmp(buf_str(&b), templates[i].want) != 0)
			fail_msg("%s gave %s", templates[i].template, buf_str(&b));
		buf_free(&b);
	}
}

static void groups_are_hosts_or_groups(void **state)
{
	struct alert host = firing, other = firing;
	struct buf b = BUF_INIT(4096);
	const struct alert *alerts[] = {&host};
	struct message m = message(alerts, 1);

	(void)state;
	assert_true(message_same_group(&firing, &over));
	host.rule = host_down;
	host.cluster = host.group = host.topic = none;
	host.host = mm1;
	assert_false(message_same_group(&host, &firing));
	other.group = dc1;
	assert_false(message_same_group(&other, &firing));
	message_title(&m, &b);
	assert_string_equal(buf_str(&b), "[FIRING:1] mm1: host_down");
	buf_free(&b);
}

static void a_command_gets_json_and_its_exit_code_counts(void **state)
{
	static char sh[] = "/bin/sh", c[] = "-c", name[] = "cmd",
		    good[] = "grep -q '\"version\":\"4\"'",
		    bad[] = "echo no >&2; exit 3";
	char *argv[] = {sh, c, good};
	struct config_receiver r = {.name = name,
				    .type = RECEIVER_COMMAND,
				    .argv = {argv, 3},
				    .timeout_ms = 10000};
	struct message m = message(both, 2);
	struct notify_answer a;
	struct err err = ERR_INIT;
	struct notify *n;

	(void)state;
	assert_int_equal(notify_open(&n, &r, NULL, &err), 0);
	assert_int_equal(notify_send(n, 0, &m, &a, &err), 0);
	argv[2] = bad;
	assert_int_equal(notify_send(n, 0, &m, &a, &err), ERR_RETRY);
	assert_int_equal(a.status, 3);
	assert_string_equal(a.text, "no");
	r.timeout_ms = 100;
	argv[2] =
		(char[]){"exec 3<>/dev/null; read x; read y <&3; while :; do :; done"};
	assert_int_equal(notify_send(n, 0, &m, &a, &err), ERR_RETRY);
	notify_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_webhook_is_of_alertmanagers_shape),
		cmocka_unit_test(
			what_all_alerts_of_a_webhook_say_alike_stands_above_them),
		cmocka_unit_test(an_alertmanager_hears_how_long_to_believe_it),
		cmocka_unit_test(labels_do_not_change_with_what_is_said),
		cmocka_unit_test(slack_gets_its_three_characters_escaped),
		cmocka_unit_test(pagerduty_triggers_and_resolves_by_the_incident),
		cmocka_unit_test(a_long_message_is_cut_where_the_service_ends),
		cmocka_unit_test(a_mail_has_a_subject_that_nothing_hides_in),
		cmocka_unit_test(templates_have_named_fields),
		cmocka_unit_test(groups_are_hosts_or_groups),
		cmocka_unit_test(a_command_gets_json_and_its_exit_code_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
