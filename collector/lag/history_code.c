/* SPDX-License-Identifier: MIT
 * history_code: the compact form of points and gaps. Most numbers stand for the
 * difference to the point before.
 *   points: form, n, partitions, their numbers as steps, then each point:
 *     time, flags with the status, the values that the flags tell of, one lag for each
 *     partition: 0 absent, 1 unknown, else the folded difference + 2
 *   gap: form, until, length of the reason, reason, message */
#include "lag/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pack_int.h"

#include "banned.h"

#define FORM 1
#define TIME_MAX HISTORY_LAG_MAX

#define RATE_UNIT 100.0 /* rates have two decimals */
#define RATE_TOP 1e15

enum flags {
	STATUS_BITS = 7,
	HAS_LAG = 8,
	HAS_TIME_LAG = 16,
	HAS_PRODUCED = 32,
	HAS_CONSUMED = 64,
};

/* What the next point is a difference to. */
struct before {
	int64_t t, lag_sum, lag_max, time_lag;
	int64_t *lags; /* one for each partition */
};

/* Writing */

static int by_number(const void *a, const void *b)
{
	int32_t na = *(const int32_t *)a, nb = *(const int32_t *)b;

	return na < nb ? -1 : na > nb;
}

/* The numbers of all partitions of all points, sorted; freed by the caller. */
static int32_t *all_partitions(const struct history_points *h, size_t *n)
{
	size_t all = 0, kept = 0;
	int32_t *v;

	for (size_t i = 0; i < h->n; i++)
		all += h->v[i].n;
	v = mem_calloc(all, sizeof(*v));
	*n = 0;
	for (size_t i = 0; i < h->n; i++)
		for (size_t k = 0; k < h->v[i].n; k++)
			v[(*n)++] = h->v[i].lags[k].partition;
	if (*n > 1)
		qsort(v, *n, sizeof(*v), by_number);
	for (size_t i = 0; i < *n; i++)
		if (kept == 0 || v[kept - 1] != v[i])
			v[kept++] = v[i];
	*n = kept;
	return v;
}

static uint64_t rate_number(double rate)
{
	double v = rate * RATE_UNIT;

	return v > RATE_TOP ? (uint64_t)RATE_TOP : v > 0 ? (uint64_t)(v + 0.5) : 0;
}

static void put_lags(struct buf *out, struct before *b, const struct history_point *p,
		     const int32_t *partitions, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (k == p->n || p->lags[k].partition != partitions[i]) {
			pack_number(out, 0);
			continue;
		}
		if (p->lags[k].known) {
			pack_number(out, pack_fold(p->lags[k].lag - b->lags[i]) + 2);
			b->lags[i] = p->lags[k].lag;
		} else {
			pack_number(out, 1);
		}
		k++;
	}
}

static void put_point(struct buf *out, struct before *b, const struct history_point *p)
{
	unsigned flags = (unsigned)p->status & STATUS_BITS;

	flags |= p->has_lag ? HAS_LAG : 0;
	flags |= p->time_lag_ms >= 0 ? HAS_TIME_LAG : 0;
	flags |= isnan(p->produced) ? 0 : HAS_PRODUCED;
	flags |= isnan(p->consumed) ? 0 : HAS_CONSUMED;
	pack_step(out, &b->t, p->t.ms);
	buf_addch(out, (char)flags);
	if (p->has_lag) {
		pack_step(out, &b->lag_sum, p->lag_sum);
		pack_step(out, &b->lag_max, p->lag_max);
	}
	if (p->time_lag_ms >= 0)
		pack_step(out, &b->time_lag, p->time_lag_ms);
	if (!isnan(p->produced))
		pack_number(out, rate_number(p->produced));
	if (!isnan(p->consumed))
		pack_number(out, rate_number(p->consumed));
}

void history_encode(const struct history_points *h, struct buf *out)
{
	struct before b = {.lags = NULL};
	int64_t number = 0;
	size_t n;
	int32_t *partitions = all_partitions(h, &n);

	b.lags = mem_calloc(n, sizeof(*b.lags));
	buf_addch(out, FORM);
	pack_number(out, h->n);
	pack_number(out, n);
	for (size_t i = 0; i < n; i++)
		pack_step(out, &number, partitions[i]);
	for (size_t i = 0; i < h->n; i++) {
		put_point(out, &b, &h->v[i]);
		put_lags(out, &b, &h->v[i], partitions, n);
	}
	free(b.lags);
	free(partitions);
}

/* Reading */

