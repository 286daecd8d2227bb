/* SPDX-License-Identifier: MIT
 * Trouble with the file: what is put aside, what goes on in memory, how the file is
 * taken up again, and torture: every single write, sync, truncation and open fails
 * once, or from then on. */
#include "support/store_run.h"

#include <sys/statvfs.h>

#include "support/fault_vfs.h"
#include "support/history_kit.h"

#include "banned.h"

/* What the file system says, in place of libc's answer. */
static int64_t free_bytes = INT64_C(1) << 40;

int statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = (struct statvfs){.f_frsize = 1, .f_bavail = (fsblkcnt_t)free_bytes};
	return 0;
}

static void execute(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(kit_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void write_file(const char *suffix, const char *text, size_t len)
{
	char path[320];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", kit_path, suffix);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

/* Ways to spoil a good file with 2000 documents. */

static void put_garbage(void)
{
	static const char page[8192] = "this is no database";

	write_file("", page, sizeof(page));
}

static void cut_in_half(void)
{
	struct stat st;

	assert_int_equal(stat(kit_path, &st), 0);
	assert_int_equal(truncate(kit_path, st.st_size / 2), 0);
}

static void be_another_program(void)
{
	execute("PRAGMA application_id = 77");
}

static void be_of_the_future(void)
{
	execute("PRAGMA user_version = 9");
}

static void drop_a_table(void)
{
	execute("DROP TABLE dead");
}

static void drop_a_column(void)
{
	execute("ALTER TABLE q DROP COLUMN topic");
}

static void lose_the_totals(void)
{
	execute("DELETE FROM meta");
}

static void count_in_nonsense(void)
{
	execute("UPDATE meta SET next_id = 9223372036854775807");
}

static void be_empty_beside_a_log(void)
{
	write_file("", "", 0);
	write_file("-wal", "frames", 6);
	write_file("-shm", "index", 5);
}

static void be_a_log_alone(void)
{
	assert_int_equal(remove(kit_path), 0);
	write_file("-wal", "frames", 6);
}

static void be_a_directory(void)
{
	assert_int_equal(remove(kit_path), 0);
	assert_int_equal(mkdir(kit_path, 0700), 0);
}

static const struct spoiled {
	const char *label;
	void (*spoil)(void);
	const char *why;
	int files; /* at least, that bear the new name */
} spoiled[] = {
	{"garbage", put_garbage, "damaged", 1},
	{"truncated", cut_in_half, "damaged", 1},
	{"foreign", be_another_program, "foreign", 1},
	{"newer", be_of_the_future, "newer", 1},
	{"a table is missing", drop_a_table, "damaged", 1},
	{"a column is missing", drop_a_column, "damaged", 1},
	{"no totals", lose_the_totals, "damaged", 1},
	{"a counter at its end", count_in_nonsense, "damaged", 1},
	{"empty beside a log", be_empty_beside_a_log, "zero-length", 3},
	{"a log without its database", be_a_log_alone, "log-alone", 1},
	{"a directory", be_a_directory, "not-a-file", 1},
};

static void a_file_that_cannot_be_used_is_put_aside(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(spoiled); i++) {
		const struct spoiled *row = &spoiled[i];
		char name[128];

		print_message("%s\n", row->label);
		appended = 0;
		metrics_reset();
		open_store();
		append(2000);
		close_store();
		row->spoil();
		open_store();
		snprintf(name, sizeof(name), "mmlag.db.aside-20261118T110641Z-%s",
			 row->why);
		assert_string_equal(status().set_aside, name);
		assert_true(kit_files(name, NULL) >= row->files);
		assert_false(status().degraded);
		assert_string_equal(status().trouble, "");
		assert_int_equal(status().documents, 0);
		appended = 0;
		append(3);
		commit_all();
		assert_int_equal(query("SELECT count(*) FROM q"), 3);
		close_store();
		kit_files("", kit_remove);
		kit_now_ms = 1000;
	}
}

static void two_files_put_aside_in_a_second_keep_their_names(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		put_garbage();
		open_store();
		close_store();
	}
	assert_int_equal(kit_files("aside-20261118T110641Z-damaged", NULL), 3);
	assert_int_equal(kit_files("damaged.2", NULL), 1);
	assert_int_equal(kit_files("damaged.3", NULL), 1);
}

static void an_unfinished_creation_is_finished(void **state)
{
	(void)state;
	/* Killed between the switch to the log and the tables. */
	execute("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
	open_store();
	assert_string_equal(status().set_aside, "");
	append(1);
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM q"), 1);
	close_store();
}

static void a_missing_directory_is_waited_for_in_memory(void **state)
{
	char dir[300];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/later", kit_dir);
	open_with(dir, &roomy);
	assert_true(status().degraded);
	assert_non_null(strstr(status().trouble, dir));
	append(10);
	commit_all();
	assert_int_equal(metrics_get(METRIC_SPOOL_DEGRADED), 1);
	assert_int_equal(status().documents, 10);
	ship(STORE_NEW, 4, 4, BULK_DONE);
	ship(STORE_NEW, 1, 1, BULK_REJECT);
	commit_all();
	assert_int_equal(status().documents, 5);
	assert_int_equal(status().dead, 1);
	assert_int_equal(mkdir(dir, 0700), 0);
	pass(STORE_REOPEN_MS - STORE_COMMIT_MS * 3);
	assert_true(status().degraded);
	pass(STORE_COMMIT_MS * 3);
	assert_false(status().degraded);
	assert_int_equal(metrics_get(METRIC_SPOOL_DEGRADED), 0);
	assert_string_equal(status().trouble, "");
	assert_int_equal(query_file("later/mmlag.db", "SELECT count(*) FROM q"), 5);
	assert_int_equal(query_file("later/mmlag.db", "SELECT count(*) FROM dead"), 1);
	check_balance();
	ship(STORE_NEW, 9, 5, BULK_DONE);
	close_store();
	snprintf(dir, sizeof(dir), "%s/later/mmlag.db", kit_dir);
	kit_remove(dir);
}

static void a_file_found_late_comes_first_and_as_backlog(void **state)
{
	struct store_batch b;
	int64_t found;

	(void)state;
	open_store();
	append(7);
	close_store();
	fault_install();
	fault_order(FAULT_OPEN, 0, 1 << 30, SQLITE_CANTOPEN);
	open_store();
	assert_true(status().degraded);
	append(5);
	commit_all();
	found = metrics_get(METRIC_FOUND);
	b = take(STORE_NEW, 2); /* out of memory, judged after the move */
	assert_int_equal(kit_number(&b.documents[0]), 8);
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	assert_int_equal(status().documents, 12);
	assert_int_equal(status().backlog, 7);
	assert_int_equal(metrics_get(METRIC_FOUND), found + 7);
	assert_true(status().degraded); /* two are still held in memory */
	settle(&b, 0, 1, BULK_DONE);
	settle(&b, 1, 2, BULK_RETRY);
	store_batch_fini(&b);
	commit_all();
	assert_false(status().degraded);
	check_balance();
	b = take(STORE_BACKLOG, 100);
	assert_int_equal(b.n, 7);
	assert_int_equal(kit_number(&b.documents[0]), 1);
	store_batch_fini(&b);
	b = take(STORE_NEW, 100);
	assert_int_equal(b.n, 4);
	assert_int_equal(kit_number(&b.documents[0]), 9);
	store_batch_fini(&b);
	close_store();
	fault_remove();
}

static void a_full_disk_is_lived_through_in_memory(void **state)
{
	struct store_batch held;

	(void)state;
	fault_install();
	open_store();
	append(20);
	commit_all();
	held = take(STORE_NEW, 5); /* out of the file */
	fault_order(FAULT_WRITE, 0, 1 << 30, SQLITE_FULL);
	append(20);
	commit_all();
	assert_true(status().degraded);
	assert_non_null(strstr(status().trouble, "full"));
	assert_non_null(strstr(status().trouble, "free some space"));
	check_balance();
	settle(&held, 0, held.n, BULK_DONE); /* cannot be written yet */
	store_batch_fini(&held);
	ship(STORE_NEW, 20, 20, BULK_DONE); /* what came since goes on */
	pass(STORE_REOPEN_MS);              /* in vain */
	assert_true(status().degraded);
	append(3000);
	commit_all();
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 20);
	check_balance();
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	assert_false(status().degraded);
	assert_string_equal(status().trouble, "");
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 25);
	check_balance();
	assert_int_equal(query("SELECT count(*) FROM q"), 3015);
	assert_int_equal(query("SELECT count(DISTINCT doc_id) FROM q"), 3015);
	assert_int_equal(metrics_get(METRIC_FOUND), 0); /* all were its own */
	close_store();
	fault_remove();
}

