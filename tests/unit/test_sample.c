/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "lag/sample.h"

#include "banned.h"

#define NO_LAG (INT64_MIN + 1) /* stands for a row without a lag */

static struct sample make(const int64_t *lags, size_t n)
{
	struct sample s = SAMPLE_INIT;

	s.rows = mem_calloc(n, sizeof(*s.rows));
	s.n = n;
	for (size_t i = 0; i < n; i++)
		s.rows[i] = (struct partition){.number = (int32_t)i * 2,
					       .has_lag = lags[i] != NO_LAG,
					       .lag = lags[i]};
	return s;
}

static void totals_add_what_is_there_and_saturate(void **state)
{
	static const struct {
		const char *label;
		int64_t lags[4];
		size_t n, with_lag;
		int64_t sum, max;
		int32_t max_partition;
	} rows[] = {
		{"none", {0}, 0, 0, 0, 0, -1},
		{"no lag at all", {NO_LAG, NO_LAG}, 2, 0, 0, 0, -1},
		{"zero is a lag", {0, NO_LAG}, 2, 1, 0, 0, 0},
		{"a hole is no zero", {NO_LAG, -5}, 2, 1, -5, -5, 2},
		{"a tie goes to the lowest", {1, 7, 7, 3}, 4, 4, 18, 7, 2},
		{"negative ones are added", {-4, 10, -1}, 3, 3, 5, 10, 2},
		{"the upper end", {INT64_MAX, 1, -1}, 3, 3, INT64_MAX, INT64_MAX, 0},
		{"above the upper end", {INT64_MAX, 9}, 2, 2, INT64_MAX, INT64_MAX, 0},
		{"below the lower end", {INT64_MIN, -9}, 2, 2, INT64_MIN, -9, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sample s = make(rows[i].lags, rows[i].n);
		struct lag_totals t = sample_totals(&s);

		print_message("# %s\n", rows[i].label);
		assert_int_equal(t.with_lag, rows[i].with_lag);
		assert_true(t.sum == rows[i].sum);
		assert_true(t.max == rows[i].max);
		assert_int_equal(t.max_partition, rows[i].max_partition);
		sample_fini(&s);
	}
}

static void a_copy_shares_nothing(void **state)
{
	const int64_t lags[] = {1, 2, 3};
	struct sample s = make(lags, 3);
	struct sample copy;

	(void)state;
	s.state = GROUP_STABLE;
	s.members = 2;
	copy = sample_copy(&s);
	s.rows[1].lag = 99;
	sample_fini(&s);
	assert_int_equal(copy.n, 3);
	assert_int_equal(copy.rows[1].lag, 2);
	assert_int_equal(copy.members, 2);
	sample_fini(&copy);
	assert_null(copy.rows);
	assert_int_equal(copy.members, -1);
	copy = sample_copy(&s);
	assert_null(copy.rows);
	sample_fini(&copy);
}

static void the_states_have_names(void **state)
{
	(void)state;
	assert_string_equal(group_state_name(GROUP_UNKNOWN), "unknown");
	assert_string_equal(group_state_name(GROUP_STABLE), "stable");
	assert_string_equal(group_state_name(GROUP_REBALANCING), "rebalancing");
	assert_string_equal(group_state_name(GROUP_EMPTY), "empty");
}

static void a_topic_name_is_what_kafka_takes(void **state)
{
	char name[TOPIC_NAME_MAX + 2];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_true(topic_name_valid(name, TOPIC_NAME_MAX));
	assert_false(topic_name_valid(name, TOPIC_NAME_MAX + 1));
	assert_true(topic_name_valid("clicks.v1_A-9", 13));
	assert_true(topic_name_valid("...", 3));
	assert_true(topic_name_valid(".a", 2));
	assert_false(topic_name_valid("", 0));
	assert_false(topic_name_valid(".", 1));
	assert_false(topic_name_valid("..", 2));
	assert_false(topic_name_valid("a b", 3));
	assert_false(topic_name_valid("a\0b", 3));
	assert_false(topic_name_valid("\xc3\xa4", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(totals_add_what_is_there_and_saturate),
		cmocka_unit_test(a_copy_shares_nothing),
		cmocka_unit_test(the_states_have_names),
		cmocka_unit_test(a_topic_name_is_what_kafka_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
