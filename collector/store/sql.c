/* SPDX-License-Identifier: MIT
 * sql: see sql_int.h. How a file is recognised and made; what is done with its rows is
 * spool's affair. */
#include "sql_int.h"

#include <stdio.h>
#include <string.h>

#include "store/spool.h"

#include "banned.h"

#define BUSY_MS 100 /* an outside reader may hold the file for a moment */

/* What version 2 has beside version 1: records, and the history of topics: points of
 * level 1 (as sampled) to 3 (coarsest), gaps in level 0. */
#define SINCE_VERSION_2                                                         \
	"CREATE TABLE IF NOT EXISTS record("                                    \
	" kind INTEGER NOT NULL, key TEXT NOT NULL, bytes BLOB NOT NULL,"       \
	" PRIMARY KEY(kind, key)) STRICT;"                                      \
	"CREATE TABLE IF NOT EXISTS series("                                    \
	" id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE) STRICT;"           \
	"CREATE TABLE IF NOT EXISTS history("                                   \
	" series INTEGER NOT NULL, level INTEGER NOT NULL, t INTEGER NOT NULL," \
	" points BLOB NOT NULL, UNIQUE(series, level, t)) STRICT;"              \
	"CREATE INDEX IF NOT EXISTS history_age ON history(level, t);"

/* Both numbers are stored in the header of the file by the same transaction that makes
 * the tables, so a file has all of it or nothing. */
static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE meta("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" next_id INTEGER NOT NULL,"
	" documents INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" dead INTEGER NOT NULL, dead_bytes INTEGER NOT NULL,"
	" history_bytes INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE q("
	" id INTEGER PRIMARY KEY, topic TEXT NOT NULL, t INTEGER NOT NULL,"
	" doc_id TEXT NOT NULL, doc BLOB NOT NULL) STRICT;"
	"CREATE TABLE dead("
	" id INTEGER PRIMARY KEY, topic TEXT NOT NULL, t INTEGER NOT NULL,"
	" doc_id TEXT NOT NULL, doc BLOB NOT NULL,"
	" at INTEGER NOT NULL, status INTEGER NOT NULL,"
	" type TEXT NOT NULL, reason TEXT NOT NULL) STRICT;"
	"INSERT INTO meta VALUES(1, 1, 0, 0, 0, 0, 0);" SINCE_VERSION_2
	"PRAGMA application_id = 1835887719;"
	"PRAGMA user_version = 2;"
	"COMMIT;";

static const char from_version_1[] =
	"BEGIN IMMEDIATE;" SINCE_VERSION_2
	"ALTER TABLE meta ADD COLUMN history_bytes INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 2;"
	"COMMIT;";

_Static_assert(SPOOL_APPLICATION_ID == 1835887719, "the schema holds the same number");
_Static_assert(SPOOL_VERSION == 2, "the schema holds the same number");

static enum spool_fault fault_of(int rc)
{
	if (rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC)
		return SPOOL_FSYNC;
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return SPOOL_FULL;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* our statements are right: the tables are not ours */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return SPOOL_DAMAGED;
	default:
		return SPOOL_IO;
	}
}

static const char *hint_of(int rc)
{
	if (fault_of(rc) == SPOOL_DAMAGED)
		return "the file is damaged";
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return "free some space there";
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return "let this user write to the file and its directory";
	case SQLITE_CANTOPEN:
		return "see that the directory exists and this user may write to it";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another program holds the file";
	case SQLITE_IOERR:
		return "look for trouble with the disk (dmesg)";
	default:
		return "see the message of SQLite";
	}
}

/* `path` is NULL or "" for a database in memory. */
static int fail_at(struct err *err, const char *path, const char *words, int rc,
		   const char *doing)
{
	enum spool_fault fault = fault_of(rc);

	return err_set_code(err, fault == SPOOL_DAMAGED ? ERR_REJECT : ERR_RETRY,
			    (int)fault, "%s %s: %s; %s", doing,
			    path == NULL || *path == '\0' ? "the spool in memory"
							  : path,
			    words, hint_of(rc));
}

int sql_fail(struct err *err, sqlite3 *db, int rc, const char *doing)
{
	/* What we found out ourselves is none of its errors. */
	const char *words = sqlite3_errcode(db) == SQLITE_OK ? sqlite3_errstr(rc)
							     : sqlite3_errmsg(db);

	return fail_at(err, sqlite3_db_filename(db, "main"), words, rc, doing);
}

int sql_exec(sqlite3 *db, const char *sql, const char *doing, struct err *err)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_fail(err, db, rc, doing);
}