static void too_little_room_spares_the_file_but_drains_it(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	l.min_free = 1 << 20;
	open_with(kit_dir, &l);
	append(20);
	commit_all();
	assert_false(status().degraded);
	free_bytes = (1 << 20) - 1;
	append(10);
	commit_all();
	assert_true(status().degraded);
	assert_non_null(strstr(status().trouble, "min_free"));
	assert_int_equal(query("SELECT count(*) FROM q"), 20);
	ship(STORE_NEW, 20, 20, BULK_DONE);
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM q"), 0);
	assert_int_equal(status().documents, 10);
	free_bytes = INT64_C(1) << 40;
	pass(10000);
	assert_false(status().degraded);
	assert_int_equal(query("SELECT count(*) FROM q"), 10);
	free_bytes = 0;
	append(5);
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM q"), 10);
	check_balance();
	close_store(); /* better below min_free than lost */
	assert_int_equal(query("SELECT count(*) FROM q"), 15);
	free_bytes = INT64_C(1) << 40;
}

static void memory_is_bounded_and_keeps_the_newest(void **state)
{
	struct store_limits l = roomy;
	struct store_batch b;
	int64_t last = 0;

	(void)state;
	l.memory_bytes = 1 << 20;
	l.min_free = 1;
	free_bytes = 0;
	open_with(kit_dir, &l);
	for (int i = 0; i < 40; i++) {
		append(300);
		commit_all();
		check_balance();
		assert_true(status().bytes <= 1 << 20);
	}
	assert_true(status().documents > 1000);
	assert_int_equal(append_sized(1, 3 << 20, false), 0); /* never fits */
	commit_all();
	check_balance();
	assert_int_equal(append_sized(100, 4000, false), 0);
	commit_all();
	assert_true(status().documents > 50);
	b = take(STORE_NEW, 100000);
	last = kit_number(&b.documents[b.n - 1]);
	assert_int_equal(last, appended);
	store_batch_fini(&b);
	free_bytes = INT64_C(1) << 40;
	check_balance();
	close_store();
}

