/* SPDX-License-Identifier: MIT
 * A topic's window over a restart: what is taken up again judges as if nothing had
 * happened, and what must not be taken up is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lag/window.h"

#define WALL0 INT64_C(1795000000000)
#define PARTITIONS 6

static const struct assess_rules rules = ASSESS_RULES_DEFAULT;

/* What is kept, and what is read, as the last word. */
static struct window_word said, heard;

static uint64_t random_state;

static uint64_t below(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717) % n;
}

/* A clock of one life: what it shows when the wall shows WALL0. */
struct life {
	struct assess *a;
	int64_t mono0;
	struct delivered delivered; /* at the last feed */
};

static struct mono mono_of(const struct life *l, int64_t ms)
{
	return (struct mono){(l->mono0 + ms) * 1000000};
}

/* What the brokers would say, moving on at random. */
struct truth {
	int64_t committed[PARTITIONS], end[PARTITIONS];
	bool only_lags, member;
	enum group_state state;
};

static void move(struct truth *t)
{
	for (int i = 0; i < PARTITIONS; i++) {
		t->end[i] += (int64_t)below(500);
		if (below(4) != 0 && i != 2) /* partition 2 stands still */
			t->committed[i] += (int64_t)below(
				(uint64_t)(t->end[i] - t->committed[i]) + 1);
		if (below(200) == 0)
			t->committed[i] /= 2;
	}
	if (below(30) == 0)
		t->member = !t->member;
	t->state = below(20) == 0 ? GROUP_REBALANCING : GROUP_STABLE;
}

static void feed(struct life *l, const struct truth *t, int64_t ms)
{
	struct delivery_look look = {.committed_rows = PARTITIONS, .end_rows = 1};
	struct partition rows[PARTITIONS];
	struct sample s = SAMPLE_INIT;

	for (int i = 0; i < PARTITIONS; i++)
		rows[i] = (struct partition){.number = i * 3,
					     .has_committed = !t->only_lags,
					     .has_end = !t->only_lags,
					     .has_lag = true,
					     .committed = t->committed[i],
					     .end = t->end[i],
					     .lag = t->end[i] - t->committed[i],
					     .member = t->member ? 7 : 0};
	s.rows = rows;
	s.n = PARTITIONS;
	s.knows_members = true;
	s.state = t->state;
	assess_feed(l->a, &s, mono_of(l, ms));
	for (int i = 0; i < PARTITIONS; i++)
		look.committed += t->committed[i];
	look.end = look.committed - look.committed / 7;
	l->delivered = assess_deliver(l->a, &look, 10000, mono_of(l, ms));
}

static bool same_real(double a, double b)
{
	double d = a - b;

	return (isnan(a) && isnan(b)) || (d < 1e-6 && d > -1e-6);
}

static void check_same(const struct life *a, const struct life *b, int64_t ms)
{
	struct assessment x = assess_look(a->a, mono_of(a, ms));
	struct assessment y = assess_look(b->a, mono_of(b, ms));

	assert_int_equal(x.status, y.status);
	assert_string_equal(x.rule, y.rule);
	assert_int_equal(x.worst, y.worst);
	assert_true(llabs(x.time_lag_ms - y.time_lag_ms) <= 1); /* rounding */
	assert_int_equal(x.time_lag_kind, y.time_lag_kind);
	assert_true(same_real(x.produced_per_sec, y.produced_per_sec));
	assert_true(same_real(x.consumed_per_sec, y.consumed_per_sec));
	assert_int_equal(a->delivered.missing, b->delivered.missing);
	assert_int_equal(a->delivered.consumed, b->delivered.consumed);
	assert_true(same_real(a->delivered.per_sec, b->delivered.per_sec));
	for (int i = 0; i < PARTITIONS; i++) {
		struct partition_state p, q;

		assert_true(assess_partition(a->a, i * 3, &p));
		assert_true(assess_partition(b->a, i * 3, &q));
		assert_int_equal(p.rule, q.rule);
		assert_true(same_real(p.complete, q.complete));
		assert_int_equal(p.ownerless, q.ownerless);
		assert_int_equal(p.unchanged_ms, q.unchanged_ms);
		assert_true(llabs(p.time_lag_ms - q.time_lag_ms) <= 1);
		assert_int_equal(p.n_commits, q.n_commits);
		for (int k = 0; k < p.n_commits; k++) {
			assert_int_equal(p.commits[k].offset, q.commits[k].offset);
			assert_int_equal(p.commits[k].lag, q.commits[k].lag);
			assert_int_equal(p.commits[k].time_ms - a->mono0,
					 q.commits[k].time_ms - b->mono0);
		}
	}
}

static struct wall wall_of(int64_t ms)
{
	return (struct wall){WALL0 + ms};
}

