/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "lag/exposition.h"

#include "banned.h"

/* Append the series as `name{label=value;…}number`, an integer with an i before it. */
static void show(void *arg, const struct metric *m)
{
	struct buf *b = arg;

	buf_printf(b, "%s{", m->name);
	for (size_t i = 0; i < m->n_labels; i++)
		buf_printf(b, "%s=%s;", m->labels[i].name, m->labels[i].value);
	if (m->integral)
		buf_printf(b, "}i%lld ", (long long)m->integer);
	else
		buf_printf(b, "}%.17g ", m->value);
}

/* What the text holds, or its error, read in pieces of `step` bytes. */
static const char *read_in(const char *text, size_t len, size_t step, bool whole,
			   struct buf *b)
{
	struct exposition *x = exposition_new(show, b);
	struct err err = ERR_INIT;
	int rc = 0;

	buf_reset(b);
	for (size_t at = 0; rc == 0 && at < len; at += step)
		rc = exposition_feed(x, text + at, len - at < step ? len - at : step,
				     &err);
	if (rc == 0)
		rc = exposition_end(x, whole, &err);
	if (rc != 0) {
		struct err again = ERR_INIT;

		assert_int_equal(rc, ERR_REJECT);
		assert_int_equal(exposition_feed(x, "a 1\n", 4, &again), ERR_REJECT);
		assert_string_equal(again.text, err.text);
		buf_printf(b, "!%s", err.text);
	}
	exposition_free(x);
	return buf_str(b);
}

static void series_are_read_as_the_format_says(void **state)
{
	static const struct {
		const char *text, *series;
	} rows[] = {
		{"", ""},
		{"\n \t\n", ""},
		{"a 1\n", "a{}i1 "},
		{"a{} 1\n", "a{}i1 "},
		{"a{b=\"c\"} 1\n", "a{b=c;}i1 "},
		{"a{b=\"c\",} 1\n", "a{b=c;}i1 "},
		{" a { b = \"c\" , d = \"\" } 1 \n", "a{b=c;d=;}i1 "},
		{"a{z=\"1\",b=\"2\"} 1\n", "a{z=1;b=2;}i1 "},
		{"a\t{b=\"c\"}\t1\t17\n", "a{b=c;}i1 "},
		{"a 1 1395066363000\n", "a{}i1 "},
		{"a 1 -3982045\n", "a{}i1 "},
		{"a:b_9 1\r\n", "a:b_9{}i1 "},
		{"a{b=\"x\\\\y\\\"z\\nw\"} 1\n", "a{b=x\\y\"z\nw;}i1 "},
		{"a{b=\"\\d\"} 1\n", "a{b=\\d;}i1 "},
		{"a{b=\"}, {#\"} 1\n", "a{b=}, {#;}i1 "},
		{"a{b=\"\xc3\xa4\"} 1\n", "a{b=\xc3\xa4;}i1 "},
		{"# HELP a Some \\n words\n# TYPE a counter\n# note\n#\na 1\n",
		 "a{}i1 "},
		{"# TYPE a strange\na 1\nb 2\na 3\n", "a{}i1 b{}i2 a{}i3 "},
		/* OpenMetrics, and quoted names of Prometheus 3 */
		{"a_total 17.0 1520879607.789 # {trace_id=\"x\"} 0.67 1.5\n",
		 "a_total{}i17 "},
		{"# UNIT a s\na_bucket{le=\"+Inf\"} 4 # {} 1\n# EOF\n",
		 "a_bucket{le=+Inf;}i4 "},
		{"a 1\n# EOF\nthis is no series\n", "a{}i1 "},
		{"{\"a.b\",\"c d\"=\"e\"} 1\n", "a.b{c d=e;}i1 "},
		{"{b=\"c\",\"a\"} 1\n", "a{b=c;}i1 "},
	};
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t step = 1; step < 9; step++)
			assert_string_equal(read_in(rows[i].text, strlen(rows[i].text),
						    step, false, &b),
					    rows[i].series);
	buf_free(&b);
}

