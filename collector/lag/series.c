/* SPDX-License-Identifier: MIT */
#include "lag/series.h"

#include <string.h>

#include "banned.h"

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* a - b, but never below 0. */
static int64_t above(int64_t a, int64_t b)
{
	__int128 d = (__int128)a - b;

	return d <= 0 ? 0 : d < INT64_MAX ? (int64_t)d : INT64_MAX;
}

void series_init(struct series *s, int32_t partition, int64_t now_ms)
{
	*s = (struct series){.partition = partition,
			     .since_ms = now_ms,
			     .seen_ms = now_ms,
			     .owned_ms = now_ms,
			     .changed_ms = now_ms};
}

/* What was seen before says nothing about the consumer any more; the history of the
 * log's ends is another matter. */
static void restart(struct series *s, int64_t now_ms)
{
	s->n = 0;
	s->row = (struct partition){0};
	s->since_ms = now_ms;
	s->owned_ms = now_ms;
	s->changed_ms = now_ms;
}

/* Commits that are closer than this are one record. */
static int64_t merge_ms(const struct assess_rules *rules)
{
	return most(rules->min_distance_ms, rules->window_ms / SERIES_SPANS);
}

static void see_owner(struct series *s, const struct sample *from,
		      const struct partition *row, int64_t now_ms)
{
	s->rebalancing = from->state == GROUP_REBALANCING;
	s->ownerless = !s->rebalancing && (from->state == GROUP_EMPTY ||
					   (from->knows_members && row->member == 0));
	if (s->ownerless)
		s->owned_ms = -1;
	else if (s->owned_ms < 0 && !s->rebalancing)
		s->owned_ms = now_ms;
}

static void make_room(struct series *s)
{
	if (s->n < SERIES_RECORDS)
		return;
	s->n--;
	memmove(&s->commits[0], &s->commits[1], (size_t)s->n * sizeof(s->commits[0]));
}

/* The commit was made after the sample before this one, so only what the log had then
 * is known to have been left behind; the rest may have come since. A consumer that
 * keeps up has a lag of 0 in this sense, however rarely it commits. */
static int64_t lag_of_commit(const struct series *s, const struct partition *row)
{
	int64_t end = s->row.has_end ? least(s->row.end, row->end) : row->end;

	return above(end, row->committed);
}

/* `row` has a committed offset and a log end. */
static void see_commit(struct series *s, const struct assess_rules *rules,
		       const struct partition *row, int64_t now_ms)
{
	struct commit *last = s->n > 0 ? &s->commits[s->n - 1] : NULL;
	struct commit c = {row->committed, now_ms, lag_of_commit(s, row)};

	if (row->committed > row->end)
		return; /* an offset of a topic that is gone, or a torn look */
	if (last != NULL && c.offset == last->offset)
		return;
	s->changed_ms = now_ms;
	/* a step back stays a record of its own, or it would be lost */
	if (last != NULL && c.offset > last->offset &&
	    now_ms - last->time_ms < merge_ms(rules)) {
		last->offset = c.offset;
		last->lag = c.lag;
		return;
	}
	make_room(s);
	s->commits[s->n++] = c;
}

static void see_lag(struct series *s, const struct assess_rules *rules, int64_t lag,
		    int64_t now_ms)
{
	struct lag_span *last = s->n > 0 ? &s->spans[s->n - 1] : NULL;

	if (last != NULL && now_ms - last->time_ms < merge_ms(rules)) {
		last->low = least(last->low, lag);
		last->high = most(last->high, lag);
		return;
	}
	make_room(s);
	s->spans[s->n++] = (struct lag_span){now_ms, lag, lag};
}

/* The record before the window's start stays: it tells what held when it began. */
static void forget(struct series *s, int64_t start_ms)
{
	while (s->n >= 2 && (s->only_lags ? s->spans[1].time_ms
					  : s->commits[1].time_ms) <= start_ms) {
		s->n--;
		memmove(&s->commits[0], &s->commits[1],
			(size_t)s->n * sizeof(s->commits[0]));
	}
}

_Static_assert(sizeof(struct commit) == sizeof(struct lag_span), "moved as one");

/* The row with the log end that follows from offset and lag, where only it is missing.
 */
static struct partition complete_row(const struct partition *row)
{
	struct partition p = *row;

	if (!p.has_end && p.has_committed && p.has_lag)
		p.has_end = !__builtin_add_overflow(p.committed, p.lag, &p.end);
	return p;
}

