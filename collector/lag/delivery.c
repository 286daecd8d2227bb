/* SPDX-License-Identifier: MIT */
#include "lag/delivery.h"

#include <math.h>
#include <string.h>

#include "banned.h"

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void begin(struct delivery *d, const struct delivery_look *look, int64_t span_ms,
		  struct mono now)
{
	*d = (struct delivery){.span_ms = span_ms,
			       .began = now,
			       .committed_rows = look->committed_rows,
			       .end_rows = look->end_rows};
}

static bool is_comparable(const struct delivery *d, const struct delivery_look *look,
			  int64_t span_ms)
{
	return d->span_ms == span_ms && look->committed >= d->committed &&
	       look->end >= d->end && look->committed_rows == d->committed_rows &&
	       look->end_rows == d->end_rows;
}

/* A new span at the end; those that are too old give way. */
static void add_span(struct delivery *d, int64_t number)
{
	int drop = 0;

	while (drop < d->n && d->span[drop].number <= number - DELIVERY_SPANS)
		drop++;
	d->n -= drop;
	memmove(d->span, d->span + drop, (size_t)d->n * sizeof(d->span[0]));
	d->span[d->n++] = (struct delivery_span){.number = number,
						 .first_ms = d->last_ms,
						 .committed = d->committed,
						 .end = d->end,
						 .highest = d->committed - d->end};
}

void delivery_feed(struct delivery *d, const struct delivery_look *look,
		   int64_t interval_ms, struct mono now)
{
	int64_t span_ms = most(DELIVERY_SPAN_MS, 2 * interval_ms), number;

	if (!is_comparable(d, look, span_ms))
		begin(d, look, span_ms, now);
	d->committed = look->committed;
	d->end = look->end;
	d->last_ms = mono_diff_ms(now, d->began);
	number = d->last_ms / d->span_ms;
	if (d->n == 0 || d->span[d->n - 1].number != number)
		add_span(d, number);
	d->span[d->n - 1].highest =
		most(d->span[d->n - 1].highest, d->committed - d->end);
}

/* The target's growth over the last three spans, or what there is of them. */
static double rate_of(const struct delivery *d)
{
	const struct delivery_span *from = &d->span[d->n - 1];
	int64_t ms;

	while (from > d->span && from[-1].number >= d->span[d->n - 1].number - 3)
		from--;
	ms = d->last_ms - from->first_ms;
	return ms < DELIVERY_RATE_MS ? NAN
				     : (double)(d->end - from->end) * 1000 / (double)ms;
}

struct delivered delivery_state(const struct delivery *d)
{
	struct delivered out = {.asked = true,
				.known = true,
				.end = d->end,
				.per_sec = rate_of(d),
				.missing = -1};

	if (d->n >= 4) {
		int64_t then = most(d->span[0].highest, d->span[1].highest);
		int64_t now =
			most(d->span[d->n - 2].highest, d->span[d->n - 1].highest);

		out.missing = most(0, now - then);
		out.consumed = d->committed - d->span[0].committed;
	}
	return out;
}
