/* SPDX-License-Identifier: MIT
 * sample: what one look at one topic found. A plain value; rows stand in order of the
 * partition number, each number once. */
#ifndef MMLAG_LAG_SAMPLE_H
#define MMLAG_LAG_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define PARTITION_NUMBER_MAX 999999 /* a larger number is no partition but garbage */
#define TOPIC_NAME_MAX 249          /* bytes */

/* One partition's row. What the CLI shows as '-' or "unknown" has no value: the flag
 * is false and the number means nothing. All numbers are messages. */
struct partition {
	int32_t number;
	bool has_committed, has_end, has_lag;
	int64_t committed; /* the group's committed offset (CURRENT-OFFSET) */
	int64_t end;       /* log end offset */
	int64_t lag;       /* as printed: may be negative */
	uint64_t member;   /* hash of the consumer id, 0 for no member or not known */
};

enum group_state { GROUP_UNKNOWN, GROUP_STABLE, GROUP_REBALANCING, GROUP_EMPTY };

struct sample {
	struct wall taken;
	int64_t sample_ms; /* how long the run took, -1 unknown */
	enum group_state state;
	int32_t members;        /* distinct members of the group, -1 unknown */
	bool knows_members;     /* the source shows which partition has a member */
	struct partition *rows; /* owned */
	size_t n;
};

#define SAMPLE_INIT                                        \
	{                                                  \
		{0}, -1, GROUP_UNKNOWN, -1, false, NULL, 0 \
	}

/* Sums over the rows that have a lag. */
struct lag_totals {
	size_t with_lag; /* 0: the rest means nothing */
	int64_t sum;     /* saturates at the ends of int64 */
	int64_t max;
	int32_t max_partition; /* the lowest number where the maximum is met */
};

/* Free the rows; the struct is SAMPLE_INIT afterwards.  @thread any */
void sample_fini(struct sample *s);

/* A deep copy; the caller ends it with sample_fini.  @thread any */
struct sample sample_copy(const struct sample *s);

/* @thread any */
struct lag_totals sample_totals(const struct sample *s);

/* "stable", "rebalancing", "empty", "unknown".  @thread any */
const char *group_state_name(enum group_state s);

/* May Kafka have a topic of this name: [a-zA-Z0-9._-]{1,249}, but "." and ".."?
 * @thread any */
bool topic_name_valid(const char *name, size_t len);

#endif
