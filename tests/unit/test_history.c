/* SPDX-License-Identifier: MIT
 * Points of a topic's history: merging into spans, and the compact form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "support/history_kit.h"

#define T0 INT64_C(1795000000000)

static void put(struct history_points *h, struct history_point p, int64_t step)
{
	history_put(h, &p, step);
	assert_null(p.lags);
}

static void check_round(const struct history_points *h)
{
	struct history_points back = {NULL, 0, 0};
	struct buf b = BUF_INIT(1 << 20);

	history_encode(h, &b);
	assert_false(b.failed);
	assert_int_equal(history_decode(b.data, b.len, &back), 0);
	assert_int_equal(back.n, h->n);
	for (size_t i = 0; i < h->n; i++)
		assert_true(kit_same_point(&h->v[i], &back.v[i]));
	history_points_fini(&back);
	buf_free(&b);
}

static void what_was_encoded_is_read_back(void **state)
{
	uint64_t r = 20261121;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct history_points h = {NULL, 0, 0};
		size_t n = kit_random(&r) % 20;

		for (size_t i = 0; i < n; i++)
			put(&h,
			    kit_any_point(&r, T0 + (int64_t)i * 10000 +
						      (int64_t)(kit_random(&r) % 5000)),
			    1);
		check_round(&h);
		history_points_fini(&h);
	}
}

static void a_minute_of_eighteen_partitions_is_small(void **state)
{
	struct history_points h = {NULL, 0, 0};
	struct buf b = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 6; i++)
		put(&h, kit_point(T0 + i * 10000, 18, 100 + i), 10000);
	history_encode(&h, &b);
	assert_int_equal(h.n, 6);
	assert_in_range(b.len, 100, 240);
	buf_free(&b);
	history_points_fini(&h);
}

static void the_largest_of_a_span_stays(void **state)
{
	struct history_points h = {NULL, 0, 0};
	struct history_point p;

	(void)state;
	put(&h, kit_point(T0, 2, 5), 10000);
	p = kit_point(T0 + 4000, 3, 7);
	p.lags[0].known = false;
	p.lags[1].lag = 2;
	p.lag_sum = 3;
	p.status = VERDICT_WARN;
	p.produced = 7.5;
	p.consumed = NAN;
	put(&h, p, 10000);
	put(&h, kit_point(T0 + 9999, 1, 1), 10000);
	put(&h, kit_point(T0 + 10000, 1, 1), 10000);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.v[0].t.ms, T0);
	assert_int_equal(h.v[0].lag_sum, 11);
	assert_int_equal(h.v[0].lag_max, 9);
	assert_int_equal(h.v[0].time_lag_ms, 70);
	assert_int_equal(h.v[0].status, VERDICT_WARN);
	assert_true(fabs(h.v[0].produced - (2.5 + 7.5 + 2.5) / 3) < 1e-9);
	assert_true(fabs(h.v[0].consumed - 1.25) < 1e-9);
	assert_int_equal(h.v[0].n, 3);
	assert_int_equal(h.v[0].lags[0].lag, 5);
	assert_int_equal(h.v[0].lags[1].lag, 6);
	assert_int_equal(h.v[0].lags[2].lag, 9);
	history_points_fini(&h);
}

/* However it is cut: thinning in one go or in two gives the same lags. */
static void thinning_keeps_every_peak(void **state)
{
	uint64_t r = 7;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct history_points once = {NULL, 0, 0}, twice = {NULL, 0, 0};
		int64_t peak = INT64_MIN, found = INT64_MIN;

		for (int i = 0; i < 100; i++) {
			uint64_t same = r;
			int64_t t = T0 + (int64_t)(i * 7 % 100) * 10000;
			struct history_point p = kit_any_point(&r, t);

			if (p.has_lag && p.lag_max > peak)
				peak = p.lag_max;
			put(&once, p, 1);
			put(&twice, kit_any_point(&same, t), 1);
		}
		history_thin(&once, 900000);
		history_thin(&twice, 60000);
		history_thin(&twice, 900000);
		assert_int_equal(once.n, twice.n);
		for (size_t i = 0; i < once.n; i++) {
			twice.v[i].produced = once.v[i].produced; /* means differ */
			twice.v[i].consumed = once.v[i].consumed;
			assert_int_equal(once.v[i].t.ms % 900000, 0);
			assert_true(kit_same_point(&once.v[i], &twice.v[i]));
			if (once.v[i].has_lag && once.v[i].lag_max > found)
				found = once.v[i].lag_max;
		}
		assert_int_equal(found, peak);
		history_points_fini(&once);
		history_points_fini(&twice);
	}
}

