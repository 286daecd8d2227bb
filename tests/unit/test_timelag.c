/* SPDX-License-Identifier: MIT
 * The history of a log's ends, and when an offset was passed; and the rate of a total,
 * which is as small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "lag/rate.h"
#include "lag/timelag.h"

#define INTER TIMELAG_INTERPOLATED
#define EXTRA TIMELAG_EXTRAPOLATED
#define MINUTE 60000
#define DAY (INT64_C(24) * 60 * MINUTE)

static const struct {
	const char *label;
	struct log_end seen[5];
	size_t n;
	int64_t committed;
	enum timelag_kind kind;
	int64_t ms; /* as of the newest point */
} rows[] = {
	{"halfway", {{100, 100}, {200, 200}}, 2, 150, INTER, 50},
	{"at the newest end", {{100, 100}, {200, 200}}, 2, 200, TIMELAG_IDLE, 0},
	{"beyond the newest end", {{100, 100}, {200, 200}}, 2, 300, TIMELAG_IDLE, 0},
	{"at the oldest end", {{100, 100}, {200, 200}}, 2, 100, INTER, 100},
	{"below the oldest end", {{100, 100}, {200, 200}}, 2, 0, EXTRA, 200},
	{"one point", {{100, 100}}, 1, 50, TIMELAG_NONE, -1},
	{"one point, caught up", {{100, 100}}, 1, 100, TIMELAG_IDLE, 0},
	{"a flat log, behind", {{100, 100}, {100, 400}}, 2, 50, TIMELAG_NONE, -1},
	{"a flat log, beyond", {{100, 100}, {100, 400}}, 2, 101, TIMELAG_IDLE, 0},
	{"the end of a flat run",
	 {{100, 100}, {100, 400}, {100, 500}, {200, 600}},
	 4,
	 100,
	 INTER,
	 100},
	{"in the newest pair that holds it",
	 {{0, 0}, {100, 100}, {100, 500}, {200, 600}},
	 4,
	 50,
	 INTER,
	 550},
	{"an age ago by the recent rate",
	 {{INT64_MAX - 1, 0}, {INT64_MAX, 1000}},
	 2,
	 0,
	 TIMELAG_NONE,
	 -1},
	{"the ends of int64", {{INT64_MIN, 0}, {INT64_MAX, 1000}}, 2, 0, INTER, 500},
};

static struct log_ends seen(const struct log_end *v, size_t n)
{
	struct log_ends h = {.n = 0};

	for (size_t i = 0; i < n; i++)
		assert_true(log_ends_add(&h, v[i].offset, v[i].time_ms));
	return h;
}

static void an_offset_is_looked_up_in_the_history(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct log_ends h = seen(rows[i].seen, rows[i].n);
		struct timelag t = {.kind = TIMELAG_NONE};
		int64_t ms;

		timelag_update(&t, &h, rows[i].committed);
		ms = timelag_ms(&t, rows[i].seen[rows[i].n - 1].time_ms);
		if (t.kind != rows[i].kind || ms != rows[i].ms)
			fail_msg("%s: %s %lld", rows[i].label,
				 timelag_kind_name(t.kind), (long long)ms);
	}
}

static void an_offset_that_stays_keeps_the_time_at_which_it_was_passed(void **state)
{
	struct log_ends h = {.n = 0};
	struct timelag t = {.kind = TIMELAG_NONE};

	(void)state;
	log_ends_add(&h, 100, 0);
	timelag_update(&t, &h, 100);
	assert_int_equal(t.kind, TIMELAG_IDLE);
	for (int64_t now = 10000; now <= 2 * DAY; now += 10000) {
		log_ends_add(&h, 100 + now / 1000, now);
		timelag_update(&t, &h, 100);
		assert_int_equal(t.kind, TIMELAG_INTERPOLATED);
		assert_int_equal(timelag_ms(&t, now), now);
	}
	timelag_update(&t, &h, h.v[h.n - 1].offset);
	assert_int_equal(timelag_ms(&t, 2 * DAY), 0);
}

