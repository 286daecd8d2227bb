/* SPDX-License-Identifier: MIT
 * One partition: how samples become a window of commits. The long stories are in
 * test_assess. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "lag/series.h"

#define STEP 10000

static const struct assess_rules rules = ASSESS_RULES_DEFAULT;

struct look {
	int64_t committed, end; /* -1: '-' */
	enum group_state state;
	bool no_member, unknown_members;
};

static void feed_at(struct series *s, int64_t now, struct look l)
{
	struct sample from = SAMPLE_INIT;
	struct partition row = {.has_committed = l.committed >= 0,
				.has_end = l.end >= 0,
				.has_lag = l.committed >= 0 && l.end >= 0,
				.committed = l.committed,
				.end = l.end,
				.lag = l.end - l.committed,
				.member = l.no_member || l.unknown_members ? 0 : 1};

	from.state = l.state;
	from.knows_members = !l.unknown_members;
	series_feed(s, &rules, &from, &row, now);
}

/* A lag without offsets. */
static void feed_lag(struct series *s, int64_t now, int64_t lag)
{
	struct sample from = SAMPLE_INIT;
	struct partition row = {.has_lag = true, .lag = lag};

	series_feed(s, &rules, &from, &row, now);
}

static void assert_rule(const struct series *s, enum rule want)
{
	enum rule got = series_judge(s, &rules);

	if (got != want)
		fail_msg("at %lld: %s, not %s", (long long)s->seen_ms, rule_name(got),
			 rule_name(want));
}

/* A consumer that commits at each sample, always a hundred messages behind. Returns the
 * time of the last sample. */
static int64_t fast_consumer(struct series *s, int64_t minutes)
{
	int64_t now = 0;

	series_init(s, 0, 0);
	for (; now <= minutes * 60000; now += STEP)
		feed_at(s, now, (struct look){.committed = now, .end = now + 10100});
	return now - STEP;
}

static void commits_that_are_close_are_one_record_with_the_first_time(void **state)
{
	struct series s;
	int64_t last = fast_consumer(&s, 60);

	(void)state;
	assert_in_range(s.n, 10, SERIES_SPANS + 2);
	for (int32_t i = 1; i < s.n; i++)
		assert_true(s.commits[i].time_ms - s.commits[i - 1].time_ms >= 50000);
	assert_int_equal(s.commits[s.n - 1].offset, last);
	assert_true(s.commits[1].time_ms > last - rules.window_ms);
	assert_true(s.commits[0].time_ms <= last - rules.window_ms);
}

static void a_step_back_is_never_merged_away(void **state)
{
	struct series s;
	int64_t now = fast_consumer(&s, 60) + STEP;

	(void)state;
	/* by less than came in since the record before */
	feed_at(&s, now, (struct look){.committed = now - 15000, .end = now + 10100});
	assert_rule(&s, RULE_REWOUND);
	feed_at(&s, now + STEP, (struct look){.committed = now, .end = now + 10100});
	assert_rule(&s, RULE_LAG_NOT_FALLING); /* recovered */
}

static void a_thousand_steps_back_stay_within_bounds(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	for (int64_t i = 0; i < 1000; i++) {
		feed_at(&s, i * 100, (struct look){.committed = 5000 - i, .end = 9999});
		assert_in_range(s.n, 1, SERIES_RECORDS);
	}
	assert_int_equal(s.commits[s.n - 1].offset, 4001);
	for (int64_t now = 100000; now <= 400000; now += STEP)
		feed_at(&s, now, (struct look){.committed = 4001, .end = 9999});
	assert_rule(&s, RULE_REWOUND);
}

static void a_stall_is_told_a_window_after_the_last_change(void **state)
{
	struct series s;
	int64_t stuck = fast_consumer(&s, 59); /* merged into an earlier record */

	(void)state;
	for (int64_t now = stuck + STEP; now < stuck + rules.window_ms; now += STEP) {
		feed_at(&s, now, (struct look){.committed = stuck, .end = now + 10100});
		assert_true(rule_verdict(series_judge(&s, &rules)) <= VERDICT_WARN);
	}
	feed_at(&s, stuck + rules.window_ms,
		(struct look){.committed = stuck, .end = stuck + 700000});
	assert_rule(&s, RULE_STALLED);
}

