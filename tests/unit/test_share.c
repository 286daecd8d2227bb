/* SPDX-License-Identifier: MIT
 * A spool that is full: a topic that floods it loses its own documents first, however
 * they came in; where no topic does, the oldest go. */
#include "support/store_kit.h"

#include <sqlite3.h>

#include "store/spool.h"
#include "support/fault_vfs.h"

#include "banned.h"

#define LEN 300
#define TOPICS 4 /* the last one is the one that floods */

static struct spool *spool;
static int64_t next_id, inserted;

static void open_bounded(int64_t documents)
{
	struct spool_limits l = {documents * LEN,
				 7 * 86400000LL,
				 64LL << 20,
				 30 * 86400000LL,
				 16384,
				 0,
				 0};
	struct err err = ERR_INIT;

	if (spool_open(&spool, kit_path, &l, &err) != 0)
		fail_msg("%s", err.text);
	next_id = spool_next_id(spool);
}

static int setup(void **state)
{
	inserted = 0;
	return kit_setup(state);
}

static void begin(void)
{
	struct err err = ERR_INIT;

	if (spool_begin(spool, &err) != 0)
		fail_msg("%s", err.text);
}

static void commit(void)
{
	struct err err = ERR_INIT;

	if (spool_commit(spool, &err) != 0)
		fail_msg("%s", err.text);
}

static void insert(int topic)
{
	struct document d = kit_document(next_id, LEN);
	struct err err = ERR_INIT;

	d.topic[0] = (char)('a' + topic);
	if (spool_insert(spool, next_id++, &d, &err) != 0)
		fail_msg("%s", err.text);
	inserted++;
	document_fini(&d);
}

/* `each` of every topic, and after each round `flood` more of the last one. */
static void fill(int each, int flood)
{
	begin();
	for (int i = 0; i < each; i++) {
		for (int t = 0; t < TOPICS; t++)
			insert(t);
		for (int k = 0; k < flood; k++)
			insert(TOPICS - 1);
	}
	commit();
}

static void limit(void)
{
	struct err err = ERR_INIT;
	bool more = true;

	while (more) {
		begin();
		assert_int_equal(spool_limit(spool, (struct wall){KIT_T0}, &more, &err),
				 0);
		commit();
	}
}

/* What the store's thread does when it has nothing else to do. */
static void tidy(void)
{
	struct err err = ERR_INIT;
	bool more = true;

	while (more)
		assert_int_equal(spool_tidy(spool, false, &more, &err), 0);
}

static int64_t query(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t v;

	assert_int_equal(sqlite3_open(kit_path, &db), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), 0);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static int64_t waiting(int topic)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM q WHERE topic = '%crders'",
		 'a' + topic);
	return query(sql);
}

static void check_books(void)
{
	assert_int_equal(query("SELECT count(*) FROM q"),
			 spool_totals(spool).documents);
	assert_int_equal(kit_ended() + spool_totals(spool).documents, inserted);
}

static void a_topic_that_floods_the_spool_loses_its_own_first(void **state)
{
	(void)state;
	open_bounded(1000);
	for (int round = 0; round < 50; round++) {
		fill(2, 100);
		limit();
		check_books();
	}
	for (int t = 0; t < TOPICS - 1; t++)
		assert_int_equal(waiting(t), 100);
	assert_int_equal(spool_totals(spool).documents, 1000);
	/* its newest are there */
	assert_int_equal(query("SELECT max(id) - min(id) FROM q WHERE topic = 'drders'"
			       " AND id > (SELECT max(id) FROM q) - 700"),
			 699);
	spool_close(spool);
}

static void it_keeps_as_much_as_twice_an_equal_share(void **state)
{
	(void)state;
	open_bounded(1000);
	for (int round = 0; round < 300; round++) {
		fill(1, 20);
		limit();
		check_books();
	}
	assert_in_range(waiting(TOPICS - 1), 480, 520);
	spool_close(spool);
}

static void topics_that_have_about_as_much_lose_the_oldest(void **state)
{
	(void)state;
	open_bounded(1000);
	for (int round = 0; round < 10; round++) {
		fill(50, 1);
		limit();
	}
	check_books();
	assert_int_equal(query("SELECT max(id) - min(id) FROM q"), 999);
	spool_close(spool);
}

static void a_topic_alone_loses_its_oldest(void **state)
{
	(void)state;
	open_bounded(100);
	begin();
	for (int i = 0; i < 500; i++)
		insert(TOPICS - 1);
	commit();
	limit();
	check_books();
	assert_int_equal(query("SELECT min(id) FROM q"), 401);
	spool_close(spool);
}

