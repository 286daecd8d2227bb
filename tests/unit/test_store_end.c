/* SPDX-License-Identifier: MIT
 * The end of a store on a disk that fails: what is said of the documents is what the
 * next start finds. */
#include "support/store_run.h"

#include "support/fault_vfs.h"

#include "banned.h"

#define FOR_GOOD (1 << 30)

/* A store that has 10 documents in its file, and meets these faults with 5 more. */
static void degrade(int kinds, int after, int length)
{
	appended = 0;
	metrics_reset();
	open_store();
	append(10);
	commit_all();
	fault_order(kinds, after, length, SQLITE_IOERR_WRITE);
	append(5);
	commit_all();
}

/* Close; then all accounts are those of the file that is left. */
static void close_and_compare(void)
{
	int failed;

	close_store();
	failed = fault.failed;
	fault_order(0, -1, 0, 0);
	fault.failed = failed;
	assert_int_equal(ended.stay, query("SELECT count(*) FROM q"));
	assert_int_equal(kit_ended() + ended.stay, appended);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), ended.lost + ended.aside);
}

static void what_no_file_takes_is_lost_and_counted_once(void **state)
{
	(void)state;
	degrade(FAULT_WRITE, 0, FOR_GOOD);
	assert_true(status().degraded);
	close_and_compare();
	assert_int_equal(ended.lost, 5);
	assert_int_equal(ended.stay, 10);
	assert_false(ended.unread);
	assert_non_null(strstr(ended.trouble, "disk"));
}

static void a_disk_that_fails_again_at_the_end_is_tried_once_more(void **state)
{
	(void)state;
	degrade(FAULT_WRITE, 0, FOR_GOOD);
	fault_order(FAULT_WRITE, 0, 2, SQLITE_IOERR_WRITE);
	close_and_compare();
	assert_int_equal(ended.lost, 0);
	assert_int_equal(ended.stay, 15);
}

/* After a sync that failed there is another file, which takes what is in memory. */
static void a_sync_that_fails_at_the_end_costs_nothing_that_is_in_memory(void **state)
{
	(void)state;
	degrade(FAULT_WRITE, 0, FOR_GOOD);
	fault_order(FAULT_SYNC, 0, 1, 0);
	close_and_compare();
	assert_int_equal(ended.lost, 0);
	assert_int_equal(ended.aside, 10);
	assert_int_equal(ended.stay, 5);
	assert_non_null(strstr(ended.set_aside, "fsync-failed"));
}

/* A commit that is said to have failed may stand: each write of it is tried. */
static void what_a_failed_commit_brought_into_the_file_is_not_lost(void **state)
{
	int stood = 0, after = 0;

	(void)state;
	do {
		degrade(FAULT_LATE, after++, FOR_GOOD);
		append(1); /* one more in memory, so that there is something to write */
		commit_all();
		close_and_compare();
		assert_int_equal(ended.lost + ended.stay, 16);
		stood += ended.lost == 1;
		kit_files("", kit_remove);
	} while (fault.failed > 0 && after < 1000);
	assert_true(stood > 0 && after > 2 && after < 1000);
}

static void a_file_that_cannot_be_read_at_the_end_leaves_a_doubt(void **state)
{
	(void)state;
	degrade(FAULT_WRITE, 0, FOR_GOOD);
	fault_order(FAULT_OPEN, 0, FOR_GOOD, SQLITE_CANTOPEN);
	close_and_compare();
	assert_int_equal(ended.lost, 5);
	assert_true(ended.unread);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_no_file_takes_is_lost_and_counted_once),
		TEST(a_disk_that_fails_again_at_the_end_is_tried_once_more),
		TEST(a_sync_that_fails_at_the_end_costs_nothing_that_is_in_memory),
		TEST(what_a_failed_commit_brought_into_the_file_is_not_lost),
		TEST(a_file_that_cannot_be_read_at_the_end_leaves_a_doubt),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