/* Far behind: no log end of the window was ever reached. */
static void silence_of_half_a_window_without_a_member_is_a_stop(void **state)
{
	static const struct look ways[] = {{.no_member = true}, {.state = GROUP_EMPTY}};

	(void)state;
	for (size_t way = 0; way < 2; way++) {
		struct series s;
		int64_t gone = 3600000;

		series_init(&s, 0, 0);
		for (int64_t now = 0; now <= gone; now += STEP)
			feed_at(&s, now,
				(struct look){.committed = now / 70000,
					      .end = now + 90000000});
		for (int64_t now = gone + STEP; now <= gone + 400000; now += STEP) {
			struct look l = ways[way];
			int64_t silent = now - s.commits[s.n - 1].time_ms;

			l.committed = gone / 70000;
			l.end = now + 90000000;
			feed_at(&s, now, l);
			assert_int_equal(series_judge(&s, &rules) == RULE_STOPPED,
					 silent > rules.window_ms - silent);
		}
		assert_rule(&s, RULE_STOPPED);
		feed_at(&s, gone + 410000,
			(struct look){.committed = gone / 70000,
				      .end = gone + 90500000,
				      .state = GROUP_REBALANCING});
		assert_rule(&s, RULE_LAG_NOT_FALLING);
	}
}

static void without_members_shown_a_silent_consumer_is_stalled_not_stopped(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	for (int64_t now = 0; now <= 1200000; now += STEP) {
		feed_at(&s, now,
			(struct look){.committed = 5,
				      .end = 100,
				      .unknown_members = true});
		assert_true(series_judge(&s, &rules) != RULE_STOPPED);
	}
	assert_rule(&s, RULE_STALLED);
}

static void the_lag_of_a_commit_is_what_was_there_before_it(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	feed_at(&s, 0, (struct look){.committed = 50, .end = 80});
	assert_int_equal(s.commits[0].lag, 30); /* nothing else is known */
	feed_at(&s, 60000, (struct look){.committed = 70, .end = 500});
	assert_int_equal(s.commits[1].lag, 10);
	feed_at(&s, 120000, (struct look){.committed = 510, .end = 900});
	assert_int_equal(s.commits[2].lag, 0);
}

static void what_has_no_value_makes_no_record(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	feed_at(&s, 0, (struct look){.committed = -1, .end = 80});
	feed_at(&s, STEP, (struct look){.committed = 50, .end = -1});
	feed_at(&s, 2 * STEP, (struct look){.committed = 90, .end = 80});
	assert_int_equal(s.n, 0);
	assert_int_equal(s.timelag.kind, TIMELAG_IDLE);
	for (int64_t now = 3 * STEP; now <= 600000; now += STEP)
		feed_at(&s, now, (struct look){.committed = 90, .end = 80});
	assert_rule(&s, RULE_LAG_ALLOWED); /* a negative lag is none */
	feed_at(&s, 610000, (struct look){.committed = -1, .end = 80});
	assert_rule(&s, RULE_INCOMPLETE);
	assert_int_equal(timelag_ms(&s.timelag, 610000), -1);
}

static void a_missing_log_end_follows_from_offset_and_lag(void **state)
{
	struct sample from = SAMPLE_INIT;
	struct partition row = {.has_committed = true,
				.has_lag = true,
				.committed = 40,
				.lag = 2};
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	series_feed(&s, &rules, &from, &row, 0);
	assert_int_equal(s.row.end, 42);
	assert_int_equal(s.n, 1);
	row.committed = INT64_MAX;
	series_feed(&s, &rules, &from, &row, STEP);
	assert_false(s.row.has_end);
	assert_int_equal(s.n, 1);
}

static void a_log_end_that_goes_back_begins_the_window_anew(void **state)
{
	struct series s;
	int64_t now = fast_consumer(&s, 60) + STEP;

	(void)state;
	feed_at(&s, now, (struct look){.committed = 3, .end = 30});
	assert_rule(&s, RULE_INCOMPLETE);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.since_ms, now);
	assert_int_equal(s.timelag.kind, TIMELAG_NONE);
}

