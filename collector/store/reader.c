/* SPDX-License-Identifier: MIT
 * reader: see reader.h. */
#include "store/reader.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "spool_rows_int.h"
#include "sql_int.h"

#include "banned.h"

#define BUSY_MS 2000

/* *db stays NULL when there is no file. */
static int open_file(const char *dir, sqlite3 **db, struct err *err)
{
	char *path = mem_printf("%s/mmlag.db", dir);
	struct stat st;
	int rc = SQLITE_OK, result = 0;
	int64_t application = 0;

	*db = NULL;
	if (stat(path, &st) == 0)
		rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL);
	free(path);
	if (*db != NULL && rc == SQLITE_OK)
		sqlite3_busy_timeout(*db, BUSY_MS);
	if (rc != SQLITE_OK)
		result = sql_fail(err, *db, rc, "cannot open");
	else if (*db != NULL)
		result = sql_int(*db, "PRAGMA application_id", &application, err);
	if (result == 0 && *db != NULL && application != SPOOL_APPLICATION_ID)
		result = err_set_code(err, ERR_REJECT, SPOOL_FOREIGN,
				      "%s/mmlag.db is no spool of mmlag", dir);
	if (result != 0) {
		sql_close(*db, false);
		*db = NULL;
	}
	return result;
}

/* The names have their times in them: the last one in order is the newest. */
static void find_set_aside(const char *dir, char *name, size_t size)
{
	static const char begin[] = "mmlag.db.aside-";
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (strncmp(e->d_name, begin, strlen(begin)) != 0 ||
		    (len > 4 && (strcmp(e->d_name + len - 4, "-wal") == 0 ||
				 strcmp(e->d_name + len - 4, "-shm") == 0)))
			continue;
		if (strcmp(e->d_name, name) > 0)
			snprintf(name, size, "%s", e->d_name);
	}
	if (d != NULL)
		closedir(d);
}

static int read_status(sqlite3 *db, struct store_status *out, struct err *err)
{
	const struct {
		const char *sql;
		int64_t *value;
	} all[] = {
		{"SELECT documents FROM meta", &out->documents},
		{"SELECT bytes FROM meta", &out->bytes},
		{"SELECT dead FROM meta", &out->dead},
		{"SELECT dead_bytes FROM meta", &out->dead_bytes},
		{"SELECT t FROM q ORDER BY id LIMIT 1", &out->oldest.ms},
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (sql_int(db, all[i].sql, all[i].value, err) != 0)
			return err->class;
	out->backlog = out->documents;
	return 0;
}

int reader_status(const char *dir, struct store_status *out, struct err *err)
{
	sqlite3 *db;
	int result;

	*out = (struct store_status){.documents = 0};
	find_set_aside(dir, out->set_aside, sizeof(out->set_aside));
	if (open_file(dir, &db, err) != 0)
		return err->class;
	result = db == NULL ? 0 : read_status(db, out, err);
	sql_close(db, false);
	return result;
}

int reader_rows(const char *dir, bool dead, int64_t limit, struct buf *out,
		struct err *err)
{
	struct spool_look look = {.dead = dead,
				  .before = INT64_MAX,
				  .left = limit,
				  .room = INT64_MAX};
	struct jsonw w = jsonw_start(out);
	int result = 0;
	sqlite3 *db;

	if (open_file(dir, &db, err) != 0)
		return err->class;
	jsonw_object(&w);
	jsonw_key(&w, "rows");
	jsonw_array(&w);
	if (db != NULL)
		result = spool_rows_write(db, &look, &w, err);
	jsonw_end(&w);
	jsonw_key(&w, "more");
	jsonw_bool(&w, look.more);
	jsonw_end(&w);
	sql_close(db, false);
	if (result == 0 && out->failed)
		result = err_set(err, ERR_REJECT,
				 "that is too much at once: give --limit");
	return result;
}
