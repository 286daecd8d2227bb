/* SPDX-License-Identifier: MIT
 * spool_history: the history of topics in a spool's file. Points come as blobs of a
 * minute, as sampled; later they are folded into blobs of an hour with a point a
 * minute, and those into blobs of a day with a point a quarter of an hour. Private to
 * collector/store. */
#ifndef MMLAG_STORE_SPOOL_HISTORY_INT_H
#define MMLAG_STORE_SPOOL_HISTORY_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "lag/history.h"
#include "store/spool.h"

/* The numbers are in the file. */
enum history_level {
	HISTORY_GAPS,    /* one gap a row */
	HISTORY_FINE,    /* points as sampled */
	HISTORY_MINUTES, /* a point a minute */
	HISTORY_COARSE,  /* a point a quarter of an hour */
	HISTORY_LEVELS,
};

struct history_scale {
	int64_t step_ms, block_ms; /* of a point, of a row */
	int64_t fold_after_ms;     /* into the next level; 0 never */
};

extern const struct history_scale history_scales[HISTORY_LEVELS];

/* Of which topic: any bytes. */
struct history_name {
	const char *bytes;
	size_t len;
};

/* Inside a transaction: write a row; one of the same topic, level and time is
 * replaced.  @thread store */
NODISCARD int spool_history_put(struct spool *s, struct history_name name,
				enum history_level level, struct wall t,
				const void *bytes, size_t len, struct err *err);

typedef void history_row(void *arg, struct wall t, const void *bytes, size_t len);

/* Hand the rows of a topic and level with `from` <= t <= `until` to `each`, oldest
 * first. spool_history_before: the last one with t < `from`.
 * @thread store */
NODISCARD int spool_history_read(struct spool *s, struct history_name name,
				 enum history_level level, struct wall from,
				 struct wall until, history_row *each, void *arg,
				 struct err *err);
NODISCARD int spool_history_before(struct spool *s, struct history_name name,
				   enum history_level level, struct wall from,
				   history_row *each, void *arg, struct err *err);

/* Is there something to fold or to drop at `now`?  @thread store */
bool spool_history_due(const struct spool *s, struct wall now);

/* Inside a transaction: a slice of it; `more` is set when another call is needed.
 * @thread store */
NODISCARD int spool_history_care(struct spool *s, struct wall now, bool *more,
				 struct err *err);

#endif