static void a_page_with_a_line_of_another_kind_is_refused(void **state)
{
	static const char *const bad[] = {
		"<html>\n",
		"a\n",
		"a \n",
		"a{b=\"c\"}\n",
		"a{b=\"c\" 1\n",
		"a{b=\"c} 1\n",
		"a{b=c} 1\n",
		"a{b} 1\n",
		"a{=\"c\"} 1\n",
		"a{b=\"c\"d=\"e\"} 1\n",
		"a{,} 1\n",
		"{b=\"c\"} 1\n",
		"a{b=\"1\",b=\"2\"} 1\n",
		"a one\n",
		"a 1 2 3\n",
		"a 1 x\n",
		"9a 1\n",
		"a-b 1\n",
		"a{9b=\"c\"} 1\n",
		"a 1..2\n",
		"a 0x10\n",
		"a 1_000\n",
		"a --1\n",
		"a 1e\n",
		"a e1\n",
		"a .\n",
		"{\"a\" 1\n",
		"{\"a\",\"b\"} 1\n",
		"a{b=\"c\\\n",
		"a nanny\n",
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[100];

		snprintf(text, sizeof(text), "ok 1\n%s", bad[i]);
		assert_non_null(strstr(read_in(text, strlen(text), 3, false, &b),
				       "!line 2 of the page"));
	}
	assert_non_null(
		strstr(read_in("a{b=\"\0\"} 1\n", 11, 1, false, &b), "!line 1"));
	assert_non_null(strstr(read_in("a 1\0002\n", 6, 1, false, &b), "!line 1"));
	buf_free(&b);
}

static void integers_are_exact_to_the_ends_of_int64(void **state)
{
	static const struct {
		const char *text;
		int64_t integer;
	} rows[] = {
		{"0", 0},
		{"-0", 0},
		{"0.000", 0},
		{"0e9999999", 0},
		{"007", 7},
		{"+12", 12},
		{"-1", -1},
		{"4.259513e+06", 4259513},
		{"4.2595130e+06", 4259513},
		{"4259513000e-3", 4259513},
		{"1E3", 1000},
		{".5e1", 5},
		{"5.", 5},
		{"1.2e12", 1200000000000},
		{"9007199254740993", 9007199254740993}, /* no double is that */
		{"9007199254740993.000", 9007199254740993},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"9.223372036854775807e18", INT64_MAX},
		{"000000000000000000000000000001", 1},
		{"1000000000000000000", 1000000000000000000},
	};
	static const char *const not_integers[] = {"0.5",
						   "1e-1",
						   "9223372036854775808",
						   "-9223372036854775809",
						   "1e19",
						   "+Inf",
						   "-Inf",
						   "NaN",
						   "inf",
						   "4.5e0",
						   "12345678901234567890"};
	struct metric m;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(metric_number(rows[i].text, &m));
		assert_true(m.integral);
		assert_true(m.integer == rows[i].integer);
		assert_true(m.value == strtod(rows[i].text, NULL));
	}
	for (size_t i = 0; i < ARRAY_LEN(not_integers); i++) {
		assert_true(metric_number(not_integers[i], &m));
		assert_false(m.integral);
	}
}

static void numbers_of_any_size_are_read_back_as_they_were(void **state)
{
	uint64_t v = 0x9e3779b97f4a7c15u;
	struct metric m;
	char text[64];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t n;

		v ^= v >> 12;
		v ^= v << 25;
		v ^= v >> 27;
		n = (int64_t)(v * 0x2545f4914f6cdd1du) >> (v % 64);
		snprintf(text, sizeof(text), "%lld", (long long)n);
		assert_true(metric_number(text, &m) && m.integral && m.integer == n);
		n >>= 11; /* what a double holds, in the form of Go */
		snprintf(text, sizeof(text), "%.16e", (double)n);
		assert_true(metric_number(text, &m) && m.integral && m.integer == n);
	}
}

static void a_last_line_without_newline_counts_only_on_a_whole_page(void **state)
{
	struct buf b = BUF_INIT(4096);

	(void)state;
	assert_string_equal(read_in("a 1\nb 12", 8, 3, true, &b), "a{}i1 b{}i12 ");
	assert_non_null(strstr(read_in("a 1\nb 12", 8, 3, false, &b),
			       "the page is cut off in line 2"));
	buf_free(&b);
}

static void a_line_of_any_length_costs_bounded_memory(void **state)
{
	size_t len = EXPOSITION_LINE_MAX + 100;
	char *text = malloc(len);
	struct buf b = BUF_INIT(4096);

	(void)state;
	memset(text, 'a', len);
	text[len - 1] = '\n';
	assert_non_null(strstr(read_in(text, len, 65536, false, &b), "longer than"));
	free(text);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_are_read_as_the_format_says),
		cmocka_unit_test(a_page_with_a_line_of_another_kind_is_refused),
		cmocka_unit_test(integers_are_exact_to_the_ends_of_int64),
		cmocka_unit_test(numbers_of_any_size_are_read_back_as_they_were),
		cmocka_unit_test(
			a_last_line_without_newline_counts_only_on_a_whole_page),
		cmocka_unit_test(a_line_of_any_length_costs_bounded_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
