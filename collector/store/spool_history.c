/* SPDX-License-Identifier: MIT
 * spool_history: see spool_history_int.h. What is folded is deleted in the same
 * transaction, so a point is in one level, or twice in one blob for a moment that
 * nobody sees. */
#include "spool_history_int.h"

#include <limits.h>

#include "spool_int.h"
#include "sql_int.h"

#include "banned.h"

#define ROW_COST 64    /* of a row, beside its bytes, towards the limit */
#define CARE_MS 60000  /* between two looks for what is old */
#define FOLD_BLOCKS 50 /* in one transaction */
#define DROP_ROWS 500  /* in one transaction */
#define BLOB_MAX (16 << 20)

const struct history_scale history_scales[HISTORY_LEVELS] = {
	[HISTORY_GAPS] = {0, 60000, 0},
	[HISTORY_FINE] = {10000, 60000, INT64_C(6) * 3600000},
	[HISTORY_MINUTES] = {60000, 3600000, INT64_C(3) * 86400000},
	[HISTORY_COARSE] = {900000, 86400000, 0},
};

static int64_t cost(int64_t len)
{
	return len + ROW_COST;
}

/* The length of the row that will be replaced is not counted any more. */
static int forget_old(struct spool *s, sqlite3_stmt *st, struct err *err)
{
	int result = 0;

	if (spool_row(st, &result, err)) {
		s->now.totals.history_bytes -= cost(sqlite3_column_int64(st, 0));
		sqlite3_reset(st);
	}
	return result;
}

int spool_history_put(struct spool *s, struct history_name name,
		      enum history_level level, struct wall t, const void *bytes,
		      size_t len, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_SERIES_ADD];
	const enum statement both[] = {ST_HISTORY_OLD, ST_HISTORY_PUT};

	sqlite3_bind_blob64(st, 1, name.bytes, name.len, SQLITE_STATIC);
	if (sql_done(st, "cannot write", err) != 0)
		return err->class;
	for (size_t i = 0; i < 2; i++) {
		sqlite3_bind_blob64(s->st[both[i]], 1, name.bytes, name.len,
				    SQLITE_STATIC);
		sqlite3_bind_int(s->st[both[i]], 2, (int)level);
		sqlite3_bind_int64(s->st[both[i]], 3, t.ms);
	}
	if (forget_old(s, s->st[ST_HISTORY_OLD], err) != 0)
		return err->class;
	sqlite3_bind_blob64(s->st[ST_HISTORY_PUT], 4, bytes, len, SQLITE_STATIC);
	if (sql_done(s->st[ST_HISTORY_PUT], "cannot write", err) != 0)
		return err->class;
	s->now.totals.history_bytes += cost((int64_t)len);
	return 0;
}

static int read_rows(sqlite3_stmt *st, history_row *each, void *arg, struct err *err)
{
	int result = 0;

	while (spool_row(st, &result, err)) {
		struct wall t = {sqlite3_column_int64(st, 0)};
		const void *bytes = sqlite3_column_blob(st, 1);

		each(arg, t, bytes == NULL ? "" : bytes,
		     (size_t)sqlite3_column_bytes(st, 1));
	}
	return result;
}

int spool_history_read(struct spool *s, struct history_name name,
		       enum history_level level, struct wall from, struct wall until,
		       history_row *each, void *arg, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_HISTORY_READ];

	sqlite3_bind_blob64(st, 1, name.bytes, name.len, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, (int)level);
	sqlite3_bind_int64(st, 3, from.ms);
	sqlite3_bind_int64(st, 4, until.ms);
	return read_rows(st, each, arg, err);
}

int spool_history_before(struct spool *s, struct history_name name,
			 enum history_level level, struct wall from, history_row *each,
			 void *arg, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_HISTORY_BEFORE];

	sqlite3_bind_blob64(st, 1, name.bytes, name.len, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, (int)level);
	sqlite3_bind_int64(st, 3, from.ms);
	return read_rows(st, each, arg, err);
}

/* Folding */

struct folding {
	struct history_points points;
	int64_t step_ms;
	int64_t cost;
};

/* What cannot be read any more is dropped. */
static void take_in(struct folding *f, const void *bytes, size_t len)
{
	struct history_points found = {NULL, 0, 0};

	f->cost += cost((int64_t)len);
	if (history_decode(bytes, len, &found) == 0)
		for (size_t i = 0; i < found.n; i++)
			history_put(&f->points, &found.v[i], f->step_ms);
	history_points_fini(&found);
}

static int read_block(struct spool *s, int64_t series, enum history_level level,
		      int64_t from, int64_t until, struct folding *f, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_FOLD_READ];
	int result = 0;

	sqlite3_bind_int64(st, 1, series);
	sqlite3_bind_int(st, 2, (int)level);
	sqlite3_bind_int64(st, 3, from);
	sqlite3_bind_int64(st, 4, until);
	while (spool_row(st, &result, err)) {
		const void *bytes = sqlite3_column_blob(st, 0);

		take_in(f, bytes == NULL ? "" : bytes,
			(size_t)sqlite3_column_bytes(st, 0));
	}
	return result;
}

static int write_block(struct spool *s, int64_t series, enum history_level level,
		       int64_t t, struct folding *f, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_FOLD_PUT];
	struct buf blob = BUF_INIT(BLOB_MAX);
	int result;

	history_thin(&f->points, f->step_ms);
	history_encode(&f->points, &blob);
	if (f->points.n == 0 || blob.failed) {
		buf_free(&blob);
		return 0;
	}
	sqlite3_bind_int64(st, 1, series);
	sqlite3_bind_int(st, 2, (int)level);
	sqlite3_bind_int64(st, 3, t);
	sqlite3_bind_blob64(st, 4, blob.data, blob.len, SQLITE_STATIC);
	result = sql_done(st, "cannot write", err);
	s->now.totals.history_bytes += cost((int64_t)blob.len);
	sqlite3_clear_bindings(st);
	buf_free(&blob);
	return result;
}