static void a_long_time_without_a_look_begins_the_window_anew(void **state)
{
	struct series s;
	int64_t last = fast_consumer(&s, 60);
	int64_t half = rules.window_ms / 2;
	struct series t = s;

	(void)state;
	feed_at(&s, last + half, (struct look){.committed = last, .end = last + half});
	assert_int_equal(s.since_ms, 0);
	feed_at(&t, last + half + 1,
		(struct look){.committed = last, .end = last + half});
	assert_int_equal(t.since_ms, last + half + 1);
	assert_rule(&t, RULE_INCOMPLETE);
	/* but when the log had which end is still known */
	assert_int_equal(t.timelag.kind, TIMELAG_INTERPOLATED);
}

static void samples_that_are_always_rare_are_judged_all_the_same(void **state)
{
	struct series s;
	int64_t rare = 2 * rules.window_ms;

	(void)state;
	series_init(&s, 0, 0);
	for (int64_t now = 0; now <= 3 * rare; now += rare)
		feed_at(&s, now, (struct look){.committed = 5, .end = 100});
	assert_rule(&s, RULE_STALLED);
}

static void lags_alone_warn_when_they_do_not_fall(void **state)
{
	struct series s;
	int64_t now = 0;

	(void)state;
	series_init(&s, 0, 0);
	for (; now < 3600000; now += STEP) /* a saw tooth, which never touches 0 */
		feed_lag(&s, now, 50 + (now + 7000) % 60000 / 10);
	assert_rule(&s, RULE_LAG_FALLING);
	for (int64_t end = now + 1200000; now < end; now += STEP) {
		feed_lag(&s, now, 6000);
		assert_int_equal(rule_verdict(series_judge(&s, &rules)) == VERDICT_WARN,
				 series_judge(&s, &rules) == RULE_LAG_NOT_FALLING);
		assert_in_range(s.n, 1, SERIES_RECORDS);
	}
	assert_rule(&s, RULE_LAG_NOT_FALLING);
	feed_lag(&s, now, 0);
	assert_rule(&s, RULE_LAG_ALLOWED);
	feed_lag(&s, now + STEP, 9000);
	assert_rule(&s, RULE_LAG_WAS_ZERO);
	assert_int_equal(s.timelag.kind, TIMELAG_NONE);
}

static void offsets_after_lags_alone_begin_the_window_anew(void **state)
{
	struct series s;

	(void)state;
	series_init(&s, 0, 0);
	for (int64_t now = 0; now < 900000; now += STEP)
		feed_lag(&s, now, 5);
	feed_at(&s, 900000, (struct look){.committed = 1, .end = 6});
	assert_int_equal(s.n, 1);
	assert_int_equal(s.commits[0].offset, 1);
	assert_rule(&s, RULE_INCOMPLETE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			commits_that_are_close_are_one_record_with_the_first_time),
		cmocka_unit_test(a_step_back_is_never_merged_away),
		cmocka_unit_test(a_thousand_steps_back_stay_within_bounds),
		cmocka_unit_test(a_stall_is_told_a_window_after_the_last_change),
		cmocka_unit_test(silence_of_half_a_window_without_a_member_is_a_stop),
		cmocka_unit_test(
			without_members_shown_a_silent_consumer_is_stalled_not_stopped),
		cmocka_unit_test(the_lag_of_a_commit_is_what_was_there_before_it),
		cmocka_unit_test(what_has_no_value_makes_no_record),
		cmocka_unit_test(a_missing_log_end_follows_from_offset_and_lag),
		cmocka_unit_test(a_log_end_that_goes_back_begins_the_window_anew),
		cmocka_unit_test(a_long_time_without_a_look_begins_the_window_anew),
		cmocka_unit_test(samples_that_are_always_rare_are_judged_all_the_same),
		cmocka_unit_test(lags_alone_warn_when_they_do_not_fall),
		cmocka_unit_test(offsets_after_lags_alone_begin_the_window_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
