/* SPDX-License-Identifier: MIT
 * history: what a topic's lag was, as points over time, and their compact form. A point
 * stands for a span: where several fall into one, the largest lags and the worst status
 * stay, and the mean of the rates. Pure; hostile bytes are refused, never believed. */
#ifndef MMLAG_LAG_HISTORY_H
#define MMLAG_LAG_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "lag/assess.h"
#include "lag/reason.h"
#include "lag/rules.h"
#include "lag/sample.h"

/* Lags beyond this are kept as this. */
#define HISTORY_LAG_MAX (INT64_C(1) << 61)

struct history_lag {
	int32_t partition;
	bool known; /* false: the row was there without a lag */
	int64_t lag;
};

struct history_point {
	struct wall t;
	bool has_lag; /* false: lag_sum and lag_max mean nothing */
	int64_t lag_sum, lag_max;
	int64_t time_lag_ms;       /* -1 unknown */
	double produced, consumed; /* messages per second, NAN unknown */
	int32_t merged;            /* so many are in the means of the rates */
	enum verdict status;
	struct history_lag *lags; /* by partition; owned */
	size_t n;
};

struct history_points {
	struct history_point *v;
	size_t n, cap;
};

/* Free what they hold; empty afterwards.  @thread any */
void history_point_fini(struct history_point *p);
void history_points_fini(struct history_points *h);

/* The point of a sample.  The caller ends it.  @thread any */
struct history_point history_point_of(const struct sample *s,
				      const struct assessment *a);

/* Take over a point, which is all zero afterwards: merged with the last one when both
 * lie in the same span of `step_ms` since 1970.
 * @thread any */
void history_put(struct history_points *h, struct history_point *p, int64_t step_ms);

/* Sort by time and merge into spans, each of which has its beginning as time.
 * @thread any */
void history_thin(struct history_points *h, int64_t step_ms);

/* Append the compact form. Fails only by the limit of `out`.  @thread any */
void history_encode(const struct history_points *h, struct buf *out);

/* Append the points of a compact form. Returns 0, or -1 with nothing appended when it
 * is none.
 * @thread any */
NODISCARD int history_decode(const void *bytes, size_t len, struct history_points *h);

/* A time without data. */
struct history_gap {
	struct wall from;
	struct wall until; /* 0 while it lasts */
	char reason[32];
	char message[REASON_MESSAGE_MAX + 1];
};

/* The compact form leaves out `from`, which must be given again.  @thread any */
void history_encode_gap(const struct history_gap *g, struct buf *out);
NODISCARD int history_decode_gap(const void *bytes, size_t len, struct wall from,
				 struct history_gap *g);

#endif
