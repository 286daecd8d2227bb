/* SPDX-License-Identifier: MIT
 * A topic over hours of virtual time: a mirror that polls, commits once a minute,
 * stops, hangs, goes back, catches up; and what is said of it at each sample. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "lag/assess.h"

#define PARTITIONS 4
#define POLL_MS 10000
#define COMMIT_MS 60000

enum consumer {
	RUNS,
	GONE,      /* no member has the partitions */
	EMPTY,     /* as the group's state tells, too */
	HANGS,     /* has them, and does nothing */
	REBALANCES /* neither */
};

enum what {
	NOTHING,
	GO_BACK,    /* the user resets the group's offsets by `amount` */
	NEW_TOPIC,  /* deleted and made again; offsets are reset half a minute later */
	NOT_LOOKED, /* no samples in this phase */
	ONE_HANGS   /* partition 2 */
};

struct phase {
	int minutes;
	enum consumer consumer;
	double rate, capacity; /* messages a second and partition */
	enum what what;
	unsigned may; /* bits of rules: what may be told meanwhile, */
	unsigned end; /* and at the end */
};

struct world {
	struct assess *a;
	uint64_t seed;
	int64_t now, next_poll, next_commit, jitter_ms, offsets_reset;
	double end[PARTITIONS], position[PARTITIONS];
	int64_t committed[PARTITIONS];
	bool no_offsets, no_members; /* what the source does not tell */
	struct assessment seen;
};

static uint64_t next(struct world *w)
{
	w->seed =
		w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return w->seed >> 33;
}

static int64_t below(struct world *w, int64_t n)
{
	return n > 0 ? (int64_t)(next(w) % (uint64_t)n) : 0;
}

static struct world world(void)
{
	static const struct assess_rules rules = ASSESS_RULES_DEFAULT;

	return (struct world){.a = assess_new(&rules), .seed = 7, .now = 12345000};
}

static struct mono at(int64_t ms)
{
	return (struct mono){ms * 1000000};
}

static void poll_topic(struct world *w, const struct phase *p)
{
	struct partition rows[PARTITIONS] = {{0}};
	struct sample s = SAMPLE_INIT;

	s.rows = rows;
	s.n = PARTITIONS;
	s.knows_members = !w->no_members;
	s.state = p->consumer == EMPTY        ? GROUP_EMPTY
		  : p->consumer == REBALANCES ? GROUP_REBALANCING
		  : w->no_members             ? GROUP_UNKNOWN
					      : GROUP_STABLE;
	for (int i = 0; i < PARTITIONS; i++) {
		bool owned = p->consumer == RUNS || p->consumer == HANGS;

		rows[i].number = 10 * i;
		rows[i].has_lag = true;
		rows[i].has_committed = rows[i].has_end = !w->no_offsets;
		rows[i].committed = w->committed[i];
		rows[i].end = (int64_t)w->end[i];
		rows[i].lag = rows[i].end - rows[i].committed;
		rows[i].member = owned && !w->no_members ? 77 : 0;
	}
	assess_feed(w->a, &s, at(w->now));
	w->seen = assess_look(w->a, at(w->now));
}

/* 100 ms of producing and consuming. */
static void live(struct world *w, const struct phase *p)
{
	w->now += 100;
	for (int i = 0; i < PARTITIONS; i++) {
		w->end[i] += p->rate / 10 * (double)below(w, 2001) / 1000;
		if (p->consumer == RUNS && !(p->what == ONE_HANGS && i == 2))
			w->position[i] =
				fmin(w->end[i], w->position[i] + p->capacity / 10);
		if (p->consumer == RUNS && w->now >= w->next_commit &&
		    w->position[i] >= (double)w->committed[i])
			w->committed[i] = (int64_t)w->position[i];
		if (w->now == w->offsets_reset)
			w->position[i] = (double)(w->committed[i] = 0);
	}
	if (w->now >= w->next_commit)
		w->next_commit += COMMIT_MS + below(w, w->jitter_ms);
}