static void a_log_end_that_goes_back_begins_the_history_anew(void **state)
{
	struct log_ends h = {.n = 0};

	(void)state;
	assert_true(log_ends_add(&h, 100, 0));
	assert_true(log_ends_add(&h, 200, 10));
	assert_false(log_ends_add(&h, 5, 20));
	assert_int_equal(h.n, 1);
	assert_int_equal(h.v[0].offset, 5);
	assert_int_equal(h.v[0].time_ms, 20);
}

static void two_looks_at_one_time_are_one_point(void **state)
{
	struct log_ends h = {.n = 0};

	(void)state;
	log_ends_add(&h, 100, 10);
	log_ends_add(&h, 150, 10);
	log_ends_add(&h, 160, 5);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.v[0].offset, 160);
	assert_int_equal(h.v[0].time_ms, 10);
}

static void a_flat_run_costs_two_points(void **state)
{
	struct log_ends h = {.n = 0};

	(void)state;
	for (int64_t now = 0; now < DAY; now += 10000)
		log_ends_add(&h, 7, now);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.v[1].time_ms, DAY - 10000);
}

static void the_log_end_at_a_time_lies_between_its_neighbours(void **state)
{
	static const struct log_end v[] = {{100, 100}, {200, 200}, {200, 300}};
	struct log_ends h = seen(v, 3);

	(void)state;
	assert_int_equal(log_ends_at(&h, 0), 100);
	assert_int_equal(log_ends_at(&h, 100), 100);
	assert_int_equal(log_ends_at(&h, 150), 150);
	assert_int_equal(log_ends_at(&h, 200), 200);
	assert_int_equal(log_ends_at(&h, 250), 200);
	assert_int_equal(log_ends_at(&h, 999), 200);
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 33;
}

/* At each moment of two days, an offset of any age up to a day is found at most a third
 * of its age, or two samples, away from the truth, although the rate is a random walk.
 */
static void a_few_points_tell_a_day_to_a_part_of_its_age(void **state)
{
	enum { STEP = 10000, N = 2 * 8640 };
	int64_t *ends = calloc(N, sizeof(*ends));
	struct log_ends h = {.n = 0};
	uint64_t seed = 1;
	double rate = 50;

	(void)state;
	for (int i = 0; i < N; i++) {
		rate = fmin(500,
			    fmax(1, rate * (0.9 + (double)(next(&seed) % 201) / 1000)));
		ends[i] = (i > 0 ? ends[i - 1] : 0) + (int64_t)(rate * 10) + 1;
		assert_true(log_ends_add(&h, ends[i], (int64_t)i * STEP));
		assert_in_range(h.n, 1, LOG_ENDS_MAX);
		assert_true(h.v[0].time_ms <= (int64_t)i * STEP - DAY ||
			    h.v[0].time_ms == 0);
		for (int age = 1; i % 97 == 0 && age < i && age < 8640;
		     age += age / 5 + 1) {
			struct timelag t = {.kind = TIMELAG_NONE};
			int64_t off, truth = (int64_t)age * STEP;

			timelag_update(&t, &h, ends[i - age]);
			assert_int_equal(t.kind, TIMELAG_INTERPOLATED);
			off = llabs(timelag_ms(&t, (int64_t)i * STEP) - truth);
			if (off > truth / 3 + 2 * STEP)
				fail_msg("%d samples back: %lld ms off", age,
					 (long long)off);
		}
	}
	free(ends);
}

