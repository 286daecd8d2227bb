/* SPDX-License-Identifier: MIT
 * window: see window.h.
 *   form, checksum, then packed: from form 3 on when this was saved, and the last word;
 *   where there was a sample the newest one's time, both rates, number of series, each
 *   series in the order of struct series; from form 2 on number of deliveries (0 or 1)
 *   and the one, in the order of struct delivery
 * The checksum covers the name too, so that nobody takes up another topic's window. */
#include "lag/window.h"

#include <stdlib.h>
#include <string.h>

#include "assess_int.h"
#include "base/hash.h"
#include "base/mem.h"
#include "pack_int.h"

#include "banned.h"

#define FORM 3
#define FORM_DELIVERY 2 /* the first with one */
#define FORM_WORD 3     /* the first with one */
#define HEAD 9          /* form and checksum */
#define TIME_MAX (INT64_C(1) << 52)
#define SUM_MAX (INT64_MAX / 4) /* of a topic's offsets: their differences fit */
#define FUTURE_MS 1000          /* a clock that was slewed a little is no other clock */

enum flags {
	ONLY_LAGS = 1,
	OWNERLESS = 2,
	REBALANCING = 4,
	OWNED = 8,
	HAS_COMMITTED = 16,
	HAS_END = 32,
	HAS_LAG = 64,
};

static uint64_t checksum(const char *name, unsigned form, const void *bytes, size_t len)
{
	uint64_t seed = hash_fnv64(name, strlen(name), form);

	return hash_fnv64(bytes, len, seed);
}

/* Writing */

struct writer {
	struct buf *out;
	int64_t to_wall; /* added to times */
	int64_t time;    /* the last one written */
};

static void put_time(struct writer *w, int64_t mono_ms)
{
	pack_step(w->out, &w->time, mono_ms + w->to_wall);
}

static void put_rate(struct writer *w, const struct rate *r)
{
	pack_number(w->out, (uint64_t)r->n);
	for (int32_t i = 0; i < r->n; i++) {
		put_time(w, r->v[i].time_ms);
		pack_real(w->out, r->v[i].total);
	}
}

static unsigned flags_of(const struct series *s)
{
	return (s->only_lags ? ONLY_LAGS : 0u) | (s->ownerless ? OWNERLESS : 0u) |
	       (s->rebalancing ? REBALANCING : 0u) | (s->owned_ms >= 0 ? OWNED : 0u) |
	       (s->row.has_committed ? HAS_COMMITTED : 0u) |
	       (s->row.has_end ? HAS_END : 0u) | (s->row.has_lag ? HAS_LAG : 0u);
}

static void put_records(struct writer *w, const struct series *s)
{
	int64_t offset = s->row.committed;

	pack_number(w->out, (uint64_t)s->n);
	for (int32_t i = 0; i < s->n; i++) {
		if (s->only_lags) {
			put_time(w, s->spans[i].time_ms);
			pack_signed(w->out, s->spans[i].low);
			pack_signed(w->out, s->spans[i].high);
		} else {
			put_time(w, s->commits[i].time_ms);
			pack_step(w->out, &offset, s->commits[i].offset);
			pack_signed(w->out, s->commits[i].lag);
		}
	}
}

static void put_series(struct writer *w, const struct series *s)
{
	int64_t offset = s->row.committed;

	pack_number(w->out, (uint64_t)s->partition);
	pack_number(w->out, flags_of(s));
	put_time(w, s->since_ms);
	put_time(w, s->changed_ms);
	if (s->owned_ms >= 0)
		put_time(w, s->owned_ms);
	put_time(w, s->seen_ms);
	pack_signed(w->out, s->gap_ms);
	pack_signed(w->out, s->row.committed);
	pack_step(w->out, &offset, s->row.end);
	pack_signed(w->out, s->row.lag);
	put_records(w, s);
	pack_number(w->out, (uint64_t)s->ends.n);
	for (int32_t i = 0; i < s->ends.n; i++) {
		put_time(w, s->ends.v[i].time_ms);
		pack_step(w->out, &offset, s->ends.v[i].offset);
	}
	pack_number(w->out, (uint64_t)s->timelag.kind);
	pack_step(w->out, &offset, s->timelag.committed);
	put_time(w,
		 s->timelag.kind == TIMELAG_NONE ? s->seen_ms : s->timelag.passed_ms);
}