static void begin(struct world *w, const struct phase *p)
{
	for (int i = 0; i < PARTITIONS; i++) {
		if (p->what == GO_BACK) {
			w->committed[i] -= 50000;
			w->position[i] = (double)w->committed[i];
		} else if (p->what == NEW_TOPIC) {
			w->end[i] = 0;
		}
	}
	if (p->what == NEW_TOPIC)
		w->offsets_reset = w->now + 30000;
	/* what was consumed and not committed is consumed again */
	if (p->consumer != RUNS && p->consumer != HANGS)
		for (int i = 0; i < PARTITIONS; i++)
			w->position[i] = (double)w->committed[i];
}

static enum rule rule_of(const struct assessment *a)
{
	for (int r = RULE_INCOMPLETE; r < RULE_LAG_FALLING; r++)
		if (strcmp(rule_name((enum rule)r), a->rule) == 0)
			return (enum rule)r;
	assert_string_equal(a->rule, "lag_falling");
	return RULE_LAG_FALLING;
}

static void assert_sane(const struct assessment *a)
{
	assert_true(a->status == VERDICT_OK || a->status == VERDICT_WARN ||
		    a->status == VERDICT_ERR);
	assert_true(a->time_lag_kind == TIMELAG_NONE ? a->time_lag_ms == -1
						     : a->time_lag_ms >= 0);
	assert_true(isnan(a->produced_per_sec) || a->produced_per_sec >= 0);
	assert_true(isnan(a->consumed_per_sec) || a->consumed_per_sec >= 0);
	assert_false(isinf(a->produced_per_sec) || isinf(a->consumed_per_sec));
	assert_true(a->drain_ms >= -1 && a->drain_ms <= INT64_C(315360000000));
}

static void play(struct world *w, const struct phase *p, const char *label)
{
	int64_t end = w->now + (int64_t)p->minutes * 60000;

	begin(w, p);
	while (w->now < end) {
		live(w, p);
		if (w->now < w->next_poll || p->what == NOT_LOOKED)
			continue;
		w->next_poll = w->now + POLL_MS + below(w, w->jitter_ms / 4);
		poll_topic(w, p);
		assert_sane(&w->seen);
		if ((p->may & (1u << rule_of(&w->seen))) == 0)
			fail_msg("%s: %s of %d, %lld s before the phase's end", label,
				 w->seen.rule, (int)w->seen.worst,
				 (long long)(end - w->now) / 1000);
	}
	if (p->what != NOT_LOOKED && (p->end & (1u << rule_of(&w->seen))) == 0)
		fail_msg("%s: %s of %d at the phase's end", label, w->seen.rule,
			 (int)w->seen.worst);
}

#define R(name) (1u << RULE_##name)
#define ALL (~0u)
#define FINE (R(LAG_ALLOWED) | R(LAG_WAS_ZERO))
#define HEALTHY (R(INCOMPLETE) | R(LAG_ALLOWED) | R(LAG_WAS_ZERO) | R(LAG_FALLING))
#define NO_ALARM (HEALTHY | R(LAG_NOT_FALLING))
/* the usual beginning */
#define HOUR                                                \
	{                                                   \
		60, RUNS, 100, 1000, NOTHING, HEALTHY, FINE \
	}

