/* SPDX-License-Identifier: MIT
 * spool_care: the part of spool that keeps a database within its limits, moves rows
 * from one to the other, and looks after the file. Everything is done in slices, so
 * that the store's thread is never away for long. */
#include "store/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

#define SLICE_ROWS 2000        /* dropped or moved in one transaction */
#define SLICE_BYTES (4L << 20) /* moved in one transaction */
#define WALK_SLICES 16         /* at once, where dropping cannot wait */
#define EXPIRE_ROWS 500        /* looked at for their age, from the oldest on */
#define SCAN_MS 60000          /* between looks behind the oldest one */
#define VACUUM_FROM 1024       /* free pages: 4 MiB */
#define VACUUM_SLICE 512

/* Limits */

/* Somebody removed rows by hand while we had the file open. */
static void believe_empty(struct spool *s)
{
	struct spool_totals *t = &s->now.totals;

	s->now.counted[METRIC_DOC_EVICTED] += t->documents;
	t->documents = t->bytes = t->backlog = 0;
	flights_mark_through(&s->flights, INT64_MAX);
	shares_reset(&s->shares, true);
}

/* Count a slice of what each topic has of the spool: once a life at most, and only
 * where it may come to dropping. */
static int walk(struct spool *s, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_WALK];
	int64_t n = 0;
	int result = 0;

	sqlite3_bind_int64(st, 1, s->shares.walked);
	sqlite3_bind_int64(st, 2, SLICE_ROWS);
	while (spool_row(st, &result, err)) {
		shares_walk(&s->shares, spool_share(s, st, 1),
			    sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 2));
		n++;
	}
	if (result == 0 && n < SLICE_ROWS)
		shares_walk(&s->shares, NULL, INT64_MAX, 0);
	return result;
}

/* As drop_oldest, among the documents of one topic, and until `excess` bytes of it are
 * gone; `n` is how many were found. */
static int drop_oldest_of(struct spool *s, struct share *of, int64_t rows,
			  int64_t bytes, int64_t excess, int64_t *n, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_OF_TOPIC];
	int64_t *ids = mem_calloc(SLICE_ROWS, sizeof(*ids));
	int64_t sum = 0;
	int result = 0;

	*n = 0;
	sqlite3_bind_int64(st, 1, of->from);
	sqlite3_bind_text(st, 2, of->topic, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, SLICE_ROWS);
	while (*n < SLICE_ROWS && sum < excess && (*n < rows || sum < bytes) &&
	       spool_row(st, &result, err)) {
		int64_t id = sqlite3_column_int64(st, 0);
		int64_t size = sqlite3_column_int64(st, 1);
		struct flight *f = flights_find(&s->flights, id);

		if (f != NULL)
			f->marked = true;
		spool_strike(s, id, size, of);
		sum += size;
		ids[(*n)++] = id;
	}
	sqlite3_reset(st);
	if (*n > 0)
		of->from = ids[*n - 1] + 1;
	s->now.counted[METRIC_DOC_EVICTED] += *n;
	if (result == 0)
		result = spool_delete_ids(s, ids, (size_t)*n, err);
	free(ids);
	return result;
}

/* Drop the oldest until `rows` and `bytes` are gone, or a slice. */
static int drop_oldest(struct spool *s, int64_t rows, int64_t bytes, struct err *err)
{
	sqlite3_stmt *st = spool_head(s, ST_HEAD, SLICE_ROWS);
	int64_t n = 0, sum = 0, last = 0;
	int result = 0;

	while ((n < rows || sum < bytes) && spool_row(st, &result, err)) {
		int64_t size = sqlite3_column_int64(st, 2);

		last = sqlite3_column_int64(st, 0);
		spool_strike(s, last, size, spool_share(s, st, 3));
		sum += size;
		n++;
	}
	sqlite3_reset(st);
	if (result == 0 && n == 0)
		believe_empty(s);
	if (result != 0 || n == 0)
		return result;
	s->now.counted[METRIC_DOC_EVICTED] += n;
	flights_mark_through(&s->flights, last);
	return spool_delete(s, INT64_MIN, last, err);
}