static void put_delivery(struct writer *w, const struct delivery *d)
{
	int64_t number = 0, committed = 0, end = 0, ms = 0;

	put_time(w, d->began.ns / 1000000);
	pack_number(w->out, (uint64_t)d->span_ms);
	pack_number(w->out, (uint64_t)d->committed_rows);
	pack_number(w->out, (uint64_t)d->end_rows);
	pack_number(w->out, (uint64_t)d->n);
	for (int i = 0; i < d->n; i++) {
		pack_step(w->out, &number, d->span[i].number);
		pack_step(w->out, &ms, d->span[i].first_ms);
		pack_step(w->out, &committed, d->span[i].committed);
		pack_step(w->out, &end, d->span[i].end);
		pack_signed(w->out, d->span[i].highest);
	}
	pack_step(w->out, &ms, d->last_ms);
	pack_step(w->out, &committed, d->committed);
	pack_step(w->out, &end, d->end);
}

static void put_all(struct writer *w, const struct assess *a)
{
	put_time(w, a->fed_ms);
	put_rate(w, &a->produced);
	put_rate(w, &a->consumed);
	pack_number(w->out, a->n);
	for (size_t i = 0; i < a->n; i++)
		put_series(w, &a->v[i]);
	pack_number(w->out, a->delivery != NULL);
	if (a->delivery != NULL)
		put_delivery(w, a->delivery);
}

void window_save(const struct assess *a, const struct window_word *word,
		 const char *name, struct mono now, struct wall wall, struct buf *out)
{
	struct buf packed = BUF_INIT(out->max);
	struct writer w = {.out = &packed, .to_wall = wall.ms - now.ns / 1000000};
	uint64_t sum;

	if (!a->fed && word->since.ms == 0)
		return;
	pack_step(&packed, &w.time, wall.ms);
	pack_number(&packed, (uint64_t)word->status);
	pack_step(&packed, &w.time, word->since.ms);
	if (a->fed)
		put_all(&w, a);
	sum = checksum(name, FORM, buf_str(&packed), packed.len);
	if (packed.failed || buf_reserve(out, HEAD + packed.len) != 0) {
		out->failed = true;
	} else {
		buf_addch(out, FORM);
		for (unsigned i = 0; i < 8; i++)
			buf_addch(out, (char)(sum >> (8 * i) & 255));
		buf_add(out, buf_str(&packed), packed.len);
	}
	buf_free(&packed);
}

/* Reading */

struct reader {
	struct unpack r;
	int64_t to_mono; /* added to times */
	int64_t time;
	int64_t fed; /* nothing is later than this; wall time */
};

static int64_t get_time(struct reader *r)
{
	int64_t t = unpack_step(&r->r, &r->time, TIME_MAX);

	if (t > r->fed || t < 0)
		r->r.bad = true;
	return r->r.bad ? 0 : t + r->to_mono;
}

/* A number of things, of which there are at most `max`. */
static int32_t get_count(struct reader *r, int32_t max)
{
	uint64_t n = unpack_number(&r->r);

	if (n > (uint64_t)max)
		r->r.bad = true;
	return r->r.bad ? 0 : (int32_t)n;
}

static void get_rate(struct reader *r, struct rate *to)
{
	int32_t n = get_count(r, RATE_POINTS);

	for (int32_t i = 0; i < n && !r->r.bad; i++) {
		to->v[i].time_ms = get_time(r);
		to->v[i].total = unpack_real(&r->r);
		if (i > 0 && to->v[i].time_ms < to->v[i - 1].time_ms)
			r->r.bad = true;
	}
	to->n = n;
}