static const struct {
	const char *label;
	bool no_offsets, no_members;
	struct phase phases[6];
} stories[] = {
	{"idle", false, false, {{60, RUNS, 0, 1000, NOTHING, HEALTHY, FINE}}},
	{"a message now and then",
	 false,
	 false,
	 {{120, RUNS, 0.005, 1000, NOTHING, HEALTHY, FINE}}},
	{"the mirror is stopped, and comes back",
	 false,
	 false,
	 {HOUR,
	  {9, GONE, 100, 0, NOTHING, HEALTHY, FINE},
	  {20, GONE, 100, 0, NOTHING, HEALTHY | R(STOPPED), R(STOPPED)},
	  {5, RUNS, 100, 200, NOTHING, NO_ALARM, R(LAG_FALLING)},
	  {60, RUNS, 100, 400, NOTHING, NO_ALARM, FINE}}},
	{"as the group's state tells",
	 false,
	 true,
	 {HOUR, {15, EMPTY, 100, 0, NOTHING, HEALTHY | R(STOPPED), R(STOPPED)}}},
	{"nothing is produced while the mirror is away",
	 false,
	 false,
	 {{60, RUNS, 100, 1000, NOTHING, HEALTHY, FINE},
	  {5, RUNS, 0, 1000, NOTHING, HEALTHY, FINE},
	  {120, GONE, 0, 0, NOTHING, HEALTHY, FINE},
	  {8, GONE, 10, 0, NOTHING, HEALTHY, FINE},
	  {4, GONE, 10, 0, NOTHING, HEALTHY | R(STOPPED), R(STOPPED)}}},
	{"the mirror hangs",
	 false,
	 false,
	 {HOUR,
	  {9, HANGS, 100, 0, NOTHING, HEALTHY, FINE},
	  {20, HANGS, 100, 0, NOTHING, NO_ALARM | R(STALLED), R(STALLED)},
	  {2, RUNS, 100, 1000, NOTHING, NO_ALARM | R(STALLED), R(LAG_FALLING)}}},
	{"hangs, by a source without members",
	 false,
	 true,
	 {HOUR, {15, HANGS, 100, 0, NOTHING, NO_ALARM | R(STALLED), R(STALLED)}}},
	{"hangs, by a source without offsets",
	 true,
	 false,
	 {{60, RUNS, 100, 1000, NOTHING, HEALTHY, R(LAG_FALLING)},
	  {15, HANGS, 100, 0, NOTHING, NO_ALARM, R(LAG_NOT_FALLING)}}},
	{"is stopped, by a source without offsets",
	 true,
	 false,
	 {{60, RUNS, 100, 1000, NOTHING, HEALTHY, R(LAG_FALLING)},
	  {25, GONE, 100, 0, NOTHING, NO_ALARM, R(LAG_NOT_FALLING)}}},
	{"cannot keep up",
	 false,
	 false,
	 {HOUR,
	  {9, RUNS, 100, 90, NOTHING, HEALTHY, FINE},
	  {20, RUNS, 100, 90, NOTHING, NO_ALARM, R(LAG_NOT_FALLING)},
	  {30, RUNS, 50, 500, NOTHING, NO_ALARM, FINE}}},
	{"was gone before anybody looked",
	 false,
	 false,
	 {{4, GONE, 100, 0, NOTHING, R(INCOMPLETE), R(INCOMPLETE)},
	  {6, GONE, 100, 0, NOTHING, R(INCOMPLETE) | R(STOPPED), R(STOPPED)}}},
	{"hung before anybody looked",
	 false,
	 false,
	 {{4, HANGS, 100, 0, NOTHING, R(INCOMPLETE), R(INCOMPLETE)},
	  {4, HANGS, 100, 0, NOTHING, NO_ALARM, R(LAG_NOT_FALLING)},
	  {3, HANGS, 100, 0, NOTHING, NO_ALARM | R(STALLED), R(STALLED)}}},
	{"a restart of the mirror",
	 false,
	 false,
	 {HOUR,
	  {3, GONE, 100, 0, NOTHING, HEALTHY, FINE},
	  {30, RUNS, 100, 1000, NOTHING, HEALTHY, FINE}}},
	{"a restart while far behind",
	 false,
	 false,
	 {{60, GONE, 100, 0, NOTHING, ALL, R(STOPPED)},
	  {30, RUNS, 100, 150, NOTHING, NO_ALARM, R(LAG_FALLING)},
	  {3, GONE, 100, 0, NOTHING, NO_ALARM, R(LAG_FALLING)},
	  {30, RUNS, 100, 150, NOTHING, NO_ALARM, R(LAG_FALLING)}}},
	{"a rebalance",
	 false,
	 false,
	 {HOUR,
	  {2, REBALANCES, 100, 0, NOTHING, HEALTHY, FINE},
	  {30, RUNS, 100, 1000, NOTHING, HEALTHY, FINE}}},
	{"a rebalance that does not end",
	 false,
	 false,
	 {HOUR, {30, REBALANCES, 100, 0, NOTHING, NO_ALARM | R(STALLED), R(STALLED)}}},
	{"a step back in a rebalance",
	 false,
	 false,
	 {HOUR,
	  {2, REBALANCES, 100, 0, GO_BACK, HEALTHY, FINE},
	  {30, RUNS, 100, 1000, NOTHING, HEALTHY | R(REWOUND), FINE}}},
	{"offsets are set back, and reached again",
	 false,
	 false,
	 {HOUR,
	  {1, EMPTY, 100, 0, GO_BACK, R(REWOUND), R(REWOUND)},
	  {2, RUNS, 100, 300, NOTHING, R(REWOUND), R(REWOUND)},
	  {30, RUNS, 100, 300, NOTHING, NO_ALARM | R(REWOUND), FINE}}},
	{"offsets are set back, and that ages",
	 false,
	 false,
	 {HOUR,
	  {9, RUNS, 50, 55, GO_BACK, HEALTHY | R(REWOUND), R(REWOUND)},
	  {60, RUNS, 50, 55, NOTHING, HEALTHY | R(REWOUND), R(LAG_FALLING)}}},
	{"one partition hangs",
	 false,
	 false,
	 {HOUR, {15, RUNS, 100, 1000, ONE_HANGS, NO_ALARM | R(STALLED), R(STALLED)}}},
	{"the topic is made anew",
	 false,
	 false,
	 {HOUR, {30, RUNS, 100, 1000, NEW_TOPIC, HEALTHY, FINE}}},
	{"nobody looked while the mirror was away",
	 false,
	 false,
	 {HOUR,
	  {60, GONE, 100, 0, NOT_LOOKED, ALL, R(INCOMPLETE)},
	  {4, RUNS, 100, 200, NOTHING, R(INCOMPLETE), R(INCOMPLETE)},
	  {30, RUNS, 100, 200, NOTHING, HEALTHY, R(LAG_FALLING)}}},
};

