/* SPDX-License-Identifier: MIT
 * history: see history_int.h. */
#include "history_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define MINUTE_MS 60000
#define SLACK_MS 10000         /* for a minute that nobody has ended */
#define WAITING_MAX (16 << 20) /* bytes of rows that the file has not got */
#define BLOB_MAX (1 << 20)     /* of one row */
#define SLICE_ROWS 2000        /* in one transaction */
#define SLICE_BYTES (4 << 20)
#define ROW_COST 128

void history_event_fini(struct history_event *e)
{
	free(e->name);
	free(e->gap);
	history_point_fini(&e->point);
}

void history_events_fini(struct history_events *e)
{
	for (size_t i = 0; i < e->n; i++)
		history_event_fini(&e->v[i]);
	free(e->v);
	*e = (struct history_events){.v = NULL};
}

static void forget_blob(struct history *h)
{
	struct history_blob *b = &h->waiting[h->head++];

	h->waits--;
	h->waiting_bytes -= (int64_t)b->bytes.len + ROW_COST;
	buf_free(&b->bytes);
	if (h->waits == 0)
		h->head = 0;
}

void history_fini(struct history *h)
{
	while (h->waits > 0)
		forget_blob(h);
	free(h->waiting);
	for (size_t i = 0; i < h->n; i++) {
		history_points_fini(&h->v[i]->minute);
		free(h->v[i]->name);
		free(h->v[i]);
	}
	free(h->v);
	*h = (struct history){.v = NULL};
}

static int compare(const char *name, size_t len, const struct history_series *s)
{
	size_t least = len < s->len ? len : s->len;
	int order = least == 0 ? 0 : memcmp(name, s->name, least);

	return order != 0 ? order : len < s->len ? -1 : len > s->len;
}

/* The place of a series, or where it belongs. */
static size_t place(const struct history *h, const char *name, size_t len)
{
	size_t low = 0, high = h->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(name, len, h->v[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct history_series *series_of(struct history *h, const char *name, size_t len)
{
	size_t at = place(h, name, len);
	struct history_series *s;

	if (at < h->n && compare(name, len, h->v[at]) == 0)
		return h->v[at];
	s = mem_calloc(1, sizeof(*s));
	s->name = mem_calloc(len + 1, 1);
	memcpy(s->name, name, len);
	s->len = len;
	MEM_GROW(h->v, h->n, h->cap);
	memmove(&h->v[at + 1], &h->v[at],
		(h->n - at) * sizeof(struct history_series *));
	h->v[at] = s;
	h->n++;
	return s;
}

/* Takes over what `bytes` holds. */
static void wait_for_file(struct history *h, const struct history_series *of,
			  enum history_level level, struct wall t, struct buf *bytes)
{
	if (h->head > 0 && h->head + h->waits == h->waiting_cap) {
		memmove(h->waiting, h->waiting + h->head,
			h->waits * sizeof(*h->waiting));
		h->head = 0;
	}
	MEM_GROW(h->waiting, h->head + h->waits, h->waiting_cap);
	h->waiting[h->head + h->waits++] = (struct history_blob){of, level, t, *bytes};
	h->waiting_bytes += (int64_t)bytes->len + ROW_COST;
	buf_init(bytes, BLOB_MAX);
	while (h->waits > 1 && h->waiting_bytes > WAITING_MAX)
		forget_blob(h);
}

static void pack_minute(struct history *h, struct history_series *s)
{
	struct buf bytes = BUF_INIT(BLOB_MAX);
	struct wall first;

	if (s->minute.n == 0)
		return;
	first = s->minute.v[0].t;
	history_encode(&s->minute, &bytes);
	if (!bytes.failed)
		wait_for_file(h, s, HISTORY_FINE, first, &bytes);
	buf_free(&bytes);
	history_points_fini(&s->minute);
}

static void pack_gap(struct history *h, const struct history_series *s)
{
	struct buf bytes = BUF_INIT(BLOB_MAX);

	history_encode_gap(&s->gap, &bytes);
	wait_for_file(h, s, HISTORY_GAPS, s->gap.from, &bytes);
}

/* What was written as lasting is written again with its end. */
static void end_gap(struct history *h, struct history_series *s, struct wall t)
{
	if (s->gap.from.ms == 0)
		return;
	s->gap.until = t.ms > s->gap.from.ms ? t : s->gap.from;
	pack_gap(h, s);
	s->gap = (struct history_gap){.from = {0}};
}

static void take_point(struct history *h, struct history_series *s,
		       struct history_point *p)
{
	end_gap(h, s, p->t);
	if (s->minute.n > 0 && s->minute.v[0].t.ms / MINUTE_MS != p->t.ms / MINUTE_MS)
		pack_minute(h, s);
	history_put(&s->minute, p, history_scales[HISTORY_FINE].step_ms);
}

static void take_gap(struct history *h, struct history_series *s,
		     const struct history_gap *g)
{
	if (s->gap.from.ms != 0 && strcmp(s->gap.reason, g->reason) == 0)
		return;
	end_gap(h, s, g->from);
	s->gap = *g;
	pack_gap(h, s);
}

void history_take(struct history *h, struct history_events *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct history_event *v = &e->v[i];
		struct history_series *s = series_of(h, v->name, v->len);

		if (v->gap != NULL)
			take_gap(h, s, v->gap);
		else
			take_point(h, s, &v->point);
	}
	history_events_fini(e);
}

void history_pack(struct history *h, struct wall now, bool whole)
{
	for (size_t i = 0; i < h->n; i++) {
		struct history_series *s = h->v[i];

		if (s->minute.n > 0 &&
		    (whole || now.ms - s->minute.v[0].t.ms > MINUTE_MS + SLACK_MS))
			pack_minute(h, s);
	}
}

int history_write(const struct history *h, struct spool *s, size_t *n, struct err *err)
{
	size_t bytes = 0;

	for (*n = 0; *n < h->waits && *n < SLICE_ROWS && bytes < SLICE_BYTES; ++*n) {
		const struct history_blob *b = &h->waiting[h->head + *n];

		if (spool_history_put(s, (struct history_name){b->of->name, b->of->len},
				      b->level, b->t, b->bytes.data, b->bytes.len,
				      err) != 0)
			return err->class;
		bytes += b->bytes.len;
	}
	return 0;
}

void history_written(struct history *h, size_t n)
{
	while (n-- > 0)
		forget_blob(h);
}