static void what_is_found_at_the_start_is_counted_in_time(void **state)
{
	(void)state;
	open_bounded(10000);
	fill(45, 200);
	spool_close(spool);
	open_bounded(10000);
	tidy(); /* more than one slice */
	fill(45, 200);
	limit();
	check_books();
	for (int t = 0; t < TOPICS - 1; t++)
		assert_int_equal(waiting(t), 90);
	spool_close(spool);
}

static void a_small_spool_is_counted_when_it_is_too_full_at_once(void **state)
{
	(void)state;
	open_bounded(1000);
	fill(5, 10);
	spool_close(spool);
	open_bounded(1000);
	fill(5, 400);
	limit();
	check_books();
	for (int t = 0; t < TOPICS - 1; t++)
		assert_int_equal(waiting(t), 10);
	spool_close(spool);
}

static void what_was_rolled_back_counts_for_nobody(void **state)
{
	(void)state;
	open_bounded(1000);
	fill(200, 0);
	begin();
	for (int i = 0; i < 5000; i++)
		insert(TOPICS - 1);
	spool_rollback(spool);
	inserted -= 5000;
	fill(100, 0);
	limit();
	check_books();
	for (int t = 0; t < TOPICS; t++)
		assert_int_equal(waiting(t), 250);
	spool_close(spool);
}

static void a_document_dropped_in_flight_counts_once(void **state)
{
	struct store_batch b = {.rows = NULL};
	struct spool_verdict v = {.verdict = BULK_DONE};
	struct err err = ERR_INIT;

	(void)state;
	open_bounded(1000);
	fill(5, 150);
	assert_int_equal(spool_take(spool, STORE_NEW, 100, 1 << 30, &b, &err), 0);
	fill(5, 150);
	limit();
	check_books();
	begin();
	for (size_t i = 0; i < b.n; i++) {
		v.id = b.rows[i];
		assert_int_equal(spool_settle(spool, &v, 1, (struct wall){KIT_T0},
					      &err),
				 0);
	}
	commit();
	check_books();
	/* the flooding topic's were dropped, the three others' are settled */
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 3);
	store_batch_fini(&b);
	spool_close(spool);
}

/* Rows that come and go in all ways, and now and then a rollback or a new start: what
 * counts is what is there. */
static void whatever_happens_the_others_keep_what_they_have(void **state)
{
	uint64_t r = 20261121;
	int64_t least = 0;

	(void)state;
	open_bounded(2000);
	for (int round = 0; round < 300; round++) {
		struct store_batch b = {.rows = NULL};
		struct err err = ERR_INIT;

		r = r * 6364136223846793005u + 1442695040888963407u;
		fill(1, 20 + (int)(r >> 60) * 4);
		limit();
		if ((r >> 33) % 5 == 0) {
			int64_t before = inserted;

			begin();
			for (int i = 0; i < 300; i++)
				insert((int)(r >> 40) % TOPICS);
			spool_rollback(spool);
			inserted = before;
		}
		if ((r >> 36) % 7 == 0) {
			spool_close(spool);
			open_bounded(2000);
			tidy();
		}
		/* some are sent: the oldest, which are the others' */
		if (round == 200) {
			struct spool_verdict v = {.verdict = BULK_DONE};

			assert_int_equal(spool_take(spool, STORE_BACKLOG, 60, 1 << 30,
						    &b, &err),
					 0);
			begin();
			for (size_t i = 0; i < b.n; i++) {
				v.id = b.rows[i];
				assert_int_equal(spool_settle(spool, &v, 1,
							      (struct wall){KIT_T0},
							      &err),
						 0);
			}
			commit();
			least = metrics_get(METRIC_DOC_INDEXED);
			store_batch_fini(&b);
		}
		check_books();
	}
	assert_true(waiting(0) + waiting(1) + waiting(2) >= 900 - least);
	assert_true(waiting(0) > 250);
	spool_close(spool);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_topic_that_floods_the_spool_loses_its_own_first),
		TEST(it_keeps_as_much_as_twice_an_equal_share),
		TEST(topics_that_have_about_as_much_lose_the_oldest),
		TEST(a_topic_alone_loses_its_oldest),
		TEST(what_is_found_at_the_start_is_counted_in_time),
		TEST(a_small_spool_is_counted_when_it_is_too_full_at_once),
		TEST(what_was_rolled_back_counts_for_nobody),
		TEST(a_document_dropped_in_flight_counts_once),
		TEST(whatever_happens_the_others_keep_what_they_have),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
