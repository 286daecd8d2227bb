/* SPDX-License-Identifier: MIT
 * history_code: the compact form of points and gaps. Numbers are varints of seven bits
 * a byte, lowest first; signed ones are folded so that small ones are short, and stand
 * for the difference to the point before.
 *   points: form, n, partitions, their numbers as steps, then each point:
 *     time, flags with the status, the values that the flags tell of, one lag for each
 *     partition: 0 absent, 1 unknown, else the folded difference + 2
 *   gap: form, until, length of the reason, reason, message */
#include "lag/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

static void put_number(struct buf *out, uint64_t v)
{
	for (; v > 127; v >>= 7)
		buf_addch(out, (char)((v & 127) | 128));
	buf_addch(out, (char)v);
}

static uint64_t fold(int64_t v)
{
	return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

static void put_step(struct buf *out, int64_t *before, int64_t v)
{
	put_number(out, fold(v - *before));
	*before = v;
}

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
			put_number(out, 0);
			continue;
		}
		if (p->lags[k].known) {
			put_number(out, fold(p->lags[k].lag - b->lags[i]) + 2);
			b->lags[i] = p->lags[k].lag;
		} else {
			put_number(out, 1);
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
	put_step(out, &b->t, p->t.ms);
	buf_addch(out, (char)flags);
	if (p->has_lag) {
		put_step(out, &b->lag_sum, p->lag_sum);
		put_step(out, &b->lag_max, p->lag_max);
	}
	if (p->time_lag_ms >= 0)
		put_step(out, &b->time_lag, p->time_lag_ms);
	if (!isnan(p->produced))
		put_number(out, rate_number(p->produced));
	if (!isnan(p->consumed))
		put_number(out, rate_number(p->consumed));
}

void history_encode(const struct history_points *h, struct buf *out)
{
	struct before b = {.lags = NULL};
	int64_t number = 0;
	size_t n;
	int32_t *partitions = all_partitions(h, &n);

	b.lags = mem_calloc(n, sizeof(*b.lags));
	buf_addch(out, FORM);
	put_number(out, h->n);
	put_number(out, n);
	for (size_t i = 0; i < n; i++)
		put_step(out, &number, partitions[i]);
	for (size_t i = 0; i < h->n; i++) {
		put_point(out, &b, &h->v[i]);
		put_lags(out, &b, &h->v[i], partitions, n);
	}
	free(b.lags);
	free(partitions);
}

/* Reading */

struct reader {
	const unsigned char *p, *end;
	bool bad; /* stays; what is read then is 0 */
};

static unsigned get_byte(struct reader *r)
{
	if (r->p == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->p++;
}

static uint64_t get_number(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned byte = get_byte(r);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return r->bad ? 0 : v;
	}
	r->bad = true;
	return 0;
}

static int64_t unfold(uint64_t v)
{
	return (int64_t)((v >> 1) ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

/* A value within +-max. */
static int64_t add_step(struct reader *r, int64_t *before, int64_t step, int64_t max)
{
	int64_t v;

	if (__builtin_add_overflow(*before, step, &v) || v > max || v < -max) {
		r->bad = true;
		return 0;
	}
	*before = v;
	return v;
}

static int64_t get_step(struct reader *r, int64_t *before, int64_t max)
{
	return add_step(r, before, unfold(get_number(r)), max);
}

static void get_lags(struct reader *r, struct before *b, struct history_point *p,
		     const int32_t *partitions, size_t n)
{
	p->lags = mem_calloc(n, sizeof(*p->lags));
	for (size_t i = 0; i < n && !r->bad; i++) {
		uint64_t code = get_number(r);
		struct history_lag l = {partitions[i], code > 1, 0};

		if (code == 0)
			continue;
		if (code > 1)
			l.lag = add_step(r, &b->lags[i], unfold(code - 2),
					 HISTORY_LAG_MAX);
		p->lags[p->n++] = l;
	}
}

static double get_rate(struct reader *r, bool known)
{
	uint64_t v = known ? get_number(r) : 0;

	if (v > (uint64_t)RATE_TOP)
		r->bad = true;
	return known ? (double)v / RATE_UNIT : (double)NAN;
}

static struct history_point get_point(struct reader *r, struct before *b)
{
	struct history_point p = {.time_lag_ms = -1, .merged = 1};
	unsigned flags;

	p.t.ms = get_step(r, &b->t, TIME_MAX);
	flags = get_byte(r);
	if (flags > 127)
		r->bad = true;
	p.status = (enum verdict)(flags & STATUS_BITS);
	if (p.status > VERDICT_NODATA)
		r->bad = true;
	p.has_lag = (flags & HAS_LAG) != 0;
	if (p.has_lag) {
		p.lag_sum = get_step(r, &b->lag_sum, HISTORY_LAG_MAX);
		p.lag_max = get_step(r, &b->lag_max, HISTORY_LAG_MAX);
	}
	if ((flags & HAS_TIME_LAG) != 0)
		p.time_lag_ms = get_step(r, &b->time_lag, TIME_MAX);
	if (p.time_lag_ms < -1)
		r->bad = true;
	p.produced = get_rate(r, (flags & HAS_PRODUCED) != 0);
	p.consumed = get_rate(r, (flags & HAS_CONSUMED) != 0);
	return p;
}

/* Sorted numbers without repetition. Each point has a byte for each partition, so that
 * no more is believed than there are bytes. */
static int32_t *get_partitions(struct reader *r, size_t points, size_t *n)
{
	uint64_t count = get_number(r);
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
		v[*n] = (int32_t)get_step(r, &number, PARTITION_NUMBER_MAX);
		if (number <= before)
			r->bad = true;
		before = number;
	}
	return v;
}

int history_decode(const void *bytes, size_t len, struct history_points *h)
{
	struct reader r = {bytes, (const unsigned char *)bytes + len, false};
	struct before b = {.lags = NULL};
	size_t points, n = 0, had = h->n;
	int32_t *partitions = NULL;
	uint64_t count;

	if (get_byte(&r) != FORM)
		return -1;
	count = get_number(&r);
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
	put_number(out, fold(g->until.ms));
	put_number(out, n);
	buf_add(out, g->reason, n);
	buf_addstr(out, g->message);
}

int history_decode_gap(const void *bytes, size_t len, struct wall from,
		       struct history_gap *g)
{
	struct reader r = {bytes, (const unsigned char *)bytes + len, false};
	bool known = get_byte(&r) == FORM;
	int64_t zero = 0;
	uint64_t n;
	size_t left;

	*g = (struct history_gap){.from = from};
	g->until.ms = get_step(&r, &zero, TIME_MAX);
	n = get_number(&r);
	left = (size_t)(r.end - r.p);
	if (!known || r.bad || n >= sizeof(g->reason) || n > left ||
	    left - n >= sizeof(g->message))
		return -1;
	memcpy(g->reason, r.p, (size_t)n);
	memcpy(g->message, r.p + n, left - (size_t)n);
	return 0;
}
