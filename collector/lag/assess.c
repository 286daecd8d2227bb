/* SPDX-License-Identifier: MIT */
#include "lag/assess.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "assess_int.h"
#include "base/mem.h"

#include "banned.h"

#define DRAIN_MAX_MS 315360000000.0 /* ten years */

/* What one sample adds to the totals of the topic. */
struct growth {
	bool has_end, has_committed; /* some partition has one */
	double produced, consumed;
};

struct assess *assess_new(const struct assess_rules *rules)
{
	struct assess *a = mem_calloc(1, sizeof(*a));

	a->rules = *rules;
	if (a->rules.window_ms < 1)
		a->rules.window_ms = 1;
	a->state = (struct assessment)ASSESSMENT_INIT;
	return a;
}

void assess_free(struct assess *a)
{
	if (a == NULL)
		return;
	free(a->v);
	free(a->delivery);
	free(a);
}

struct delivered assess_deliver(struct assess *a, const struct delivery_look *look,
				int64_t interval_ms, struct mono now)
{
	if (a->delivery == NULL)
		a->delivery = mem_calloc(1, sizeof(*a->delivery));
	delivery_feed(a->delivery, look, interval_ms, now);
	return delivery_state(a->delivery);
}

/* The series of a partition, made where it is missing; NULL when there are too many.
 * Rows come in order, so `from` is where to look: behind the one before. */
static struct series *series_of(struct assess *a, size_t *from, int32_t partition)
{
	size_t i = *from;

	while (i < a->n && a->v[i].partition < partition)
		i++;
	*from = i;
	if (i < a->n && a->v[i].partition == partition)
		return &a->v[i];
	if (a->n >= ASSESS_PARTITIONS_MAX)
		return NULL;
	if (a->n == a->cap) { /* from one on: a thousand topics may have one each */
		a->cap = a->cap == 0 ? 1 : a->cap * 2;
		a->v = mem_realloc(a->v, a->cap, sizeof(a->v[0]));
	}
	memmove(&a->v[i + 1], &a->v[i], (a->n - i) * sizeof(a->v[0]));
	a->n++;
	series_init(&a->v[i], partition, a->fed_ms);
	return &a->v[i];
}

static double gained(bool both, int64_t before, int64_t now)
{
	return both && now > before ? (double)((__int128)now - before) : 0;
}

/* Only what a partition gained from the last sample to this one counts, so that one
 * that appears, comes back or begins anew makes no spike. */
static void count(struct growth *g, const struct partition *before,
		  const struct partition *row)
{
	bool same_log = before->has_end && row->has_end && row->end >= before->end;

	g->has_end |= row->has_end;
	g->has_committed |= row->has_committed;
	g->produced += gained(same_log, before->end, row->end);
	g->consumed += gained(before->has_committed && row->has_committed,
			      before->committed, row->committed);
}

/* Partitions that are gone for a window are forgotten. */
static void forget(struct assess *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (a->fed_ms - a->v[i].seen_ms > a->rules.window_ms)
			continue;
		if (kept != i)
			a->v[kept] = a->v[i];
		kept++;
	}
	a->n = kept;
}

static void judge(const struct assess *a, struct assessment *to)
{
	enum verdict worst = VERDICT_OK;

	for (size_t i = 0; i < a->n; i++) {
		enum rule rule;
		enum verdict v;

		if (a->v[i].seen_ms != a->fed_ms)
			continue;
		rule = series_judge(&a->v[i], &a->rules);
		v = rule_verdict(rule);
		if (to->worst >= 0 && v <= worst)
			continue;
		worst = v;
		to->worst = a->v[i].partition;
		to->rule = rule_name(rule);
	}
	to->status = worst > VERDICT_ERR ? VERDICT_ERR : worst;
}

/* The largest of the partitions. One that lags by an unknown time leaves the topic
 * without a time lag, unless another is known to lag. */
static void find_timelag(const struct assess *a, struct assessment *to)
{
	bool unknown = false;

	for (size_t i = 0; i < a->n; i++) {
		const struct series *s = &a->v[i];
		int64_t ms = timelag_ms(&s->timelag, a->fed_ms);

		if (s->seen_ms != a->fed_ms)
			continue;
		unknown |= s->timelag.kind == TIMELAG_NONE && s->row.has_lag &&
			   s->row.lag > 0;
		if (ms <= to->time_lag_ms)
			continue;
		to->time_lag_ms = ms;
		to->time_lag_kind = s->timelag.kind;
	}
	if (unknown && to->time_lag_kind == TIMELAG_IDLE) {
		to->time_lag_ms = -1;
		to->time_lag_kind = TIMELAG_NONE;
	}
}

/* Milliseconds until the lag is gone at these rates; comparisons with NAN are false. */
static int64_t drain_ms(const struct assessment *a, const struct sample *s)
{
	struct lag_totals lag = sample_totals(s);
	double ms;

	if (!(a->consumed_per_sec > a->produced_per_sec) || lag.with_lag == 0 ||
	    lag.sum <= 0)
		return -1;
	ms = (double)lag.sum / (a->consumed_per_sec - a->produced_per_sec) * 1000;
	return ms <= DRAIN_MAX_MS ? (int64_t)ms : -1;
}

void assess_feed(struct assess *a, const struct sample *s, struct mono now)
{
	int64_t before_ms = a->fed_ms;
	int64_t now_ms = now.ns / 1000000;
	struct assessment state = ASSESSMENT_INIT;
	struct growth g = {false, false, 0, 0};
	size_t at = 0;

	a->fed_ms = a->fed && now_ms < before_ms ? before_ms : now_ms;
	for (size_t i = 0; i < s->n; i++) {
		struct series *v = series_of(a, &at, s->rows[i].number);
		struct partition none = {0};

		if (v == NULL)
			break;
		count(&g, a->fed && v->seen_ms == before_ms ? &v->row : &none,
		      &s->rows[i]);
		series_feed(v, &a->rules, s, &s->rows[i], a->fed_ms);
	}
	a->fed = true;
	forget(a);
	judge(a, &state);
	find_timelag(a, &state);
	if (g.has_end) {
		rate_add(&a->produced, g.produced, a->fed_ms);
		state.produced_per_sec = rate_slope(&a->produced);
	}
	if (g.has_committed) {
		rate_add(&a->consumed, g.consumed, a->fed_ms);
		state.consumed_per_sec = rate_slope(&a->consumed);
	}
	state.drain_ms = drain_ms(&state, s);
	a->state = state;
}

struct assessment assess_look(const struct assess *a, struct mono now)
{
	if (!a->fed || now.ns / 1000000 - a->fed_ms > a->rules.window_ms)
		return (struct assessment)ASSESSMENT_INIT;
	return a->state;
}

bool assess_partition(const struct assess *a, int32_t partition,
		      struct partition_state *out)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t i = (low + high) / 2;

		if (a->v[i].partition < partition)
			low = i + 1;
		else
			high = i;
	}
	if (low == a->n || a->v[low].partition != partition ||
	    a->v[low].seen_ms != a->fed_ms)
		return false;
	*out = series_state(&a->v[low], &a->rules);
	return true;
}
