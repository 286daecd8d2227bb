/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dashboard/dashboard.h"
#include "dashboard/import.h"

/* A configuration as its JSON; the caller lets it go. */
static struct config *config_of(const char *index, const char *topics)
{
	struct config_findings findings = {NULL, 0};
	struct err err = ERR_INIT;
	struct config *c = NULL;
	struct buf text = BUF_INIT(65536);

	buf_printf(
		&text,
		"{\"elasticsearch\":{\"hosts\":[\"http://es:9200\"],\"index\":\"%s\"},"
		"\"state_dir\":\"/s\",\"defaults\":{\"host\":\"h\",\"user\":\"u\","
		"\"agent\":true,\"kafka_home\":\"/k\",\"bootstrap_server\":\"b:1\","
		"\"group\":\"g\",\"share\":\"group\"},\"topics\":%s}",
		index, topics);
	if (config_parse("test", buf_str(&text), text.len, &c, &findings, &err) != 0)
		fail_msg("%s %s", err.text,
			 findings.n > 0 ? findings.v[0].text : "no finding");
	config_findings_free(&findings);
	buf_free(&text);
	return c;
}

static void the_plan_follows_the_configuration(void **state)
{
	static const struct {
		const char *index, *topics;
		int asked;
		const char *pattern;
		int partitions;
		bool known;
	} rows[] = {
		{"consumer_lag", "[\"a\"]", 0, "consumer_lag*", DASHBOARD_PARTITIONS,
		 false},
		{"lag-{yyyy.MM.dd}",
		 "[{\"name\":\"a\",\"partitions\":3},"
		 "{\"name\":\"b\",\"partitions\":40}]",
		 0, "lag-*", 40, true},
		{"{yyyy.MM}-lag", "[{\"name\":\"a\",\"partitions\":3}]", 7, "*-lag*", 7,
		 true},
		{"lag", "[{\"name\":\"a\",\"partitions\":90000}]", 0, "lag*",
		 DASHBOARD_PARTITIONS_MAX, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config *c = config_of(rows[i].index, rows[i].topics);
		struct dashboard d;

		dashboard_init(&d, c, rows[i].asked, 1);
		assert_string_equal(d.pattern, rows[i].pattern);
		assert_int_equal(d.partitions, rows[i].partitions);
		assert_int_equal(d.partitions_known, rows[i].known);
		dashboard_fini(&d);
		config_unref(c);
	}
}

static void each_line_of_saved_objects_is_json_whose_strings_are_json(void **state)
{
	static const char *const inner[] = {"visState", "panelsJSON", "optionsJSON"};
	struct config *c = config_of("lag", "[\"a\"]");
	struct buf out = BUF_INIT(DASHBOARD_TEXT_MAX);
	struct dashboard d;
	size_t objects = 0;
	char *line, *rest;

	(void)state;
	dashboard_init(&d, c, DASHBOARD_PARTITIONS_MAX, 1);
	dashboard_saved_objects(&d, &out);
	dashboard_lens(&d, &out);
	assert_false(out.failed);
	for (line = out.data; *line != '\0'; line = rest) {
		json_t *o, *a;

		rest = strchr(line, '\n');
		assert_non_null(rest);
		o = json_loadb(line, (size_t)(rest - line), JSON_REJECT_DUPLICATES,
			       NULL);
		assert_non_null(o);
		a = json_object_get(o, "attributes");
		for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++) {
			const char *text =
				json_string_value(json_object_get(a, inner[i]));
			json_t *v = text != NULL ? json_loads(text, 0, NULL) : NULL;

			assert_true(text == NULL || v != NULL);
			json_decref(v);
		}
		json_decref(o);
		objects++;
		rest++;
	}
	assert_int_equal(objects, 12 + 7);
	dashboard_fini(&d);
	buf_free(&out);
	config_unref(c);
}

static void a_form_holds_the_file_and_ends_with_its_boundary(void **state)
{
	static const char file[] = "{\"a\":1}\n--\r\n{\"b\":2}\n";
	struct buf out = BUF_INIT(65536);
	char *type, *boundary;

	(void)state;
	import_form(file, sizeof(file) - 1, &out, &type);
	boundary = strstr(type, "boundary=");
	assert_non_null(boundary);
	boundary += strlen("boundary=");
	assert_null(strstr(file, boundary));
	assert_memory_equal(out.data + 2, boundary, strlen(boundary));
	assert_non_null(strstr(out.data, "\r\n\r\n{\"a\":1}\n--\r\n{\"b\":2}\n\r\n--"));
	assert_non_null(strstr(out.data, "filename=\"mmlag.ndjson\""));
	assert_string_equal(out.data + out.len - 4, "--\r\n");
	free(type);
	buf_free(&out);
}

