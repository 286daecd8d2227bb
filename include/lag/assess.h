/* SPDX-License-Identifier: MIT
 * assess: what a topic's samples say over time: verdicts, rates, time lag. Owns the
 * series of all its partitions; fed with every sample, and asked in between. Pure:
 * time comes in as arguments. The arithmetic of the verdicts is in rules, of the
 * windows in series, of the time lag in timelag. */
#ifndef MMLAG_LAG_ASSESS_H
#define MMLAG_LAG_ASSESS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "lag/delivery.h"
#include "lag/rules.h"
#include "lag/sample.h"
#include "lag/timelag.h"

struct assess_rules {
	int64_t window_ms;       /* rules.window, default 10 minutes */
	int64_t min_distance_ms; /* rules.min_distance, default 1 s */
	int64_t allowed_lag;     /* rules.allowed_lag, messages, default 0 */
	double minimum_complete; /* rules.minimum_complete, 0..1, default 0.5 */
};

#define ASSESS_RULES_DEFAULT         \
	{                            \
		600000, 1000, 0, 0.5 \
	}

/* What is known of a topic at one time. Numbers that are not known are NAN, or -1 for
 * times. */
struct assessment {
	enum verdict status; /* OK, WARN or ERR */
	const char *rule; /* of the worst partition: a static name as `mmlag judge` has
			     it */
	int32_t worst;    /* that partition, the lowest of equals; -1 there is none */
	int64_t time_lag_ms; /* the largest of the partitions, -1 unknown */
	enum timelag_kind time_lag_kind;
	double produced_per_sec,
		consumed_per_sec; /* slopes over 180 s; NAN before 60 s */
	int64_t drain_ms; /* -1: not draining, not known, or more than ten years */
	struct delivered delivered; /* filled in by whoever asks the target */
};

#define ASSESSMENT_INIT                                                       \
	{                                                                     \
		VERDICT_OK, "incomplete", -1, -1, TIMELAG_NONE, NAN, NAN, -1, \
		{                                                             \
			0                                                     \
		}                                                             \
	}

#define ASSESS_PARTITIONS_MAX 10000 /* further ones are not judged: 1 KiB each */

#define ASSESS_COMMITS_MAX 16

/* What is known of one partition at its last sample. Times are milliseconds of the
 * monotonic clock. */
struct partition_state {
	int32_t number;
	enum rule rule; /* that decided, with its verdict */
	enum verdict verdict;
	double complete;     /* share of the window that was observed, 0..1 */
	int64_t time_lag_ms; /* -1 unknown */
	enum timelag_kind time_lag_kind;
	bool ownerless;       /* the source shows members, and it has none */
	int64_t unchanged_ms; /* how long the committed offset has stood */
	int32_t n_commits;    /* the window as the rules saw it, oldest first */
	struct commit commits[ASSESS_COMMITS_MAX];
};

struct assess;

/* @thread any; each belongs to one */
struct assess *assess_new(const struct assess_rules *rules);
void assess_free(struct assess *a);

/* Take in a sample; only its partitions count from now on. `now` is the monotonic time
 * that belongs to s->taken: for a backlog after a hold-up it lies in the past, and must
 * not go backwards from call to call.
 * @thread the owner's */
void assess_feed(struct assess *a, const struct sample *s, struct mono now);

/* Take in a look at the mirror's other side, which belongs to the last sample fed, and
 * say what is known of the delivery.  @thread the owner's */
struct delivered assess_deliver(struct assess *a, const struct delivery_look *look,
				int64_t interval_ms, struct mono now);

/* The state at the last sample: nothing is known of the time since. Where that sample
 * is older than the window, nothing is known at all (ASSESSMENT_INIT). Costs nothing.
 * @thread the owner's */
struct assessment assess_look(const struct assess *a, struct mono now);

/* One partition at the last sample; false where it was not in that, or is not judged.
 * @thread the owner's */
bool assess_partition(const struct assess *a, int32_t partition,
		      struct partition_state *out);

#endif