static void each_story_is_told_as_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
		struct world w = world();

		w.no_offsets = stories[i].no_offsets;
		w.no_members = stories[i].no_members;
		w.next_commit = w.now + 3000;
		for (size_t k = 0; k < 6 && stories[i].phases[k].minutes > 0; k++)
			play(&w, &stories[i].phases[k], stories[i].label);
		assess_free(w.a);
	}
}

/* An hour of traffic that is in order, at random rates that change at random, with
 * commits and looks that drift against each other. */
static void healthy_traffic_never_gets_a_bad_verdict(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct world w = world();
		char label[32];

		snprintf(label, sizeof(label), "seed %u", (unsigned)seed);
		w.seed = seed * 7919;
		w.jitter_ms = seed % 2 == 0 ? below(&w, 3000) : 0;
		w.next_commit = w.now + below(&w, COMMIT_MS);
		for (int part = 0; part < 12; part++) {
			double rate = pow(10, (double)below(&w, 60) / 10 - 2);
			struct phase p = {5,       RUNS,    rate, 3 * rate,
					  NOTHING, HEALTHY, FINE};

			if (below(&w, 6) == 0)
				p.rate = 0;
			if (part > 0 && below(&w, 6) == 0)
				p.consumer = REBALANCES;
			if (p.consumer == REBALANCES)
				p.minutes = 1;
			p.capacity = 1e6;
			begin(&w, &p);
			for (int64_t end = w.now + p.minutes * 60000; w.now < end;) {
				live(&w, &p);
				if (w.now < w.next_poll)
					continue;
				w.next_poll =
					w.now + POLL_MS + below(&w, w.jitter_ms / 4);
				poll_topic(&w, &p);
				assert_sane(&w.seen);
				if (w.seen.status != VERDICT_OK)
					fail_msg("%s: %s after %lld s", label,
						 w.seen.rule,
						 (long long)(w.now - 12345000) / 1000);
			}
		}
		assess_free(w.a);
	}
}

