/* SPDX-License-Identifier: MIT
 * spool_record: the records in a spool's file. */
#include "store/spool.h"

#include <limits.h>

#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

int spool_put(struct spool *s, const struct record *r, struct err *err)
{
	sqlite3_stmt *st = s->st[r->bytes == NULL ? ST_FORGET : ST_PUT];
	int result;

	sqlite3_bind_int(st, 1, (int)r->kind);
	sqlite3_bind_text(st, 2, r->key, -1, SQLITE_STATIC);
	if (r->bytes != NULL)
		sqlite3_bind_blob64(st, 3, r->bytes, r->len, SQLITE_STATIC);
	result = sql_done(st, "cannot write", err);
	sqlite3_clear_bindings(st);
	return result;
}

int spool_records(struct spool *s, int kind, struct records *out, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_RECORDS];
	int result = 0;

	if (s->db == NULL)
		return err_set_code(err, ERR_RETRY, SPOOL_IO, "the spool is closed");
	sqlite3_bind_int(st, 1, kind == SPOOL_ALL_KINDS ? 0 : kind);
	sqlite3_bind_int(st, 2, kind == SPOOL_ALL_KINDS ? INT_MAX : kind);
	while (spool_row(st, &result, err)) {
		const void *key = sqlite3_column_text(st, 1);
		const void *bytes = sqlite3_column_blob(st, 2);
		size_t len = (size_t)sqlite3_column_bytes(st, 2);

		if (key != NULL)
			records_put(out, (enum store_kind)sqlite3_column_int(st, 0),
				    key, bytes == NULL ? "" : bytes, len);
	}
	return result;
}