static void get_records(struct reader *r, struct series *s)
{
	int64_t offset = s->row.committed;
	int64_t before = INT64_MIN;

	s->n = get_count(r, SERIES_RECORDS);
	for (int32_t i = 0; i < s->n && !r->r.bad; i++) {
		int64_t t = get_time(r);

		if (t < before)
			r->r.bad = true;
		before = t;
		if (s->only_lags) {
			s->spans[i].time_ms = t;
			s->spans[i].low = unpack_signed(&r->r);
			s->spans[i].high = unpack_signed(&r->r);
		} else {
			s->commits[i].time_ms = t;
			s->commits[i].offset = unpack_step(&r->r, &offset, INT64_MAX);
			s->commits[i].lag = unpack_signed(&r->r);
		}
	}
}

static void get_ends(struct reader *r, struct log_ends *ends, int64_t *offset)
{
	int32_t n = get_count(r, LOG_ENDS_MAX);

	for (int32_t i = 0; i < n && !r->r.bad; i++) {
		ends->v[i].time_ms = get_time(r);
		ends->v[i].offset = unpack_step(&r->r, offset, INT64_MAX);
		if (i > 0 && (ends->v[i].time_ms <= ends->v[i - 1].time_ms ||
			      ends->v[i].offset < ends->v[i - 1].offset))
			r->r.bad = true;
	}
	ends->n = n;
}

static void get_row(struct reader *r, struct partition *row, unsigned flags,
		    int64_t *offset)
{
	row->has_committed = (flags & HAS_COMMITTED) != 0;
	row->has_end = (flags & HAS_END) != 0;
	row->has_lag = (flags & HAS_LAG) != 0;
	row->committed = unpack_signed(&r->r);
	*offset = row->committed;
	row->end = unpack_step(&r->r, offset, INT64_MAX);
	row->lag = unpack_signed(&r->r);
}

/* An owner since before this clock began: since its beginning, then, as a negative
 * time says that there is none. */
static int64_t get_owned(struct reader *r, bool owned)
{
	int64_t t = owned ? get_time(r) : -1;

	return owned && t < 0 ? 0 : t;
}

static void get_series(struct reader *r, struct series *s)
{
	unsigned flags;
	int64_t offset;

	series_init(s, (int32_t)get_count(r, PARTITION_NUMBER_MAX), 0);
	flags = (unsigned)get_count(r, 127);
	s->only_lags = (flags & ONLY_LAGS) != 0;
	s->ownerless = (flags & OWNERLESS) != 0;
	s->rebalancing = (flags & REBALANCING) != 0;
	s->since_ms = get_time(r);
	s->changed_ms = get_time(r);
	s->owned_ms = get_owned(r, (flags & OWNED) != 0);
	s->seen_ms = get_time(r);
	s->gap_ms = unpack_signed(&r->r);
	get_row(r, &s->row, flags, &offset);
	s->row.number = s->partition;
	get_records(r, s);
	get_ends(r, &s->ends, &offset);
	s->timelag.kind = (enum timelag_kind)get_count(r, TIMELAG_IDLE);
	s->timelag.committed = unpack_step(&r->r, &offset, INT64_MAX);
	s->timelag.passed_ms = get_time(r);
	/* What is asked of the history of the log's ends needs a point. */
	if (s->gap_ms < 0 || s->gap_ms > TIME_MAX ||
	    (s->ends.n == 0 && (s->timelag.kind != TIMELAG_NONE || s->row.has_end)))
		r->r.bad = true;
}

/* Spans in order of time, the last look in the last of them. */
static bool is_delivery(const struct delivery *d)
{
	struct delivery_span before = {.number = -1};

	if (d->n < 1 || d->span_ms < 1)
		return false;
	for (int i = 0; i < d->n; i++) {
		const struct delivery_span *s = &d->span[i];

		if (s->first_ms / d->span_ms != s->number ||
		    s->number <= before.number || s->committed < before.committed ||
		    s->end < before.end || s->highest > SUM_MAX ||
		    s->highest < -SUM_MAX)
			return false;
		before = *s;
	}
	return d->committed >= before.committed && d->end >= before.end &&
	       d->last_ms >= before.first_ms;
}