static void one_bad_partition_is_the_status_of_the_topic(void **state)
{
	static const struct phase healthy = HOUR;
	static const struct phase bad = {15,        RUNS, 100,       1000,
					 ONE_HANGS, ALL,  R(STALLED)};
	struct world w = world();

	(void)state;
	play(&w, &healthy, "before");
	assert_int_equal(w.seen.status, VERDICT_OK);
	play(&w, &bad, "one hangs");
	assert_int_equal(w.seen.status, VERDICT_ERR);
	assert_int_equal(w.seen.worst, 20);
	assert_string_equal(w.seen.rule, "stalled");
	/* stuck since its last commit, at most a minute before the phase began */
	assert_in_range(w.seen.time_lag_ms, 14 * 60000, 17 * 60000);
	assert_int_equal(w.seen.time_lag_kind, TIMELAG_INTERPOLATED);
	assess_free(w.a);
}

static void rates_and_drain_follow_the_traffic(void **state)
{
	static const struct phase behind = {20, GONE, 100, 0, NOTHING, ALL, R(STOPPED)};
	static const struct phase drains = {5,       RUNS, 100,           200,
					    NOTHING, ALL,  R(LAG_FALLING)};
	struct world w = world();
	double lag = 0;

	(void)state;
	play(&w, &behind, "behind");
	assert_true(fabs(w.seen.produced_per_sec - 400) < 20);
	assert_true(w.seen.consumed_per_sec < 1e-9);
	assert_int_equal(w.seen.drain_ms, -1);
	play(&w, &drains, "drains");
	assert_true(fabs(w.seen.consumed_per_sec - 800) < 80);
	for (int i = 0; i < PARTITIONS; i++)
		lag += w.end[i] - (double)w.committed[i];
	assert_true(fabs((double)w.seen.drain_ms - lag / 400 * 1000) <
		    0.25 * lag / 400 * 1000);
	assert_true(w.seen.time_lag_ms > 10 * 60000 && w.seen.time_lag_ms < 25 * 60000);
	assess_free(w.a);
}

/* Samples by hand: n rows of {partition, committed, end}, a committed of -1 for '-'. */
static struct assessment feed(struct assess *a, int64_t ms, size_t n,
			      const int64_t rows[][3])
{
	struct partition p[8] = {{0}};
	struct sample s = SAMPLE_INIT;

	assert_true(n <= ARRAY_LEN(p));
	for (size_t i = 0; i < n; i++) {
		bool known = rows[i][1] >= 0;

		p[i] = (struct partition){.number = (int32_t)rows[i][0],
					  .has_committed = known,
					  .has_end = true,
					  .has_lag = known,
					  .committed = rows[i][1],
					  .end = rows[i][2],
					  .lag = rows[i][2] - rows[i][1],
					  .member = 1};
	}
	s.rows = p;
	s.n = n;
	s.knows_members = true;
	assess_feed(a, &s, at(ms));
	return assess_look(a, at(ms));
}

static struct assess *new_default(void)
{
	static const struct assess_rules rules = ASSESS_RULES_DEFAULT;

	return assess_new(&rules);
}

static void
nothing_is_known_before_the_first_sample_and_long_after_the_last(void **state)
{
	struct assess *a = new_default();
	struct assessment look = assess_look(a, at(5));

	(void)state;
	assert_int_equal(look.worst, -1);
	assert_string_equal(look.rule, "incomplete");
	look = feed(a, 1000, 1, (const int64_t[][3]){{3, 10, 10}});
	assert_int_equal(look.worst, 3);
	assert_int_equal(look.time_lag_ms, 0);
	assert_int_equal(look.time_lag_kind, TIMELAG_IDLE);
	assert_int_equal(look.drain_ms, -1);
	assert_true(isnan(look.produced_per_sec));
	assert_int_equal(assess_look(a, at(601000)).worst, 3);
	assert_int_equal(assess_look(a, at(601001)).worst, -1);
	assert_int_equal(assess_look(a, at(601001)).time_lag_kind, TIMELAG_NONE);
	assess_free(a);
	assess_free(NULL);
}

