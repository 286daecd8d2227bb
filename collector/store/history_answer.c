/* SPDX-License-Identifier: MIT
 * history_answer: a topic's history as JSON: all points of the answer stand for the
 * same span, which is that of the coarsest that was found, or more when there would be
 * too many. */
#include "history_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define POINTS_MAX 3000
#define LAGS_MAX 1000000

static const int64_t steps[] = {10000,   60000,    300000,  900000,
				3600000, 10800000, 86400000};

struct reading {
	int64_t since, until;
	int64_t step_ms; /* to merge into while reading; 0 until something is found */
	int64_t level_step_ms;
	struct history_points points;
	struct history_gap *gaps;
	size_t n_gaps, gaps_cap;
};

static void add_points(struct reading *r, struct history_points *found)
{
	for (size_t i = 0; i < found->n; i++) {
		if (found->v[i].t.ms < r->since || found->v[i].t.ms > r->until)
			continue;
		if (r->step_ms < r->level_step_ms)
			r->step_ms = r->level_step_ms;
		history_put(&r->points, &found->v[i], r->step_ms);
	}
}

static void read_points(void *arg, struct wall t, const void *bytes, size_t len)
{
	struct history_points found = {NULL, 0, 0};

	(void)t;
	if (history_decode(bytes, len, &found) == 0)
		add_points(arg, &found);
	history_points_fini(&found);
}

static void add_gap(struct reading *r, const struct history_gap *g)
{
	if (g->from.ms > r->until || (g->until.ms != 0 && g->until.ms < r->since))
		return;
	for (size_t i = 0; i < r->n_gaps; i++) {
		if (r->gaps[i].from.ms == g->from.ms) { /* told again, with its end */
			r->gaps[i] = *g;
			return;
		}
	}
	MEM_GROW(r->gaps, r->n_gaps, r->gaps_cap);
	r->gaps[r->n_gaps++] = *g;
}

static void read_gap(void *arg, struct wall t, const void *bytes, size_t len)
{
	struct history_gap g;

	if (history_decode_gap(bytes, len, t, &g) == 0)
		add_gap(arg, &g);
}

/* The coarsest first: it decides how the finer ones are merged. */
static int read_file(struct spool *s, struct history_name name, struct reading *r,
		     struct err *err)
{
	struct wall since = {r->since}, until = {r->until};

	for (int level = HISTORY_COARSE; level >= HISTORY_FINE; level--) {
		struct wall from = {r->since - history_scales[level].block_ms};

		r->level_step_ms = history_scales[level].step_ms;
		if (spool_history_read(s, name, (enum history_level)level, from, until,
				       read_points, r, err) != 0)
			return err->class;
	}
	if (spool_history_before(s, name, HISTORY_GAPS, since, read_gap, r, err) != 0)
		return err->class;
	return spool_history_read(s, name, HISTORY_GAPS, since, until, read_gap, r,
				  err);
}

static const struct history_series *find_series(const struct history *h,
						struct history_name name)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i]->len == name.len &&
		    memcmp(h->v[i]->name, name.bytes, name.len) == 0)
			return h->v[i];
	return NULL;
}

/* What the file has not got yet. */
static void read_memory(const struct history *h, const struct history_series *of,
			struct reading *r)
{
	struct history_points found = {NULL, 0, 0};
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);

	r->level_step_ms = history_scales[HISTORY_FINE].step_ms;
	for (size_t i = 0; i < h->waits; i++) {
		const struct history_blob *b = &h->waiting[h->head + i];

		if (b->of != of)
			continue;
		if (b->level == HISTORY_GAPS)
			read_gap(r, b->t, b->bytes.data, b->bytes.len);
		else
			read_points(r, b->t, b->bytes.data, b->bytes.len);
	}
	history_encode(&of->minute, &bytes); /* a copy */
	if (history_decode(bytes.data, bytes.len, &found) == 0)
		add_points(r, &found);
	history_points_fini(&found);
	buf_free(&bytes);
}

/* Partitions */

static int by_number(const void *a, const void *b)
{
	int32_t na = *(const int32_t *)a, nb = *(const int32_t *)b;

	return na < nb ? -1 : na > nb;
}

/* The numbers of all partitions, sorted. */
static int32_t *all_partitions(const struct history_points *h, size_t *n)
{
	int32_t *v = NULL;
	size_t cap = 0, sorted = 0;

	*n = 0;
	for (size_t i = 0; i < h->n; i++) {
		for (size_t k = 0; k < h->v[i].n; k++) {
			int32_t number = h->v[i].lags[k].partition;

			if (sorted > 0 &&
			    bsearch(&number, v, sorted, sizeof(*v), by_number) != NULL)
				continue;
			MEM_GROW(v, *n, cap);
			v[(*n)++] = number;
		}
		if (*n > sorted)
			qsort(v, *n, sizeof(*v), by_number);
		sorted = *n;
	}
	return v;
}