static void random_histories_never_give_a_negative_or_endless_time(void **state)
{
	uint64_t seed = 2;

	(void)state;
	for (int run = 0; run < 300; run++) {
		struct log_ends h = {.n = 0};
		struct timelag t = {.kind = TIMELAG_NONE};
		int64_t now = 0;

		for (int i = 0; i < 200; i++) {
			int64_t wide = (int64_t)(next(&seed) << 33 ^ next(&seed) << 3);
			int64_t end = next(&seed) % 4 == 0 ? wide
							   : (int64_t)(next(&seed) % 9);
			int64_t at, ms;

			now += (int64_t)(next(&seed) % 5) * 7000;
			log_ends_add(&h, end, now);
			timelag_update(&t, &h, (int64_t)(next(&seed) % 9) - 2);
			ms = timelag_ms(&t, now);
			assert_true(t.kind == TIMELAG_NONE
					    ? ms == -1
					    : ms >= 0 && ms <= TIMELAG_MAX_MS);
			at = log_ends_at(&h, now - (int64_t)(next(&seed) % 100000));
			assert_true(at >= h.v[0].offset && at <= h.v[h.n - 1].offset);
		}
	}
}

static void the_kinds_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(timelag_kind_name(TIMELAG_NONE), "none");
	assert_string_equal(timelag_kind_name(TIMELAG_INTERPOLATED), "interpolated");
	assert_string_equal(timelag_kind_name(TIMELAG_EXTRAPOLATED), "extrapolated");
	assert_string_equal(timelag_kind_name(TIMELAG_IDLE), "idle");
}

static void assert_near(double got, double want, double part)
{
	if (!(fabs(got - want) <= part * want))
		fail_msg("%f, not %f", got, want);
}

static void a_rate_is_not_known_before_a_minute(void **state)
{
	struct rate r = {.n = 0};

	(void)state;
	assert_true(isnan(rate_slope(&r)));
	for (int64_t now = 0; now < MINUTE; now += 1000) {
		rate_add(&r, 10, now);
		assert_true(isnan(rate_slope(&r)));
	}
	rate_add(&r, 10, MINUTE);
	assert_near(rate_slope(&r), 10, 1e-9);
}

static void a_rate_is_that_of_the_last_three_minutes(void **state)
{
	static const int64_t steps[] = {500, 1000, 10000, 30000, 170000, 600000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		struct rate r = {.n = 0};
		int64_t now = 0;

		for (; now < 3600000; now += steps[i])
			rate_add(&r, 7e6, now);
		for (int64_t end = now + 3 * steps[i] + 200000; now < end;
		     now += steps[i])
			rate_add(&r, 42.0 * (double)steps[i] / 1000, now);
		assert_near(rate_slope(&r), 42, 1e-6);
	}
}

static void steps_once_a_minute_make_a_steady_rate(void **state)
{
	(void)state;
	for (int64_t phase = 0; phase < MINUTE; phase += 7000) {
		struct rate r = {.n = 0};

		for (int64_t now = 0; now < 900000; now += 10000) {
			int64_t minutes =
				(now + phase) / MINUTE - (now + phase - 10000) / MINUTE;

			rate_add(&r, 60.0 * (double)minutes, now);
			if (now > 300000)
				assert_near(rate_slope(&r), 1, 0.10);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offset_is_looked_up_in_the_history),
		cmocka_unit_test(
			an_offset_that_stays_keeps_the_time_at_which_it_was_passed),
		cmocka_unit_test(a_log_end_that_goes_back_begins_the_history_anew),
		cmocka_unit_test(two_looks_at_one_time_are_one_point),
		cmocka_unit_test(a_flat_run_costs_two_points),
		cmocka_unit_test(the_log_end_at_a_time_lies_between_its_neighbours),
		cmocka_unit_test(a_few_points_tell_a_day_to_a_part_of_its_age),
		cmocka_unit_test(
			random_histories_never_give_a_negative_or_endless_time),
		cmocka_unit_test(the_kinds_have_their_names),
		cmocka_unit_test(a_rate_is_not_known_before_a_minute),
		cmocka_unit_test(a_rate_is_that_of_the_last_three_minutes),
		cmocka_unit_test(steps_once_a_minute_make_a_steady_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
