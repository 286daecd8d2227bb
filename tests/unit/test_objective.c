/* SPDX-License-Identifier: MIT
 * The share of time within an objective. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "lag/objective.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1795219200000)

static void time_is_counted_on_the_side_it_was(void **state)
{
	struct objective o;
	struct objective_sums s;

	(void)state;
	objective_init(&o, HOUR);
	objective_add(&o, true, T0, T0 + 1500);
	objective_add(&o, false, T0 + 2000, T0 + 2500);
	s = objective_sums(&o, T0 + 3000);
	assert_int_equal(s.within_ms, 1500);
	assert_int_equal(s.beyond_ms, 500);
}

static void what_is_older_than_the_span_is_forgotten(void **state)
{
	struct objective o;

	(void)state;
	objective_init(&o, HOUR);
	objective_add(&o, false, T0, T0 + 60000);
	assert_int_equal(objective_sums(&o, T0 + HOUR).beyond_ms, 60000);
	assert_int_equal(objective_sums(&o, T0 + HOUR + 60000).beyond_ms, 0);
	objective_add(&o, true, T0 + HOUR, T0 + 2 * HOUR);
	assert_int_equal(objective_sums(&o, T0 + 2 * HOUR).beyond_ms, 0);
	assert_int_equal(objective_sums(&o, T0 + 2 * HOUR).within_ms, HOUR);
}

/* However a stretch of time is cut, it counts once and whole. */
static void sums_do_not_depend_on_the_cuts(void **state)
{
	unsigned short r[3] = {7, 7, 7};

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct objective o, whole;
		int64_t t = T0;

		objective_init(&o, HOUR);
		objective_init(&whole, HOUR);
		while (t < T0 + HOUR / 2) {
			int64_t next = t + 1 + nrand48(r) % 90000;

			objective_add(&o, round % 2 == 0, t, next);
			t = next;
		}
		objective_add(&whole, round % 2 == 0, T0, t);
		assert_memory_equal(&o, &whole, sizeof(o));
	}
}

static void it_is_read_as_it_was_written(void **state)
{
	struct objective o, back;
	struct buf text = BUF_INIT(1 << 16);

	(void)state;
	objective_init(&o, HOUR);
	objective_add(&o, true, T0, T0 + HOUR);
	objective_add(&o, false, T0 + HOUR, T0 + HOUR + 777);
	objective_write(&o, &text);
	assert_true(objective_read(&back, text.data, text.len));
	assert_memory_equal(&o, &back, sizeof(o));
	for (size_t n = 0; n < text.len; n++) /* never a sum that cannot be */
		if (objective_read(&back, text.data, n))
			assert_true(objective_sums(&back, T0 + HOUR).within_ms <= HOUR);
	buf_free(&text);
}

static void nonsense_is_no_objective(void **state)
{
	static const char *const texts[] = {"",
					    "1",
					    "2 60000",
					    "1 0",
					    "1 -5",
					    "1 9223372036854775807 1 1 1",
					    "1 60000 7",
					    "1 60000 7 60001 0",
					    "1 60000 7 1 1 x"};
	struct objective o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_false(objective_read(&o, texts[i], strlen(texts[i])));
		assert_true(o.piece_ms == 1);
		assert_true(objective_sums(&o, T0).within_ms == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_is_counted_on_the_side_it_was),
		cmocka_unit_test(what_is_older_than_the_span_is_forgotten),
		cmocka_unit_test(sums_do_not_depend_on_the_cuts),
		cmocka_unit_test(it_is_read_as_it_was_written),
		cmocka_unit_test(nonsense_is_no_objective),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
