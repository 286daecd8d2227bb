/* SPDX-License-Identifier: MIT
 * history: the newest points of all topics, on their way to the file: gathered for a
 * minute, packed, and kept until a commit has taken them. Private to collector/store.
 */
#ifndef MMLAG_STORE_HISTORY_INT_H
#define MMLAG_STORE_HISTORY_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lag/history.h"
#include "spool_history_int.h"

/* What a tailer has told: a point or the beginning of a gap. */
struct history_event {
	char *name; /* cluster, group, topic, with NUL between them */
	size_t len;
	struct history_point point;
	struct history_gap *gap; /* NULL: it is a point */
};

struct history_events {
	struct history_event *v;
	size_t n, cap;
	int64_t bytes;
};

void history_event_fini(struct history_event *e);   /* @thread any */
void history_events_fini(struct history_events *e); /* @thread any */

struct history_series {
	char *name;
	size_t len;
	struct history_points minute; /* under way */
	struct history_gap gap;       /* from 0: has data */
};

/* A row that the file has not got yet. */
struct history_blob {
	const struct history_series *of;
	enum history_level level;
	struct wall t;
	struct buf bytes;
};

struct history {
	struct history_series **v; /* by name */
	size_t n, cap;
	struct history_blob *waiting; /* [head, head + waits) */
	size_t head, waits, waiting_cap;
	int64_t waiting_bytes;
};

/* @thread store */
void history_fini(struct history *h);

/* Take in what was told; `e` is empty afterwards.  @thread store */
void history_take(struct history *h, struct history_events *e);

/* Pack the minutes that are over by `now`; all of them with `whole`.  @thread store */
void history_pack(struct history *h, struct wall now, bool whole);

/* Inside a transaction: write a slice of what waits; *n of it when that succeeded,
 * which are forgotten with history_written after the commit.
 * @thread store */
NODISCARD int history_write(const struct history *h, struct spool *s, size_t *n,
			    struct err *err);
void history_written(struct history *h, size_t n);

/* Append the answer: {"step_ms":…,"points":…,"lags":…,"gaps":…}. `s` may be NULL: the
 * file cannot be read now.
 * @thread store */
NODISCARD int history_answer(const struct history *h, struct spool *s,
			     struct history_name name, struct wall since,
			     struct wall until, struct buf *out, struct err *err);

#endif
