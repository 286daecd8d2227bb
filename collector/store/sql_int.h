/* SPDX-License-Identifier: MIT
 * sql: SQLite as the store uses it: the mapper of its errors, opening with our
 * settings, identity and schema of a file. Private to collector/store. */
#ifndef MMLAG_STORE_SQL_INT_H
#define MMLAG_STORE_SQL_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <sqlite3.h>

#include "base/compiler.h"
#include "base/err.h"

/* Fill `err` for result code `rc`: what was done ("cannot write"), the file, SQLite's
 * words and what to do; err->code becomes an enum spool_fault. Returns the class.
 * @thread store */
int sql_fail(struct err *err, sqlite3 *db, int rc, const char *doing);

/* Run statements without results.  @thread store */
NODISCARD int sql_exec(sqlite3 *db, const char *sql, const char *doing,
		       struct err *err);

/* The integer in the first column of the first row; 0 for NULL or no row.
 * @thread store */
NODISCARD int sql_int(sqlite3 *db, const char *sql, int64_t *out, struct err *err);

/* Step a statement that gives no rows, and reset it.  @thread store */
NODISCARD int sql_done(sqlite3_stmt *st, const char *doing, struct err *err);

/* Open `path` (NULL: in memory, with at most `max_pages` pages), check that it is ours,
 * create the schema in a new one, set our modes. `*out` is NULL after a failure.
 * @thread store */
NODISCARD int sql_open(sqlite3 **out, const char *path, int64_t max_pages,
		       struct err *err);

/* Close; without `tidy` the write-ahead log is left as it is. NULL is legal.
 * @thread store */
void sql_close(sqlite3 *db, bool tidy);

#endif
