/* SPDX-License-Identifier: MIT
 * A commit that is said to have failed and stands all the same: whatever it did, in
 * documents that came, verdicts and a move out of memory, every document is sent once
 * and counted once. */
#include "support/store_run.h"

#include "support/fault_vfs.h"

#include "banned.h"

#define FOR_GOOD (1 << 30)
#define DOCUMENTS 200

static int sent[DOCUMENTS]; /* how often it was told to be done */

static void deliver(size_t n)
{
	struct store_batch b = take(STORE_NEW, n);

	for (size_t i = 0; i < b.n; i++)
		sent[kit_number(&b.documents[i])]++;
	settle(&b, 0, b.n, BULK_DONE);
	store_batch_fini(&b);
}

/* Once more what was sent before the trouble is not known to be so only where nobody
 * was told of the verdict: never here. */
static void expect_each_sent_once(void)
{
	for (int i = 0; i < 20; i++) {
		deliver(DOCUMENTS);
		commit_all();
	}
	pass(STORE_REOPEN_MS);
	deliver(DOCUMENTS);
	commit_all();
	assert_int_equal(status().documents, 0);
	for (int64_t n = 1; n <= appended; n++)
		assert_int_equal(sent[n], 1);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), appended);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 0);
	check_balance();
}

/* From the `after`-th write on each is done and said to have failed, while documents
 * come and verdicts wait, until time for `rounds` tries has passed. Returns whether a
 * fault was met. */
static bool live_through(int after, int rounds, bool ship_meanwhile)
{
	struct store_batch b;
	int failed;

	memset(sent, 0, sizeof(sent));
	appended = 0;
	metrics_reset();
	open_store();
	append(10);
	commit_all();
	b = take(STORE_NEW, 4);
	for (size_t i = 0; i < 3; i++)
		sent[kit_number(&b.documents[i])]++;
	settle(&b, 0, 3, BULK_DONE);
	settle(&b, 3, 4, BULK_RETRY);
	store_batch_fini(&b);
	append(5);
	fault_order(FAULT_LATE, after, FOR_GOOD, SQLITE_IOERR_WRITE);
	commit_all();
	for (int i = 0; i < rounds; i++) {
		check_balance();
		append(2);
		if (ship_meanwhile)
			deliver(3);
		pass(STORE_REOPEN_MS);
	}
	failed = fault.failed;
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	check_balance();
	append(5);
	commit_all();
	check_balance();
	expect_each_sent_once();
	close_store();
	kit_files("", kit_remove);
	return failed > 0;
}

static void a_commit_that_stood_doubles_nothing(void **state)
{
	int after = 0;

	(void)state;
	while (live_through(after, 0, false))
		after++;
	assert_true(after > 3);
}

static void nor_does_it_while_its_documents_are_sent_out_of_memory(void **state)
{
	int after = 0;

	(void)state;
	while (live_through(after, 1, true) && after < 100)
		after++;
	assert_true(after > 3);
}

static void nor_do_several_tries(void **state)
{
	int after = 0;

	(void)state;
	while (live_through(after, 4, false) && after < 100)
		after++;
	while (live_through(after, 4, true) && after < 200)
		after++;
	assert_true(after > 3);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_that_stood_doubles_nothing),
		TEST(nor_does_it_while_its_documents_are_sent_out_of_memory),
		TEST(nor_do_several_tries),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