/* Who floods the spool pays for it alone, as long as he has much more than others. */
static int drop(struct spool *s, int64_t rows, int64_t bytes, struct err *err)
{
	struct share *heavy;
	int64_t excess = 0, n = 0;

	for (int i = 0; i < WALK_SLICES && !shares_known(&s->shares); i++)
		if (walk(s, err) != 0)
			return err->class;
	heavy = shares_heavy(&s->shares, &excess);
	if (heavy != NULL &&
	    drop_oldest_of(s, heavy, rows, bytes, excess, &n, err) != 0)
		return err->class;
	if (heavy != NULL && n == 0) /* somebody removed them by hand */
		shares_reset(&s->shares, false);
	return n > 0 ? 0 : drop_oldest(s, rows, bytes, err);
}

int spool_evict(struct spool *s, int64_t n, struct err *err)
{
	return drop(s, n, 0, err);
}

/* Documents come nearly, not quite, in the order of their time stamps: a window from
 * the oldest on is looked at, so that one with a time in the future does not keep all
 * behind it for ever. */
static int expire(struct spool *s, struct wall now, bool *more, struct err *err)
{
	sqlite3_stmt *st = spool_head(s, ST_HEAD, EXPIRE_ROWS);
	int64_t ids[EXPIRE_ROWS];
	bool any = false;
	size_t n = 0;
	int result = 0;

	while (n < EXPIRE_ROWS && spool_row(st, &result, err)) {
		struct flight *f;

		any = true;
		if (sqlite3_column_int64(st, 1) >= now.ms - s->limits.max_age_ms)
			continue;
		ids[n] = sqlite3_column_int64(st, 0);
		spool_strike(s, ids[n], sqlite3_column_int64(st, 2),
			     spool_share(s, st, 3));
		f = flights_find(&s->flights, ids[n++]);
		if (f != NULL)
			f->marked = true;
	}
	sqlite3_reset(st);
	if (result == 0 && !any)
		believe_empty(s);
	s->now.counted[METRIC_DOC_EXPIRED] += (int64_t)n;
	*more |= n == EXPIRE_ROWS;
	return result != 0 ? result : spool_delete_ids(s, ids, n, err);
}

static int drop_dead(struct spool *s, struct wall now, bool *more, struct err *err)
{
	sqlite3_stmt *st = spool_head(s, ST_DEAD_HEAD, SLICE_ROWS);
	struct spool_totals *t = &s->now.totals;
	int64_t n = 0, last = 0;
	int result = 0;

	while (spool_row(st, &result, err)) {
		if (t->dead_bytes <= s->limits.dead_bytes &&
		    sqlite3_column_int64(st, 1) >= now.ms - s->limits.dead_age_ms)
			break;
		last = sqlite3_column_int64(st, 0);
		t->dead_bytes -= sqlite3_column_int64(st, 2);
		t->dead--;
		n++;
	}
	sqlite3_reset(st);
	*more |= n == SLICE_ROWS;
	if (result != 0 || n == 0)
		return result;
	sqlite3_bind_int64(s->st[ST_DEAD_DROP], 1, last);
	return sql_done(s->st[ST_DEAD_DROP], "cannot write", err);
}

static bool time_to_scan(const struct spool *s, struct wall now)
{
	return now.ms - s->scanned.ms >= SCAN_MS || now.ms < s->scanned.ms;
}

static bool oldest_expired(const struct spool *s, struct wall now)
{
	return s->now.totals.documents > 0 &&
	       s->oldest.ms < now.ms - s->limits.max_age_ms;
}

bool spool_over_limit(const struct spool *s, struct wall now)
{
	const struct spool_totals *t = &s->now.totals;

	return t->bytes > s->limits.max_bytes || t->dead_bytes > s->limits.dead_bytes ||
	       oldest_expired(s, now) ||
	       ((t->documents > 0 || t->dead > 0) && time_to_scan(s, now));
}

int spool_limit(struct spool *s, struct wall now, bool *more, struct err *err)
{
	const struct spool_totals *t = &s->now.totals;

	*more = false;
	if (t->bytes > s->limits.max_bytes &&
	    drop(s, 0, t->bytes - s->limits.max_bytes, err) != 0)
		return err->class;
	*more = t->bytes > s->limits.max_bytes;
	if (oldest_expired(s, now) || time_to_scan(s, now)) {
		if (expire(s, now, more, err) != 0 || drop_dead(s, now, more, err) != 0)
			return err->class;
		s->scanned = now;
	} else if (t->dead_bytes > s->limits.dead_bytes) {
		return drop_dead(s, now, more, err);
	}
	return 0;
}

