/* SPDX-License-Identifier: MIT
 * spool: see spool.h. `now` is what the transaction under way makes of the books,
 * `committed` what they were before it. Every statement is reset as soon as it has
 * done its work: one that is left open keeps the write-ahead log from being used
 * again. */
#include "store/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

/* Read the first rows' ids, ages and sizes with `which`. */
sqlite3_stmt *spool_head(struct spool *s, enum statement which, int64_t limit)
{
	sqlite3_bind_int64(s->st[which], 1, limit);
	return s->st[which];
}

/* Does the statement have one more row? Anything else resets it. */
bool spool_row(sqlite3_stmt *st, int *result, struct err *err)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		*result = sql_fail(err, sqlite3_db_handle(st), rc, "cannot read");
	sqlite3_reset(st);
	return false;
}

int spool_read_oldest(struct spool *s, struct err *err)
{
	sqlite3_stmt *st = spool_head(s, ST_HEAD, 1);
	int result = 0;

	s->oldest.ms = 0;
	if (spool_row(st, &result, err)) {
		s->oldest.ms = sqlite3_column_int64(st, 1);
		sqlite3_reset(st);
	}
	return result;
}

int64_t spool_next_id(const struct spool *s)
{
	return s->committed.next_id;
}

struct spool_totals spool_totals(const struct spool *s)
{
	struct spool_totals t = s->committed.totals;

	t.documents -= s->alien.documents;
	t.bytes -= s->alien.bytes;
	t.backlog -= s->alien.backlog;
	return t;
}

struct wall spool_oldest(const struct spool *s)
{
	return s->oldest;
}

bool spool_moved(struct spool *s)
{
	int moved = 0;

	if (s->db == NULL || s->path == NULL)
		return false;
	sqlite3_file_control(s->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved != 0;
}

void spool_set_boundary(struct spool *s, int64_t boundary)
{
	if (boundary == s->boundary)
		return;
	s->boundary = boundary;
	s->committed.totals.backlog = s->committed.totals.documents;
	s->now.totals.backlog = s->now.totals.documents;
}

/* Transactions */

int spool_begin(struct spool *s, struct err *err)
{
	s->fresh.n = 0;
	return sql_done(s->st[ST_BEGIN], "cannot write", err);
}

void spool_rollback(struct spool *s)
{
	/* SQLite may have rolled back by itself, and after that the statement would
	 * only be an error. */
	if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
		sqlite3_step(s->st[ST_ROLLBACK]);
		sqlite3_reset(s->st[ST_ROLLBACK]);
	}
	s->now = s->committed;
	flights_sweep(&s->flights, false);
	shares_rollback(&s->shares);
}

static int write_books(struct spool *s, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_BOOKS];
	const struct spool_totals *t = &s->now.totals;

	sqlite3_bind_int64(st, 1, s->now.next_id);
	sqlite3_bind_int64(st, 2, t->documents);
	sqlite3_bind_int64(st, 3, t->bytes);
	sqlite3_bind_int64(st, 4, t->dead);
	sqlite3_bind_int64(st, 5, t->dead_bytes);
	sqlite3_bind_int64(st, 6, t->history_bytes);
	return sql_done(st, "cannot write", err);
}

void spool_publish(struct books *b)
{
	for (int m = 0; m < METRIC_COUNT; m++) {
		if (b->counted[m] != 0)
			metrics_add((enum metric)m, b->counted[m]);
		b->counted[m] = 0;
	}
}

int spool_commit(struct spool *s, struct err *err)
{
	struct err ignored = ERR_INIT;

	if (write_books(s, err) != 0)
		return err->class;
	if (sql_done(s->st[ST_COMMIT], "cannot write", err) != 0) {
		s->tried = s->now;
		flights_doubt(&s->flights);
		return err->class;
	}
	s->tried.next_id = 0;
	s->disowned.n = 0;
	spool_publish(&s->now);
	s->committed = s->now;
	flights_sweep(&s->flights, true);
	if (s->committed.totals.documents == 0)
		shares_reset(&s->shares, true);
	else
		shares_commit(&s->shares);
	/* The commit stands; whoever reads next will meet the same trouble. */
	if (spool_read_oldest(s, &ignored) != 0)
		s->oldest.ms = 0;
	return 0;
}

int spool_insert(struct spool *s, int64_t id, const struct document *d, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_INSERT];
	struct spool_totals *t = &s->now.totals;

	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_text(st, 2, d->topic == NULL ? "" : d->topic, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, d->t.ms);
	sqlite3_bind_text(st, 4, d->id, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 5, d->json == NULL ? "" : d->json, d->len,
			    SQLITE_STATIC);
	if (sql_done(st, "cannot write", err) != 0)
		return err->class;
	t->documents++;
	t->bytes += (int64_t)d->len;
	t->backlog += id <= s->boundary;
	shares_count(&s->shares, shares_of(&s->shares, d->topic), id, (int64_t)d->len);
	if (s->now.next_id <= id)
		s->now.next_id = id + 1;
	MEM_GROW(s->fresh.v, s->fresh.n, s->fresh.cap);
	s->fresh.v[s->fresh.n++] = id;
	return 0;
}

struct share *spool_share(struct spool *s, sqlite3_stmt *st, int column)
{
	return shares_of(&s->shares, (const char *)sqlite3_column_text(st, column));
}

/* A row goes from the books. */
void spool_strike(struct spool *s, int64_t id, int64_t bytes, struct share *of)
{
	struct spool_totals *t = &s->now.totals;

	t->documents--;
	t->bytes -= bytes;
	t->backlog -= id <= s->boundary;
	shares_count(&s->shares, of, id, -bytes);
}

