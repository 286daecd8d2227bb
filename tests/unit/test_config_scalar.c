/* SPDX-License-Identifier: MIT
 * Values of a configuration: durations, sizes, shares, the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "config/scalar_int.h"

#include "banned.h"

struct row {
	const char *text;
	int64_t value;    /* of a good one */
	const char *hint; /* part of the refusal of a bad one */
};

static const struct row durations[] = {
	{"500ms", 500, NULL},
	{"5s", 5000, NULL},
	{"1m", 60000, NULL},
	{"2h", 7200000, NULL},
	{"7d", 604800000, NULL},
	{"1h30m", 5400000, NULL},
	{"1d2h3m4s5ms", 93784005, NULL},
	{"0s", 0, NULL},
	{"90m", 5400000, NULL},
	{"10", 0, "10 has no unit; write 10s"},
	{"0", 0, "write 0s"},
	{"", 0, "write it like"},
	{"s", 0, "write it like"},
	{"5 s", 0, "write it like"},
	{"5S", 0, "write it like"},
	{"5sec", 0, "write it like"},
	{"1.5h", 0, "write it like"},
	{"-1s", 0, "write it like"},
	{"1m1h", 0, "write it like"},
	{"1s1s", 0, "write it like"},
	{"1h30", 0, "write it like"},
	{"100001d", 0, "too long"},
	{"99999999999999999999s", 0, "write it like"},
};

static const struct row sizes[] = {
	{"0B", 0, NULL},
	{"100B", 100, NULL},
	{"64KiB", 65536, NULL},
	{"5MiB", 5242880, NULL},
	{"1GiB", 1073741824, NULL},
	{"2TiB", INT64_C(2) << 40, NULL},
	{"512", 0, "512 has no unit; write 512MiB, or 512B"},
	{"64KB", 0, "write 64KiB"},
	{"64kB", 0, "write 64KiB"},
	{"64k", 0, "write 64KiB"},
	{"5MB", 0, "write 5MiB"},
	{"5mib", 0, "write 5MiB"},
	{"1G", 0, "write 1GiB"},
	{"1.5GiB", 0, "is no size"},
	{"-1B", 0, "is no size"},
	{"", 0, "is no size"},
	{"1 GiB", 0, "is no size"},
	{"9999999TiB", 0, "too large"},
};

static const struct row integers[] = {
	{"0", 0, NULL},
	{"-7", -7, NULL},
	{"010", 10, NULL},
	{"9223372036854775807", INT64_MAX, NULL},
	{"-9223372036854775808", INT64_MIN, NULL},
	{"9223372036854775808", 0, "too large"},
	{"", 0, "no whole number"},
	{"-", 0, "no whole number"},
	{"+1", 0, "no whole number"},
	{" 1", 0, "no whole number"},
	{"0x10", 0, "no whole number"},
	{"1_000", 0, "no whole number"},
	{"1.0", 0, "no whole number"},
};

static void check(const struct row *rows, size_t n,
		  int (*read)(const char *, int64_t *, struct err *))
{
	for (size_t i = 0; i < n; i++) {
		struct err err = ERR_INIT;
		int64_t v = -42;
		int rc = read(rows[i].text, &v, &err);

		if (rc != (rows[i].hint == NULL ? 0 : ERR_REJECT) ||
		    (rc == 0 && v != rows[i].value) ||
		    (rc != 0 && (v != -42 || strstr(err.text, rows[i].hint) == NULL)))
			fail_msg("\"%s\": %d, %lld, %s", rows[i].text, rc, (long long)v,
				 err.text);
	}
}

static void a_duration_has_a_unit_and_a_refusal_says_what_to_write(void **state)
{
	(void)state;
	check(durations, ARRAY_LEN(durations), scalar_duration);
}

static void a_size_has_a_binary_unit_and_a_refusal_says_what_to_write(void **state)
{
	(void)state;
	check(sizes, ARRAY_LEN(sizes), scalar_size);
}

static void a_whole_number_is_decimal_and_fits(void **state)
{
	(void)state;
	check(integers, ARRAY_LEN(integers), scalar_int);
}

static void what_is_printed_is_read_as_the_same(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t bound = INT64_C(1) << random_below(43), back = -1;
		int64_t v = (int64_t)random_below((uint64_t)bound);
		double real = (double)v / 1000, real_back = -1;
		struct buf b = BUF_INIT(100);

		scalar_print_duration(&b, v);
		assert_int_equal(scalar_duration(buf_str(&b), &back, NULL), 0);
		assert_int_equal(back, v);
		buf_reset(&b);
		scalar_print_size(&b, v);
		assert_int_equal(scalar_size(buf_str(&b), &back, NULL), 0);
		assert_int_equal(back, v);
		buf_reset(&b);
		scalar_print_real(&b, real);
		assert_int_equal(scalar_real(buf_str(&b), &real_back, NULL), 0);
		assert_true(real_back == real);
		buf_free(&b);
	}
}

static void a_value_is_printed_with_its_largest_units(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	scalar_print_duration(&b, 0);
	buf_addch(&b, ' ');
	scalar_print_duration(&b, 90061001);
	buf_addch(&b, ' ');
	scalar_print_size(&b, 0);
	buf_addch(&b, ' ');
	scalar_print_size(&b, 1536);
	buf_addch(&b, ' ');
	scalar_print_size(&b, INT64_C(3) << 30);
	assert_string_equal(buf_str(&b), "0s 1d1h1m1s1ms 0B 1536B 3GiB");
	buf_free(&b);
}

