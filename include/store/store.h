/* SPDX-License-Identifier: MIT
 * store: everything durable, in one SQLite file owned by one thread. Documents pass
 * through it on their way to the index: the spool is the only queue.
 *
 *   append (any thread) → staging in memory → group commit within 200 ms → take
 *   (shipper) → settle (shipper) → gone, kept, or a dead letter with its reason.
 *
 * While the file cannot be written, the same schema lives in bounded memory, and the
 * file is tried again every 10 s. */
#ifndef MMLAG_STORE_STORE_H
#define MMLAG_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wake.h"
#include "document/bulk.h"
#include "document/document.h"
#include "lag/history.h"
#include "lag/reason.h"
#include "store/batch.h"
#include "store/question.h"
#include "store/record.h"

#define STORE_COMMIT_MS 200
#define STORE_REOPEN_MS 10000

struct store_limits {
	int64_t max_bytes;  /* of waiting documents' JSON; oldest dropped first */
	int64_t max_age_ms; /* of a waiting document */
	int64_t min_free;   /* bytes that the file system must keep free */
	int64_t dead_bytes; /* dead letters, oldest dropped first */
	int64_t dead_age_ms;
	int64_t staging_bytes; /* memory in front of the file */
	int64_t memory_bytes;  /* of the stand-in while the file cannot be written */
	int64_t history_bytes; /* of the topics' history, oldest dropped first */
	int64_t history_age_ms;
};

/* clang-format off */
#define STORE_LIMITS_DEFAULT                                                            \
	{1LL << 30, 7 * 86400000LL, 512LL << 20, 64LL << 20, 30 * 86400000LL,           \
	 32LL << 20, 64LL << 20, 256LL << 20, 30 * 86400000LL}
/* clang-format on */

struct store;

/* Open or create `dir`/mmlag.db. A file that is torn, foreign, or of a newer version is
 * renamed aside and never stops the start; one that cannot be written leaves the store
 * in memory; store_status tells. Only a lack of descriptors fails.
 * @thread main */
NODISCARD int store_open(struct store **out, const char *dir,
			 const struct store_limits *l, struct err *err);

/* What has become of the documents that waited at the end. */
struct store_end {
	int64_t stay;      /* in the file, for the next start */
	int64_t aside;     /* in files that were put aside by the end itself */
	int64_t lost;      /* in no file */
	bool unread;       /* the file could not be read: it may hold some of `lost` */
	char trouble[256]; /* why, "" when all is well */
	char set_aside[256]; /* name of the last file put aside, or "" */
};

/* Commit what is staged, move what is in memory to the file if that is possible, close,
 * and tell of it in `end` (NULL: do not). The store's thread must have ended. NULL is
 * legal for `s`; `end` is left alone then.
 * @thread main */
void store_close(struct store *s, struct store_end *end);

/* The store's own wake, for its actor loop, and for whoever stops it.  @thread any */
struct wake *store_wake(struct store *s);

/* One turn of the store's thread: commit, serve requests, enforce limits, try a failed
 * file again. Never blocks but on the disk. After the wake's stop flag it commits all
 * that is staged, answers, and is done; it may be resumed (wake_resume) and step on.
 * @thread store */
struct step store_step(struct store *s);

/* Take over `n` documents: on success they belong to the store and the array's elements
 * are zeroed. ERR_AGAIN when staging is full: the caller keeps them, stops reading, and
 * tries again; with `force` the oldest staged ones are dropped and counted as evicted
 * instead. An empty staging takes any number. Never touches the disk.
 * @thread any  @locks staging */
NODISCARD int store_append(struct store *s, struct document *docs, size_t n,
			   bool force);

/* A request slot: the shipper asks, the store's thread answers in its next step and
 * signals the asker's wake. One request may be open at a time.
 * store_take_ask: want up to `max_n` documents and `max_bytes` bytes of JSON. Taken
 * ones are not given out again until settled or released.
 * store_take_get: true when the answer is there (the batch may be empty), which the
 * caller then owns.
 * store_take_cancel: the asker's wake must outlive its request; this ends one that may
 * be open, and gives back what was taken for it.
 * @thread shipper  @locks staging */
void store_take_ask(struct store *s, struct wake *asker, enum store_range range,
		    size_t max_n, size_t max_bytes);
bool store_take_get(struct store *s, struct store_batch *out);
void store_take_cancel(struct store *s);

/* What became of taken documents. For BULK_RETRY one is released for a later take, and
 * counted as retried when the verdict has a status (it was the server that said so);
 * BULK_REJECT makes it a dead letter with status, type and reason. The verdicts are
 * copied and go into the store's next group commit; returns at once. One that was
 * dropped by a limit meanwhile, or settled before, is passed over.
 * @thread shipper  @locks staging */
void store_settle(struct store *s, const int64_t *rows,
		  const struct bulk_item *verdicts, size_t n);

/* Everything that waits now becomes backlog (an outage is over or begins).
 * @thread shipper  @locks staging */
void store_mark_backlog(struct store *s);

/* Write a record in the next group commit, or with `bytes` NULL delete it. The bytes
 * are copied; a later call for the same record wins. Returns at once; never fails, and
 * while the file cannot be written the record is kept in memory.
 * @thread any  @locks staging */
void store_put(struct store *s, enum store_kind kind, const char *key,
	       const void *bytes, size_t len);

/* Hand all records of a kind to `each`, in order of the key: for the start. A file that
 * cannot be read then has none, and they stay in it until somebody puts them anew.
 * @thread main, before the store's thread runs */
void store_each(struct store *s, enum store_kind kind, store_record *each, void *arg);

/* A topic's history. `p` is copied; merged with others of the same ten seconds. A gap
 * lasts until the next point of the topic, or until another reason is told. Never
 * fails: while the file cannot be written some megabytes are kept, then the oldest are
 * dropped.
 * @thread any  @locks staging */
struct store_topic {
	const char *cluster, *group, *topic; /* NULL is "" */
};

void store_history_add(struct store *s, const struct store_topic *of,
		       const struct history_point *p);
void store_history_gap(struct store *s, const struct store_topic *of, struct wall from,
		       const struct gap *gap);

/* Ask; the question belongs to the store until its `done` is called, which happens
 * before store_close has returned. Returns its number, for store_cancel.
 * @thread any  @locks staging */
int64_t store_ask(struct store *s, struct store_question *q);

/* True: `done` will not be called, and the question is gone or will be; what had been
 * begun in the file may yet be finished. False: `done` has been called or is being
 * called at this moment by the store's thread.
 * @thread any  @locks staging */
bool store_cancel(struct store *s, int64_t number);

struct store_status {
	int64_t documents, bytes; /* waiting, staged ones included */
	int64_t backlog;          /* documents of them that are backlog */
	struct wall oldest;       /* 0 when none waits */
	int64_t dead, dead_bytes;
	bool degraded;       /* in memory */
	char trouble[256];   /* why, "" when all is well */
	char set_aside[256]; /* name of the last file put aside, or "" */
};

/* A copy of the state, kept by the store's thread.  @thread any  @locks staging */
void store_status(struct store *s, struct store_status *out);

#endif
