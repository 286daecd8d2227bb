/* SPDX-License-Identifier: MIT
 * spool_open: the part of spool that opens its database, reads the books in it, lets go
 * of a file after trouble and takes it up again. */
#include "store/spool.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

#define OF_SERIES "series = (SELECT id FROM series WHERE name = ?1)"

static const char *const statements[ST_COUNT] = {
	[ST_BEGIN] = "BEGIN IMMEDIATE",
	[ST_COMMIT] = "COMMIT",
	[ST_ROLLBACK] = "ROLLBACK",
	[ST_BOOKS] =
		"UPDATE meta SET next_id = ?1, documents = ?2, bytes = ?3, dead = ?4,"
		" dead_bytes = ?5, history_bytes = ?6 WHERE one = 1",
	[ST_INSERT] =
		"INSERT INTO q(id, topic, t, doc_id, doc) VALUES(?1, ?2, ?3, ?4, ?5)",
	[ST_DELETE] = "DELETE FROM q WHERE id BETWEEN ?1 AND ?2",
	[ST_HEAD] = "SELECT id, t, length(doc), topic FROM q ORDER BY id LIMIT ?1",
	[ST_TAKE] = "SELECT id, topic, t, doc_id, doc FROM q WHERE id BETWEEN ?1 AND ?2"
		    " ORDER BY id",
	[ST_WHO] = "SELECT doc_id FROM q WHERE id = ?1",
	[ST_BURY] =
		"INSERT INTO dead(topic, t, doc_id, doc, at, status, type, reason)"
		" SELECT topic, t, doc_id, doc, ?2, ?3, ?4, ?5 FROM q WHERE id = ?1",
	[ST_DEAD_HEAD] = "SELECT id, at, length(doc) FROM dead ORDER BY id LIMIT ?1",
	[ST_DEAD_DROP] = "DELETE FROM dead WHERE id <= ?1",
	[ST_DEAD_READ] =
		"SELECT id, length(doc), topic, t, doc_id, doc, at, status, type,"
		" reason FROM dead ORDER BY id LIMIT ?1",
	[ST_DEAD_INSERT] =
		"INSERT INTO dead(topic, t, doc_id, doc, at, status, type, reason)"
		" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[ST_DEAD_RANGE] = "SELECT id, topic, t, doc_id, doc FROM dead"
			  " WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3",
	[ST_DEAD_DELETE] = "DELETE FROM dead WHERE id BETWEEN ?1 AND ?2",
	[ST_RANGE] = "SELECT id, length(doc), topic FROM q WHERE id BETWEEN ?1 AND ?2"
		     " ORDER BY id LIMIT ?3",
	[ST_OF_TOPIC] = "SELECT id, length(doc) FROM q WHERE id >= ?1 AND topic = ?2"
			" ORDER BY id LIMIT ?3",
	[ST_WALK] = "SELECT id, topic, length(doc) FROM q WHERE id > ?1 ORDER BY id"
		    " LIMIT ?2",
	[ST_PUT] = "INSERT INTO record(kind, key, bytes) VALUES(?1, ?2, ?3)"
		   " ON CONFLICT(kind, key) DO UPDATE SET bytes = excluded.bytes",
	[ST_FORGET] = "DELETE FROM record WHERE kind = ?1 AND key = ?2",
	[ST_RECORDS] = "SELECT kind, key, bytes FROM record"
		       " WHERE kind BETWEEN ?1 AND ?2 ORDER BY kind, key",
	[ST_SERIES_ADD] = "INSERT OR IGNORE INTO series(name) VALUES(?1)",
	[ST_HISTORY_OLD] = "SELECT length(points) FROM history WHERE " OF_SERIES
			   " AND level = ?2 AND t = ?3",
	[ST_HISTORY_PUT] =
		"INSERT OR REPLACE INTO history(series, level, t, points)"
		" VALUES((SELECT id FROM series WHERE name = ?1), ?2, ?3, ?4)",
	[ST_HISTORY_READ] = "SELECT t, points FROM history WHERE " OF_SERIES
			    " AND level = ?2 AND t BETWEEN ?3 AND ?4 ORDER BY t",
	[ST_HISTORY_BEFORE] = "SELECT t, points FROM history WHERE " OF_SERIES
			      " AND level = ?2 AND t < ?3 ORDER BY t DESC LIMIT 1",
	[ST_HISTORY_HEAD] = "SELECT rowid, length(points), t FROM history"
			    " WHERE level = ?1 ORDER BY t LIMIT ?2",
	[ST_HISTORY_DROP] = "DELETE FROM history WHERE rowid = ?1",
	[ST_SERIES_SWEEP] = "DELETE FROM series WHERE NOT EXISTS"
			    " (SELECT 1 FROM history AS h WHERE h.series = series.id)",
	[ST_FOLD_NEXT] = "SELECT series, t FROM history WHERE level = ?1 AND t < ?2"
			 " ORDER BY t LIMIT 1",
	[ST_FOLD_READ] = "SELECT points FROM history WHERE series = ?1 AND level = ?2"
			 " AND t BETWEEN ?3 AND ?4 ORDER BY t",
	[ST_FOLD_DELETE] = "DELETE FROM history WHERE series = ?1 AND level = ?2"
			   " AND t BETWEEN ?3 AND ?4",
	[ST_FOLD_PUT] = "INSERT OR REPLACE INTO history(series, level, t, points)"
			" VALUES(?1, ?2, ?3, ?4)",
};

