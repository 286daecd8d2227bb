/* SPDX-License-Identifier: MIT
 * The evaluator: what the public vectors (test_judge_vectors) leave open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "lag/rules.h"

#define NIL LAG_UNKNOWN
#define STOPPED (1u << RULE_STOPPED)
#define REWOUND (1u << RULE_REWOUND)
#define STALLED (1u << RULE_STALLED)

/* clang-format off */
static const struct {
	const char *label;
	struct commit commits[6];
	size_t n;
	int64_t log_end, current, now_ms, allowed;
	double complete, minimum;
	unsigned without;
	enum rule want;
} rows[] = {
	{"a rising lag",
	 {{1, 0, 5}, {2, 10, 6}, {3, 20, 6}},
	 3, 9, 6, 25, 0, 1, 0, 0, RULE_LAG_NOT_FALLING},
	{"a constant lag does not fall",
	 {{1, 0, 5}, {2, 10, 5}}, 2, 9, 5, 15, 0, 1, 0, 0, RULE_LAG_NOT_FALLING},
	{"one fall is enough",
	 {{1, 0, 5}, {2, 10, 9}, {3, 20, 8}, {4, 30, 99}},
	 4, 99, 9, 35, 0, 1, 0, 0, RULE_LAG_FALLING},
	{"a fall over an unknown lag",
	 {{1, 0, 5}, {2, 10, NIL}, {3, 20, 4}},
	 3, 9, 4, 25, 0, 1, 0, 0, RULE_LAG_FALLING},
	{"all lags unknown",
	 {{1, 0, NIL}, {2, 10, NIL}}, 2, 9, 5, 15, 0, 1, 0, 0, RULE_LAG_NOT_FALLING},
	{"all lags unknown, not moving",
	 {{1, 0, NIL}, {1, 10, NIL}}, 2, 9, 5, 15, 0, 1, 0, 0, RULE_STALLED},
	{"one record, silent at once",
	 {{1, 10, 5}}, 1, 9, 5, 11, 0, 1, 0, 0, RULE_STOPPED},
	{"one record, just now",
	 {{1, 10, 5}}, 1, 9, 5, 10, 0, 1, 0, 0, RULE_STALLED},
	{"one record, caught up lately",
	 {{9, 10, 5}}, 1, 9, 5, 99, 0, 1, 0, 0, RULE_STALLED},
	{"one record with a lag of zero",
	 {{1, 10, 0}}, 1, 9, 5, 10, 0, 1, 0, 0, RULE_LAG_WAS_ZERO},
	{"as silent as long",
	 {{1, 0, 5}, {2, 10, 6}}, 2, 9, 6, 20, 0, 1, 0, 0, RULE_LAG_NOT_FALLING},
	{"silent for longer",
	 {{1, 0, 5}, {2, 10, 6}}, 2, 9, 6, 21, 0, 1, 0, 0, RULE_STOPPED},
	{"silence goes before a step back",
	 {{5, 0, 5}, {2, 10, 8}}, 2, 9, 8, 21, 0, 1, 0, 0, RULE_STOPPED},
	{"a step back goes before a zero",
	 {{5, 0, 0}, {2, 10, 8}}, 2, 9, 8, 15, 0, 1, 0, 0, RULE_REWOUND},
	{"the first of two steps back, recovered",
	  {{5, 0, 5}, {4, 10, 6}, {7, 20, 3}, {6, 30, 4}},
	 4, 9, 4, 35, 0, 1, 0, 0, RULE_LAG_FALLING},
	{"the first of two steps back, not recovered",
	 {{9, 0, 5}, {4, 10, 6}, {5, 20, 3}, {2, 30, 4}},
	 4, 99, 4, 35, 0, 1, 0, 0, RULE_REWOUND},
	{"recovered exactly",
	 {{5, 0, 5}, {4, 10, 6}, {5, 20, 7}},
	 3, 9, 7, 25, 0, 1, 0, 0, RULE_LAG_NOT_FALLING},
	{"too little is known",
	 {{1, 0, 5}, {2, 10, 6}}, 2, 9, 6, 99, 0, 0.49, 0.5, 0, RULE_INCOMPLETE},
	{"just enough is known",
	 {{1, 0, 5}, {2, 10, 6}}, 2, 9, 6, 99, 0, 0.5, 0.5, 0, RULE_STOPPED},
	{"nothing is known",
	 {{0, 0, 0}}, 0, 9, 6, 99, 0, 1, 0, 0, RULE_INCOMPLETE},
	{"the allowed lag",
	 {{1, 0, 5}, {1, 10, 6}}, 2, 9, 6, 99, 6, 1, 0, 0, RULE_LAG_ALLOWED},
	{"one above the allowed lag",
	 {{1, 0, 8}, {1, 10, 8}}, 2, 9, 7, 15, 6, 1, 0, 0, RULE_STALLED},
	{"a zero by the allowed lag",
	 {{1, 0, 6}, {1, 10, 8}}, 2, 9, 7, 15, 6, 1, 0, 0, RULE_LAG_WAS_ZERO},
	{"a negative lag",
	 {{1, 0, 5}}, 1, 9, -3, 99, 0, 1, 0, 0, RULE_LAG_ALLOWED},
	{"without stopped",
	 {{1, 0, 5}, {2, 10, 6}}, 2, 9, 6, 99, 0, 1, 0, STOPPED, RULE_LAG_NOT_FALLING},
	{"without rewound",
	 {{5, 0, 5}, {2, 10, 8}}, 2, 9, 8, 15, 0, 1, 0, REWOUND, RULE_LAG_NOT_FALLING},
	{"without stalled",
	 {{1, 0, 5}, {1, 10, 5}}, 2, 9, 5, 15, 0, 1, 0, STALLED, RULE_LAG_NOT_FALLING},
	{"the ends of int64: silent",
	 {{INT64_MIN, INT64_MIN, INT64_MAX}, {INT64_MAX - 1, INT64_MIN, 1}},
	 2, INT64_MAX, INT64_MAX, INT64_MAX, 0, 1, 0, 0, RULE_STOPPED},
	{"the ends of int64: a long window",
	 {{INT64_MIN, INT64_MIN, INT64_MAX}, {INT64_MAX - 1, INT64_MAX, 1}},
	 2, INT64_MAX, INT64_MAX, INT64_MIN, 0, 1, 0, 0, RULE_LAG_FALLING},
	{"the ends of int64: back",
	 {{INT64_MAX, 0, 9}, {INT64_MIN, 1, INT64_MAX}},
	 2, INT64_MAX, INT64_MAX, 1, 0, 1, 0, 0, RULE_REWOUND},
};
/* clang-format on */

