/* SPDX-License-Identifier: MIT
 * spool_int: what the files of spool share: spool_open.c (the file, its books),
 * spool.c (transactions, taking), spool_care.c (limits, moving, housekeeping) and
 * spool_record.c. Private to collector/store. */
#ifndef MMLAG_STORE_SPOOL_INT_H
#define MMLAG_STORE_SPOOL_INT_H

#include <sqlite3.h>

#include "base/metrics.h"
#include "flight_int.h"
#include "share_int.h"
#include "store/spool.h"

#define SPOOL_CHECKPOINT_PAGES 1000

enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_BOOKS,
	ST_INSERT,
	ST_DELETE,
	ST_HEAD,
	ST_TAKE,
	ST_WHO,
	ST_BURY,
	ST_DEAD_HEAD,
	ST_DEAD_DROP,
	ST_DEAD_READ,
	ST_DEAD_INSERT,
	ST_DEAD_RANGE,
	ST_DEAD_DELETE,
	ST_RANGE,
	ST_OF_TOPIC,
	ST_WALK,
	ST_PUT,
	ST_FORGET,
	ST_RECORDS,
	ST_SERIES_ADD,
	ST_HISTORY_OLD,
	ST_HISTORY_PUT,
	ST_HISTORY_READ,
	ST_HISTORY_BEFORE,
	ST_HISTORY_HEAD,
	ST_HISTORY_DROP,
	ST_SERIES_SWEEP,
	ST_FOLD_NEXT,
	ST_FOLD_READ,
	ST_FOLD_DELETE,
	ST_FOLD_PUT,
	ST_COUNT
};

struct books {
	struct spool_totals totals;
	int64_t next_id;
	int64_t counted[METRIC_COUNT]; /* what the transaction adds to the metrics */
};

/* Ids of documents. */
struct spool_ids {
	int64_t *v;
	size_t n, cap;
};

struct spool {
	char *path; /* NULL: in memory */
	struct spool_limits limits;
	sqlite3 *db; /* NULL while suspended */
	sqlite3_stmt *st[ST_COUNT];
	struct books now, committed;
	struct books tried;     /* by a commit that failed; next_id 0: none */
	struct spool_ids fresh; /* inserted in the last transaction */
	struct spool_ids disowned;
	struct spool_totals
		alien; /* the disowned that are in the file, not undone yet */
	struct flights flights;
	struct shares shares;
	int64_t boundary;
	struct wall oldest, scanned, history_care;
	int wal_pages, checkpoint_at;
	bool vacuuming, swept; /* no series is without history */
};

/* Bind the limit of a statement that reads the oldest rows.  @thread store */
sqlite3_stmt *spool_head(struct spool *s, enum statement which, int64_t limit);

/* Has the statement one more row? When not, it is reset; `*result` changes only when
 * that was an error.
 * @thread store */
bool spool_row(sqlite3_stmt *st, int *result, struct err *err);

/* The document in columns `first` and on of a row: topic, t, doc_id, doc.
 * @thread store */
struct document spool_row_document(sqlite3_stmt *st, int first);

/* Take a document out of the books: one of a topic that has this share.
 * @thread store */
void spool_strike(struct spool *s, int64_t id, int64_t bytes, struct share *of);

/* The share of the topic in this column of a row.  @thread store */
struct share *spool_share(struct spool *s, sqlite3_stmt *st, int column);

/* Read anew when the first waiting document was taken.  @thread store */
NODISCARD int spool_read_oldest(struct spool *s, struct err *err);

/* Delete documents by id: a range, or sorted ids with one statement for each run
 * without a gap. The books are the caller's affair.
 * @thread store */
NODISCARD int spool_delete(struct spool *s, int64_t first, int64_t last,
			   struct err *err);
NODISCARD int spool_delete_ids(struct spool *s, const int64_t *ids, size_t n,
			       struct err *err);

/* Add what a transaction counted to the metrics.  @thread store */
void spool_publish(struct books *b);

/* What a verdict counts as.  @thread any */
enum metric spool_metric(enum bulk_verdict v);

#endif