int spool_delete(struct spool *s, int64_t first, int64_t last, struct err *err)
{
	sqlite3_bind_int64(s->st[ST_DELETE], 1, first);
	sqlite3_bind_int64(s->st[ST_DELETE], 2, last);
	return sql_done(s->st[ST_DELETE], "cannot write", err);
}

/* Delete rows by their sorted ids, one statement for each run without a gap. */
int spool_delete_ids(struct spool *s, const int64_t *ids, size_t n, struct err *err)
{
	for (size_t i = 0; i < n;) {
		size_t last = i;

		while (last + 1 < n && ids[last + 1] == ids[last] + 1)
			last++;
		if (spool_delete(s, ids[i], ids[last], err) != 0)
			return err->class;
		i = last + 1;
	}
	return 0;
}

enum metric spool_metric(enum bulk_verdict v)
{
	switch (v) {
	case BULK_DONE:
		return METRIC_DOC_INDEXED;
	case BULK_DUPLICATE:
		return METRIC_DOC_DUPLICATE;
	case BULK_REJECT:
		return METRIC_DOC_REJECTED;
	case BULK_RETRY:
		break;
	}
	return METRIC_RETRIED;
}

static int bury(struct spool *s, const struct spool_verdict *v, int64_t bytes,
		struct wall now, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_BURY];

	sqlite3_bind_int64(st, 1, v->id);
	sqlite3_bind_int64(st, 2, now.ms);
	sqlite3_bind_int(st, 3, v->status);
	sqlite3_bind_text(st, 4, v->type == NULL ? "" : v->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, v->reason == NULL ? "" : v->reason, -1, SQLITE_STATIC);
	if (sql_done(st, "cannot write", err) != 0)
		return err->class;
	s->now.totals.dead++;
	s->now.totals.dead_bytes += bytes;
	return 0;
}

int spool_settle(struct spool *s, const struct spool_verdict *v, size_t n,
		 struct wall now, struct err *err)
{
	int64_t *ids;
	size_t count = 0;
	int result;

	for (size_t i = 0; i < n; i++) {
		struct flight *f = flights_find(&s->flights, v[i].id);

		if (f == NULL)
			continue;
		if (v[i].verdict == BULK_REJECT &&
		    bury(s, &v[i], f->bytes, now, err) != 0)
			return err->class;
		f->marked = true;
		spool_strike(s, f->id, f->bytes, f->of);
		s->now.counted[spool_metric(v[i].verdict)]++;
	}
	ids = mem_calloc(s->flights.n, sizeof(*ids));
	for (size_t i = 0; i < s->flights.n; i++)
		if (s->flights.v[i].marked)
			ids[count++] = s->flights.v[i].id;
	result = spool_delete_ids(s, ids, count, err);
	free(ids);
	return result;
}

/* Taking */

static char *copy_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return mem_strndup(text == NULL ? "" : (const char *)text,
			   (size_t)sqlite3_column_bytes(st, column));
}

/* The document in columns `first`.. of a row: topic, t, doc_id, doc. */
struct document spool_row_document(sqlite3_stmt *st, int first)
{
	struct document d = {.topic = copy_text(st, first)};
	const unsigned char *id = sqlite3_column_text(st, first + 2);
	const void *json = sqlite3_column_blob(st, first + 3);

	d.t.ms = sqlite3_column_int64(st, first + 1);
	snprintf(d.id, sizeof(d.id), "%s", id == NULL ? "" : (const char *)id);
	d.len = (size_t)sqlite3_column_bytes(st, first + 3);
	d.json = mem_calloc(d.len + 1, 1);
	if (d.len > 0)
		memcpy(d.json, json, d.len);
	return d;
}

static void batch_add(struct store_batch *b, size_t *cap, int64_t id, struct document d)
{
	size_t had = *cap;

	MEM_GROW(b->rows, b->n, *cap);
	if (*cap != had)
		b->documents = mem_realloc(b->documents, *cap, sizeof(*b->documents));
	b->rows[b->n] = id;
	b->documents[b->n++] = d;
}

int spool_take(struct spool *s, enum store_range range, size_t max_n, size_t max_bytes,
	       struct store_batch *out, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_TAKE];
	size_t cap = 0, bytes = 0;
	int result = 0;

	flights_sweep(&s->flights, false);
	sqlite3_bind_int64(st, 1, range == STORE_NEW ? s->boundary + 1 : 0);
	sqlite3_bind_int64(st, 2, range == STORE_NEW ? INT64_MAX : s->boundary);
	while (out->n < max_n && s->flights.n < SPOOL_FLIGHT_MAX &&
	       spool_row(st, &result, err)) {
		int64_t id = sqlite3_column_int64(st, 0);
		size_t len;

		if (flights_find(&s->flights, id) != NULL)
			continue;
		len = (size_t)sqlite3_column_bytes(st, 4);
		if (out->n > 0 && bytes + len > max_bytes)
			break;
		bytes += len;
		batch_add(out, &cap, id, spool_row_document(st, 1));
		flights_add(&s->flights, id, (int64_t)len, spool_share(s, st, 1));
	}
	sqlite3_reset(st);
	out->backlog = range == STORE_BACKLOG;
	if (result == 0)
		return 0;
	for (size_t i = 0; i < out->n; i++)
		(void)spool_release(s, out->rows[i]);
	store_batch_fini(out);
	return result;
}

bool spool_release(struct spool *s, int64_t id)
{
	struct flight *f = flights_find(&s->flights, id);

	if (f == NULL)
		return false;
	f->released = true;
	return true;
}
