/* SPDX-License-Identifier: MIT
 * rate: messages per second, the slope of a running total over the last 180 s. A plain
 * value without pointers; all zero is empty. Pure; times are milliseconds of one
 * clock. */
#ifndef MMLAG_LAG_RATE_H
#define MMLAG_LAG_RATE_H

#include <stdint.h>

#define RATE_SPAN_MS 180000
#define RATE_LEAST_MS 60000 /* no rate from less than this */
#define RATE_POINTS 24

struct rate {
	struct rate_point {
		int64_t time_ms;
		double total; /* messages since the beginning */
	} v[RATE_POINTS];     /* oldest first */
	int32_t n;
};

/* `more` messages were counted since the last call.  @thread any */
void rate_add(struct rate *r, double more, int64_t now_ms);

/* Messages per second, or NAN before RATE_LEAST_MS of history.  @thread any */
double rate_slope(const struct rate *r);

#endif
