/* SPDX-License-Identifier: MIT
 * objectives: which share of the time each topic with an objective has kept it. What is
 * counted lives in the store. Not here: the counting itself (lag/objective). */
#ifndef MMLAG_ALARM_OBJECTIVES_H
#define MMLAG_ALARM_OBJECTIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alarm/condition.h"
#include "base/buf.h"
#include "board/board.h"
#include "store/store.h"

struct objectives_entry;

struct objectives {
	struct objectives_entry *v;
	size_t n, cap;
	uint64_t look; /* counts them */
};

/* Read what the store kept, into an empty one.
 * @thread main, before the store's thread runs */
void objectives_restore(struct objectives *o, struct store *store);
void objectives_fini(struct objectives *o); /* @thread any */

/* What was so at the look before, at `from_ms`, was so until now, at `to_ms`. Calls
 * `each` for every topic that has an objective.
 * @thread alarm */
void objectives_look(struct objectives *o, const struct board_views *views,
		     int64_t from_ms, int64_t to_ms, condition_each *each, void *arg);

/* Append what docs/api.md has under "objectives".  @thread alarm */
void objectives_show(const struct objectives *o, int64_t now_ms, struct buf *out);

/* Write what has changed, and forget what counts no more.  @thread alarm */
void objectives_save(struct objectives *o, struct store *store, int64_t now_ms);

#endif
