/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "prom/answer.h"

#include "banned.h"

/* "{name=value;}time:number,… " for each series, an error after '!'. */
static const char *show(const char *body, struct buf *b)
{
	struct prom_answer a;
	struct err err = ERR_INIT;

	buf_reset(b);
	if (prom_answer_read(body, strlen(body), &a, &err) != 0) {
		assert_int_equal(err.class, ERR_REJECT);
		buf_printf(b, "!%s", err.text);
		return buf_str(b);
	}
	for (size_t i = 0; i < a.n; i++) {
		buf_addch(b, '{');
		for (size_t j = 0; j < a.series[i].n_labels; j++)
			buf_printf(b, "%s=%s;", a.series[i].labels[j].name,
				   a.series[i].labels[j].value);
		buf_addch(b, '}');
		for (size_t j = 0; j < a.series[i].n; j++)
			buf_printf(b, "%g:%g(%lld) ", a.series[i].points[j].time,
				   a.series[i].points[j].value,
				   (long long)a.series[i].points[j].integer);
	}
	if (a.warnings != NULL)
		buf_printf(b, "warnings %s", a.warnings);
	prom_answer_fini(&a);
	return buf_str(b);
}

#define OK(type, result)                                           \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"" type \
	"\",\"result\":" result "}}"

static void answers_are_read_by_what_they_are(void **state)
{
	static const struct {
		const char *body, *said;
	} rows[] = {
		{OK("vector", "[]"), ""},
		{OK("vector", "[{\"metric\":{\"a\":\"b\"},\"value\":[5,\"12\"]}]"),
		 "{a=b;}5:12(12) "},
		{OK("vector", "[{\"metric\":{},\"value\":[5.5,\"1.6\"]},"
			      "{\"metric\":{},\"value\":[5,\"NaN\"]}]"),
		 "{}5.5:1.6(2) {}5.5:nan(0) "}, /* one moment for all */
		{OK("vector", "[{\"metric\":{},\"value\":[5,\"9007199254740993\"]}]"),
		 "{}5:9.0072e+15(9007199254740993) "},
		{OK("matrix", "[{\"metric\":{\"a\":\"b\"},\"values\":[[5,\"1\"],[6,"
			      "\"+Inf\"]]}]"),
		 "{a=b;}5:1(1) 6:inf(9223372036854775807) "},
		{OK("matrix", "[{\"metric\":{},\"values\":[]}]"), "{}"},
		{OK("scalar", "[5,\"7\"]"), "{}5:7(7) "},
		{"{\"status\":\"success\",\"warnings\":[\"w1\",\"w2\"],\"data\":{"
		 "\"resultType\":\"vector\",\"result\":[]}}",
		 "warnings w1\nw2"},
		{"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"1:3: parse "
		 "error\"}",
		 "!bad_data: 1:3: parse error"},
		{"{\"status\":\"error\",\"error\":\"x\"}", "!x"},
		{"{\"error\":\"no authorization\"}", "!no authorization"},
		{"{}", "!the answer is not one of Prometheus: it tells neither"},
		{"", "!the answer is not one of Prometheus: it is no JSON"},
		{"<html>", "!the answer is not one of Prometheus: it is no JSON"},
		{"[]", "!the answer is not one of Prometheus: it is no JSON"},
		{"{\"status\":\"success\"}",
		 "!the answer is not one of Prometheus: there"},
		{OK("string", "[5,\"x\"]"), "!the query gives a text"},
		{OK("vector", "{}"),
		 "!the answer is not one of Prometheus: there is no "
		 "list"},
		{OK("vector", "[5]"), "!the answer is not one of Prometheus: a series"},
		{OK("vector", "[{\"metric\":{},\"value\":[5]}]"),
		 "!the answer is not one of Prometheus: a sample"},
		{OK("vector", "[{\"metric\":{},\"value\":[5,12]}]"),
		 "!the answer is not one of Prometheus: a sample"},
		{OK("vector", "[{\"metric\":{},\"value\":[5,\"x\"]}]"),
		 "!the answer is not one of Prometheus: a sample"},
		{OK("vector", "[{\"metric\":{\"a\":1},\"value\":[5,\"1\"]}]"),
		 "!the answer is not one of Prometheus: a label"},
		{OK("vector", "[{\"metric\":{},\"histogram\":[5,{}]}]"),
		 "!the query gives a histogram; a number is due"},
		{OK("matrix", "[{\"metric\":{},\"histograms\":[[5,{}]]}]"),
		 "!the query gives a histogram; a number is due"},
		{OK("vector", "[{\"metric\":{}}]"),
		 "!the answer is not one of Prometheus: a series has no values"},
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *said = show(rows[i].body, &b);
		size_t n = rows[i].said[0] == '!' ? strlen(rows[i].said) : SIZE_MAX;

		if (strncmp(said, rows[i].said, n) != 0)
			fail_msg("row %zu: %s", i, said);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read_by_what_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