static void get_lags(struct unpack *r, struct before *b, struct history_point *p,
		     const int32_t *partitions, size_t n)
{
	p->lags = mem_calloc(n, sizeof(*p->lags));
	for (size_t i = 0; i < n && !r->bad; i++) {
		uint64_t code = unpack_number(r);
		struct history_lag l = {partitions[i], code > 1, 0};

		if (code == 0)
			continue;
		if (code > 1)
			l.lag = unpack_add(r, &b->lags[i], pack_unfold(code - 2),
					   HISTORY_LAG_MAX);
		p->lags[p->n++] = l;
	}
}

static double get_rate(struct unpack *r, bool known)
{
	uint64_t v = known ? unpack_number(r) : 0;

	if (v > (uint64_t)RATE_TOP)
		r->bad = true;
	return known ? (double)v / RATE_UNIT : (double)NAN;
}

static struct history_point get_point(struct unpack *r, struct before *b)
{
	struct history_point p = {.time_lag_ms = -1, .merged = 1};
	unsigned flags;

	p.t.ms = unpack_step(r, &b->t, TIME_MAX);
	flags = unpack_byte(r);
	if (flags > 127)
		r->bad = true;
	p.status = (enum verdict)(flags & STATUS_BITS);
	if (p.status > VERDICT_NODATA)
		r->bad = true;
	p.has_lag = (flags & HAS_LAG) != 0;
	if (p.has_lag) {
		p.lag_sum = unpack_step(r, &b->lag_sum, HISTORY_LAG_MAX);
		p.lag_max = unpack_step(r, &b->lag_max, HISTORY_LAG_MAX);
	}
	if ((flags & HAS_TIME_LAG) != 0)
		p.time_lag_ms = unpack_step(r, &b->time_lag, TIME_MAX);
	if (p.time_lag_ms < -1)
		r->bad = true;
	p.produced = get_rate(r, (flags & HAS_PRODUCED) != 0);
	p.consumed = get_rate(r, (flags & HAS_CONSUMED) != 0);
	return p;
}

/* Sorted numbers without repetition. Each point has a byte for each partition, so that
 * no more is believed than there are bytes. */
static int32_t *get_partitions(struct unpack *r, size_t points, size_t *n)
{
	uint64_t count = unpack_number(r);
	size_t left = (size_t)(r->end - r->p);
	int64_t number = 0, before = -1;
	int32_t *v;

	*n = 0;
	if (r->bad || count > left || (points > 0 && count > left / points)) {
		r->bad = true;
		return NULL;
	}
	v = mem_calloc((size_t)count, sizeof(*v));
	for (; *n < count; ++*n) {
		v[*n] = (int32_t)unpack_step(r, &number, PARTITION_NUMBER_MAX);
		if (number <= before)
			r->bad = true;
		before = number;
	}
	return v;
}

int history_decode(const void *bytes, size_t len, struct history_points *h)
{
	struct unpack r = {bytes, (const unsigned char *)bytes + len, false};
	struct before b = {.lags = NULL};
	size_t points, n = 0, had = h->n;
	int32_t *partitions = NULL;
	uint64_t count;

	if (unpack_byte(&r) != FORM)
		return -1;
	count = unpack_number(&r);
	r.bad |= count > (uint64_t)(r.end - r.p);
	points = r.bad ? 0 : (size_t)count;
	partitions = get_partitions(&r, points, &n);
	b.lags = mem_calloc(n, sizeof(*b.lags));
	for (size_t i = 0; i < points && !r.bad; i++) {
		MEM_GROW(h->v, h->n, h->cap);
		h->v[h->n] = get_point(&r, &b);
		get_lags(&r, &b, &h->v[h->n++], partitions, n);
	}
	free(b.lags);
	free(partitions);
	if (!r.bad && r.p == r.end)
		return 0;
	while (h->n > had)
		history_point_fini(&h->v[--h->n]);
	return -1;
}

/* Gaps */

void history_encode_gap(const struct history_gap *g, struct buf *out)
{
	size_t n = strlen(g->reason);

	buf_addch(out, FORM);
	pack_number(out, pack_fold(g->until.ms));
	pack_number(out, n);
	buf_add(out, g->reason, n);
	buf_addstr(out, g->message);
}

int history_decode_gap(const void *bytes, size_t len, struct wall from,
		       struct history_gap *g)
{
	struct unpack r = {bytes, (const unsigned char *)bytes + len, false};
	bool known = unpack_byte(&r) == FORM;
	int64_t zero = 0;
	uint64_t n;
	size_t left;

	*g = (struct history_gap){.from = from};
	g->until.ms = unpack_step(&r, &zero, TIME_MAX);
	n = unpack_number(&r);
	left = (size_t)(r.end - r.p);
	if (!known || r.bad || n >= sizeof(g->reason) || n > left ||
	    left - n >= sizeof(g->message))
		return -1;
	memcpy(g->reason, r.p, (size_t)n);
	memcpy(g->message, r.p + n, left - (size_t)n);
	return 0;
}
