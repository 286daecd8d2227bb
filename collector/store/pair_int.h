/* SPDX-License-Identifier: MIT
 * pair: the spool's file and its stand-in in memory. What cannot go to the file goes to
 * memory, and is moved when the file is back; verdicts wait for the database that they
 * belong to. Nothing here fails: at worst documents are dropped, and counted.
 * All of it belongs to the store's thread. Private to collector/store. */
#ifndef MMLAG_STORE_PAIR_INT_H
#define MMLAG_STORE_PAIR_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "history_int.h"
#include "room_int.h"
#include "store/spool.h"
#include "store/store.h"

enum pair_side { PAIR_FILE, PAIR_MEMORY, PAIR_SIDES };

struct pair_verdicts {
	struct spool_verdict *v; /* owns its strings */
	size_t n, cap;
};

struct pair {
	char *dir, *path;
	struct store_limits limits;
	struct spool *db[PAIR_SIDES]; /* NULL: not open */
	struct pair_verdicts pending[PAIR_SIDES];
	struct records records; /* not in the file yet */
	struct history history; /* the newest of it */
	int64_t next_id;        /* larger than any id in use */
	int64_t boundary;       /* documents up to here are backlog */
	bool found;     /* the file was open before: it is known what was in it */
	bool failed;    /* the file is left alone until retry_at */
	bool suspended; /* and its connection is closed */
	bool no_room;   /* only deleting is allowed: min_free */
	const char *aside_due; /* the file has yet to be renamed, and why */
	struct mono retry_at, tick_at;
	int64_t retry_ms;
	int64_t left_aside; /* documents in files that were given up */
	int calm;           /* ticks since the last trouble with the file */
	bool more, tidying; /* slices are left to do */
	char trouble[256], set_aside[256];
};

/* @thread main, before the store's thread */
void pair_open(struct pair *p, const char *dir, const struct store_limits *l);

/* Move what is in memory to the file, if that is possible at last, close, and tell
 * what has become of it.
 * @thread main, after the store's thread */
void pair_close(struct pair *p, struct store_end *end);

/* What waits now, and what will come with an id up to `boundary`, is backlog.
 * @thread store */
void pair_set_boundary(struct pair *p, int64_t boundary);

/* Note a verdict for the next commit; a retry takes effect at once. Takes over the two
 * strings.
 * @thread store */
void pair_verdict(struct pair *p, int64_t row, enum bulk_verdict verdict, int status,
		  char *type, char *reason);

/* Note records for the next commit, which takes them over.  @thread store */
void pair_put(struct pair *p, struct records *r);

/* Take in what tailers told of their topics.  @thread store */
void pair_history(struct pair *p, struct history_events *e);

/* The file, while it can be used; else NULL.  @thread store */
struct spool *pair_file(const struct pair *p);

/* After any failure of the file, with its transaction rolled back.  @thread store */
void pair_file_fault(struct pair *p, struct err *err);

/* All records of a kind, those noted included; `out` must be empty.
 * @thread main, before the store's thread */
void pair_records(struct pair *p, enum store_kind kind, struct records *out);

/* What one transaction wrote beside documents: to be forgotten after its commit. */
struct pair_written {
	size_t records, rows;
};

/* Is there something beside documents that the file would take?  @thread store */
bool pair_has_beside(const struct pair *p);

/* Inside a transaction of the file: a slice of the records and of the history, and of
 * the care for the latter; `more` is set when it needs another.  @thread store */
NODISCARD int pair_write_beside(struct pair *p, struct wall now, struct pair_written *x,
				bool *more, struct err *err);

/* Records are small and dear: save those of a file that is given up for the next one,
 * as far as they can be read.  @thread store */
void pair_rescue_records(struct pair *p);

/* Commit `n` documents, which get the ids from `first_id` (>= next_id) on and stay the
 * caller's, and the verdicts noted.
 * @thread store */
void pair_commit(struct pair *p, const struct document *docs, size_t n,
		 int64_t first_id);

/* Take documents for sending; `out` must be empty.  @thread store */
void pair_take(struct pair *p, enum store_range range, size_t max_n, size_t max_bytes,
	       struct store_batch *out);

/* Limits, a failed file, moving, housekeeping: what is due of it, in slices. Returns
 * when to call again.
 * @thread store */
struct mono pair_tend(struct pair *p);

/* Both together, as of the last commits.  @thread store */
void pair_status(const struct pair *p, struct store_status *out);

#endif