static void a_row_without_an_offset_is_not_judged(void **state)
{
	struct assess *a = new_default();
	struct assessment look = ASSESSMENT_INIT;

	(void)state;
	for (int64_t now = 0; now <= 1800000; now += 10000) {
		look = feed(a, now, 1, (const int64_t[][3]){{0, -1, 100 + now}});
		assert_string_equal(look.rule, "incomplete");
		assert_int_equal(look.status, VERDICT_OK);
		assert_int_equal(look.time_lag_kind, TIMELAG_NONE);
		assert_true(isnan(look.consumed_per_sec));
	}
	assert_true(fabs(look.produced_per_sec - 1000) < 1);
	assess_free(a);
}

static void a_partition_that_is_not_listed_does_not_count(void **state)
{
	struct assess *a = new_default();
	struct assessment look = ASSESSMENT_INIT;

	(void)state;
	for (int64_t now = 0; now <= 900000; now += 10000)
		look = feed(a, now, 2,
			    (const int64_t[][3]){{0, now, now}, {5, 7, 100 + now}});
	assert_string_equal(look.rule, "stalled");
	assert_int_equal(look.worst, 5);
	look = feed(a, 910000, 1, (const int64_t[][3]){{0, 910000, 910000}});
	assert_string_equal(look.rule, "lag_allowed");
	assert_int_equal(look.status, VERDICT_OK);
	assert_int_equal(look.time_lag_kind, TIMELAG_IDLE);
	look = feed(a, 920000, 2,
		    (const int64_t[][3]){{0, 920000, 920000}, {5, 7, 920100}});
	assert_string_equal(look.rule, "stalled"); /* it is back */
	for (int64_t now = 930000; now <= 1300000; now += 10000)
		look = feed(a, now, 1, (const int64_t[][3]){{0, now, now}});
	look = feed(a, 1310000, 2,
		    (const int64_t[][3]){{0, 1310000, 1310000}, {5, 7, 1400000}});
	assert_string_equal(look.rule, "lag_allowed"); /* of 0; 5 is at its beginning */
	assess_free(a);
}

static void partitions_that_appear_or_begin_anew_make_no_spike(void **state)
{
	struct assess *a = new_default();
	struct assessment look = ASSESSMENT_INIT;

	(void)state;
	for (int64_t i = 0; i <= 180; i++) {
		int64_t e = 1000000 + 100 * i;
		const int64_t rows[][3] = {{1, e, e},
					   {2, i < 90 ? 50 * e : i,
					    i < 90 ? 50 * e : i},
					   {3, 9 * e, 9 * e}};
		bool third = i % 7 != 0; /* comes and goes */

		look = feed(a, i * 10000, third ? 3 : 2, rows);
		if (i >= 20) {
			assert_true(look.produced_per_sec <= 10 + 500 + 90 + 1);
			assert_true(look.consumed_per_sec <= 10 + 500 + 90 + 1);
		}
	}
	assert_true(look.produced_per_sec >= 10);
	assess_free(a);
}

static void the_time_lag_is_that_of_the_slowest_partition(void **state)
{
	struct assess *a = new_default();
	struct assessment look = ASSESSMENT_INIT;

	(void)state;
	for (int64_t now = 0; now <= 100000; now += 10000)
		look = feed(
			a, now, 4,
			(const int64_t[][3]){{0, now, now},
					     {1, now > 20000 ? now - 20000 : 0, now},
					     {2, now > 50000 ? now - 50000 : 0, now},
					     {3, -1, now}});
	assert_int_equal(look.time_lag_ms, 50000);
	assert_int_equal(look.time_lag_kind, TIMELAG_INTERPOLATED);
	assess_free(a);
}

static void one_partition_that_caught_up_does_not_make_the_topic_idle(void **state)
{
	struct assess *a = new_default();
	struct assessment look;

	(void)state;
	look = feed(a, 0, 2, (const int64_t[][3]){{0, 5, 5}, {1, 5, 9}});
	assert_int_equal(look.time_lag_kind, TIMELAG_NONE);
	assert_int_equal(look.time_lag_ms, -1);
	look = feed(a, 10000, 2, (const int64_t[][3]){{0, 5, 5}, {1, 9, 9}});
	assert_int_equal(look.time_lag_kind, TIMELAG_IDLE);
	assert_int_equal(look.time_lag_ms, 0);
	assess_free(a);
}