static void after_a_failed_fsync_the_file_is_given_up(void **state)
{
	struct store_batch held;

	(void)state;
	fault_install();
	open_store();
	append(10);
	commit_all();
	held = take(STORE_NEW, 4);
	fault_order(FAULT_SYNC, 0, 1, 0);
	append(5);
	settle(&held, 0, 4, BULK_DONE);
	commit_all();
	assert_non_null(strstr(status().set_aside, "fsync-failed"));
	assert_false(status().degraded);
	assert_int_equal(query("SELECT count(*) FROM q"), 5);
	assert_int_equal(query("SELECT min(t) FROM q"), KIT_T0 + 11);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 4);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED),
			 6); /* they lie in the other */
	check_balance();
	settle(&held, 0, 4, BULK_REJECT); /* nobody has these any more */
	store_batch_fini(&held);
	commit_all();
	check_balance();
	assert_true(query_file(status().set_aside, "SELECT count(*) FROM q") >= 10);
	close_store();
	fault_remove();
}

static void a_dying_disk_is_not_filled_with_files_put_aside(void **state)
{
	int syncs;

	(void)state;
	fault_install();
	fault_order(FAULT_SYNC, 1000, 0, 0);
	open_store();
	syncs = 1000 - fault.after; /* that making a file takes */
	for (int i = 0; i < 600; i++) {
		/* Each new file can be made, and then not be written. */
		fault_order(FAULT_SYNC, i == 0 ? 0 : syncs, 1 << 30, 0);
		append(1);
		pass(10000);
		check_balance();
	}
	assert_true(status().degraded);
	assert_in_range(kit_files("fsync-failed", NULL), 4, 40);
	close_store();
	fault_remove();
}

static void damage_found_while_running_puts_the_file_aside(void **state)
{
	char junk[4096];
	FILE *f;

	(void)state;
	memset(junk, 0xa5, sizeof(junk));
	open_store();
	append(50000); /* more than SQLite's cache */
	commit_all();
	pass(10000); /* all is in the file now */
	f = fopen(kit_path, "r+");
	assert_non_null(f);
	for (long at = 2 * 4096; at < 4096 * 2000; at += 4096) {
		fseek(f, at, SEEK_SET);
		assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
	}
	fclose(f);
	for (int i = 0; i < 100 && *status().set_aside == '\0'; i++) {
		struct store_batch b = take(STORE_NEW, 1000);

		settle(&b, 0, b.n, BULK_DONE);
		store_batch_fini(&b);
		commit_all();
	}
	assert_non_null(strstr(status().set_aside, "damaged"));
	check_balance();
	append(3);
	commit_all();
	assert_false(status().degraded);
	assert_int_equal(query("SELECT count(*) FROM q"), 3);
	check_balance();
	close_store();
}

