/* SPDX-License-Identifier: MIT
 * spool: one database of waiting documents and dead letters, on disk or in memory, for
 * one thread. What a transaction changes shows in the books (totals, documents in
 * flight, metrics) when its commit has succeeded, and not before.
 * Not here: threads and staging (store), which database is used when (pair). */
#ifndef MMLAG_STORE_SPOOL_H
#define MMLAG_STORE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "document/bulk.h"
#include "document/document.h"
#include "store/batch.h"
#include "store/record.h"

#define SPOOL_APPLICATION_ID 0x6d6d6c67 /* "mmlg" */
#define SPOOL_VERSION 2
#define SPOOL_ID_MAX (INT64_C(1) << 61)
#define SPOOL_FLIGHT_MAX 65536 /* documents taken and not yet settled */

/* What is wrong with a database; in err.code of every failure below. */
enum spool_fault {
	SPOOL_FULL = 1, /* the same call may succeed when there is room */
	SPOOL_IO,       /* cannot be read, written or opened now */
	SPOOL_FSYNC,    /* what was written may be lost: give this file up */
	SPOOL_DAMAGED,  /* no database, torn, or without our tables */
	SPOOL_FOREIGN,  /* a database of another program */
	SPOOL_NEWER,    /* of a later version of this program */
};

struct spool_limits {
	int64_t max_bytes, max_age_ms;
	int64_t dead_bytes, dead_age_ms;
	int64_t max_pages; /* of a database in memory */
	int64_t history_bytes, history_age_ms;
};

struct spool_totals {
	int64_t documents, bytes; /* bytes of JSON */
	int64_t backlog;          /* of the documents: those up to the boundary */
	int64_t dead, dead_bytes;
	int64_t history_bytes; /* with a little for each row */
};

struct spool;

/* Open or create `path`; NULL is a database in memory. Everything found is backlog.
 * @thread store */
NODISCARD int spool_open(struct spool **out, const char *path,
			 const struct spool_limits *l, struct err *err);

/* Close, with a checkpoint. NULL is legal.  @thread store */
void spool_close(struct spool *s);

/* Let go of the file after trouble, without writing to it; the books stay. Until
 * spool_resume has succeeded only spool_totals, spool_release, spool_abandon and
 * spool_close may be called. A commit that had failed and is found to stand counts.
 * Documents that are missing after a resume count as evicted.
 * @thread store */
void spool_suspend(struct spool *s);
NODISCARD int spool_resume(struct spool *s, struct err *err);

/* The name to give to the next document: larger than all that were ever inserted.
 * @thread store */
int64_t spool_next_id(const struct spool *s);

/* As of the last commit.  @thread store */
struct spool_totals spool_totals(const struct spool *s);

/* Time stamp of the first waiting document, 0 when none waits.  @thread store */
struct wall spool_oldest(const struct spool *s);

/* Was the file removed or replaced under us?  @thread store */
bool spool_moved(struct spool *s);

/* All that waits now is backlog, and so is what is inserted with an id up to
 * `boundary`.
 * @thread store */
void spool_set_boundary(struct spool *s, int64_t boundary);

/* A transaction. When one of the calls between fails, or the commit itself, the caller
 * calls spool_rollback, and all is as before the begin; nothing is given out of memory
 * before the commit has returned 0.
 * @thread store */
NODISCARD int spool_begin(struct spool *s, struct err *err);
NODISCARD int spool_commit(struct spool *s, struct err *err);
void spool_rollback(struct spool *s);

/* After a transaction that failed: the documents that it was to insert go another way.
 * Its commit may stand all the same, which is seen when the file is opened again, by
 * spool_resume; spool_undo then takes them out, uncounted. Until another commit has
 * succeeded it may be called again.
 * @thread store */
void spool_disown(struct spool *s);
NODISCARD int spool_undo(struct spool *s, struct err *err);

/* Inside a transaction: add a document, which stays the caller's. `id` must not be in
 * use.
 * @thread store */
NODISCARD int spool_insert(struct spool *s, int64_t id, const struct document *d,
			   struct err *err);

/* Inside a transaction: write a record, or delete it.  @thread store */
NODISCARD int spool_put(struct spool *s, const struct record *r, struct err *err);

#define SPOOL_ALL_KINDS (-1)

/* Add all records of a kind to `out`: what could be read, after a failure too.
 * @thread store */
NODISCARD int spool_records(struct spool *s, int kind, struct records *out,
			    struct err *err);

/* What became of a taken document, all but BULK_RETRY. */
struct spool_verdict {
	int64_t id;
	enum bulk_verdict verdict;
	int status;
	char *type, *reason; /* NULL for none; the caller's */
};

/* Inside a transaction: forget what is done, bury what is rejected. Rows that are not
 * in flight (dropped meanwhile, or settled twice) are passed over.
 * @thread store */
NODISCARD int spool_settle(struct spool *s, const struct spool_verdict *v, size_t n,
			   struct wall now, struct err *err);

/* Inside a transaction: drop what the limits do not allow, oldest first, a slice of it;
 * `more` when another call is needed. What is in flight is dropped too: it is counted
 * here, and its verdict is passed over later.
 * @thread store */
NODISCARD int spool_limit(struct spool *s, struct wall now, bool *more,
			  struct err *err);

/* Is there something for spool_limit to drop at `now`?  @thread store */
bool spool_over_limit(const struct spool *s, struct wall now);

/* Inside a transaction: drop the `n` oldest (a slice at most), as evicted.
 * @thread store */
NODISCARD int spool_evict(struct spool *s, int64_t n, struct err *err);

/* Take documents of a range, oldest first, passing over those in flight; they are in
 * flight then. At least one when there is one, however large. `out` must be empty.
 * @thread store */
NODISCARD int spool_take(struct spool *s, enum store_range range, size_t max_n,
			 size_t max_bytes, struct store_batch *out, struct err *err);

/* Give a taken document back; false when it was not in flight.  @thread store */
bool spool_release(struct spool *s, int64_t id);

/* Move a slice of what is not in flight, dead letters at the end, in transactions of
 * its own. A row keeps its id where that is free in `to`, else it gets `*next_id`,
 * which is counted up. `more` when another call is needed.
 * @thread store */
NODISCARD int spool_move(struct spool *from, struct spool *to, int64_t *next_id,
			 bool *more, struct err *err);

/* How many of the documents in `from` are not in `to` as well, where a move or a commit
 * that failed half-way may have left them.
 * @thread store */
NODISCARD int spool_absent(struct spool *from, struct spool *to, int64_t *absent,
			   struct err *err);

/* A database is given up with what is in it: count the verdicts that could not be
 * written, and the other documents as evicted, but for `held`, which another file
 * holds too. Returns how many were evicted.
 * @thread store */
int64_t spool_abandon(struct spool *s, const struct spool_verdict *v, size_t n,
		      int64_t held);

/* Copy the write-ahead log into the file when it has grown; when `thorough` (every few
 * seconds), copy whatever is in it, and give a slice of many free pages back to the
 * file system. `more` when another thorough call is needed at once.
 * @thread store */
NODISCARD int spool_tidy(struct spool *s, bool thorough, bool *more, struct err *err);

#endif