static void a_share_is_a_percentage_or_a_fraction(void **state)
{
	static const struct {
		const char *text;
		double value; /* -1: refused */
		const char *hint;
	} rows[] = {
		{"0", 0, NULL},
		{"0.5", 0.5, NULL},
		{"1", 1, NULL},
		{"80%", 0.8, NULL},
		{"99.5%", 0.995, NULL},
		{"100%", 1, NULL},
		{"50", -1, "write 50%"},
		{"99.5", -1, "write 99.5%"},
		{"150%", -1, "not between"},
		{"101", -1, "not between"},
		{"-0.1", -1, "not between"},
		{"%", -1, "is no share"},
		{"", -1, "is no share"},
		{"nan", -1, "is no share"},
		{"inf", -1, "is no share"},
		{"half", -1, "is no share"},
		{"0x1p-1", -1, "is no share"},
		{"0.500000000000000000000000000000000000000000", -1, "is no share"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		double v = -1;
		int rc = scalar_share(rows[i].text, &v, &err);

		if ((rc == 0) != (rows[i].hint == NULL) || v != rows[i].value ||
		    (rc != 0 && strstr(err.text, rows[i].hint) == NULL))
			fail_msg("\"%s\": %d, %g, %s", rows[i].text, rc, v, err.text);
	}
}

static void only_true_and_false_are_booleans(void **state)
{
	static const char *const refused[][2] = {
		{"yes", "write true"}, {"On", "write true"},   {"1", "write true"},
		{"no", "write false"}, {"off", "write false"}, {"N", "write false"},
		{"maybe", "neither"},  {"", "neither"},
	};
	bool v = false;

	(void)state;
	assert_int_equal(scalar_bool("true", &v, NULL), 0);
	assert_true(v);
	assert_int_equal(scalar_bool("false", &v, NULL), 0);
	assert_false(v);
	assert_int_equal(scalar_bool("TRUE", &v, NULL), 0); /* YAML has it so, too */
	assert_true(v);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(scalar_bool(refused[i][0], &v, &err), ERR_REJECT);
		assert_non_null(strstr(err.text, refused[i][1]));
	}
}

static void the_environment_stands_in_for_references(void **state)
{
	static const char *const rows[][2] = {
		{"plain", "plain"},
		{"${MMLAG_T_SET}", "value"},
		{"a${MMLAG_T_SET}b${MMLAG_T_SET}", "avaluebvalue"},
		{"${MMLAG_T_SET:other}", "value"},
		{"${MMLAG_T_UNSET:other}", "other"},
		{"${MMLAG_T_UNSET:http://h:1/$x}", "http://h:1/$x"},
		{"${MMLAG_T_UNSET:}", ""},
		{"${MMLAG_T_EMPTY}", ""},
		{"${MMLAG_T_EMPTY:other}", ""},
		{"${MMLAG_T_TRICK}", "${MMLAG_T_SET}"},
		{"$$", "$"},
		{"$${MMLAG_T_SET}", "${MMLAG_T_SET}"},
		{"$$$$", "$$"},
		{"a$b$", "a$b$"},
		{"$", "$"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		char *out = NULL;

		if (scalar_expand(rows[i][0], &out, &err) != 0)
			fail_msg("%s: %s", rows[i][0], err.text);
		assert_string_equal(out, rows[i][1]);
		free(out);
	}
}

static void a_broken_reference_is_refused_by_name(void **state)
{
	static const char *const rows[][2] = {
		{"${MMLAG_T_UNSET}", "MMLAG_T_UNSET is not set"},
		{"${MMLAG_T_SET", "without"},
		{"${}", "no reference"},
		{"${:x}", "no reference"},
		{"${1A}", "no reference"},
		{"${A-B}", "no reference"},
		{"${A B}", "no reference"},
		{"${MMLAG_T_UNSET:${MMLAG_T_SET}}", "no reference"},
		{"x${", "without"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		char *out = NULL;

		assert_int_equal(scalar_expand(rows[i][0], &out, &err), ERR_REJECT);
		assert_null(out);
		if (strstr(err.text, rows[i][1]) == NULL)
			fail_msg("%s: %s", rows[i][0], err.text);
	}
}

static void a_value_that_grows_beyond_its_bound_is_refused(void **state)
{
	char *out = NULL;
	char text[4096] = "";
	size_t n = 0;

	(void)state;
	while (n + 20 < sizeof(text)) {
		memcpy(text + n, "${MMLAG_T_LARGE}", 17);
		n += 16;
	}
	assert_int_equal(scalar_expand(text, &out, NULL), ERR_REJECT);
	assert_null(out);
}

int main(void)
{
	static char large[2000];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_duration_has_a_unit_and_a_refusal_says_what_to_write),
		cmocka_unit_test(
			a_size_has_a_binary_unit_and_a_refusal_says_what_to_write),
		cmocka_unit_test(a_whole_number_is_decimal_and_fits),
		cmocka_unit_test(what_is_printed_is_read_as_the_same),
		cmocka_unit_test(a_value_is_printed_with_its_largest_units),
		cmocka_unit_test(a_share_is_a_percentage_or_a_fraction),
		cmocka_unit_test(only_true_and_false_are_booleans),
		cmocka_unit_test(the_environment_stands_in_for_references),
		cmocka_unit_test(a_broken_reference_is_refused_by_name),
		cmocka_unit_test(a_value_that_grows_beyond_its_bound_is_refused),
	};

	memset(large, 'x', sizeof(large) - 1);
	setenv("MMLAG_T_SET", "value", 1);
	setenv("MMLAG_T_EMPTY", "", 1);
	setenv("MMLAG_T_TRICK", "${MMLAG_T_SET}", 1);
	setenv("MMLAG_T_LARGE", large, 1);
	unsetenv("MMLAG_T_UNSET");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
