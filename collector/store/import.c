/* SPDX-License-Identifier: MIT
 * import: see import_int.h. Rows are looked up by id, one at a time: where a page is
 * torn, the look-ups go on behind it by growing steps, and then back to where it ends.
 */
#include "import_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

enum table { WAITING, DEAD, TABLES };

static const char *const next_row[TABLES] = {
	"SELECT id, topic, t, doc_id, doc FROM q WHERE id > ?1 ORDER BY id LIMIT 1",
	"SELECT id, topic, t, doc_id, doc, at, status, type, reason FROM dead"
	" WHERE id > ?1 ORDER BY id LIMIT 1",
};

struct import {
	sqlite3 *db;
	sqlite3_stmt *st[TABLES];
	int table;
	int64_t after; /* the id of the last row */
	int64_t expected;
	bool damaged;
};

static int prepare(struct import *i, struct err *err)
{
	struct err none = ERR_INIT;
	int found = 0, rc = SQLITE_OK;
	int64_t application;

	if (sql_int(i->db, "PRAGMA application_id", &application, err) != 0)
		return err->class;
	if (application != SPOOL_APPLICATION_ID)
		return err_set_code(err, ERR_REJECT, SPOOL_FOREIGN,
				    "it is no spool of mmlag");
	for (int t = 0; t < TABLES; t++) {
		int one = sqlite3_prepare_v2(i->db, next_row[t], -1, &i->st[t], NULL);

		if (one == SQLITE_OK)
			found++;
		else
			rc = one;
	}
	if (found == 0)
		return sql_fail(err, i->db, rc, "cannot read");
	i->damaged = found < TABLES;
	if (sql_int(i->db, "SELECT documents + dead FROM meta", &i->expected, &none) !=
	    0) {
		i->damaged = true;
		i->expected = -1;
	}
	return 0;
}

static int open_as(struct import *i, const char *uri, struct err *err)
{
	int rc = sqlite3_open_v2(uri, &i->db,
				 SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
					 SQLITE_OPEN_URI,
				 NULL);

	if (rc != SQLITE_OK)
		return sql_fail(err, i->db, rc, "cannot open");
	/* Without it a file that is shorter than it says is not even looked at. It is
	 * open for reading only. */
	sqlite3_db_config(i->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 1, NULL);
	return prepare(i, err);
}

static void let_go(struct import *i)
{
	for (int t = 0; t < TABLES; t++) {
		sqlite3_finalize(i->st[t]);
		i->st[t] = NULL;
	}
	sqlite3_close_v2(i->db);
	i->db = NULL;
}

/* The path as SQLite's URI. */
static char *uri_of(const char *path, const char *options)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	buf_addstr(&b, "file:");
	for (; *path != '\0'; path++) {
		if (strchr("%?#", *path) != NULL)
			buf_printf(&b, "%%%02X", (unsigned char)*path);
		else
			buf_addch(&b, *path);
	}
	buf_addstr(&b, options);
	return buf_take(&b);
}

int import_open(struct import **out, const char *path, struct err *err)
{
	/* A log that cannot be used must not keep us from the rest. */
	static const char *const ways[] = {"", "?immutable=1"};
	struct import *i = mem_calloc(1, sizeof(*i));
	int result = ERR_REJECT;

	for (size_t w = 0; w < 2 && result != 0; w++) {
		char *uri = uri_of(path, ways[w]);

		let_go(i);
		result = open_as(i, uri, err);
		i->damaged |= w > 0;
		free(uri);
		if (err->code == SPOOL_FOREIGN)
			break;
	}
	if (result != 0) {
		import_close(i);
		return err_wrap(err, "nothing can be read from %s", path);
	}
	*out = i;
	return 0;
}

void import_close(struct import *i)
{
	if (i == NULL)
		return;
	let_go(i);
	free(i);
}

static char *copy_text(sqlite3_stmt *st, int column)
{
	const unsigned char *text = sqlite3_column_text(st, column);

	return mem_strdup(text == NULL ? "" : (const char *)text);
}

/* What would break the request that it is sent in. */
static bool usable(const struct document *d)
{
	return d->len >= 2 && d->json[0] == '{' && d->json[d->len - 1] == '}' &&
	       memchr(d->json, '\n', d->len) == NULL &&
	       memchr(d->json, '\0', d->len) == NULL && *d->id != '\0';
}

static bool read_row(struct import *i, sqlite3_stmt *st, struct spool_dead *row)
{
	*row = (struct spool_dead){.document = spool_row_document(st, 1)};
	i->after = sqlite3_column_int64(st, 0);
	if (i->table == DEAD) {
		row->at = sqlite3_column_int64(st, 5);
		row->status = sqlite3_column_int(st, 6);
		row->type = copy_text(st, 7);
		row->reason = copy_text(st, 8);
	}
	if (usable(&row->document))
		return true;
	import_row_fini(row);
	i->damaged = true;
	return false;
}

static int look(sqlite3_stmt *st, int64_t after)
{
	sqlite3_bind_int64(st, 1, after);
	return sqlite3_step(st);
}

static bool can_look(sqlite3_stmt *st, int64_t after)
{
	int rc = look(st, after);

	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* What stands behind i->after cannot be read: move it to the first place from which
 * something can. */
static bool pass_hole(struct import *i, sqlite3_stmt *st)
{
	int64_t bad, good = i->after, step = 1;

	do {
		bad = good;
		if (step > SPOOL_ID_MAX || good > INT64_MAX - step)
			return false;
		good += step;
		step *= 2;
	} while (!can_look(st, good));
	while (good - bad > 1) {
		int64_t middle = bad + (good - bad) / 2;

		if (can_look(st, middle))
			good = middle;
		else
			bad = middle;
	}
	i->after = good;
	return true;
}

/* One table from i->after on. */
static bool next_in_table(struct import *i, struct spool_dead *row)
{
	sqlite3_stmt *st = i->st[i->table];

	while (st != NULL) {
		int rc = look(st, i->after);
		bool found = rc == SQLITE_ROW && read_row(i, st, row);

		sqlite3_reset(st);
		if (found)
			return true;
		if (rc == SQLITE_ROW)
			continue;
		if (rc == SQLITE_DONE)
			return false;
		i->damaged = true;
		if (!pass_hole(i, st))
			return false;
	}
	return false;
}

bool import_next(struct import *i, struct spool_dead *row, bool *dead)
{
	for (; i->table < TABLES; i->table++) {
		*dead = i->table == DEAD;
		if (next_in_table(i, row))
			return true;
		i->after = 0;
	}
	return false;
}

void import_row_fini(struct spool_dead *row)
{
	document_fini(&row->document);
	free(row->type);
	free(row->reason);
	*row = (struct spool_dead){.type = NULL};
}

int64_t import_expected(const struct import *i)
{
	return i->expected;
}

bool import_damaged(const struct import *i)
{
	return i->damaged;
}
