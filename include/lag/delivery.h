/* SPDX-License-Identifier: MIT
 * delivery: does what a mirror commits on the source arrive at the target? Base offsets
 * differ on the two sides, so growth is compared: committed minus target end, summed
 * over the topic (a mirror need not keep partitions).
 *
 * A mirror delivers all the time and commits now and then, so that the difference is a
 * saw: highest just after a commit, when everything delivered is committed. The tips
 * stay level as long as all arrives, and rise by what does not. So the highest of the
 * newest two spans is compared with the highest of the oldest two; a span must be at
 * least a commit interval. Pure. */
#ifndef MMLAG_LAG_DELIVERY_H
#define MMLAG_LAG_DELIVERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lag/reason.h"

#define DELIVERY_SPANS 11               /* looked back at */
#define DELIVERY_SPAN_MS INT64_C(60000) /* MirrorMaker's default commit interval */
#define DELIVERY_RATE_MS INT64_C(60000) /* no rate before that */

struct delivery_span {
	int64_t number; /* since the beginning */
	int64_t first_ms;
	int64_t committed, end; /* at its first look */
	int64_t highest;        /* of committed - end */
};

/* All zero: nothing was seen. */
struct delivery {
	int64_t span_ms; /* 0 before the first look */
	struct mono began;
	struct delivery_span span[DELIVERY_SPANS]; /* oldest first */
	int n;
	int64_t committed, end; /* at the last look */
	int64_t last_ms;
	int32_t committed_rows, end_rows;
};

/* One look at both sides: sums over the partitions, and over how many. */
struct delivery_look {
	int64_t committed, end;
	int32_t committed_rows, end_rows;
};

/* What is known of a topic's delivery. */
struct delivered {
	bool asked;       /* there is a target at all */
	struct gap gap;   /* why it was not read; REASON_NONE: it was, or not yet */
	bool known;       /* it was read at this sample: */
	int64_t end;      /* the sum of its end offsets */
	double per_sec;   /* NAN before DELIVERY_RATE_MS */
	int64_t missing;  /* messages committed in the window that did not arrive, -1
			   * before four spans */
	int64_t consumed; /* messages committed in the window */
};

/* Take in a look; `now` must not go backwards. Begins anew when a side goes back or has
 * another number of partitions: nothing can be compared then. A span is at least
 * DELIVERY_SPAN_MS and two intervals.
 * @thread the owner's */
void delivery_feed(struct delivery *d, const struct delivery_look *look,
		   int64_t interval_ms, struct mono now);

/* What is known at the last look, of which there is one.  @thread the owner's */
struct delivered delivery_state(const struct delivery *d);

#endif
