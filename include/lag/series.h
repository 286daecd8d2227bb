/* SPDX-License-Identifier: MIT
 * series: one partition over time, made of polled samples, and the verdict on it. The
 * samples become what Burrow's rules expect, a window of commits: a record for each
 * offset that was seen to change, and one at each sample while a member owns the
 * partition, as a live owner that does not move would commit the same offset again.
 * A plain value without pointers, of about 1 KiB. Pure; times are milliseconds of the
 * monotonic clock. */
#ifndef MMLAG_LAG_SERIES_H
#define MMLAG_LAG_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "lag/assess.h"
#include "lag/rules.h"
#include "lag/sample.h"
#include "lag/timelag.h"

#define SERIES_SPANS 12 /* commits closer than a 12th of the window are merged */
/* Those, and room for steps back, which are never merged. */
#define SERIES_RECORDS ASSESS_COMMITS_MAX

/* The lags of some samples in a row, where the source tells no offsets. */
struct lag_span {
	int64_t time_ms; /* of the first */
	int64_t low, high;
};

struct series {
	int32_t partition;
	int32_t n; /* records, oldest first; one may be older than the window */
	bool only_lags;
	bool ownerless, rebalancing; /* in the newest sample */
	int64_t since_ms;            /* observed without a break since */
	int64_t seen_ms;             /* the newest sample */
	int64_t gap_ms;       /* between the last two samples: some are taken rarely */
	int64_t owned_ms;     /* has had an owner since, -1 has none */
	int64_t changed_ms;   /* the offset is as it is since */
	struct partition row; /* as last seen; what can be derived is filled in */
	union {
		struct commit commits[SERIES_RECORDS];
		struct lag_span spans[SERIES_RECORDS]; /* only_lags */
	};
	struct log_ends ends;
	struct timelag timelag;
};

/* Nothing is known yet.  @thread any */
void series_init(struct series *s, int32_t partition, int64_t now_ms);

/* Take in this partition's row of a sample; `now_ms` must not go backwards.
 * @thread the owner's */
void series_feed(struct series *s, const struct assess_rules *rules,
		 const struct sample *from, const struct partition *row,
		 int64_t now_ms);

/* The rule that decides, as of the newest sample.  @thread the owner's */
enum rule series_judge(const struct series *s, const struct assess_rules *rules);

/* All that is known of it, as of the newest sample.  @thread the owner's */
struct partition_state series_state(const struct series *s,
				    const struct assess_rules *rules);

#endif