static void a_drain_of_more_than_ten_years_is_none(void **state)
{
	struct assess *a = new_default();
	struct assessment look = ASSESSMENT_INIT;

	(void)state;
	for (int64_t i = 0; i <= 30; i++)
		look = feed(a, i * 10000, 1,
			    (const int64_t[][3]){{0, i, INT64_C(1) << 60}});
	assert_true(look.consumed_per_sec > look.produced_per_sec);
	assert_int_equal(look.drain_ms, -1);
	assess_free(a);
}

static void more_partitions_than_there_is_room_for_are_left_out(void **state)
{
	size_t n = ASSESS_PARTITIONS_MAX + 5;
	struct partition *rows = calloc(n, sizeof(*rows));
	struct sample s = SAMPLE_INIT;
	struct assess *a = new_default();

	(void)state;
	for (size_t i = 0; i < n; i++)
		rows[i] = (struct partition){.number = (int32_t)i,
					     .has_lag = true,
					     .lag = 1};
	s.rows = rows;
	s.n = n;
	for (int64_t i = 0; i < 3; i++)
		assess_feed(a, &s, at(i * 10000));
	assert_int_equal(assess_look(a, at(20000)).worst, 0);
	assess_free(a);
	free(rows);
}

/* Whatever a source may say: numbers stay in their ranges. */
static void garbage_never_makes_a_number_that_is_none(void **state)
{
	static const int64_t odd[] = {0,         1,
				      2,         100,
				      -1,        -100,
				      INT64_MAX, INT64_MAX - 1,
				      INT64_MIN, INT64_C(1) << 62};
	static const enum group_state states[] = {GROUP_UNKNOWN, GROUP_STABLE,
						  GROUP_REBALANCING, GROUP_EMPTY};
	struct world w = {.seed = 3};

	(void)state;
	for (int run = 0; run < 200; run++) {
		struct assess *a = new_default();
		int64_t now = below(&w, 100000);

		for (int i = 0; i < 120; i++) {
			struct partition rows[12] = {{0}};
			struct sample s = SAMPLE_INIT;
			struct assessment look;

			for (int32_t k = 0; k < 12; k++) {
				if (below(&w, 3) == 0)
					continue;
				rows[s.n++] = (struct partition){
					.number = k * 1000,
					.has_committed = below(&w, 3) > 0,
					.has_end = below(&w, 3) > 0,
					.has_lag = below(&w, 3) > 0,
					.committed = odd[below(&w, 10)],
					.end = odd[below(&w, 10)],
					.lag = odd[below(&w, 10)],
					.member = (uint64_t)below(&w, 2)};
			}
			s.rows = rows;
			s.state = states[below(&w, 4)];
			s.knows_members = below(&w, 2) == 0;
			now += below(&w, below(&w, 9) == 0 ? 900000 : 20000) - 1000;
			assess_feed(a, &s, at(now));
			look = assess_look(a, at(now));
			assert_sane(&look);
			assert_int_equal(look.worst < 0, s.n == 0 || look.worst < 0);
		}
		assess_free(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_story_is_told_as_it_is),
		cmocka_unit_test(healthy_traffic_never_gets_a_bad_verdict),
		cmocka_unit_test(one_bad_partition_is_the_status_of_the_topic),
		cmocka_unit_test(rates_and_drain_follow_the_traffic),
		cmocka_unit_test(
			nothing_is_known_before_the_first_sample_and_long_after_the_last),
		cmocka_unit_test(a_row_without_an_offset_is_not_judged),
		cmocka_unit_test(a_partition_that_is_not_listed_does_not_count),
		cmocka_unit_test(partitions_that_appear_or_begin_anew_make_no_spike),
		cmocka_unit_test(the_time_lag_is_that_of_the_slowest_partition),
		cmocka_unit_test(
			one_partition_that_caught_up_does_not_make_the_topic_idle),
		cmocka_unit_test(a_drain_of_more_than_ten_years_is_none),
		cmocka_unit_test(more_partitions_than_there_is_room_for_are_left_out),
		cmocka_unit_test(garbage_never_makes_a_number_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