/* Moving */

/* Who has `id` in `to`: nobody, that very document (an earlier move got halfway), or
 * another one. */
enum holder { NOBODY, ITSELF, ANOTHER };

static int find_holder(struct spool *to, int64_t id, const char *doc_id,
		       enum holder *who, struct err *err)
{
	sqlite3_stmt *st = to->st[ST_WHO];
	int result = 0;

	*who = NOBODY;
	sqlite3_bind_int64(st, 1, id);
	if (spool_row(st, &result, err)) {
		const unsigned char *found = sqlite3_column_text(st, 0);

		*who = found != NULL && strcmp((const char *)found, doc_id) == 0
			       ? ITSELF
			       : ANOTHER;
		sqlite3_reset(st);
	}
	return result;
}

static int move_row(struct spool *to, int64_t id, const struct document *d,
		    int64_t *next_id, struct err *err)
{
	enum holder who = NOBODY;

	if (id < to->now.next_id && find_holder(to, id, d->id, &who, err) != 0)
		return err->class;
	if (who == ITSELF)
		return 0;
	if (who == ANOTHER) {
		if (*next_id < to->now.next_id)
			*next_id = to->now.next_id;
		id = (*next_id)++;
	}
	return spool_insert(to, id, d, err);
}

static int move_documents(struct spool *from, struct spool *to, int64_t *next_id,
			  bool *more, struct err *err)
{
	sqlite3_stmt *st = from->st[ST_TAKE];
	int64_t *ids = mem_calloc(SLICE_ROWS, sizeof(*ids));
	int64_t bytes = 0;
	size_t n = 0;
	int result = 0;

	sqlite3_bind_int64(st, 1, 0);
	sqlite3_bind_int64(st, 2, INT64_MAX);
	while (n < SLICE_ROWS && bytes < SLICE_BYTES && result == 0 &&
	       spool_row(st, &result, err)) {
		int64_t id = sqlite3_column_int64(st, 0);
		struct document d;

		if (flights_find(&from->flights, id) != NULL)
			continue;
		d = spool_row_document(st, 1);
		result = move_row(to, id, &d, next_id, err);
		spool_strike(from, id, (int64_t)d.len,
			     shares_of(&from->shares, d.topic));
		bytes += (int64_t)d.len;
		ids[n++] = id;
		document_fini(&d);
	}
	sqlite3_reset(st);
	*more = n == SLICE_ROWS || bytes >= SLICE_BYTES;
	if (result == 0)
		result = spool_delete_ids(from, ids, n, err);
	free(ids);
	return result;
}

static int move_dead(struct spool *from, struct spool *to, bool *more, struct err *err)
{
	sqlite3_stmt *in = spool_head(from, ST_DEAD_READ, SLICE_ROWS);
	sqlite3_stmt *out = to->st[ST_DEAD_INSERT];
	int64_t last = 0, n = 0, bytes = 0;
	int result = 0;

	while (result == 0 && spool_row(in, &result, err)) {
		last = sqlite3_column_int64(in, 0);
		bytes += sqlite3_column_int64(in, 1);
		n++;
		for (int c = 1; c <= 8; c++)
			sqlite3_bind_value(out, c, sqlite3_column_value(in, c + 1));
		result = sql_done(out, "cannot write", err);
	}
	sqlite3_reset(in);
	sqlite3_clear_bindings(out);
	*more |= n == SLICE_ROWS;
	if (result != 0 || n == 0)
		return result;
	to->now.totals.dead += n;
	to->now.totals.dead_bytes += bytes;
	from->now.totals.dead -= n;
	from->now.totals.dead_bytes -= bytes;
	sqlite3_bind_int64(from->st[ST_DEAD_DROP], 1, last);
	return sql_done(from->st[ST_DEAD_DROP], "cannot write", err);
}