static void the_body_of_an_answer_decides_and_not_its_status(void **state)
{
	static const struct {
		int status;
		const char *body;
		int class;
		const char *words;
	} rows[] = {
		{200, "{\"success\":true,\"successCount\":3}", 0, "3 objects imported"},
		{201, "{\"success\":true,\"successCount\":3}", 0, "3 objects imported"},
		{200,
		 "{\"success\":false,\"errors\":[{\"type\":\"t\",\"id\":\"i\","
		 "\"error\":{\"type\":\"conflict\"}}]}",
		 ERR_REJECT, "t i is there already"},
		{200, "{\"success\":true,\"successCount\":2,\"errors\":[{}]}",
		 ERR_REJECT, "no reason"},
		{200, "{\"success\":true,\"successCount\":0}", ERR_REJECT,
		 "0 of 3 objects imported"},
		{200, "{\"success\":true,\"successCount\":2}", ERR_REJECT,
		 "2 of 3 objects imported"},
		{200, "{\"success\":true}", ERR_REJECT, ""},
		{200, "{\"success\":true,\"successCount\":\"3\"}", ERR_REJECT, ""},
		{200,
		 "{\"success\":false,\"errors\":[{\"type\":\"lens\",\"id\":\"i\","
		 "\"error\":{\"type\":\"unsupported_type\"}}]}",
		 ERR_REJECT, "Lens charts go into Kibana 8.8 and later"},
		{200,
		 "{\"success\":false,\"errors\":[{\"type\":\"dashboard\",\"id\":\"i\","
		 "\"error\":{\"type\":\"unsupported_type\"}}]}",
		 ERR_REJECT, "OpenSearch Dashboards 3.7.0 says so of all kinds"},
		{200, "{\"success\":\"true\"}", ERR_PERMANENT, ""},
		{200, "[]", ERR_PERMANENT, ""},
		{200, "<html>", ERR_PERMANENT, ""},
		{200, "", ERR_PERMANENT, ""},
		{200, "{\"success\":false,\"errors\":\"no\"}", ERR_REJECT, ""},
		{422, "{\"message\":\"too new\"}", ERR_REJECT, ""},
		{401, "", ERR_PERMANENT, ""},
		{418, "{}", ERR_PERMANENT, ""},
		{503, "not ready", ERR_RETRY, ""},
		{599, "", ERR_RETRY, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf lines = BUF_INIT(65536);
		struct err err = ERR_INIT;
		int rc = import_read(rows[i].status, rows[i].body, strlen(rows[i].body),
				     3, &lines, &err);

		if (rc != rows[i].class ||
		    strstr(buf_str(&lines), rows[i].words) == NULL)
			fail_msg("%d %s: %d %s", rows[i].status, rows[i].body, rc,
				 buf_str(&lines));
		assert_true(rc == 0 || err.text[0] != '\0');
		buf_free(&lines);
	}
}

static void a_mapping_that_is_none_makes_no_template(void **state)
{
	struct template_options o = {.lifecycle = LIFECYCLE_NONE,
				     .retention_ms = 86400000};
	struct config *c = config_of("lag", "[\"a\"]");
	struct buf out = BUF_INIT(65536);
	struct dashboard d;
	struct err err = ERR_INIT;

	(void)state;
	dashboard_init(&d, c, 0, 1);
	o.mapping = "[1]";
	assert_int_equal(dashboard_template(&d, &o, &out, &err), ERR_REJECT);
	o.mapping = "{";
	assert_int_equal(dashboard_template(&d, &o, &out, &err), ERR_REJECT);
	assert_int_equal(out.len, 0);
	o.mapping = "{}";
	assert_int_equal(dashboard_template(&d, &o, &out, &err), 0);
	assert_string_equal(
		buf_str(&out),
		"PUT _index_template/mmlag-lag\n{\"index_patterns\":[\"lag\"],"
		"\"priority\":500,\"template\":{\"settings\":{}}}\n\n");
	buf_free(&out);
	dashboard_fini(&d);
	config_unref(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_follows_the_configuration),
		cmocka_unit_test(
			each_line_of_saved_objects_is_json_whose_strings_are_json),
		cmocka_unit_test(a_form_holds_the_file_and_ends_with_its_boundary),
		cmocka_unit_test(the_body_of_an_answer_decides_and_not_its_status),
		cmocka_unit_test(a_mapping_that_is_none_makes_no_template),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