/* The same assess in a life with another clock. */
static void restart(struct life *l, int64_t ms, int64_t mono0)
{
	struct buf kept = BUF_INIT(1 << 20);

	window_save(l->a, &said, "orders", mono_of(l, ms), wall_of(ms), &kept);
	assert_false(kept.failed);
	assess_free(l->a);
	l->a = assess_new(&rules);
	l->mono0 = mono0;
	assert_int_equal(window_restore(l->a, &heard, "orders", kept.data, kept.len,
					mono_of(l, ms), wall_of(ms)),
			 0);
	buf_free(&kept);
}

static void a_restarted_judge_says_what_one_says_that_went_on(void **state)
{
	(void)state;
	for (int story = 0; story < 40; story++) {
		struct life on = {assess_new(&rules), 1000000000, {0}};
		struct life again = {assess_new(&rules), 1000000000, {0}};
		struct truth t = {.only_lags = story % 5 == 0, .member = true};
		int64_t ms = 0;

		random_state = 1000 + (uint64_t)story;
		for (int i = 0; i < 200; i++) {
			ms += 10000;
			move(&t);
			feed(&on, &t, ms);
			feed(&again, &t, ms);
			check_same(&on, &again, ms);
			if (below(15) == 0)
				restart(&again, ms + (int64_t)below(9000),
					(int64_t)below(2000000000) + 700000);
		}
		assess_free(on.a);
		assess_free(again.a);
	}
}

/* After a reboot the clock is younger than the window. */
static void a_clock_that_has_just_begun_is_no_obstacle(void **state)
{
	struct life on = {assess_new(&rules), 1000000000, {0}};
	struct life again = {assess_new(&rules), 1000000000, {0}};
	struct truth t = {.member = true};
	int64_t ms = 0;

	(void)state;
	random_state = 5;
	for (int i = 0; i < 100; i++) {
		ms += 10000;
		move(&t);
		feed(&on, &t, ms);
		feed(&again, &t, ms);
		if (i == 90)
			restart(&again, ms + 5000, -ms); /* booted 5 s ago */
	}
	check_same(&on, &again, ms);
	assess_free(on.a);
	assess_free(again.a);
}

static struct life lived(struct buf *kept)
{
	struct life l = {assess_new(&rules), 1000000, {0}};
	struct truth t = {.member = true};

	random_state = 9;
	for (int64_t ms = 10000; ms <= 600000; ms += 10000) {
		move(&t);
		feed(&l, &t, ms);
	}
	window_save(l.a, &said, "orders", mono_of(&l, 600000), wall_of(600000), kept);
	return l;
}

static int restore_at(const struct buf *kept, const char *name, int64_t ms)
{
	struct assess *a = assess_new(&rules);
	int rc = window_restore(a, &heard, name, kept->data, kept->len,
				(struct mono){(ms + 5) * 1000000}, wall_of(ms));

	assess_free(a);
	return rc;
}

static void what_must_not_be_taken_up_is_not(void **state)
{
	struct buf kept = BUF_INIT(1 << 20), empty = BUF_INIT(100);
	struct life l = lived(&kept);
	struct assess *fresh = assess_new(&rules);

	(void)state;
	assert_int_equal(restore_at(&kept, "orders", 600000), 0);
	assert_int_equal(restore_at(&kept, "orders", 1200000), 0);
	assert_int_equal(restore_at(&kept, "orders", 1200001), -1); /* too old */
	assert_int_equal(restore_at(&kept, "orders", 599500), 0);  /* slewed a little */
	assert_int_equal(restore_at(&kept, "orders", 590000), -1); /* the future */
	assert_int_equal(restore_at(&kept, "payments", 600000), -1);
	assert_int_equal(window_restore(l.a, &heard, "orders", kept.data, kept.len,
					mono_of(&l, 600000), wall_of(600000)),
			 -1); /* lives already */
	kept.data[0]++;
	assert_int_equal(restore_at(&kept, "orders", 600000), -1);
	window_save(fresh, &said, "orders", mono_of(&l, 0), wall_of(0), &empty);
	assert_int_equal(empty.len, 0); /* nothing is known */
	assert_int_equal(restore_at(&empty, "orders", 600000), -1);
	assess_free(fresh);
	assess_free(l.a);
	buf_free(&kept);
	buf_free(&empty);
}

/* Since when a topic is as it is, is known for as long as a window is of use. */
static void the_last_word_is_kept_with_the_window(void **state)
{
	static const struct window_word no_data = {VERDICT_NODATA, {WALL0 - 86400000}};
	struct buf kept = BUF_INIT(1 << 20);
	struct life l;

	(void)state;
	said = no_data;
	l = lived(&kept);
	heard = (struct window_word){VERDICT_OK, {0}};
	assert_int_equal(restore_at(&kept, "orders", 1200000), 0);
	assert_int_equal(heard.status, VERDICT_NODATA);
	assert_int_equal(heard.since.ms, no_data.since.ms);
	heard = (struct window_word){VERDICT_OK, {0}};
	assert_int_equal(restore_at(&kept, "orders", 1200001), -1); /* long ago */
	assert_int_equal(heard.since.ms, 0);
	said = (struct window_word){VERDICT_OK, {0}};
	assess_free(l.a);
	buf_free(&kept);
}