static void settle_step(struct reading *r)
{
	size_t i = 0, n;
	int64_t span = r->until - r->since;

	if (r->step_ms == 0)
		r->step_ms = steps[0];
	while (i + 1 < ARRAY_LEN(steps) &&
	       (steps[i] < r->step_ms || span / steps[i] > POINTS_MAX))
		i++;
	for (;; i++) {
		r->step_ms = steps[i];
		/* as sampled: only sorted, with their own times */
		history_thin(&r->points, i == 0 ? 1 : r->step_ms);
		free(all_partitions(&r->points, &n));
		if (n == 0 || r->points.n <= LAGS_MAX / n || i + 1 == ARRAY_LEN(steps))
			return;
	}
}

/* Writing */

static void put_points(struct jsonw *w, const struct history_points *h)
{
	jsonw_key(w, "points");
	jsonw_array(w);
	for (size_t i = 0; i < h->n; i++) {
		const struct history_point *p = &h->v[i];

		jsonw_array(w);
		jsonw_int(w, p->t.ms);
		if (p->has_lag) {
			jsonw_int(w, p->lag_sum);
			jsonw_int(w, p->lag_max);
		} else {
			jsonw_null(w);
			jsonw_null(w);
		}
		if (p->time_lag_ms >= 0)
			jsonw_int(w, p->time_lag_ms);
		else
			jsonw_null(w);
		jsonw_real(w, p->produced, 2);
		jsonw_real(w, p->consumed, 2);
		jsonw_str(w, verdict_name(p->status));
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_lags(struct jsonw *w, const struct history_points *h)
{
	size_t n;
	int32_t *partitions = all_partitions(h, &n);
	size_t *at = mem_calloc(h->n, sizeof(*at)); /* in each point's lags */

	jsonw_key(w, "lags");
	jsonw_object(w);
	for (size_t i = 0; i < n && !w->out->failed; i++) {
		char number[16];

		snprintf(number, sizeof(number), "%" PRId32, partitions[i]);
		jsonw_key(w, number);
		jsonw_array(w);
		for (size_t k = 0; k < h->n; k++) {
			const struct history_point *p = &h->v[k];
			bool has = at[k] < p->n &&
				   p->lags[at[k]].partition == partitions[i];

			if (has && p->lags[at[k]].known)
				jsonw_int(w, p->lags[at[k]].lag);
			else
				jsonw_null(w);
			at[k] += has;
		}
		jsonw_end(w);
	}
	jsonw_end(w);
	free(at);
	free(partitions);
}

static int by_beginning(const void *a, const void *b)
{
	int64_t fa = ((const struct history_gap *)a)->from.ms;
	int64_t fb = ((const struct history_gap *)b)->from.ms;

	return fa < fb ? -1 : fa > fb;
}

/* The end of a gap that nobody ended, because the program did before: the next thing
 * that is known. 0 when there is none. */
static int64_t end_of(const struct reading *r, size_t i)
{
	int64_t from = r->gaps[i].from.ms;

	if (r->gaps[i].until.ms != 0)
		return r->gaps[i].until.ms;
	for (size_t k = 0; k < r->points.n; k++)
		if (r->points.v[k].t.ms > from)
			return r->points.v[k].t.ms;
	return i + 1 < r->n_gaps ? r->gaps[i + 1].from.ms : 0;
}

static void put_gaps(struct jsonw *w, const struct reading *r, int64_t lasting)
{
	jsonw_key(w, "gaps");
	jsonw_array(w);
	for (size_t i = 0; i < r->n_gaps; i++) {
		const struct history_gap *g = &r->gaps[i];
		int64_t until = g->from.ms == lasting ? 0 : end_of(r, i);

		jsonw_object(w);
		jsonw_key_int(w, "from", g->from.ms);
		jsonw_key(w, "until");
		if (until != 0)
			jsonw_int(w, until);
		else
			jsonw_null(w);
		jsonw_key_str(w, "reason", g->reason);
		jsonw_key_str(w, "message", g->message);
		jsonw_end(w);
	}
	jsonw_end(w);
}

int history_answer(const struct history *h, struct spool *s, struct history_name name,
		   struct wall since, struct wall until, struct buf *out,
		   struct err *err)
{
	struct reading r = {.since = since.ms, .until = until.ms};
	const struct history_series *of = find_series(h, name);
	struct jsonw w = jsonw_start(out);
	int result = 0;

	if (until.ms >= since.ms && s != NULL)
		result = read_file(s, name, &r, err);
	if (of != NULL)
		read_memory(h, of, &r);
	settle_step(&r);
	if (r.n_gaps > 1)
		qsort(r.gaps, r.n_gaps, sizeof(*r.gaps), by_beginning);
	jsonw_object(&w);
	jsonw_key_int(&w, "step_ms", r.step_ms);
	put_points(&w, &r.points);
	put_lags(&w, &r.points);
	put_gaps(&w, &r, of == NULL ? 0 : of->gap.from.ms);
	jsonw_end(&w);
	history_points_fini(&r.points);
	free(r.gaps);
	return result;
}