void series_feed(struct series *s, const struct assess_rules *rules,
		 const struct sample *from, const struct partition *row, int64_t now_ms)
{
	struct partition p = complete_row(row);
	bool only_lags = p.has_lag ? !p.has_committed : s->only_lags;
	int64_t gap_ms = now_ms - s->seen_ms;
	/* nobody looked for so long that anything may have happened */
	bool broken = gap_ms > most(rules->window_ms / 2, 3 * s->gap_ms);
	bool other = p.has_end && !log_ends_add(&s->ends, p.end, now_ms);

	if (broken || other || only_lags != s->only_lags)
		restart(s, now_ms);
	s->only_lags = only_lags;
	see_owner(s, from, &p, now_ms);
	if (p.has_lag && only_lags)
		see_lag(s, rules, p.lag, now_ms);
	else if (p.has_lag && p.has_end)
		see_commit(s, rules, &p, now_ms);
	if (other || !p.has_committed || !p.has_end)
		s->timelag.kind = TIMELAG_NONE;
	if (p.has_committed && p.has_end)
		timelag_update(&s->timelag, &s->ends, p.committed);
	forget(s, now_ms - rules->window_ms);
	s->row = p;
	s->gap_ms = gap_ms;
	s->seen_ms = now_ms;
}

/* Without offsets only the lags speak, and between two commits they climb by
 * themselves. They do not fall when nothing in the newer half of the window is below
 * anything in the older half. */
static enum rule judge_lags(const struct series *s, const struct assess_rules *rules)
{
	int64_t span = least(rules->window_ms, s->seen_ms - s->since_ms);
	int64_t middle = s->seen_ms - span / 2;
	int64_t older = s->spans[0].high;
	int64_t newer = s->row.lag;

	for (int32_t i = 0; i < s->n; i++) {
		if (s->spans[i].low <= rules->allowed_lag)
			return RULE_LAG_WAS_ZERO;
		if (s->spans[i].time_ms < middle)
			older = most(older, s->spans[i].high);
		else
			newer = least(newer, s->spans[i].low);
	}
	return newer >= older ? RULE_LAG_NOT_FALLING : RULE_LAG_FALLING;
}

/* The log end at the window's start. What the history makes of it agrees with whether
 * the newest offset was seen to be the log's end in the window. */
static int64_t end_at(const struct series *s, int64_t start_ms)
{
	int64_t end = log_ends_at(&s->ends, start_ms);
	int64_t committed = s->row.committed;
	bool seen = s->timelag.kind == TIMELAG_IDLE ||
		    s->timelag.kind == TIMELAG_INTERPOLATED;

	if (seen && s->timelag.passed_ms >= start_ms)
		return least(end, committed);
	return committed < INT64_MAX ? most(end, committed + 1) : end;
}

static unsigned suspended(const struct series *s, const struct assess_rules *rules)
{
	int64_t start = s->seen_ms - rules->window_ms;
	unsigned without = 0;

	if (s->rebalancing)
		without |= 1u << RULE_STOPPED | 1u << RULE_REWOUND;
	if (s->ownerless || s->owned_ms > start || s->changed_ms > start)
		without |= 1u << RULE_STALLED;
	return without;
}

/* Share of the window that was observed. */
static double complete(const struct series *s, const struct assess_rules *rules)
{
	int64_t observed = s->seen_ms - s->since_ms;

	return observed < rules->window_ms ? (double)observed / (double)rules->window_ms
					   : 1;
}

enum rule series_judge(const struct series *s, const struct assess_rules *rules)
{
	struct commit commits[SERIES_RECORDS + 1];
	int64_t start = s->seen_ms - rules->window_ms;
	int64_t end;
	struct window w = {.commits = commits,
			   .n = (size_t)s->n,
			   .log_ends = &end,
			   .n_log_ends = 1,
			   .current_lag = s->row.lag,
			   .allowed_lag = rules->allowed_lag,
			   .now_ms = s->seen_ms,
			   .complete = complete(s, rules),
			   .minimum_complete = rules->minimum_complete,
			   .without = suspended(s, rules)};

	if (!s->row.has_lag || w.complete < w.minimum_complete)
		return RULE_INCOMPLETE;
	if (s->row.lag <= rules->allowed_lag)
		return RULE_LAG_ALLOWED;
	if (s->n == 0)
		return RULE_INCOMPLETE;
	if (s->only_lags)
		return judge_lags(s, rules);
	memcpy(commits, s->commits, w.n * sizeof(commits[0]));
	end = end_at(s, start);
	if (commits[0].time_ms < start) {
		/* only what still held in the window counts */
		commits[0].time_ms = start;
		commits[0].lag = w.n == 1 ? above(end, commits[0].offset) : LAG_UNKNOWN;
	}
	if (!s->ownerless)
		commits[w.n++] = (struct commit){s->row.committed, s->seen_ms,
						 most(s->row.lag, 0)};
	return rules_judge(&w);
}

struct partition_state series_state(const struct series *s,
				    const struct assess_rules *rules)
{
	struct partition_state p = {.number = s->partition,
				    .rule = series_judge(s, rules),
				    .complete = complete(s, rules),
				    .time_lag_ms = timelag_ms(&s->timelag, s->seen_ms),
				    .time_lag_kind = s->timelag.kind,
				    .ownerless = s->ownerless,
				    .unchanged_ms = s->seen_ms - s->changed_ms};

	p.verdict = rule_verdict(p.rule);
	if (s->only_lags)
		return p;
	p.n_commits = s->n;
	memcpy(p.commits, s->commits, (size_t)s->n * sizeof(p.commits[0]));
	return p;
}
