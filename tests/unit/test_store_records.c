/* SPDX-License-Identifier: MIT
 * Records: what is put is found at the next start, through every trouble with the file;
 * files of the version before are taken over as they are. */
#include "support/store_run.h"

#include <sys/statvfs.h>

#include "support/fault_vfs.h"

#include "banned.h"

static int64_t free_bytes = INT64_C(1) << 40;

int statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = (struct statvfs){.f_frsize = 1, .f_bavail = (fsblkcnt_t)free_bytes};
	return 0;
}

/* All that store_each gives, as "key=bytes;". */
static char found[4096];

static void note(void *arg, const char *key, const void *bytes, size_t len)
{
	size_t at = strlen(found);

	(void)arg;
	snprintf(found + at, sizeof(found) - at, "%s=%.*s;", key, (int)len,
		 (const char *)bytes);
}

static const char *all(enum store_kind kind)
{
	*found = '\0';
	store_each(store, kind, note, NULL);
	return found;
}

static void put(enum store_kind kind, const char *key, const char *bytes)
{
	store_put(store, kind, key, bytes, bytes == NULL ? 0 : strlen(bytes));
}

static void restart(void)
{
	close_store();
	open_store();
}

static void records_are_found_again_in_order_of_their_keys(void **state)
{
	(void)state;
	open_store();
	assert_string_equal(all(STORE_ALERT), "");
	put(STORE_ALERT, "b", "2");
	put(STORE_ALERT, "a", "1");
	put(STORE_WINDOW, "a", "window");
	put(STORE_ALERT, "c", "");
	restart();
	assert_string_equal(all(STORE_ALERT), "a=1;b=2;c=;");
	assert_string_equal(all(STORE_WINDOW), "a=window;");
	assert_string_equal(all(STORE_NOTICE), "");
	close_store();
}

static void they_are_written_with_the_group_commit_and_the_last_word_wins(void **state)
{
	(void)state;
	open_store();
	put(STORE_ALERT, "a", "1");
	put(STORE_ALERT, "a", "2");
	put(STORE_ALERT, "b", "3");
	put(STORE_ALERT, "b", NULL);
	put(STORE_ALERT, "c", NULL);
	put(STORE_ALERT, "c", "4");
	pass(STORE_COMMIT_MS - 1);
	assert_int_equal(query("SELECT count(*) FROM record"), 0);
	pass(1);
	assert_int_equal(query("SELECT count(*) FROM record"), 2);
	assert_int_equal(query("SELECT bytes = CAST('2' AS BLOB) FROM record"
			       " WHERE kind = 1 AND key = 'a'"),
			 1);
	put(STORE_ALERT, "a", NULL);
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM record"), 1);
	restart();
	assert_string_equal(all(STORE_ALERT), "c=4;");
	close_store();
}

static void bytes_may_be_anything(void **state)
{
	char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	open_store();
	store_put(store, STORE_WINDOW, "orders", bytes, sizeof(bytes));
	restart();
	commit_all();
	assert_int_equal(query("SELECT length(bytes) FROM record"), 256);
	assert_int_equal(query("SELECT instr(bytes, x'00fffe') FROM record"), 0);
	assert_int_equal(query("SELECT instr(bytes, x'fdfeff') FROM record"), 254);
	close_store();
}

static void while_the_file_is_full_they_are_kept_in_memory(void **state)
{
	(void)state;
	fault_install();
	open_store();
	put(STORE_ALERT, "a", "old");
	put(STORE_ALERT, "b", "old");
	commit_all();
	fault_order(FAULT_WRITE, 0, 1 << 30, SQLITE_FULL);
	put(STORE_ALERT, "a", "new");
	put(STORE_ALERT, "b", NULL);
	put(STORE_ALERT, "c", "new");
	commit_all();
	assert_true(status().degraded);
	pass(STORE_REOPEN_MS); /* in vain */
	put(STORE_ALERT, "c", "newer");
	commit_all();
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	assert_false(status().degraded);
	assert_int_equal(query("SELECT count(*) FROM record"), 2);
	restart();
	assert_string_equal(all(STORE_ALERT), "a=new;c=newer;");
	close_store();
	fault_remove();
}

static void a_directory_that_comes_late_gets_them_all(void **state)
{
	char dir[300];

	(void)state;
	snprintf(dir, sizeof(dir), "%s/later", kit_dir);
	open_with(dir, &roomy);
	put(STORE_SILENCE, "s", "quiet");
	commit_all();
	assert_int_equal(mkdir(dir, 0700), 0);
	pass(STORE_REOPEN_MS);
	assert_int_equal(query_file("later/mmlag.db", "SELECT count(*) FROM record"),
			 1);
	close_store();
	snprintf(dir, sizeof(dir), "%s/later/mmlag.db", kit_dir);
	kit_remove(dir);
}

static void what_only_memory_has_is_written_at_the_stop(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	l.min_free = 1 << 20;
	open_with(kit_dir, &l);
	free_bytes = 0;
	put(STORE_ALERT, "a", "1");
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM record"), 0);
	close_store();
	assert_int_equal(query("SELECT count(*) FROM record"), 1);
	free_bytes = INT64_C(1) << 40;
}

