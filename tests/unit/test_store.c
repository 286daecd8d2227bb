/* SPDX-License-Identifier: MIT
 * The store as its users see it: group commits, staging, takes, verdicts, the two
 * ranges, the end. Trouble with the file is test_store_faults' subject. */
#include "support/store_run.h"

#include "support/fault_vfs.h"

#include "banned.h"

static void nothing_is_written_before_the_group_commit_is_due(void **state)
{
	struct step s;

	(void)state;
	open_store();
	append(3);
	s = store_step(store);
	assert_int_equal(s.until.ns, (kit_now_ms + STORE_COMMIT_MS) * 1000000);
	assert_int_equal(query("SELECT count(*) FROM q"), 0);
	assert_int_equal(status().documents, 3);
	assert_int_equal(status().bytes, 3 * LEN);
	assert_int_equal(status().oldest.ms, KIT_T0 + 1);
	pass(STORE_COMMIT_MS - 1);
	assert_int_equal(query("SELECT count(*) FROM q"), 0);
	pass(1);
	assert_int_equal(query("SELECT count(*) FROM q"), 3);
	assert_int_equal(status().documents, 3);
	assert_int_equal(status().bytes, 3 * LEN);
	assert_int_equal(metrics_get(METRIC_SPOOL_DOCUMENTS), 3);
	assert_int_equal(metrics_get(METRIC_SPOOL_BYTES), 3 * LEN);
	assert_int_equal(metrics_get(METRIC_SPOOL_OLDEST_MS), KIT_T0 + 1);
	close_store();
}

static bool is_signalled(const struct wake *w)
{
	struct pollfd p = {w->fd, POLLIN, 0};

	return poll(&p, 1, 0) == 1;
}

static void forget_signals(struct wake *w)
{
	wake_wait(w, STEP_NOW);
	assert_false(is_signalled(w));
}

static void the_first_staged_document_wakes_the_thread(void **state)
{
	(void)state;
	open_store();
	forget_signals(store_wake(store));
	append(1);
	assert_true(is_signalled(store_wake(store)));
	forget_signals(store_wake(store));
	append(1);
	assert_false(is_signalled(store_wake(store)));
	close_store();
}

static void a_megabyte_is_committed_at_once(void **state)
{
	(void)state;
	open_store();
	append(1);
	forget_signals(store_wake(store));
	assert_int_equal(append_sized(4, 300000, false), 0);
	assert_true(is_signalled(store_wake(store)));
	settle_down();
	assert_int_equal(query("SELECT count(*) FROM q"), 5);
	close_store();
}

static void a_full_staging_says_again_or_drops_the_oldest(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	l.staging_bytes = 10 * (LEN + 128);
	open_with(kit_dir, &l);
	append(10);
	assert_int_equal(append_sized(1, LEN, false), ERR_AGAIN);
	check_balance();
	assert_int_equal(append_sized(4, LEN, true), 0);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 4);
	check_balance();
	commit_all();
	check_balance();
	append(1); /* there is room again */
	commit_all();
	assert_int_equal(query("SELECT min(t) FROM q"), KIT_T0 + 5);
	assert_int_equal(query("SELECT count(*) FROM q"), 11);
	close_store();
}

static void more_than_all_of_staging_is_taken_when_it_is_empty(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	l.staging_bytes = 1000;
	open_with(kit_dir, &l);
	append(50);
	assert_int_equal(append_sized(1, LEN, false), ERR_AGAIN);
	commit_all();
	assert_int_equal(status().documents, 50);
	check_balance();
	close_store();
}

static void a_take_is_answered_in_the_next_step_and_wakes_the_asker(void **state)
{
	struct store_batch b;

	(void)state;
	open_store();
	append(2);
	forget_signals(store_wake(store));
	store_take_ask(store, &asker, STORE_NEW, 10, 1 << 20);
	assert_true(is_signalled(store_wake(store)));
	assert_false(store_take_get(store, &b));
	store_step(store);
	assert_true(is_signalled(&asker));
	assert_true(store_take_get(store, &b)); /* nothing is durable yet */
	assert_int_equal(b.n, 0);
	assert_false(b.backlog);
	assert_false(store_take_get(store, &b));
	commit_all();
	b = take(STORE_NEW, 10);
	assert_int_equal(b.n, 2);
	assert_int_equal(kit_number(&b.documents[0]), 1);
	store_batch_fini(&b);
	close_store();
}