static void a_file_that_is_removed_is_begun_anew(void **state)
{
	struct store_batch held;

	(void)state;
	open_store();
	append(10);
	commit_all();
	held = take(STORE_NEW, 4);
	kit_files("mmlag.db", kit_remove);
	append(5);
	commit_all();
	pass(10000);
	append(2);
	settle(&held, 0, held.n, BULK_DONE); /* counted as evicted already */
	store_batch_fini(&held);
	commit_all();
	check_balance();
	assert_int_equal(status().documents, 2);
	assert_int_equal(query("SELECT count(*) FROM q"), 2);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 15);
	assert_false(status().degraded);
	close_store();
}

/* Torture. `fate` of a document: */
enum fate { WAITS, DONE };

struct tally {
	enum fate fate[2000];
	int found[2000];
	int spans;    /* of ten seconds that have a point */
	int64_t span; /* the last one */
};

static void count_rows(struct tally *t, const char *name)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, "SELECT t FROM q", -1, &st, NULL) == SQLITE_OK)
		while (sqlite3_step(st) == SQLITE_ROW)
			t->found[sqlite3_column_int64(st, 0) - KIT_T0]++;
	sqlite3_finalize(st);
	sqlite3_close(db);
}

/* The two ends of a batch get verdicts, the middle is given back. */
static void torture_ship(struct tally *t, enum store_range range)
{
	struct store_batch b = take(range, 12);

	for (size_t i = 0; i < b.n; i++) {
		int64_t n = kit_number(&b.documents[i]);
		enum bulk_verdict v = i % 3 == 0 ? BULK_RETRY : BULK_DONE;

		assert_int_equal(t->fate[n], WAITS); /* what is done never comes back */
		if (v == BULK_DONE)
			t->fate[n] = DONE;
		settle(&b, i, i + 1, v);
	}
	store_batch_fini(&b);
}

static void put_number(const char *key, int64_t n)
{
	store_put(store, STORE_ALERT, key, &n, sizeof(n));
}

static void get_number(void *arg, const char *key, const void *bytes, size_t len)
{
	int64_t *numbers = arg; /* "first", "last" */

	assert_int_equal(len, sizeof(*numbers));
	memcpy(&numbers[strcmp(key, "last") == 0], bytes, len);
}

static void tell_history(struct tally *t, int64_t lag)
{
	const struct store_topic of = {"c", "g", "orders"};
	struct history_point p = kit_point(KIT_T0 + kit_now_ms, 3, lag);

	t->spans += p.t.ms / 10000 != t->span;
	t->span = p.t.ms / 10000;
	store_history_add(store, &of, &p);
	history_point_fini(&p);
}

static void count_points(struct store_question *q)
{
	const char *at = buf_str(&q->answer);

	assert_int_equal(q->err.class, 0);
	while ((at = strstr(at, "\"OK\"")) != NULL) {
		at++;
		++*(int *)q->arg;
	}
	store_question_free(q);
}

static int history_points(void)
{
	int n = 0;
	struct store_question *q =
		store_question_new(STORE_ASK_HISTORY, count_points, &n);

	q->cluster = mem_strdup("c");
	q->group = mem_strdup("g");
	q->topic = mem_strdup("orders");
	q->since.ms = KIT_T0;
	q->until.ms = KIT_T0 + 3600000;
	store_ask(store, q);
	settle_down();
	return n;
}

/* What stands beside the documents: nothing of it is lost while the file stays; a file
 * that is given up takes the history with it, not the records. */
static void check_extras(const struct tally *t, bool aside)
{
	int64_t numbers[2] = {-1, -1};

	if (!aside)
		assert_int_equal(history_points(), t->spans);
	close_store();
	assert_int_equal(query("SELECT history_bytes - (SELECT coalesce(sum(64 +"
			       " length(points)), 0) FROM history) FROM meta"),
			 0);
	open_store();
	store_each(store, STORE_ALERT, get_number, numbers);
	assert_int_equal(numbers[1], 11);
	assert_true(numbers[0] == 0 || (aside && numbers[0] == -1));
}

/* One life of a store with a fault after `after` operations. Returns whether it came.
 */