static void records_survive_a_file_that_is_given_up(void **state)
{
	(void)state;
	fault_install();
	open_store();
	put(STORE_SILENCE, "s", "quiet");
	put(STORE_ALERT, "a", "old");
	commit_all();
	fault_order(FAULT_SYNC, 0, 1, 0);
	put(STORE_ALERT, "a", "new");
	commit_all();
	assert_non_null(strstr(status().set_aside, "fsync-failed"));
	commit_all();
	restart();
	assert_string_equal(all(STORE_SILENCE), "s=quiet;");
	assert_string_equal(all(STORE_ALERT), "a=new;");
	close_store();
	fault_remove();
}

static void records_survive_a_file_that_somebody_removes(void **state)
{
	(void)state;
	open_store();
	put(STORE_SILENCE, "s", "quiet");
	commit_all();
	kit_files("mmlag.db", kit_remove);
	pass(10000);
	pass(10000);
	assert_false(status().degraded);
	restart();
	assert_string_equal(all(STORE_SILENCE), "s=quiet;");
	close_store();
}

static void many_megabytes_are_written_in_slices(void **state)
{
	char key[16], *big = mem_calloc(1 << 20, 1);

	(void)state;
	open_store();
	for (int i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "%03d", i);
		store_put(store, STORE_WINDOW, key, big, 1 << 20);
	}
	kit_now_ms += STORE_COMMIT_MS;
	assert_true(!mono_before(clock_mono(), store_step(store).until));
	assert_in_range(query("SELECT count(*) FROM record"), 4, 10);
	settle_down();
	assert_int_equal(query("SELECT count(*) FROM record"), 20);
	close_store();
	free(big);
}

/* What version 1 made, with a document and a dead letter in it. */
static const char version_1[] =
	"PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
	"CREATE TABLE meta(one INTEGER PRIMARY KEY CHECK (one = 1),"
	" next_id INTEGER NOT NULL, documents INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" dead INTEGER NOT NULL, dead_bytes INTEGER NOT NULL) STRICT;"
	"CREATE TABLE q(id INTEGER PRIMARY KEY, topic TEXT NOT NULL, t INTEGER NOT NULL,"
	" doc_id TEXT NOT NULL, doc BLOB NOT NULL) STRICT;"
	"CREATE TABLE dead(id INTEGER PRIMARY KEY, topic TEXT NOT NULL,"
	" t INTEGER NOT NULL, doc_id TEXT NOT NULL, doc BLOB NOT NULL,"
	" at INTEGER NOT NULL, status INTEGER NOT NULL, type TEXT NOT NULL,"
	" reason TEXT NOT NULL) STRICT;"
	"INSERT INTO meta VALUES(1, 8, 1, 7, 1, 7);"
	"INSERT INTO q VALUES(7, 'orders', 1795000000000, 'x', x'7b226e223a377d');"
	"INSERT INTO dead VALUES(1, 'orders', 1795000000000, 'y', x'7b226e223a377d',"
	" 1795000000000, 400, 'some_exception', 'a reason');"
	"PRAGMA application_id = 1835887719; PRAGMA user_version = 1;";

static void make_version_1(void)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(kit_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, version_1, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void a_file_of_version_1_is_brought_up_in_its_place(void **state)
{
	(void)state;
	make_version_1();
	open_store();
	assert_string_equal(status().set_aside, "");
	assert_string_equal(status().trouble, "");
	assert_int_equal(status().documents, 1);
	assert_int_equal(status().dead, 1);
	put(STORE_ALERT, "a", "1");
	ship(STORE_BACKLOG, 9, 1, BULK_DONE);
	restart();
	assert_string_equal(all(STORE_ALERT), "a=1;");
	assert_int_equal(status().documents, 0);
	assert_int_equal(status().dead, 1);
	assert_int_equal(query("PRAGMA user_version"), 2);
	close_store();
}

/* Each write and sync of the upgrade fails once: the file is of one version or the
 * other, and the next start brings it up. */
static void an_upgrade_that_fails_is_done_again(void **state)
{
	(void)state;
	for (int n = 0; n < 40; n++) {
		make_version_1();
		fault_install();
		fault_order(FAULT_WRITE, n, 1, SQLITE_FULL);
		open_store();
		fault_order(0, -1, 0, 0);
		pass(STORE_REOPEN_MS);
		assert_string_equal(status().set_aside, "");
		assert_int_equal(status().documents, 1);
		assert_int_equal(status().dead, 1);
		close_store();
		fault_remove();
		assert_int_equal(query("PRAGMA user_version"), 2);
		kit_files("", kit_remove);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(records_are_found_again_in_order_of_their_keys),
		TEST(they_are_written_with_the_group_commit_and_the_last_word_wins),
		TEST(bytes_may_be_anything),
		TEST(while_the_file_is_full_they_are_kept_in_memory),
		TEST(a_directory_that_comes_late_gets_them_all),
		TEST(what_only_memory_has_is_written_at_the_stop),
		TEST(records_survive_a_file_that_is_given_up),
		TEST(records_survive_a_file_that_somebody_removes),
		TEST(many_megabytes_are_written_in_slices),
		TEST(a_file_of_version_1_is_brought_up_in_its_place),
		TEST(an_upgrade_that_fails_is_done_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
