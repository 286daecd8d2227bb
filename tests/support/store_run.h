/* SPDX-License-Identifier: MIT
 * store_run: a store that a test drives by hand: its thread's steps, the shipper's
 * requests, and the balance of the accounts after each. */
#ifndef MMLAG_TESTS_STORE_RUN_H
#define MMLAG_TESTS_STORE_RUN_H

#include <poll.h>
#include <sqlite3.h>

#include "store/store.h"
#include "support/store_clock.h"

#define LEN 300

static struct store *store;
static struct wake asker;
static struct store_end ended; /* of the last close_store */
static int64_t appended;       /* handed over so far; also the number of the last one */

__attribute__((unused)) static void open_with(const char *dir,
					      const struct store_limits *l)
{
	struct err err = ERR_INIT;

	if (store_open(&store, dir, l, &err) != 0)
		fail_msg("%s", err.text);
}

__attribute__((unused)) static const struct store_limits roomy = {
	1LL << 30,  7 * 86400000LL, 0,           64LL << 20,     30 * 86400000LL,
	32LL << 20, 64LL << 20,     256LL << 20, 30 * 86400000LL};

__attribute__((unused)) static void open_store(void)
{
	open_with(kit_dir, &roomy);
}

__attribute__((unused)) static void close_store(void)
{
	store_close(store, &ended);
	store = NULL;
}

__attribute__((unused)) static int run_setup(void **state)
{
	appended = 0;
	kit_now_ms = 1000;
	return kit_setup(state) != 0 || wake_init(&asker) != 0;
}

__attribute__((unused)) static int run_teardown(void **state)
{
	wake_fini(&asker);
	return kit_teardown(state);
}

__attribute__((unused)) static struct store_status status(void)
{
	struct store_status st;

	store_status(store, &st);
	return st;
}

/* Hand over `n` documents of `len` bytes, numbered on. */
__attribute__((unused)) static int append_sized(size_t n, size_t len, bool force)
{
	struct document *docs = mem_calloc(n, sizeof(*docs));
	int rc;

	for (size_t i = 0; i < n; i++)
		docs[i] = kit_document(appended + 1 + (int64_t)i, len);
	rc = store_append(store, docs, n, force);
	if (rc == 0)
		appended += (int64_t)n;
	for (size_t i = 0; i < n; i++) {
		assert_true((docs[i].json == NULL) == (rc == 0));
		document_fini(&docs[i]);
	}
	free(docs);
	return rc;
}

__attribute__((unused)) static void append(size_t n)
{
	assert_int_equal(append_sized(n, LEN, false), 0);
}

/* Steps until there is nothing to do at this time. Returns when to come again. */
__attribute__((unused)) static struct mono settle_down(void)
{
	struct step s = {.done = false};

	for (int i = 0; i < 10000; i++) {
		s = store_step(store);
		if (s.done || mono_before(clock_mono(), s.until))
			return s.until;
	}
	fail_msg("the store's thread never rests");
	return s.until;
}

/* Let time pass, with a step at its end. */
__attribute__((unused)) static void pass(int64_t ms)
{
	kit_now_ms += ms;
	settle_down();
}

__attribute__((unused)) static void commit_all(void)
{
	pass(STORE_COMMIT_MS);
}

__attribute__((unused)) static void check_balance(void)
{
	assert_int_equal(kit_ended() + status().documents, appended);
}

__attribute__((unused)) static struct store_batch take(enum store_range range, size_t n)
{
	struct store_batch b = {.rows = NULL};

	store_take_ask(store, &asker, range, n, 1 << 30);
	store_step(store);
	assert_true(store_take_get(store, &b));
	return b;
}

__attribute__((unused)) static void settle(const struct store_batch *b, size_t from,
					   size_t to, enum bulk_verdict verdict)
{
	struct bulk_item v = {.verdict = verdict, .status = 400};

	snprintf(v.type, sizeof(v.type), "some_exception");
	snprintf(v.reason, sizeof(v.reason), "a reason");
	for (size_t i = from; i < to; i++)
		store_settle(store, &b->rows[i], &v, 1);
}

/* Take `n`, of which there must be `count`, and settle all the same way. */
__attribute__((unused)) static void ship(enum store_range range, size_t n, size_t count,
					 enum bulk_verdict verdict)
{
	struct store_batch b = take(range, n);

	assert_int_equal(b.n, count);
	settle(&b, 0, b.n, verdict);
	store_batch_fini(&b);
}

/* An integer out of the database `name` in the directory. */
__attribute__((unused)) static int64_t query_file(const char *name, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t v;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", name, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

__attribute__((unused)) static int64_t query(const char *sql)
{
	return query_file("mmlag.db", sql);
}

#endif
