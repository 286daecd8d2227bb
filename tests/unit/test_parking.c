/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ship/parking.h"

#include "banned.h"

#define S(s) ((struct mono){(int64_t)(s)*1000000000})

static const struct bulk_item busy = {.verdict = BULK_RETRY,
				      .pace = PACE_AGAIN,
				      .status = 429};
static const struct bulk_item blocked = {.verdict = BULK_RETRY,
					 .pace = PACE_SLOW,
					 .status = 403};

static size_t release(struct parking *p, struct mono now, size_t max, int64_t *rows)
{
	struct bulk_item v[64];
	size_t n = parking_release(p, now, max, rows, v);

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(v[i].verdict, BULK_RETRY);
		assert_true(v[i].status == 429 || v[i].status == 403);
	}
	return n;
}

static void each_attempt_waits_longer_up_to_a_minute(void **state)
{
	static const int64_t bounds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
	struct parking p = {0};
	struct mono now = S(1000);
	int64_t row;

	(void)state;
	for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
		int64_t bound = bounds[i] * 1000;

		parking_add(&p, 7, &busy, -1, now);
		assert_int_equal(p.n, 1);
		assert_int_equal(parking_waiting(&p), 1);
		assert_int_equal(release(&p, mono_add_ms(now, bound / 2 - 1), 8, &row),
				 0);
		now = mono_add_ms(now, bound);
		assert_int_equal(release(&p, now, 8, &row), 1);
		assert_int_equal(row, 7);
		assert_int_equal(parking_waiting(&p), 0);
	}
	parking_fini(&p);
}

static void what_an_operator_must_mend_waits_half_a_minute_at_least(void **state)
{
	struct parking p = {0};
	int64_t rows[4];

	(void)state;
	parking_add(&p, 1, &blocked, -1, S(0));
	assert_int_equal(release(&p, S(14), 4, rows), 0);
	assert_int_equal(release(&p, S(30), 4, rows), 1);
	parking_fini(&p);
}

static void a_longer_wish_of_the_server_is_granted(void **state)
{
	struct parking p = {0};
	int64_t rows[4];

	(void)state;
	parking_add(&p, 1, &busy, 300000, S(0));
	assert_int_equal(release(&p, S(299), 4, rows), 0);
	assert_int_equal(release(&p, S(300), 4, rows), 1);
	parking_fini(&p);
}

static void rows_come_back_in_the_order_of_their_times(void **state)
{
	struct parking p = {0};
	int64_t rows[8];

	(void)state;
	parking_add(&p, 1, &busy, 30000, S(0));
	parking_add(&p, 9, &busy, 10000, S(0));
	parking_add(&p, 5, &busy, 20000, S(0));
	assert_int_equal(release(&p, S(60), 2, rows), 2);
	assert_int_equal(rows[0], 9);
	assert_int_equal(rows[1], 5);
	/* no more while the fate of these is open */
	assert_int_equal(release(&p, S(60), 2, rows), 0);
	assert_true(parking_forget(&p, 9));
	assert_int_equal(release(&p, S(60), 2, rows), 1);
	assert_int_equal(rows[0], 1);
	assert_true(parking_knows(&p, 1));
	assert_false(parking_forget(&p, 9));
	parking_fini(&p);
}

/* The store's limits may drop a row that was released: its place is not lost. */
static void a_row_that_never_comes_back_is_forgotten(void **state)
{
	struct parking p = {0};
	int64_t rows[4];

	(void)state;
	parking_add(&p, 1, &busy, -1, S(0));
	assert_int_equal(release(&p, S(1), 1, rows), 1);
	parking_add(&p, 2, &busy, -1, S(1));
	assert_int_equal(release(&p, S(500), 1, rows), 0);
	assert_int_equal(release(&p, S(700), 1, rows), 1);
	assert_int_equal(rows[0], 2);
	assert_false(parking_knows(&p, 1));
	parking_fini(&p);
}

static void it_is_bounded(void **state)
{
	struct parking p = {0};

	(void)state;
	for (int64_t i = 0; i < PARKING_MAX; i++) {
		assert_true(parking_has_room(&p, 1));
		parking_add(&p, i, &busy, -1, S(0));
	}
	assert_false(parking_has_room(&p, 1));
	assert_true(parking_has_room(&p, 0));
	assert_true(parking_forget(&p, 17));
	assert_true(parking_has_room(&p, 1));
	assert_false(parking_has_room(&p, 2));
	parking_fini(&p);
}

static void all_that_wait_can_be_taken_out_for_a_stop(void **state)
{
	struct parking p = {0};
	struct bulk_item v;
	int64_t row, sum = 0, rows[1];
	int n = 0;

	(void)state;
	for (int64_t i = 1; i <= 4; i++)
		parking_add(&p, i, &busy, i == 3 ? -1 : 90000, S(0));
	assert_int_equal(release(&p, S(2), 1, rows), 1);
	assert_int_equal(rows[0], 3); /* back in the store already */
	while (parking_take(&p, &row, &v)) {
		sum += row;
		n++;
		assert_int_equal(v.verdict, BULK_RETRY);
	}
	assert_int_equal(n, 3);
	assert_int_equal(sum, 7);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.released, 0);
	parking_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_attempt_waits_longer_up_to_a_minute),
		cmocka_unit_test(
			what_an_operator_must_mend_waits_half_a_minute_at_least),
		cmocka_unit_test(a_longer_wish_of_the_server_is_granted),
		cmocka_unit_test(rows_come_back_in_the_order_of_their_times),
		cmocka_unit_test(a_row_that_never_comes_back_is_forgotten),
		cmocka_unit_test(it_is_bounded),
		cmocka_unit_test(all_that_wait_can_be_taken_out_for_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