int spool_move(struct spool *from, struct spool *to, int64_t *next_id, bool *more,
	       struct err *err)
{
	*more = false;
	flights_sweep(&from->flights, false);
	if (from->committed.totals.documents <= (int64_t)from->flights.n &&
	    from->committed.totals.dead == 0)
		return 0;
	if (spool_begin(from, err) != 0)
		return err->class;
	/* The goal is committed first: a move that gets halfway leaves a row in both,
	 * which move_row knows, and never in none. */
	if (spool_begin(to, err) != 0 ||
	    move_documents(from, to, next_id, more, err) != 0 ||
	    (!*more && move_dead(from, to, more, err) != 0) ||
	    spool_commit(to, err) != 0) {
		spool_rollback(to);
		spool_disown(to); /* they are in `from` still */
		spool_rollback(from);
		return err->class;
	}
	if (spool_commit(from, err) != 0) {
		spool_rollback(from);
		return err->class;
	}
	return 0;
}

int spool_absent(struct spool *from, struct spool *to, int64_t *absent, struct err *err)
{
	sqlite3_stmt *st = from->st[ST_TAKE];
	int result = 0;

	*absent = 0;
	sqlite3_bind_int64(st, 1, 0);
	sqlite3_bind_int64(st, 2, INT64_MAX);
	while (result == 0 && spool_row(st, &result, err)) {
		struct document d = spool_row_document(st, 1);
		enum holder who = NOBODY;

		result = find_holder(to, sqlite3_column_int64(st, 0), d.id, &who, err);
		*absent += who != ITSELF;
		document_fini(&d);
	}
	sqlite3_reset(st);
	return result;
}

int64_t spool_abandon(struct spool *s, const struct spool_verdict *v, size_t n,
		      int64_t held)
{
	int64_t left = spool_totals(s).documents - held;

	for (size_t i = 0; i < n; i++) {
		struct flight *f = flights_find(&s->flights, v[i].id);

		if (f == NULL)
			continue;
		f->marked = true;
		metrics_add(spool_metric(v[i].verdict), 1);
		left--;
	}
	if (left < 0) /* judged, and held elsewhere */
		left = 0;
	metrics_add(METRIC_DOC_EVICTED, left);
	flights_sweep(&s->flights, true);
	s->committed.totals = s->now.totals = (struct spool_totals){.documents = 0};
	return left;
}

/* Housekeeping */

static int checkpoint(struct spool *s, int mode, struct err *err)
{
	int pages = 0, done = 0;
	int rc = sqlite3_wal_checkpoint_v2(s->db, "main", mode, &pages, &done);

	/* A reader from outside keeps it from getting to the end: later, then. */
	if (rc != SQLITE_OK && rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
		return sql_fail(err, s->db, rc, "cannot write");
	s->checkpoint_at =
		pages <= done ? SPOOL_CHECKPOINT_PAGES : pages + SPOOL_CHECKPOINT_PAGES;
	s->wal_pages = pages <= done ? 0 : pages;
	return 0;
}

/* Moving pages to the front is worth its price when most of the file is free. */
static int vacuum(struct spool *s, bool *more, struct err *err)
{
	int64_t free_pages, pages;
	char sql[64];

	if (sql_int(s->db, "PRAGMA freelist_count", &free_pages, err) != 0 ||
	    sql_int(s->db, "PRAGMA page_count", &pages, err) != 0)
		return err->class;
	if (free_pages >= VACUUM_FROM && free_pages > pages / 2)
		s->vacuuming = true;
	if (free_pages == 0)
		s->vacuuming = false;
	*more = s->vacuuming;
	if (!s->vacuuming)
		return 0;
	snprintf(sql, sizeof(sql), "PRAGMA incremental_vacuum(%d)", VACUUM_SLICE);
	return sql_exec(s->db, sql, "cannot write", err);
}

int spool_tidy(struct spool *s, bool thorough, bool *more, struct err *err)
{
	*more = false;
	if (s->path == NULL)
		return 0;
	if (!shares_known(&s->shares) &&
	    s->committed.totals.bytes > s->limits.max_bytes / 2) {
		if (walk(s, err) != 0)
			return err->class;
		shares_commit(&s->shares);
		*more = true;
		return 0;
	}
	if (thorough && vacuum(s, more, err) != 0)
		return err->class;
	if (thorough && !*more && s->wal_pages > 0)
		return checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE, err);
	if (s->wal_pages >= s->checkpoint_at)
		return checkpoint(s, SQLITE_CHECKPOINT_PASSIVE, err);
	return 0;
}
