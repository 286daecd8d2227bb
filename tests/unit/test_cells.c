/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cli/cells.h"

#include "banned.h"

static void expect(void (*add)(struct buf *, const char *, size_t), const char *in,
		   size_t width, const char *want)
{
	struct buf out = BUF_INIT(4096);

	add(&out, in, width);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void controls_never_pass(void **state)
{
	(void)state;
	expect(cells_add, "a\033[2Jb\tc\rd\x7f", 80, "a?[2Jb?c?d?");
	expect(cells_add,
	       "\xc2\x9b"
	       "31m", /* C1 CSI */
	       80, "?31m");
	expect(cells_add, "\xe2\x80\xaegnp\xe2\x80\x8b", 80, "?gnp?");
	expect(cells_add, "\xef\xbb\xbfx\xe2\x81\xa6y", 80, "?x?y");
	expect(cells_add, "\xff\xc3(", 80, "?\?(");
}

static void letters_take_the_columns_that_they_take(void **state)
{
	(void)state;
	assert_int_equal(cells_width("orders"), 6);
	assert_int_equal(cells_width("\xeb\x9e\x99"), 2);
	assert_int_equal(cells_width("e\xcc\x81"), 1);
	expect(cells_left, "\xeb\x9e\x99", 4, "\xeb\x9e\x99  ");
	expect(cells_right, "\xeb\x9e\x99", 4, "  \xeb\x9e\x99");
	expect(cells_left, "\xeb\x9e\x99\xeb\x9e\x99", 3, "\xeb\x9e\x99\xe2\x80\xa6");
	expect(cells_left, "\xeb\x9e\x99\xeb\x9e\x99", 2, "\xe2\x80\xa6 ");
	expect(cells_add, "\xcc\x81", 4, "?"); /* nothing to stand on */
}

static void what_is_cut_shows_that_it_is(void **state)
{
	(void)state;
	expect(cells_left, "abcdef", 6, "abcdef");
	expect(cells_left, "abcdef", 4, "abc\xe2\x80\xa6");
	expect(cells_right, "abcdef", 4, "abc\xe2\x80\xa6");
	expect(cells_left, "abcdef", 1, "\xe2\x80\xa6");
	expect(cells_left, "abcdef", 0, "");
}

static void a_locale_without_letters_gets_question_marks(void **state)
{
	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C"));
	expect(cells_left, "a\xeb\x9e\x99z", 6, "a?z   ");
	expect(cells_left, "abcdef", 4, "abc~");
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

/* Whatever the bytes are, the columns are those asked for and nothing is a control. */
static void any_bytes_fill_their_columns(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed < 3000; seed++) {
		struct buf out = BUF_INIT(4096);
		char text[24];
		size_t width = seed % 17;
		unsigned x = seed * 2654435761U;

		for (size_t i = 0; i + 1 < sizeof(text); i++) {
			x = x * 1664525U + 1013904223U;
			text[i] = (char)(x >> 24);
		}
		text[sizeof(text) - 1] = '\0';
		if (seed % 2 == 0)
			cells_left(&out, text, width);
		else
			cells_right(&out, text, width);
		assert_int_equal(cells_width(buf_str(&out)), width);
		for (size_t i = 0; i < out.len; i++)
			assert_true((unsigned char)out.data[i] >= 0x20 &&
				    out.data[i] != 0x7f);
		buf_free(&out);
	}
}

static void expect_number(int64_t n, size_t width, const char *want)
{
	char out[CELLS_NUMBER];

	cells_number(n, width, out);
	assert_string_equal(out, want);
}

static void numbers_shrink_to_their_column(void **state)
{
	(void)state;
	expect_number(0, 6, "0");
	expect_number(48211, 6, "48,211");
	expect_number(123456, 6, "123456");
	expect_number(1234567, 6, "1.2M");
	expect_number(-1234, 9, "-1,234");
	expect_number(999999, 5, "1.0M");
	expect_number(INT64_MAX, 26, "9,223,372,036,854,775,807");
	expect_number(INT64_MIN, 27, "-9,223,372,036,854,775,808");
	expect_number(INT64_MAX, 6, "9.2E");
	expect_number(INT64_MIN, 6, "-9.2E");
}

static void expect_span(int64_t ms, const char *want)
{
	char out[CELLS_NUMBER];

	cells_span(ms, out);
	assert_string_equal(out, want);
}

static void spans_and_rates_are_short(void **state)
{
	char out[CELLS_NUMBER];

	(void)state;
	expect_span(-1, "-");
	expect_span(INT64_MIN, "-");
	expect_span(0, "0");
	expect_span(900, "900ms");
	expect_span(59000, "59s");
	expect_span(119000, "119s");
	expect_span(120000, "2m");
	expect_span(86400000, "24h");
	expect_span(INT64_MAX, "106751991167d");
	cells_rate(NAN, out);
	assert_string_equal(out, "-");
	cells_rate(41.55, out);
	assert_string_equal(out, "41.5");
	cells_rate(22840.2, out);
	assert_string_equal(out, "22,840");
	cells_rate(1e300, out);
	assert_string_equal(out, "1.0e+300");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controls_never_pass),
		cmocka_unit_test(letters_take_the_columns_that_they_take),
		cmocka_unit_test(what_is_cut_shows_that_it_is),
		cmocka_unit_test(a_locale_without_letters_gets_question_marks),
		cmocka_unit_test(any_bytes_fill_their_columns),
		cmocka_unit_test(numbers_shrink_to_their_column),
		cmocka_unit_test(spans_and_rates_are_short),
	};

	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
