/* SPDX-License-Identifier: MIT
 * An alert as a document, on the pages, and as a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "document/alert.h"

#define NOW ((struct wall){1795220000123})

static struct alert firing(void)
{
	struct alert a = {.severity = SEVERITY_CRITICAL,
			  .value = 1234,
			  .partition_count = 2,
			  .life = {.state = ALERT_FIRING,
				   .since = {1795219900000},
				   .began_ms = 1795219900001,
				   .known_ms = 1795220000000,
				   .away_ms = 5,
				   .returned_ms = 6,
				   .returns = 2}};

	a.rule = mem_strdup("stopped");
	a.cluster = mem_strdup("dc1");
	a.group = mem_strdup("oasis-group");
	a.topic = mem_strdup("orders");
	a.host = mem_strdup("");
	a.at = mem_strdup("mm1");
	a.message = mem_strdup("nobody \"owns\" it");
	a.changed = mem_strdup("fires");
	a.partitions = mem_calloc(2, sizeof(*a.partitions));
	a.partitions[0] = 3;
	a.partitions[1] = 17;
	alert_name_incident(&a);
	return a;
}

static void the_document_has_the_fields_of_the_readme(void **state)
{
	struct alert a = firing();
	struct document d = document_alert(&a, NOW), again, other;
	char *want = mem_printf(
		"{\"@timestamp\":\"2026-11-21T00:13:20.123Z\",\"event\":\"alert\","
		"\"state\":\"firing\",\"severity\":\"critical\",\"rule\":\"stopped\","
		"\"incident\":\"%s\",\"since\":\"2026-11-21T00:11:40.000Z\","
		"\"cluster\":\"dc1\",\"group\":\"oasis-group\",\"topic\":\"orders\","
		"\"partitions\":[3,17],\"value\":1234,"
		"\"message\":\"nobody \\\"owns\\\" it\"}",
		a.incident);

	(void)state;
	assert_string_equal(d.json, want);
	assert_string_equal(d.topic, "orders");
	assert_memory_equal(d.id, "1795220000123-", 14);
	again = document_alert(&a, NOW);
	assert_string_equal(d.id, again.id);
	a.life.state = ALERT_RESOLVED;
	other = document_alert(&a, NOW);
	assert_string_not_equal(d.id, other.id);
	free(want);
	document_fini(&d);
	document_fini(&again);
	document_fini(&other);
	alert_fini(&a);
}

static void an_alert_of_a_host_has_no_topic(void **state)
{
	struct alert a = firing();
	struct document d;

	(void)state;
	*a.topic = *a.group = *a.cluster = '\0';
	free(a.host);
	a.host = mem_strdup("mm1");
	a.partition_count = 0;
	a.value = NAN;
	d = document_alert(&a, NOW);
	assert_non_null(strstr(d.json, "\"host\":\"mm1\",\"partitions\":[],"
				       "\"value\":null,"));
	assert_null(strstr(d.json, "topic"));
	assert_null(strstr(d.json, "cluster"));
	document_fini(&d);
	alert_fini(&a);
}

static void a_record_is_read_as_it_was_written(void **state)
{
	struct alert a = firing(), b;
	struct buf one = BUF_INIT(1 << 16), two = BUF_INIT(1 << 16);
	struct jsonw w = jsonw_start(&one), v = jsonw_start(&two);
	json_t *root;

	(void)state;
	alert_write(&w, &a);
	root = json_loadb(one.data, one.len, 0, NULL);
	assert_non_null(root);
	assert_true(alert_read(root, &b));
	alert_write(&v, &b);
	assert_string_equal(buf_str(&one), buf_str(&two));
	assert_int_equal(b.life.returns, 2);
	json_decref(root);
	alert_fini(&a);
	alert_fini(&b);
	buf_free(&one);
	buf_free(&two);
}

static void what_is_no_record_is_refused(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"rule\":\"r\"}", "[]",
		"{\"rule\":1,\"cluster\":\"\",\"group\":\"\",\"topic\":\"\"}"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		json_t *root = json_loads(texts[i], 0, NULL);
		struct alert a;

		assert_false(alert_read(root, &a));
		alert_fini(&a);
		json_decref(root);
	}
}

static void the_page_has_null_for_what_is_not_there(void **state)
{
	struct alert a = firing();
	struct buf out = BUF_INIT(1 << 16);
	struct jsonw w = jsonw_start(&out);

	(void)state;
	alert_show(&w, &a, (struct wall){0});
	assert_non_null(strstr(buf_str(&out), "\"host\":null,\"partitions\":[3,17]"));
	assert_non_null(
		strstr(buf_str(&out), "\"resolved\":null,\"silenced_until\":null}"));
	alert_fini(&a);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_has_the_fields_of_the_readme),
		cmocka_unit_test(an_alert_of_a_host_has_no_topic),
		cmocka_unit_test(a_record_is_read_as_it_was_written),
		cmocka_unit_test(what_is_no_record_is_refused),
		cmocka_unit_test(the_page_has_null_for_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