static void each_window_gets_the_rule_that_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct window w = {.commits = rows[i].commits,
				   .n = rows[i].n,
				   .log_ends = &rows[i].log_end,
				   .n_log_ends = 1,
				   .current_lag = rows[i].current,
				   .allowed_lag = rows[i].allowed,
				   .now_ms = rows[i].now_ms,
				   .complete = rows[i].complete,
				   .minimum_complete = rows[i].minimum,
				   .without = rows[i].without};
		enum rule got = rules_judge(&w);

		if (got != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].label, rule_name(got),
				 rule_name(rows[i].want));
	}
}

static void every_rule_has_its_name_and_verdict(void **state)
{
	static const struct {
		enum rule rule;
		const char *name, *verdict;
	} want[] = {
		{RULE_INCOMPLETE, "incomplete", "OK"},
		{RULE_LAG_ALLOWED, "lag_allowed", "OK"},
		{RULE_STOPPED, "stopped", "STOP"},
		{RULE_REWOUND, "rewound", "REWIND"},
		{RULE_LAG_WAS_ZERO, "lag_was_zero", "OK"},
		{RULE_STALLED, "stalled", "STALL"},
		{RULE_LAG_NOT_FALLING, "lag_not_falling", "WARN"},
		{RULE_LAG_FALLING, "lag_falling", "OK"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_string_equal(rule_name(want[i].rule), want[i].name);
		assert_string_equal(verdict_name(rule_verdict(want[i].rule)),
				    want[i].verdict);
	}
	assert_string_equal(verdict_name(VERDICT_ERR), "ERR");
	assert_string_equal(verdict_name(VERDICT_NODATA), "NODATA");
}

static void no_log_end_known_means_not_caught_up(void **state)
{
	struct commit c[] = {{1, 0, 5}, {2, 10, 6}};
	struct window w = {
		.commits = c, .n = 2, .current_lag = 6, .now_ms = 30, .complete = 1};

	(void)state;
	assert_int_equal(rules_judge(&w), RULE_STOPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_window_gets_the_rule_that_decides),
		cmocka_unit_test(every_rule_has_its_name_and_verdict),
		cmocka_unit_test(no_log_end_known_means_not_caught_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
