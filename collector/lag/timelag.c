/* SPDX-License-Identifier: MIT */
#include "lag/timelag.h"

#include <string.h>

#include "banned.h"

static double distance(int64_t from, int64_t to)
{
	return (double)((__int128)to - from);
}

static void drop(struct log_ends *h, int32_t i)
{
	h->n--;
	memmove(&h->v[i], &h->v[i + 1], (size_t)(h->n - i) * sizeof(h->v[0]));
}

/* Make room by dropping the inner point whose neighbours are the closest, measured by
 * how long ago it was: what remains is dense near the end and sparse far back. */
static void thin(struct log_ends *h, int64_t now_ms)
{
	int32_t least = 1;
	double least_gap = 0;

	for (int32_t i = 1; i < h->n - 1; i++) {
		double age = (double)(now_ms - h->v[i].time_ms);
		double gap = (double)(h->v[i + 1].time_ms - h->v[i - 1].time_ms) / age;

		if (i == 1 || gap < least_gap) {
			least = i;
			least_gap = gap;
		}
	}
	drop(h, least);
}

bool log_ends_add(struct log_ends *h, int64_t offset, int64_t now_ms)
{
	struct log_end *last = h->n > 0 ? &h->v[h->n - 1] : NULL;
	bool forward = last == NULL || offset >= last->offset;

	if (!forward)
		h->n = 0;
	if (forward && last != NULL && now_ms <= last->time_ms) {
		last->offset = offset;
		return true;
	}
	if (h->n >= 2 && last->offset == offset && last[-1].offset == offset) {
		last->time_ms = now_ms; /* a flat run keeps its two ends */
		return true;
	}
	while (h->n >= 2 && h->v[1].time_ms <= now_ms - LOG_ENDS_SPAN_MS)
		drop(h, 0);
	if (h->n == LOG_ENDS_MAX)
		thin(h, now_ms);
	h->v[h->n++] = (struct log_end){offset, now_ms};
	return forward;
}

int64_t log_ends_at(const struct log_ends *h, int64_t time_ms)
{
	const struct log_end *right = h->v;
	const struct log_end *end = &h->v[h->n - 1];
	__int128 at;
	double part;

	while (right < end && right->time_ms < time_ms)
		right++;
	if (right == h->v || right->time_ms <= time_ms)
		return right->offset;
	part = (double)(time_ms - right[-1].time_ms) /
	       (double)(right->time_ms - right[-1].time_ms);
	at = right[-1].offset +
	     (__int128)(distance(right[-1].offset, right->offset) * part);
	return at < right->offset ? (int64_t)at : right->offset; /* rounding */
}

/* The time at which the line through both points has `offset`; they differ in it. */
static double crossing(const struct log_end *a, const struct log_end *b, int64_t offset)
{
	return (double)b->time_ms - distance(offset, b->offset) *
					    (double)(b->time_ms - a->time_ms) /
					    distance(a->offset, b->offset);
}

/* Kind and time for an offset below the newest log end. */
static void look_up(struct timelag *t, const struct log_ends *h)
{
	const struct log_end *first = h->v;
	const struct log_end *last = &h->v[h->n - 1];
	double time;

	t->kind = TIMELAG_NONE;
	for (const struct log_end *b = last; b > first; b--) {
		if (b[-1].offset > t->committed)
			continue;
		t->kind = TIMELAG_INTERPOLATED;
		t->passed_ms = (int64_t)crossing(b - 1, b, t->committed);
		return;
	}
	if (first->offset == last->offset)
		return; /* one point, or nothing was produced: no rate to go by */
	time = crossing(first, last, t->committed);
	if (time < (double)(last->time_ms - TIMELAG_MAX_MS))
		return;
	t->kind = TIMELAG_EXTRAPOLATED;
	t->passed_ms = (int64_t)time;
}

void timelag_update(struct timelag *t, const struct log_ends *h, int64_t committed)
{
	const struct log_end *last = &h->v[h->n - 1];
	/* Found once it stays, and is better than what a thinner history would say. */
	bool found = t->committed == committed &&
		     (t->kind == TIMELAG_IDLE || t->kind == TIMELAG_INTERPOLATED);

	t->committed = committed;
	if (committed >= last->offset) {
		t->kind = TIMELAG_IDLE;
		t->passed_ms = last->time_ms;
	} else if (found) {
		t->kind = TIMELAG_INTERPOLATED;
	} else {
		look_up(t, h);
	}
}

int64_t timelag_ms(const struct timelag *t, int64_t now_ms)
{
	int64_t ms;

	if (t->kind == TIMELAG_NONE)
		return -1;
	if (t->kind == TIMELAG_IDLE)
		return 0;
	ms = now_ms > t->passed_ms ? now_ms - t->passed_ms : 0;
	return ms < TIMELAG_MAX_MS ? ms : TIMELAG_MAX_MS;
}

const char *timelag_kind_name(enum timelag_kind k)
{
	switch (k) {
	case TIMELAG_INTERPOLATED:
		return "interpolated";
	case TIMELAG_EXTRAPOLATED:
		return "extrapolated";
	case TIMELAG_IDLE:
		return "idle";
	case TIMELAG_NONE:
		break;
	}
	return "none";
}
