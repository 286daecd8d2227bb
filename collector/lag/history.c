/* SPDX-License-Identifier: MIT
 * history: points and their merging; the compact form is history_code's. */
#include "lag/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

void history_point_fini(struct history_point *p)
{
	free(p->lags);
	*p = (struct history_point){.lags = NULL};
}

void history_points_fini(struct history_points *h)
{
	for (size_t i = 0; i < h->n; i++)
		history_point_fini(&h->v[i]);
	free(h->v);
	*h = (struct history_points){NULL, 0, 0};
}

static int64_t bounded(int64_t lag)
{
	return lag > HISTORY_LAG_MAX    ? HISTORY_LAG_MAX
	       : lag < -HISTORY_LAG_MAX ? -HISTORY_LAG_MAX
					: lag;
}

struct history_point history_point_of(const struct sample *s,
				      const struct assessment *a)
{
	struct lag_totals totals = sample_totals(s);
	struct history_point p = {.t = {bounded(s->taken.ms)},
				  .has_lag = totals.with_lag > 0,
				  .time_lag_ms = a->time_lag_ms,
				  .produced = a->produced_per_sec,
				  .consumed = a->consumed_per_sec,
				  .merged = 1,
				  .status = a->status,
				  .n = s->n};

	if (p.has_lag) {
		p.lag_sum = bounded(totals.sum);
		p.lag_max = bounded(totals.max);
	}
	p.lags = mem_calloc(s->n, sizeof(*p.lags));
	for (size_t i = 0; i < s->n; i++) {
		const struct partition *row = &s->rows[i];

		p.lags[i].partition = row->number;
		p.lags[i].known = row->has_lag;
		p.lags[i].lag = row->has_lag ? bounded(row->lag) : 0;
	}
	return p;
}

/* Merging */

static void merge_lag(struct history_lag *into, const struct history_lag *l)
{
	if (!l->known || (into->known && into->lag >= l->lag))
		return;
	into->known = true;
	into->lag = l->lag;
}

static void merge_lags(struct history_point *into, const struct history_point *p)
{
	struct history_lag *both;
	size_t i = 0, k = 0, n = 0;

	both = mem_calloc(into->n + p->n, sizeof(*both));
	while (i < into->n || k < p->n) {
		if (k == p->n ||
		    (i < into->n && into->lags[i].partition < p->lags[k].partition)) {
			both[n++] = into->lags[i++];
		} else if (i == into->n ||
			   p->lags[k].partition < into->lags[i].partition) {
			both[n++] = p->lags[k++];
		} else {
			both[n] = into->lags[i++];
			merge_lag(&both[n++], &p->lags[k++]);
		}
	}
	free(into->lags);
	into->lags = both;
	into->n = n;
}

static double mean(double a, int32_t weight, double b, int32_t other)
{
	if (isnan(a) || isnan(b))
		return isnan(a) ? b : a;
	return (a * weight + b * other) / ((double)weight + other);
}

static void merge(struct history_point *into, const struct history_point *p)
{
	if (p->has_lag) {
		if (!into->has_lag || p->lag_sum > into->lag_sum)
			into->lag_sum = p->lag_sum;
		if (!into->has_lag || p->lag_max > into->lag_max)
			into->lag_max = p->lag_max;
		into->has_lag = true;
	}
	if (p->time_lag_ms > into->time_lag_ms)
		into->time_lag_ms = p->time_lag_ms;
	into->produced = mean(into->produced, into->merged, p->produced, p->merged);
	into->consumed = mean(into->consumed, into->merged, p->consumed, p->merged);
	if (into->merged < INT32_MAX / 2 && p->merged < INT32_MAX / 2)
		into->merged += p->merged;
	if (p->status > into->status)
		into->status = p->status;
	merge_lags(into, p);
}

/* The number of the span that a time lies in, before 1970 too. */
static int64_t span_of(struct wall t, int64_t step_ms)
{
	int64_t span = t.ms / step_ms;

	return t.ms % step_ms < 0 ? span - 1 : span;
}

void history_put(struct history_points *h, struct history_point *p, int64_t step_ms)
{
	struct history_point *last = h->n > 0 ? &h->v[h->n - 1] : NULL;

	if (last != NULL && span_of(last->t, step_ms) == span_of(p->t, step_ms)) {
		merge(last, p);
		history_point_fini(p);
		return;
	}
	MEM_GROW(h->v, h->n, h->cap);
	h->v[h->n++] = *p;
	*p = (struct history_point){.lags = NULL};
}

static int by_time(const void *a, const void *b)
{
	int64_t ta = ((const struct history_point *)a)->t.ms;
	int64_t tb = ((const struct history_point *)b)->t.ms;

	return ta < tb ? -1 : ta > tb;
}

void history_thin(struct history_points *h, int64_t step_ms)
{
	struct history_points thin = {NULL, 0, 0};

	if (h->n > 1)
		qsort(h->v, h->n, sizeof(*h->v), by_time);
	for (size_t i = 0; i < h->n; i++) {
		h->v[i].t.ms = span_of(h->v[i].t, step_ms) * step_ms;
		history_put(&thin, &h->v[i], step_ms);
	}
	free(h->v);
	*h = thin;
}