static bool torture_once(int kinds, int after, int length, int code)
{
	struct tally *t = mem_calloc(1, sizeof(*t));
	int64_t waiting, evicted;
	bool came, aside;

	appended = 0;
	kit_now_ms = 1000;
	metrics_reset();
	fault_order(kinds, after, length, code);
	open_store();
	for (int round = 0; round < 12; round++) {
		append(10);
		if (round == 0)
			put_number("first", 0);
		put_number("last", round);
		tell_history(t, round);
		pass(round % 5 == 4 ? 10000 : STORE_COMMIT_MS);
		check_balance();
		torture_ship(t, STORE_NEW);
		if (round % 4 == 2)
			store_mark_backlog(store);
		torture_ship(t, STORE_BACKLOG);
		check_balance();
	}
	came = fault.failed > 0;
	fault_order(0, -1, 0, 0);
	pass(4 * 3600000); /* however long it waits between tries */
	append(1);
	commit_all();
	check_balance();
	assert_int_equal(metrics_get(METRIC_FOUND), 0);
	assert_false(status().degraded);
	aside = *status().set_aside != '\0';
	waiting = status().documents;
	evicted = metrics_get(METRIC_DOC_EVICTED);
	assert_true(aside || evicted == 0);
	count_rows(t, "mmlag.db");
	for (int n = 1; n <= appended; n++) {
		assert_in_range(t->found[n], 0, t->fate[n] == DONE ? 0 : 1);
		waiting -= t->found[n];
		evicted -= t->fate[n] == WAITS && t->found[n] == 0;
	}
	assert_int_equal(waiting, 0);
	assert_int_equal(evicted, 0);
	if (aside) { /* and what is missing lies there */
		count_rows(t, status().set_aside);
		for (int n = 1; n <= appended; n++)
			assert_true(t->fate[n] == DONE || t->found[n] > 0);
	}
	check_extras(t, aside);
	close_store();
	assert_int_equal(query("SELECT count(*) - documents FROM meta, q"), 0);
	kit_files("", kit_remove);
	free(t);
	return came;
}

static void torture(int kinds, int length, int code, int stride)
{
	int n = 0;

	fault_install();
	while (torture_once(kinds, n, length, code))
		n += stride;
	print_message("%d operations\n", n);
	assert_true(n > 0);
	fault_remove();
}

static void any_write_may_find_the_disk_full_once(void **state)
{
	(void)state;
	torture(FAULT_WRITE | FAULT_TRUNCATE, 1, SQLITE_FULL, 1);
}

static void any_write_may_find_the_disk_full_from_then_on(void **state)
{
	(void)state;
	torture(FAULT_WRITE | FAULT_TRUNCATE, 1 << 30, SQLITE_FULL, 3);
}

static void any_write_may_fail_once(void **state)
{
	(void)state;
	torture(FAULT_WRITE | FAULT_TRUNCATE, 1, SQLITE_IOERR_WRITE, 2);
}

static void any_write_may_fail_from_then_on(void **state)
{
	(void)state;
	torture(FAULT_WRITE | FAULT_TRUNCATE, 1 << 30, SQLITE_IOERR_WRITE, 7);
}

static void any_read_may_fail_once(void **state)
{
	(void)state;
	torture(FAULT_READ, 1, SQLITE_IOERR_READ, 1);
}

static void any_sync_may_fail_once(void **state)
{
	(void)state;
	torture(FAULT_SYNC, 1, 0, 1);
}

static void any_open_may_fail(void **state)
{
	(void)state;
	torture(FAULT_OPEN, 1, SQLITE_CANTOPEN, 1);
	torture(FAULT_OPEN, 1 << 30, SQLITE_CANTOPEN, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_cannot_be_used_is_put_aside),
		TEST(two_files_put_aside_in_a_second_keep_their_names),
		TEST(an_unfinished_creation_is_finished),
		TEST(a_missing_directory_is_waited_for_in_memory),
		TEST(a_file_found_late_comes_first_and_as_backlog),
		TEST(a_full_disk_is_lived_through_in_memory),
		TEST(too_little_room_spares_the_file_but_drains_it),
		TEST(memory_is_bounded_and_keeps_the_newest),
		TEST(after_a_failed_fsync_the_file_is_given_up),
		TEST(a_dying_disk_is_not_filled_with_files_put_aside),
		TEST(damage_found_while_running_puts_the_file_aside),
		TEST(a_file_that_is_removed_is_begun_anew),
		TEST(any_write_may_find_the_disk_full_once),
		TEST(any_write_may_find_the_disk_full_from_then_on),
		TEST(any_write_may_fail_once),
		TEST(any_write_may_fail_from_then_on),
		TEST(any_read_may_fail_once),
		TEST(any_sync_may_fail_once),
		TEST(any_open_may_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