static void verdicts_are_written_with_the_next_group_commit(void **state)
{
	struct store_batch b;

	(void)state;
	open_store();
	append(6);
	commit_all();
	b = take(STORE_NEW, 10);
	assert_int_equal(b.n, 6);
	settle(&b, 0, 2, BULK_DONE);
	settle(&b, 2, 3, BULK_DUPLICATE);
	settle(&b, 3, 4, BULK_REJECT);
	settle(&b, 4, 6, BULK_RETRY);
	assert_int_equal(store_step(store).until.ns,
			 (kit_now_ms + STORE_COMMIT_MS) * 1000000);
	assert_int_equal(query("SELECT count(*) FROM q"), 6);
	check_balance();
	commit_all();
	assert_int_equal(query("SELECT count(*) FROM q"), 2);
	assert_int_equal(query("SELECT count(*) FROM dead WHERE reason = 'a reason'"),
			 1);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 2);
	assert_int_equal(metrics_get(METRIC_DOC_DUPLICATE), 1);
	assert_int_equal(metrics_get(METRIC_DOC_REJECTED), 1);
	assert_int_equal(metrics_get(METRIC_RETRIED), 2);
	assert_int_equal(metrics_get(METRIC_DEAD_LETTERS), 1);
	assert_int_equal(status().dead, 1);
	assert_int_equal(status().dead_bytes, LEN);
	check_balance();
	settle(&b, 0, 4, BULK_DONE); /* once more: passed over */
	commit_all();
	check_balance();
	store_batch_fini(&b);
	ship(STORE_NEW, 10, 2, BULK_DONE);
	commit_all();
	assert_int_equal(status().documents, 0);
	assert_int_equal(status().oldest.ms, 0);
	check_balance();
	close_store();
}

static struct store_status midway;

static void look_midway(void)
{
	fault.on_write = NULL;
	midway = status();
}

static void a_document_under_way_to_the_disk_has_its_age(void **state)
{
	(void)state;
	open_store();
	append(2);
	fault.on_write = look_midway;
	commit_all();
	assert_null(fault.on_write);
	assert_int_equal(midway.documents, 2);
	assert_int_equal(midway.oldest.ms, KIT_T0 + 1);
	close_store();
}

static void a_retry_without_a_status_is_no_word_of_the_server(void **state)
{
	struct bulk_item put_back = {.verdict = BULK_RETRY};
	struct store_batch b;

	(void)state;
	open_store();
	append(1);
	commit_all();
	b = take(STORE_NEW, 1);
	store_settle(store, b.rows, &put_back, 1);
	store_batch_fini(&b);
	ship(STORE_NEW, 1, 1, BULK_DONE); /* it can be taken at once */
	assert_int_equal(metrics_get(METRIC_RETRIED), 0);
	close_store();
}

static void what_waits_is_backlog_after_the_mark_and_after_a_start(void **state)
{
	(void)state;
	open_store();
	append(3);
	commit_all();
	append(2); /* staged */
	assert_int_equal(status().backlog, 0);
	store_mark_backlog(store);
	append(4);
	assert_int_equal(status().backlog, 5);
	commit_all();
	assert_int_equal(status().backlog, 5);
	ship(STORE_NEW, 100, 4, BULK_DONE);
	ship(STORE_BACKLOG, 4, 4, BULK_DONE);
	commit_all();
	assert_int_equal(status().backlog, 1);
	append(1);
	close_store();
	open_store();
	assert_int_equal(status().documents, 2);
	assert_int_equal(status().backlog, 2);
	assert_int_equal(metrics_get(METRIC_FOUND), 2);
	ship(STORE_NEW, 9, 0, BULK_DONE);
	ship(STORE_BACKLOG, 9, 2, BULK_DONE);
	commit_all();
	check_balance();
	close_store();
}