/* Called by SQLite after each commit, in place of its own checkpoint, whose errors
 * nobody would see. */
static int note_wal_pages(void *self, sqlite3 *db, const char *name, int pages)
{
	struct spool *s = self;

	(void)db;
	(void)name;
	if (pages < s->wal_pages)
		s->checkpoint_at = SPOOL_CHECKPOINT_PAGES;
	s->wal_pages = pages;
	return SQLITE_OK;
}

static int read_meta(struct spool *s, struct books *b, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc =
		sqlite3_prepare_v2(s->db,
				   "SELECT next_id, documents, bytes, dead, dead_bytes,"
				   " history_bytes FROM meta WHERE one = 1",
				   -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		b->next_id = sqlite3_column_int64(st, 0);
		b->totals.documents = sqlite3_column_int64(st, 1);
		b->totals.bytes = sqlite3_column_int64(st, 2);
		b->totals.dead = sqlite3_column_int64(st, 3);
		b->totals.dead_bytes = sqlite3_column_int64(st, 4);
		b->totals.history_bytes = sqlite3_column_int64(st, 5);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		(void)sql_fail(err, s->db, rc, "cannot read");
	else if (rc == SQLITE_DONE)
		err_set_code(err, ERR_REJECT, SPOOL_DAMAGED, "%s has lost its totals",
			     s->path);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : err->class;
}

/* Totals that somebody changed by hand, or rows: count anew, once. */
static int recount(struct spool *s, struct books *b, struct err *err)
{
	struct spool_totals *t = &b->totals;

	if (sql_int(s->db, "SELECT count(*) FROM q", &t->documents, err) != 0 ||
	    sql_int(s->db, "SELECT sum(length(doc)) FROM q", &t->bytes, err) != 0 ||
	    sql_int(s->db, "SELECT count(*) FROM dead", &t->dead, err) != 0 ||
	    sql_int(s->db, "SELECT sum(length(doc)) FROM dead", &t->dead_bytes, err) !=
		    0)
		return err->class;
	return 0;
}

/* Does the total of a table contradict its being empty or not? */
static bool doubtful(int64_t rows, int64_t bytes, int64_t last)
{
	return rows < 0 || bytes < 0 || (rows > 0) != (last != 0);
}

/* Nothing here looks at more than the ends of the tables: the start must not take
 * longer when more waits. */
static int read_books(struct spool *s, struct books *b, struct err *err)
{
	int64_t last, dead_last;

	if (read_meta(s, b, err) != 0 ||
	    sql_int(s->db, "SELECT max(id) FROM q", &last, err) != 0 ||
	    sql_int(s->db, "SELECT max(id) FROM dead", &dead_last, err) != 0)
		return err->class;
	if (doubtful(b->totals.documents, b->totals.bytes, last) ||
	    doubtful(b->totals.dead, b->totals.dead_bytes, dead_last)) {
		if (recount(s, b, err) != 0)
			return err->class;
	}
	if (b->next_id <= last)
		b->next_id = last + 1;
	if (b->next_id < 1 || b->next_id >= SPOOL_ID_MAX)
		return err_set_code(err, ERR_REJECT, SPOOL_DAMAGED,
				    "%s counts its documents in nonsense", s->path);
	return spool_read_oldest(s, err);
}

static void detach(struct spool *s, bool tidy)
{
	for (int i = 0; i < ST_COUNT; i++) {
		sqlite3_finalize(s->st[i]);
		s->st[i] = NULL;
	}
	sql_close(s->db, tidy);
	s->db = NULL;
}

static int attach(struct spool *s, struct books *b, struct err *err)
{
	if (sql_open(&s->db, s->path, s->limits.max_pages, err) != 0)
		return err->class;
	for (int i = 0; i < ST_COUNT; i++) {
		int rc = sqlite3_prepare_v3(s->db, statements[i], -1,
					    SQLITE_PREPARE_PERSISTENT, &s->st[i], NULL);

		if (rc != SQLITE_OK) {
			(void)sql_fail(err, s->db, rc, "cannot use");
			detach(s, false);
			return err->class;
		}
	}
	if (read_books(s, b, err) != 0) {
		detach(s, false);
		return err->class;
	}
	s->wal_pages = 0;
	s->checkpoint_at = SPOOL_CHECKPOINT_PAGES;
	sqlite3_wal_hook(s->db, note_wal_pages, s);
	return 0;
}

int spool_open(struct spool **out, const char *path, const struct spool_limits *l,
	       struct err *err)
{
	struct spool *s = mem_calloc(1, sizeof(*s));

	s->path = mem_strdup(path);
	s->limits = *l;
	if (attach(s, &s->committed, err) != 0) {
		spool_close(s);
		return err->class;
	}
	s->committed.totals.backlog = s->committed.totals.documents;
	s->boundary = s->committed.next_id - 1;
	s->now = s->committed;
	shares_reset(&s->shares, s->committed.totals.documents == 0);
	*out = s;
	return 0;
}

void spool_close(struct spool *s)
{
	if (s == NULL)
		return;
	detach(s, true);
	flights_fini(&s->flights);
	shares_fini(&s->shares);
	free(s->fresh.v);
	free(s->disowned.v);
	free(s->path);
	free(s);
}

void spool_suspend(struct spool *s)
{
	detach(s, false);
}

static bool same_books(const struct books *a, const struct books *b)
{
	return a->next_id == b->next_id && a->totals.documents == b->totals.documents &&
	       a->totals.bytes == b->totals.bytes && a->totals.dead == b->totals.dead &&
	       a->totals.dead_bytes == b->totals.dead_bytes &&
	       a->totals.history_bytes == b->totals.history_bytes;
}

/* The last commit was said to have failed. Where the file has exactly what it would
 * have made, it stood, with all that it did and counted. */
static void believe(struct spool *s, const struct books *found)
{
	if (s->tried.next_id == 0 || !same_books(found, &s->tried))
		return;
	spool_publish(&s->tried);
	flights_stood(&s->flights);
	s->committed = s->tried;
}

int spool_resume(struct spool *s, struct err *err)
{
	struct books found = {.next_id = 0};
	int64_t missing;

	if (attach(s, &found, err) != 0)
		return err->class;
	believe(s, &found);
	s->tried.next_id = 0;
	s->alien = (struct spool_totals){.documents = 0};
	missing = s->committed.totals.documents - found.totals.documents;
	if (missing > 0) { /* nobody knows which: no verdict on any is accepted */
		metrics_add(METRIC_DOC_EVICTED, missing);
		flights_mark_through(&s->flights, INT64_MAX);
	}
	flights_sweep(&s->flights, true);
	found.totals.backlog = s->committed.totals.backlog;
	if (found.totals.backlog > found.totals.documents || missing < 0)
		found.totals.backlog = found.totals.documents;
	if (found.next_id < s->committed.next_id)
		found.next_id = s->committed.next_id;
	s->now = s->committed = found;
	shares_reset(&s->shares, found.totals.documents == 0);
	return 0;
}

void spool_disown(struct spool *s)
{
	struct spool_ids void_ones = s->disowned;

	s->disowned = s->fresh;
	s->fresh = void_ones;
}

/* Is there a document of this name? */
static bool is_there(struct spool *s, int64_t id, int64_t *bytes, struct share **of,
		     int *result, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_RANGE];

	sqlite3_bind_int64(st, 1, id);
	sqlite3_bind_int64(st, 2, id);
	sqlite3_bind_int64(st, 3, 1);
	if (!spool_row(st, result, err))
		return false;
	*bytes = sqlite3_column_int64(st, 1);
	*of = spool_share(s, st, 2);
	sqlite3_reset(st);
	return true;
}

/* Strike and delete those of the disowned that are there, or only count them. */
static int undo(struct spool *s, struct spool_totals *only_count, struct err *err)
{
	for (size_t i = 0; i < s->disowned.n; i++) {
		int64_t id = s->disowned.v[i], bytes = 0;
		struct share *of = NULL;
		int result = 0;

		if (!is_there(s, id, &bytes, &of, &result, err)) {
			if (result != 0)
				return result;
			continue;
		}
		if (only_count != NULL) {
			only_count->documents++;
			only_count->bytes += bytes;
			only_count->backlog += id <= s->boundary;
			continue;
		}
		spool_strike(s, id, bytes, of);
		if (spool_delete(s, id, id, err) != 0)
			return err->class;
	}
	return 0;
}

int spool_undo(struct spool *s, struct err *err)
{
	struct spool_totals found = {.documents = 0};

	if (undo(s, &found, err) != 0)
		return err->class;
	s->alien = found; /* until they are gone */
	if (found.documents == 0)
		return 0;
	if (spool_begin(s, err) == 0 && undo(s, NULL, err) == 0 &&
	    spool_commit(s, err) == 0) {
		s->alien = (struct spool_totals){.documents = 0};
		return 0;
	}
	spool_rollback(s);
	return err->class;
}