int sql_int(sqlite3 *db, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	*out = 0;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		(void)sql_fail(err, db, rc, "cannot read");
		sqlite3_finalize(st);
		return err->class;
	}
	sqlite3_finalize(st);
	return 0;
}

int sql_done(sqlite3_stmt *st, const char *doing, struct err *err)
{
	int rc = sqlite3_step(st), result = 0;

	if (rc != SQLITE_DONE)
		result = sql_fail(err, sqlite3_db_handle(st), rc, doing);
	sqlite3_reset(st);
	return result;
}

/* Whose file is it? `*version` is 0 when there is nothing in it yet. */
static int identify(sqlite3 *db, const char *path, int64_t *version, struct err *err)
{
	int64_t application, tables;

	if (sql_int(db, "PRAGMA application_id", &application, err) != 0 ||
	    sql_int(db, "PRAGMA user_version", version, err) != 0 ||
	    sql_int(db, "SELECT count(*) FROM sqlite_schema", &tables, err) != 0)
		return err->class;
	if (application == 0 && *version == 0 && tables == 0)
		return 0;
	if (application != SPOOL_APPLICATION_ID)
		return err_set_code(err, ERR_REJECT, SPOOL_FOREIGN,
				    "%s is a database of another program", path);
	if (*version > SPOOL_VERSION)
		return err_set_code(
			err, ERR_REJECT, SPOOL_NEWER,
			"%s has format %lld, this program knows %d: it is of a "
			"newer version",
			path, (long long)*version, SPOOL_VERSION);
	if (*version < 1 || tables == 0)
		return err_set_code(err, ERR_REJECT, SPOOL_DAMAGED,
				    "%s has lost its tables", path);
	return 0;
}

static int use_wal(sqlite3 *db, const char *path, struct err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &st, NULL);
	int result = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW)
		result = sql_fail(err, db, rc, "cannot write");
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "wal") != 0)
		result = err_set_code(
			err, ERR_RETRY, SPOOL_IO,
			"%s cannot have a write-ahead log; put state_dir on a "
			"local file system",
			path);
	sqlite3_finalize(st);
	if (result != 0)
		return result;
	return sql_exec(db,
			"PRAGMA synchronous = FULL;"
			"PRAGMA journal_size_limit = 4194304",
			"cannot write", err);
}

/* Make the tables that a file of `version` lacks. */
static int bring_up(sqlite3 *db, int64_t version, struct err *err)
{
	const char *sql = version == 0 ? schema : from_version_1;
	int result;

	if (version == SPOOL_VERSION)
		return 0;
	result = sql_exec(db, sql, "cannot write", err);
	if (result != 0 && sqlite3_get_autocommit(db) == 0)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

static int set_up_file(sqlite3 *db, const char *path, struct err *err)
{
	int64_t version;

	if (identify(db, path, &version, err) != 0)
		return err->class;
	if (sqlite3_db_readonly(db, "main") == 1)
		return sql_fail(err, db, SQLITE_READONLY, "cannot write");
	/* It has an effect only before the first page is written. */
	if (version == 0 &&
	    sql_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", "cannot write", err) != 0)
		return err->class;
	if (use_wal(db, path, err) != 0)
		return err->class;
	return bring_up(db, version, err);
}

static int set_up_memory(sqlite3 *db, int64_t max_pages, struct err *err)
{
	char sql[64];

	/* Not stored anywhere: valid for this connection. */
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count = %lld",
		 (long long)max_pages);
	if (sql_exec(db, schema, "cannot write", err) != 0)
		return err->class;
	return sql_exec(db, sql, "cannot write", err);
}

int sql_open(sqlite3 **out, const char *path, int64_t max_pages, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	sqlite3 *db = NULL;
	int rc, result;

	*out = NULL;
	rc = sqlite3_open_v2(path == NULL ? ":memory:" : path, &db, flags, NULL);
	if (rc != SQLITE_OK) {
		result = fail_at(err, path, sqlite3_errstr(rc), rc, "cannot open");
		goto out;
	}
	sqlite3_extended_result_codes(db, 1);
	sqlite3_busy_timeout(db, BUSY_MS);
	result = path == NULL ? set_up_memory(db, max_pages, err)
			      : set_up_file(db, path, err);
out:
	if (result != 0)
		sql_close(db, false);
	else
		*out = db;
	return result;
}

void sql_close(sqlite3 *db, bool tidy)
{
	if (db == NULL)
		return;
	if (!tidy)
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close_v2(db);
}