static void get_delivery(struct reader *r, struct delivery *d)
{
	int64_t number = 0, committed = 0, end = 0, ms = 0;

	d->began.ns = get_time(r) * 1000000;
	d->span_ms = get_count(r, INT32_MAX);
	d->committed_rows = get_count(r, PARTITION_NUMBER_MAX);
	d->end_rows = get_count(r, PARTITION_NUMBER_MAX);
	d->n = get_count(r, DELIVERY_SPANS);
	for (int i = 0; i < d->n && !r->r.bad; i++) {
		d->span[i].number = unpack_step(&r->r, &number, TIME_MAX);
		d->span[i].first_ms = unpack_step(&r->r, &ms, TIME_MAX);
		d->span[i].committed = unpack_step(&r->r, &committed, SUM_MAX);
		d->span[i].end = unpack_step(&r->r, &end, SUM_MAX);
		d->span[i].highest = unpack_signed(&r->r);
	}
	d->last_ms = unpack_step(&r->r, &ms, TIME_MAX);
	d->committed = unpack_step(&r->r, &committed, SUM_MAX);
	d->end = unpack_step(&r->r, &end, SUM_MAX);
	if (!r->r.bad && !is_delivery(d))
		r->r.bad = true;
}

static void get_all(struct reader *r, struct assess *a, unsigned form)
{
	int32_t n;

	get_rate(r, &a->produced);
	get_rate(r, &a->consumed);
	n = get_count(r, ASSESS_PARTITIONS_MAX);
	if (n > r->r.end - r->r.p)
		r->r.bad = true; /* each has many bytes */
	for (int32_t i = 0; i < n && !r->r.bad; i++) {
		MEM_GROW(a->v, a->n, a->cap);
		get_series(r, &a->v[a->n++]);
		if (i > 0 && a->v[i].partition <= a->v[i - 1].partition)
			r->r.bad = true;
	}
	if (form >= FORM_DELIVERY && get_count(r, 1) == 1) {
		a->delivery = mem_calloc(1, sizeof(*a->delivery));
		get_delivery(r, a->delivery);
	}
	if (r->r.p != r->r.end)
		r->r.bad = true;
}

static bool is_recent(const struct assess *a, int64_t ms, struct wall wall)
{
	return wall.ms - ms >= -FUTURE_MS && wall.ms - ms <= a->rules.window_ms;
}

static void get_word(struct reader *r, const struct assess *a, struct wall wall,
		     struct window_word *word)
{
	int64_t saved = unpack_step(&r->r, &r->time, TIME_MAX);
	int32_t status = get_count(r, VERDICT_NODATA);
	int64_t since = unpack_step(&r->r, &r->time, TIME_MAX);

	if (since < 0 || since > saved)
		r->r.bad = true;
	if (!r->r.bad && since > 0 && is_recent(a, saved, wall))
		*word = (struct window_word){(enum verdict)status, {since}};
}

/* Form and checksum are right: the packed part. */
static int restore(struct assess *a, struct window_word *word, struct unpack packed,
		   unsigned form, struct mono now, struct wall wall)
{
	struct reader r = {.r = packed, .fed = TIME_MAX};
	struct assess new = {.rules = a->rules, .state = a->state, .fed = true};
	int64_t now_ms = now.ns / 1000000, age;

	if (form >= FORM_WORD)
		get_word(&r, a, wall, word);
	(void)get_time(&r);
	r.fed = r.time;
	age = wall.ms - r.fed;
	if (r.r.bad || !is_recent(a, r.fed, wall))
		return -1;
	r.to_mono = now_ms - (age < 0 ? r.fed : wall.ms);
	new.fed_ms = r.fed + r.to_mono;
	get_all(&r, &new, form);
	if (r.r.bad) {
		free(new.v);
		free(new.delivery);
		return -1;
	}
	free(a->v);
	free(a->delivery);
	*a = new;
	return 0;
}

int window_restore(struct assess *a, struct window_word *word, const char *name,
		   const void *bytes, size_t len, struct mono now, struct wall wall)
{
	const unsigned char *p = bytes;
	uint64_t sum = 0;

	if (a->fed || len < HEAD || p[0] < 1 || p[0] > FORM)
		return -1;
	for (unsigned i = 0; i < 8; i++)
		sum |= (uint64_t)p[1 + i] << (8 * i);
	if (sum != checksum(name, p[0], p + HEAD, len - HEAD))
		return -1;
	return restore(a, word, (struct unpack){p + HEAD, p + len, false}, p[0], now,
		       wall);
}
