/* SPDX-License-Identifier: MIT
 * spool_rows: see spool_rows_int.h. */
#include "spool_rows_int.h"

#include <jansson.h>
#include <string.h>

#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

#define SLICE_ROWS 500

static sqlite3_stmt *bind_range(struct spool *s, enum statement which,
				const struct spool_range *r)
{
	sqlite3_bind_int64(s->st[which], 1, r->from);
	sqlite3_bind_int64(s->st[which], 2, r->until);
	sqlite3_bind_int64(s->st[which], 3, SLICE_ROWS);
	return s->st[which];
}

/* `n` rows were found, the last of them `last`. */
static void advance(struct spool_range *r, int64_t n, int64_t last)
{
	r->rows += n;
	r->more = n == SLICE_ROWS && last < r->until;
	if (n > 0)
		r->from = last + 1;
}

static int delete_dead(struct spool *s, int64_t first, int64_t last, struct err *err)
{
	sqlite3_bind_int64(s->st[ST_DEAD_DELETE], 1, first);
	sqlite3_bind_int64(s->st[ST_DEAD_DELETE], 2, last);
	return sql_done(s->st[ST_DEAD_DELETE], "cannot write", err);
}

int spool_requeue(struct spool *s, struct spool_range *r, int64_t *next_id,
		  struct err *err)
{
	sqlite3_stmt *st = bind_range(s, ST_DEAD_RANGE, r);
	int64_t first = r->from, last = 0, n = 0;
	int result = 0;

	if (*next_id < s->now.next_id)
		*next_id = s->now.next_id;
	while (result == 0 && spool_row(st, &result, err)) {
		struct document d = spool_row_document(st, 1);

		last = sqlite3_column_int64(st, 0);
		result = spool_insert(s, (*next_id)++, &d, err);
		s->now.totals.dead--;
		s->now.totals.dead_bytes -= (int64_t)d.len;
		document_fini(&d);
		n++;
	}
	sqlite3_reset(st);
	s->now.counted[METRIC_RETURNED] += n;
	advance(r, n, last);
	return result != 0 || n == 0 ? result : delete_dead(s, first, last, err);
}

int spool_drop_dead(struct spool *s, struct spool_range *r, struct err *err)
{
	sqlite3_stmt *st = bind_range(s, ST_DEAD_RANGE, r);
	int64_t first = r->from, last = 0, n = 0;
	int result = 0;

	while (spool_row(st, &result, err)) {
		last = sqlite3_column_int64(st, 0);
		s->now.totals.dead--;
		s->now.totals.dead_bytes -= sqlite3_column_bytes(st, 4);
		n++;
	}
	advance(r, n, last);
	return result != 0 || n == 0 ? result : delete_dead(s, first, last, err);
}

int spool_drop_waiting(struct spool *s, struct spool_range *r, struct err *err)
{
	sqlite3_stmt *st = bind_range(s, ST_RANGE, r);
	int64_t first = r->from, last = 0, n = 0;
	int result = 0;

	while (spool_row(st, &result, err)) {
		struct flight *f;

		last = sqlite3_column_int64(st, 0);
		spool_strike(s, last, sqlite3_column_int64(st, 1),
			     spool_share(s, st, 2));
		f = flights_find(&s->flights, last);
		if (f != NULL)
			f->marked = true; /* counted here, its verdict is passed over */
		n++;
	}
	s->now.counted[METRIC_DOC_EVICTED] += n;
	advance(r, n, last);
	return result != 0 || n == 0 ? result : spool_delete(s, first, last, err);
}

int spool_insert_dead(struct spool *s, const struct spool_dead *d, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_DEAD_INSERT];
	const struct document *doc = &d->document;
	int result;

	sqlite3_bind_text(st, 1, doc->topic, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, doc->t.ms);
	sqlite3_bind_text(st, 3, doc->id, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 4, doc->json, doc->len, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, d->at);
	sqlite3_bind_int(st, 6, d->status);
	sqlite3_bind_text(st, 7, d->type, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 8, d->reason, -1, SQLITE_STATIC);
	result = sql_done(st, "cannot write", err);
	sqlite3_clear_bindings(st);
	s->now.totals.dead++;
	s->now.totals.dead_bytes += (int64_t)doc->len;
	return result;
}

int64_t spool_last_dead(struct spool *s)
{
	struct err ignored = ERR_INIT;
	int64_t last;

	if (sql_int(s->db, "SELECT max(id) FROM dead", &last, &ignored) != 0)
		return 0; /* whoever reads the rows will meet the same trouble */
	return last;
}

void spool_count(struct spool *s, enum metric m, int64_t n)
{
	s->now.counted[m] += n;
}

/* Looking */

static void put_text(struct jsonw *w, const char *key, sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	jsonw_key(w, key);
	jsonw_strn(w, text == NULL ? "" : (const char *)text,
		   (size_t)sqlite3_column_bytes(st, column));
}

/* Ours is JSON; what came out of a damaged file may be anything. */
static void put_source(struct jsonw *w, sqlite3_stmt *st, int column)
{
	const char *json = sqlite3_column_blob(st, column);
	size_t len = (size_t)sqlite3_column_bytes(st, column);
	json_t *tree = json == NULL ? NULL : json_loadb(json, len, 0, NULL);

	jsonw_key(w, "source");
	if (tree != NULL)
		jsonw_raw(w, json, len);
	else
		jsonw_strn(w, json == NULL ? "" : json, len);
	json_decref(tree);
}

static void put_row(struct jsonw *w, sqlite3_stmt *st, struct spool_look *look)
{
	int64_t id = sqlite3_column_int64(st, 0);

	jsonw_object(w);
	jsonw_key_int(w, "id", look->negative ? -id : id);
	jsonw_key_int(w, "at", sqlite3_column_int64(st, 1));
	put_text(w, "topic", st, 2);
	jsonw_key_int(w, "bytes", sqlite3_column_int64(st, 3));
	if (look->dead) {
		look->room -= sqlite3_column_bytes(st, 7);
		jsonw_key_int(w, "status", sqlite3_column_int64(st, 4));
		put_text(w, "type", st, 5);
		put_text(w, "reason", st, 6);
		put_source(w, st, 7);
	}
	jsonw_end(w);
}

int spool_rows_write(sqlite3 *db, struct spool_look *look, struct jsonw *w,
		     struct err *err)
{
	const char *sql = look->dead
				  ? "SELECT id, at, topic, length(doc), status, type,"
				    " reason, doc FROM dead WHERE id < ?1"
				    " ORDER BY id DESC"
				  : "SELECT id, t, topic, length(doc) FROM q"
				    " WHERE id < ?1 ORDER BY id DESC";
	sqlite3_stmt *st = NULL;
	int result = 0;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		sqlite3_bind_int64(st, 1, look->before);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;
		look->more = look->left <= 0 || look->room <= 0;
		if (look->more)
			break;
		put_row(w, st, look);
		look->left--;
	}
	if (rc != SQLITE_DONE && rc != SQLITE_ROW)
		result = sql_fail(err, db, rc, "cannot read");
	sqlite3_finalize(st);
	return result;
}

int spool_rows(struct spool *s, struct spool_look *look, struct jsonw *w,
	       struct err *err)
{
	return spool_rows_write(s->db, look, w, err);
}
