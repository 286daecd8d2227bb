/* SPDX-License-Identifier: MIT
 * spool_rows: what a person does with rows: looks at them, sends dead letters again,
 * gives rows up. Private to collector/store. */
#ifndef MMLAG_STORE_SPOOL_ROWS_INT_H
#define MMLAG_STORE_SPOOL_ROWS_INT_H

#include <sqlite3.h>

#include "base/jsonw.h"
#include "base/metrics.h"
#include "store/spool.h"

/* A range of ids, walked in slices. */
struct spool_range {
	int64_t from, until; /* `from` advances */
	int64_t rows;        /* counts what was done */
	bool more;           /* another slice is needed */
};

/* Inside a transaction, a slice: dead letters become documents that wait, with ids from
 * *next_id on, which is counted up. They count as returned.
 * @thread store */
NODISCARD int spool_requeue(struct spool *s, struct spool_range *r, int64_t *next_id,
			    struct err *err);

/* Inside a transaction, a slice: dead letters go for good, or waiting documents, which
 * count as evicted.
 * @thread store */
NODISCARD int spool_drop_dead(struct spool *s, struct spool_range *r, struct err *err);
NODISCARD int spool_drop_waiting(struct spool *s, struct spool_range *r,
				 struct err *err);

/* Inside a transaction: a dead letter out of another file.  @thread store */
struct spool_dead {
	struct document document;
	int64_t at;
	int status;
	char *type, *reason;
};

NODISCARD int spool_insert_dead(struct spool *s, const struct spool_dead *d,
				struct err *err);

/* The largest id of a dead letter, 0 when there is none.  @thread store */
int64_t spool_last_dead(struct spool *s);

/* Inside a transaction: what the commit adds to a metric.  @thread store */
void spool_count(struct spool *s, enum metric m, int64_t n);

/* Which rows are looked at: the newest below an id, as long as there is room. */
struct spool_look {
	bool dead;
	bool negative;  /* write ids negated */
	int64_t before; /* below this id only */
	int64_t left;   /* rows that may still be written; counted down */
	int64_t room;   /* so may bytes of them: the row that passes it is the last */
	bool more;      /* out: there was no room for a further one */
};

/* Append rows to the open array of `w`, the newest first.
 * @thread any; the connection's */
NODISCARD int spool_rows_write(sqlite3 *db, struct spool_look *look, struct jsonw *w,
			       struct err *err);

/* The same for a spool.  @thread store */
NODISCARD int spool_rows(struct spool *s, struct spool_look *look, struct jsonw *w,
			 struct err *err);

#endif