static int delete_block(struct spool *s, int64_t series, enum history_level level,
			int64_t from, int64_t until, struct err *err)
{
	sqlite3_stmt *st = s->st[ST_FOLD_DELETE];

	sqlite3_bind_int64(st, 1, series);
	sqlite3_bind_int(st, 2, (int)level);
	sqlite3_bind_int64(st, 3, from);
	sqlite3_bind_int64(st, 4, until);
	return sql_done(st, "cannot write", err);
}

static int64_t floor_to(int64_t ms, int64_t block_ms)
{
	int64_t rest = ms % block_ms;

	return ms - (rest < 0 ? rest + block_ms : rest);
}

/* All rows of `series` in the block of the next level that `t` lies in. What came late
 * joins the row that is there. */
static int fold_block(struct spool *s, int64_t series, enum history_level level,
		      int64_t t, struct err *err)
{
	enum history_level up = (enum history_level)(level + 1);
	const struct history_scale *to = &history_scales[up];
	struct folding f = {.step_ms = to->step_ms};
	int64_t from = floor_to(t, to->block_ms);
	int64_t until = from + to->block_ms - 1;
	int result = read_block(s, series, up, from, from, &f, err);

	if (result == 0)
		result = read_block(s, series, level, from, until, &f, err);
	if (result == 0)
		result = delete_block(s, series, level, from, until, err);
	if (result == 0)
		result = delete_block(s, series, up, from, from, err);
	if (result == 0) {
		s->now.totals.history_bytes -= f.cost;
		result = write_block(s, series, up, from, &f, err);
	}
	history_points_fini(&f.points);
	return result;
}

static int fold(struct spool *s, enum history_level level, struct wall now, bool *more,
		struct err *err)
{
	sqlite3_stmt *st = s->st[ST_FOLD_NEXT];
	int64_t limit = floor_to(now.ms - history_scales[level].fold_after_ms,
				 history_scales[level + 1].block_ms);
	int result = 0;

	for (int n = 0; n < FOLD_BLOCKS; n++) {
		int64_t series, t;

		sqlite3_bind_int(st, 1, (int)level);
		sqlite3_bind_int64(st, 2, limit);
		if (!spool_row(st, &result, err))
			return result;
		series = sqlite3_column_int64(st, 0);
		t = sqlite3_column_int64(st, 1);
		sqlite3_reset(st);
		if (fold_block(s, series, level, t, err) != 0)
			return err->class;
	}
	*more = true;
	return 0;
}

/* Dropping */

/* Drop the oldest of a level that began before `limit`, or while there is too much. */
static int drop(struct spool *s, enum history_level level, int64_t limit, bool *more,
		struct err *err)
{
	sqlite3_stmt *st = s->st[ST_HISTORY_HEAD];
	int64_t rows[DROP_ROWS], *bytes = &s->now.totals.history_bytes;
	int n = 0, result = 0;

	sqlite3_bind_int(st, 1, (int)level);
	sqlite3_bind_int(st, 2, DROP_ROWS);
	while (n < DROP_ROWS && spool_row(st, &result, err)) {
		if (sqlite3_column_int64(st, 2) >= limit &&
		    *bytes <= s->limits.history_bytes)
			break;
		rows[n++] = sqlite3_column_int64(st, 0);
		*bytes -= cost(sqlite3_column_int64(st, 1));
	}
	sqlite3_reset(st);
	*more |= n == DROP_ROWS;
	s->swept &= n == 0;
	for (int i = 0; i < n && result == 0; i++) {
		sqlite3_bind_int64(s->st[ST_HISTORY_DROP], 1, rows[i]);
		result = sql_done(s->st[ST_HISTORY_DROP], "cannot write", err);
	}
	return result;
}

/* The names of topics that have no history any more. */
static int sweep(struct spool *s, struct err *err)
{
	if (!s->swept && sql_done(s->st[ST_SERIES_SWEEP], "cannot write", err) != 0)
		return err->class;
	s->swept = true;
	return 0;
}

bool spool_history_due(const struct spool *s, struct wall now)
{
	int64_t since = now.ms - s->history_care.ms;

	return s->now.totals.history_bytes > s->limits.history_bytes || since < 0 ||
	       since >= CARE_MS;
}

/* The coarsest goes first where there is too much: it is the oldest. */
int spool_history_care(struct spool *s, struct wall now, bool *more, struct err *err)
{
	bool again = false;

	for (int level = HISTORY_COARSE; level >= HISTORY_GAPS && !again; level--) {
		int64_t limit = now.ms - s->limits.history_age_ms -
				history_scales[level].block_ms;

		if (drop(s, (enum history_level)level, limit, &again, err) != 0)
			return err->class;
	}
	/* All is gone and there is still too much: somebody removed rows by hand. */
	if (!again && s->now.totals.history_bytes > s->limits.history_bytes)
		s->now.totals.history_bytes = 0;
	for (int level = HISTORY_FINE; level < HISTORY_COARSE && !again; level++)
		if (fold(s, (enum history_level)level, now, &again, err) != 0)
			return err->class;
	if (again) {
		*more = true;
		return 0;
	}
	s->history_care = now;
	return sweep(s, err);
}