static void a_sample_becomes_a_point(void **state)
{
	struct partition rows[] = {
		{.number = 0, .has_lag = true, .lag = 12},
		{.number = 3},
		{.number = 4, .has_lag = true, .lag = INT64_MAX},
	};
	struct sample s = SAMPLE_INIT;
	struct assessment a = ASSESSMENT_INIT;
	struct history_point p;

	(void)state;
	s.taken.ms = T0;
	s.rows = rows;
	s.n = 3;
	a.time_lag_ms = 900;
	p = history_point_of(&s, &a);
	assert_int_equal(p.t.ms, T0);
	assert_true(p.has_lag);
	assert_int_equal(p.lag_sum, HISTORY_LAG_MAX);
	assert_int_equal(p.lag_max, HISTORY_LAG_MAX);
	assert_int_equal(p.time_lag_ms, 900);
	assert_true(isnan(p.produced));
	assert_int_equal(p.n, 3);
	assert_false(p.lags[1].known);
	assert_int_equal(p.lags[2].lag, HISTORY_LAG_MAX);
	history_point_fini(&p);
}

static const struct bad {
	const char *label, *bytes;
	size_t len;
} bad[] = {
	{"nothing", "", 0},
	{"another form", "\2\0\0", 3},
	{"more points than bytes", "\1\377\377\377\377\17\0", 7},
	{"more partitions than bytes", "\1\0\377\377\377\377\17", 7},
	{"cut off in a point", "\1\1\0\0", 4},
	{"a status of the future", "\1\1\0\0\7", 5},
	{"a partition twice", "\1\0\2\2\0", 5},
	{"a negative partition", "\1\0\1\1", 4},
	{"an endless number", "\1\377\377\377\377\377\377\377\377\377\377\1", 12},
	{"something behind the end", "\1\0\0\0", 4},
};

static void bad_bytes_are_refused_and_leave_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct history_points h = {NULL, 0, 0};

		put(&h, kit_point(T0, 1, 1), 1);
		print_message("%s\n", bad[i].label);
		assert_int_equal(history_decode(bad[i].bytes, bad[i].len, &h), -1);
		assert_int_equal(h.n, 1);
		history_points_fini(&h);
	}
}

static void a_gap_is_read_back(void **state)
{
	struct history_gap g = {.until = {T0 + 5},
				.reason = "ssh_lost",
				.message = "the session ended"};
	struct history_gap back;
	struct buf b = BUF_INIT(1000);

	(void)state;
	history_encode_gap(&g, &b);
	assert_int_equal(history_decode_gap(b.data, b.len, (struct wall){T0}, &back),
			 0);
	assert_int_equal(back.from.ms, T0);
	assert_int_equal(back.until.ms, T0 + 5);
	assert_string_equal(back.reason, g.reason);
	assert_string_equal(back.message, g.message);
	assert_int_equal(history_decode_gap("\1\0\40x", 4, (struct wall){0}, &back),
			 -1);
	assert_int_equal(history_decode_gap("", 0, (struct wall){0}, &back), -1);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_encoded_is_read_back),
		cmocka_unit_test(a_minute_of_eighteen_partitions_is_small),
		cmocka_unit_test(the_largest_of_a_span_stays),
		cmocka_unit_test(thinning_keeps_every_peak),
		cmocka_unit_test(a_sample_becomes_a_point),
		cmocka_unit_test(bad_bytes_are_refused_and_leave_nothing),
		cmocka_unit_test(a_gap_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