static void a_cancelled_take_gives_back_what_was_taken(void **state)
{
	struct store_batch b;

	(void)state;
	open_store();
	append(3);
	commit_all();
	store_take_ask(store, &asker, STORE_NEW, 10, 1 << 20);
	store_take_cancel(store);
	store_step(store);
	assert_false(store_take_get(store, &b));
	store_take_ask(store, &asker, STORE_NEW, 10, 1 << 20);
	store_step(store);
	store_take_cancel(store);
	assert_false(store_take_get(store, &b));
	ship(STORE_NEW, 10, 3, BULK_DONE);
	assert_int_equal(metrics_get(METRIC_RETRIED), 0);
	store_take_ask(store, &asker, STORE_NEW, 10, 1 << 20);
	store_step(store); /* left unread at the end: no leak */
	close_store();
}

static void the_stop_commits_what_is_staged(void **state)
{
	(void)state;
	open_store();
	assert_int_equal(append_sized(30, 400000, false), 0); /* some batches */
	wake_stop(store_wake(store));
	settle_down();
	assert_true(store_step(store).done);
	assert_int_equal(query("SELECT count(*) FROM q"), 30);
	append(2); /* too late for the thread, not for the close */
	close_store();
	assert_int_equal(query("SELECT count(*) FROM q"), 32);
	assert_int_equal(kit_files("mmlag.db", NULL), 1); /* no log is left */
}

static void an_overflowing_spool_drops_the_oldest(void **state)
{
	struct store_limits l = roomy;
	struct store_batch b;

	(void)state;
	l.max_bytes = 100 * LEN;
	open_with(kit_dir, &l);
	append(100);
	commit_all();
	b = take(STORE_NEW, 10);
	append(95);
	commit_all();
	check_balance();
	assert_int_equal(status().documents, 100);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 95);
	settle(&b, 0, 10, BULK_DONE); /* all ten were dropped */
	store_batch_fini(&b);
	commit_all();
	check_balance();
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 0);
	close_store();
}

static void documents_expire_on_their_day(void **state)
{
	struct store_limits l = roomy;
	struct mono until;

	(void)state;
	l.max_age_ms = 5000;
	open_with(kit_dir, &l);
	append(3); /* times 1, 2, 3 */
	kit_now_ms += STORE_COMMIT_MS;
	until = settle_down();
	assert_int_equal(until.ns, (5000 + 1 + 1) * INT64_C(1000000));
	kit_now_ms = 5002;
	settle_down();
	assert_int_equal(metrics_get(METRIC_DOC_EXPIRED), 1);
	pass(10000);
	assert_int_equal(metrics_get(METRIC_DOC_EXPIRED), 3);
	check_balance();
	close_store();
}

static void a_database_of_ten_transactions_a_second_stays_small(void **state)
{
	char wal[310];
	struct stat st;

	(void)state;
	snprintf(wal, sizeof(wal), "%s-wal", kit_path);
	open_store();
	for (int i = 0; i < 200; i++) {
		append(50);
		commit_all();
		ship(STORE_NEW, 100, 50, BULK_DONE);
	}
	commit_all();
	pass(10000);
	assert_int_equal(stat(wal, &st), 0);
	assert_true(st.st_size < 5 << 20);
	assert_int_equal(stat(kit_path, &st), 0);
	assert_true(st.st_size < 1 << 20);
	check_balance();
	close_store();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_written_before_the_group_commit_is_due),
		TEST(the_first_staged_document_wakes_the_thread),
		TEST(a_megabyte_is_committed_at_once),
		TEST(a_full_staging_says_again_or_drops_the_oldest),
		TEST(more_than_all_of_staging_is_taken_when_it_is_empty),
		TEST(a_take_is_answered_in_the_next_step_and_wakes_the_asker),
		TEST(verdicts_are_written_with_the_next_group_commit),
		TEST(a_document_under_way_to_the_disk_has_its_age),
		TEST(a_retry_without_a_status_is_no_word_of_the_server),
		TEST(what_waits_is_backlog_after_the_mark_and_after_a_start),
		TEST(a_cancelled_take_gives_back_what_was_taken),
		TEST(the_stop_commits_what_is_staged),
		TEST(an_overflowing_spool_drops_the_oldest),
		TEST(documents_expire_on_their_day),
		TEST(a_database_of_ten_transactions_a_second_stays_small),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
