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
#include "lag/line.h"

#include "banned.h"

/* The sample as text: "number=lag(committed,end)", '-' where there is no value. */
static const char *show(const struct sample *s, struct buf *b)
{
	buf_reset(b);
	for (size_t i = 0; i < s->n; i++) {
		const struct partition *p = &s->rows[i];

		buf_printf(b, "%s%d=", i > 0 ? " " : "", (int)p->number);
		buf_printf(b, p->has_lag ? "%lld" : "-", (long long)p->lag);
		if (p->has_committed || p->has_end)
			buf_printf(b, p->has_committed ? "(%lld" : "(-",
				   (long long)p->committed);
		if (p->has_committed || p->has_end)
			buf_printf(b, p->has_end ? ",%lld)" : ",-)", (long long)p->end);
	}
	return buf_str(b);
}

static void a_line_of_values_is_a_sample(void **state)
{
	static const struct {
		const char *line;
		int partitions;
		const char *sample;
	} rows[] = {
		{"12", 0, "0=12"},
		{"12 0 5", 3, "0=12 1=0 2=5"},
		{"  12\t\t0 \r", 2, "0=12 1=0"},
		{"- unknown 3", 0, "0=- 1=- 2=3"},
		{"-", 1, "0=-"},
		{"-7 0", 0, "0=-7 1=0"},
		{"007", 0, "0=7"},
		{"9223372036854775807 -9223372036854775808", 2,
		 "0=9223372036854775807 1=-9223372036854775808"},
		{"3000000000", 0, "0=3000000000"},
		{"2:10:30:20", 0, "2=20(10,30)"},
		{"2:10:30:20 0:1:1:0", 17, "0=0(1,1) 2=20(10,30)"},
		{"1:-:30:-", 0, "1=-(-,30)"},
		{"1:unknown:-:unknown", 0, "1=-"},
		{"1:30:10:-20", 0, "1=-20(30,10)"},
		{"999999:0:0:0", 0, "999999=0(0,0)"},
	};
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample s;
		struct gap gap;

		print_message("# %s\n", rows[i].line);
		assert_int_equal(line_read(rows[i].line, strlen(rows[i].line),
					   rows[i].partitions, &s, &gap),
				 REASON_NONE);
		assert_string_equal(show(&s, &b), rows[i].sample);
		assert_int_equal(s.members, -1);
		assert_int_equal(s.state, GROUP_UNKNOWN);
		assert_false(s.knows_members);
		sample_fini(&s);
	}
	buf_free(&b);
}

static void anything_else_is_named(void **state)
{
	static const struct {
		const char *line;
		int partitions;
		enum reason reason;
		const char *says;
	} rows[] = {
		{"", 0, REASON_NO_OFFSETS, "empty"},
		{" \t\r ", 3, REASON_NO_OFFSETS, "empty"},
		{"bash: kafka: command not found", 0, REASON_BAD_OUTPUT, "bash:"},
		{"12 x", 0, REASON_BAD_OUTPUT, "'x'"},
		{"+1", 0, REASON_BAD_OUTPUT, "+1"},
		{"1.5", 0, REASON_BAD_OUTPUT, "1.5"},
		{"1,2", 0, REASON_BAD_OUTPUT, "1,2"},
		{"0x1", 0, REASON_BAD_OUTPUT, "0x1"},
		{"--", 0, REASON_BAD_OUTPUT, "--"},
		{"9223372036854775808", 0, REASON_BAD_OUTPUT, "9223372036854775808"},
		{"1 2 3", 2, REASON_BAD_OUTPUT, "3 values"},
		{"1", 2, REASON_BAD_OUTPUT, "`partitions` is 2"},
		{"1 0:1:2:1", 0, REASON_BAD_OUTPUT, "two kinds"},
		{"0:1:2:1 -", 0, REASON_BAD_OUTPUT, "two kinds"},
		{"3:1:2:1 0:1:2:1 3:5:6:1", 0, REASON_BAD_OUTPUT, "partition 3"},
		{"0:1:2", 0, REASON_BAD_OUTPUT, "0:1:2"},
		{"0:1:2:3:4", 0, REASON_BAD_OUTPUT, "0:1:2:3:4"},
		{"-1:1:2:1", 0, REASON_BAD_OUTPUT, "-1:1:2:1"},
		{"-:1:2:1", 0, REASON_BAD_OUTPUT, "-:1:2:1"},
		{"1000000:1:2:1", 0, REASON_BAD_OUTPUT, "1000000"},
		{"0:-1:2:1", 0, REASON_BAD_OUTPUT, "0:-1:2:1"},
		{"0::2:1", 0, REASON_BAD_OUTPUT, "0::2:1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample s;
		struct gap gap = {REASON_NONE, ""};

		print_message("# %s\n", rows[i].line);
		assert_int_equal(line_read(rows[i].line, strlen(rows[i].line),
					   rows[i].partitions, &s, &gap),
				 rows[i].reason);
		assert_int_equal(gap.reason, rows[i].reason);
		assert_non_null(strstr(gap.message, rows[i].says));
		assert_null(s.rows);
	}
}

static void a_nul_byte_is_no_end_of_the_line(void **state)
{
	struct sample s;
	struct gap gap;

	(void)state;
	assert_int_equal(line_read("1 2\0 3", 6, 0, &s, &gap), REASON_BAD_OUTPUT);
	assert_int_equal(line_read("1\0garbage", 1, 0, &s, &gap), REASON_NONE);
	sample_fini(&s);
}

static void a_line_of_a_hundred_thousand_values_is_read(void **state)
{
	struct buf b = BUF_INIT(8u << 20);
	struct sample s;
	struct gap gap;

	(void)state;
	for (int i = 100000; i-- > 0;)
		buf_printf(&b, "%d:%d:%d:%d ", i, i, 2 * i, i);
	assert_int_equal(line_read(b.data, b.len, 0, &s, &gap), REASON_NONE);
	assert_int_equal(s.n, 100000);
	for (int i = 0; i < 100000; i++)
		assert_true(s.rows[i].number == i && s.rows[i].lag == i);
	sample_fini(&s);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_values_is_a_sample),
		cmocka_unit_test(anything_else_is_named),
		cmocka_unit_test(a_nul_byte_is_no_end_of_the_line),
		cmocka_unit_test(a_line_of_a_hundred_thousand_values_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
