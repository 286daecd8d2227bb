/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lag/hostclock.h"

#include "banned.h"

#define START INT64_C(1700000000000)

/* A world: our clock, the host's clock (ours minus `offset`), a monotonic clock. */
struct world {
	struct hostclock clock;
	int64_t offset;
};

/* A mark made at `made` (ms since the start, by our clock) arrives at `arrives`; the
 * time that is given back, on the same scale. */
static int64_t mark(struct world *w, int64_t made, int64_t arrives)
{
	struct wall t = hostclock_correct(&w->clock, START + made - w->offset,
					  (struct wall){START + arrives},
					  (struct mono){(5000000 + arrives) * 1000000});

	assert_true(t.ms <= START + arrives);
	return t.ms - START;
}

static void a_clock_that_is_off_is_corrected_to_ours(void **state)
{
	static const int64_t offsets[] = {0, 3600000, -3600000, 41, START};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct world w = {HOSTCLOCK_INIT, offsets[i]};

		assert_int_equal(mark(&w, 0, 50), 50);
		assert_int_equal(mark(&w, 10000, 10020), 10020);
		assert_int_equal(mark(&w, 20000, 20900), 20020);
		assert_int_equal(mark(&w, 30000, 31500), 30020);
	}
}

static void a_backlog_keeps_its_times(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 12345};

	(void)state;
	assert_int_equal(mark(&w, 0, 20), 20);
	/* the link is silent for 90 s, then all arrives at once */
	for (int64_t t = 1000; t <= 90000; t += 870)
		assert_int_equal(mark(&w, t, 90000 + t / 100), t + 20);
	assert_int_equal(mark(&w, 92000, 92030), 92020);
}

static void a_clock_that_is_set_back_is_believed_after_three_samples(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 0};

	(void)state;
	mark(&w, 0, 20);
	w.offset = 3600000;
	/* marks of an hour ago: late for all we know */
	assert_int_equal(mark(&w, 10000, 10030), 10020 - 3600000);
	assert_int_equal(mark(&w, 20000, 20050), 20020 - 3600000);
	assert_int_equal(mark(&w, 30000, 30040), 30040);
	assert_int_equal(mark(&w, 40000, 40020), 40020);
	assert_int_equal(mark(&w, 50000, 50900), 50020);
}

static void a_clock_that_is_set_forward_is_believed_at_once(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 0};

	(void)state;
	mark(&w, 0, 20);
	w.offset = -3600000;
	assert_int_equal(mark(&w, 10000, 10030), 10030);
	assert_int_equal(mark(&w, 20000, 20500), 20030);
}

static void two_odd_samples_do_not_begin_anew(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 0};

	(void)state;
	for (int64_t t = 0; t < 300000; t += 30000) {
		assert_int_equal(mark(&w, t, t + 20), t + 20);
		assert_int_equal(mark(&w, t + 10000, t + 15000), t + 10020);
		assert_int_equal(mark(&w, t + 20000, t + 25000), t + 20020);
	}
}

static void the_smallest_difference_is_forgotten_after_ten_minutes(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 0};
	int64_t last = 0;

	(void)state;
	assert_int_equal(mark(&w, 0, 10), 10);
	for (int64_t t = 30000; t <= 590000; t += 20000)
		assert_int_equal(mark(&w, t, t + 500), t + 10);
	for (int64_t t = 610000; t <= 700000; t += 20000)
		last = mark(&w, t, t + 500) - t;
	assert_int_equal(last, 500);
}

/* What is kept a minute must give the same as all that was seen. */
static void buckets_agree_with_the_whole_history(void **state)
{
	struct {
		int64_t minute, difference;
	} seen[2000];
	struct hostclock c = HOSTCLOCK_INIT;
	uint64_t random = 88172645463325252;
	int64_t now = 0;

	(void)state;
	for (size_t n = 0; n < 2000; n++) {
		int64_t delay, least = INT64_MAX;
		struct wall t;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		now += (int64_t)(random % 20000);
		delay = (int64_t)(random / 20000 % 1900); /* never odd */
		seen[n].minute = now / 60000;
		seen[n].difference = delay;
		for (size_t i = 0; i <= n; i++)
			if (seen[n].minute - seen[i].minute < HOSTCLOCK_MINUTES &&
			    seen[i].difference < least)
				least = seen[i].difference;
		t = hostclock_correct(&c, START + now - delay,
				      (struct wall){START + now},
				      (struct mono){now * 1000000});
		assert_int_equal(t.ms, START + now - delay + least);
	}
}

static void a_mark_from_the_ends_of_time_changes_nothing(void **state)
{
	struct world w = {HOSTCLOCK_INIT, 0};
	static const int64_t marks[] = {INT64_MIN, INT64_MAX};

	(void)state;
	mark(&w, 0, 20);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(hostclock_correct(&w.clock, marks[i],
						   (struct wall){START},
						   (struct mono){0})
					 .ms,
				 START);
	assert_int_equal(mark(&w, 1000, 1500), 1020);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_that_is_off_is_corrected_to_ours),
		cmocka_unit_test(a_backlog_keeps_its_times),
		cmocka_unit_test(
			a_clock_that_is_set_back_is_believed_after_three_samples),
		cmocka_unit_test(a_clock_that_is_set_forward_is_believed_at_once),
		cmocka_unit_test(two_odd_samples_do_not_begin_anew),
		cmocka_unit_test(
			the_smallest_difference_is_forgotten_after_ten_minutes),
		cmocka_unit_test(buckets_agree_with_the_whole_history),
		cmocka_unit_test(a_mark_from_the_ends_of_time_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