/* A host that has been down for longer than a window, and a restart in that time. */
static void the_last_word_outlives_the_window(void **state)
{
	static const struct window_word no_data = {VERDICT_NODATA, {WALL0}};
	struct buf kept = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	struct assess *fresh = assess_new(&rules);
	struct life l = lived(&kept);

	(void)state;
	buf_reset(&kept);
	window_save(l.a, &no_data, "orders", mono_of(&l, 3600000), wall_of(3600000),
		    &kept);
	heard = (struct window_word){VERDICT_OK, {0}};
	assert_int_equal(restore_at(&kept, "orders", 3601000), -1); /* an old window */
	assert_int_equal(heard.status, VERDICT_NODATA);
	assert_int_equal(heard.since.ms, WALL0);
	window_save(fresh, &heard, "orders", mono_of(&l, 0), wall_of(3700000), &again);
	heard = (struct window_word){VERDICT_OK, {0}};
	assert_int_equal(restore_at(&again, "orders", 3701000), -1); /* no window */
	assert_int_equal(heard.since.ms, WALL0);
	assess_free(fresh);
	assess_free(l.a);
	buf_free(&kept);
	buf_free(&again);
}

/* Make what is kept what the form of an older version was. */
static void make_older(struct buf *kept, unsigned char form, size_t drop_first,
		       size_t drop_last)
{
	uint64_t sum;

	kept->len -= drop_first + drop_last;
	memmove(kept->data + 9, kept->data + 9 + drop_first, kept->len - 9);
	sum = hash_fnv64(kept->data + 9, kept->len - 9, hash_fnv64("orders", 6, form));
	kept->data[0] = (char)form;
	for (int i = 0; i < 8; i++)
		kept->data[1 + i] = (char)(sum >> (8 * i) & 255);
}

/* The forms that knew nothing of the last word, and nothing of a target either. */
static void what_an_older_version_kept_is_taken_up(void **state)
{
	static const size_t no_word = 13; /* two times and a status */
	struct life l = {assess_new(&rules), 1000000, {0}};
	struct sample s = SAMPLE_INIT;
	struct partition row = {.has_lag = true, .lag = 5};
	struct buf kept = BUF_INIT(1 << 20);

	(void)state;
	s.rows = &row;
	s.n = 1;
	assess_feed(l.a, &s, mono_of(&l, 600000));
	window_save(l.a, &said, "orders", mono_of(&l, 600000), wall_of(600000), &kept);
	assert_int_equal(kept.data[0], 3);
	assert_int_equal(kept.data[kept.len - 1], 0); /* no delivery */
	make_older(&kept, 2, no_word, 0);
	assert_int_equal(restore_at(&kept, "orders", 600000), 0);
	make_older(&kept, 1, 0, 1);
	assert_int_equal(restore_at(&kept, "orders", 600000), 0);
	assess_free(l.a);
	buf_free(&kept);
}

static void damaged_bytes_are_refused(void **state)
{
	struct buf kept = BUF_INIT(1 << 20);
	struct life l = lived(&kept);

	(void)state;
	for (size_t i = 0; i < kept.len; i++) {
		kept.data[i] ^= 1;
		assert_int_equal(restore_at(&kept, "orders", 600000), -1);
		kept.data[i] ^= 1;
	}
	for (size_t n = kept.len; n-- > 0;) {
		struct buf cut = {.data = kept.data, .len = n};

		assert_int_equal(restore_at(&cut, "orders", 600000), -1);
	}
	assess_free(l.a);
	buf_free(&kept);
}

static void a_partition_takes_a_few_hundred_bytes(void **state)
{
	struct buf kept = BUF_INIT(1 << 20);
	struct life l = lived(&kept);

	(void)state;
	print_message("%zu bytes\n", kept.len / PARTITIONS);
	assert_in_range(kept.len / PARTITIONS, 50, 400);
	assess_free(l.a);
	buf_free(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restarted_judge_says_what_one_says_that_went_on),
		cmocka_unit_test(a_clock_that_has_just_begun_is_no_obstacle),
		cmocka_unit_test(what_must_not_be_taken_up_is_not),
		cmocka_unit_test(the_last_word_is_kept_with_the_window),
		cmocka_unit_test(the_last_word_outlives_the_window),
		cmocka_unit_test(what_an_older_version_kept_is_taken_up),
		cmocka_unit_test(damaged_bytes_are_refused),
		cmocka_unit_test(a_partition_takes_a_few_hundred_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
