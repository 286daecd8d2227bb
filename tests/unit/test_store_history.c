/* SPDX-License-Identifier: MIT
 * The history of topics: what is told is found again, in memory and in the file, as
 * fine as its age allows; it stays within its limits; questions are answered once or
 * cancelled. */
#include "support/store_run.h"

#include <jansson.h>

#include "support/fault_vfs.h"
#include "support/history_kit.h"

#include "banned.h"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define BEGIN (KIT_T0 + 1000)

static const struct store_topic orders = {"dc1", "g", "orders"};
static const struct store_topic clicks = {NULL, "g", "clicks"};

static void add(const struct store_topic *of, int64_t t, size_t n, int64_t lag)
{
	struct history_point p = kit_point(t, n, lag);

	store_history_add(store, of, &p);
	history_point_fini(&p);
}

static void add_gap(const struct store_topic *of, int64_t t, enum reason reason)
{
	struct gap g;

	gap_set(&g, reason, "told by the test");
	store_history_gap(store, of, (struct wall){t}, &g);
}

/* The answers, in the order in which they come. */
static struct store_question *answers[8];
static int n_answers;

static void keep_answer(struct store_question *q)
{
	answers[n_answers++] = q;
}

static int64_t ask(const struct store_topic *of, int64_t since, int64_t until)
{
	struct store_question *q =
		store_question_new(STORE_ASK_HISTORY, keep_answer, NULL);

	q->cluster = mem_strdup(of->cluster);
	q->group = mem_strdup(of->group);
	q->topic = mem_strdup(of->topic);
	q->since.ms = since;
	q->until.ms = until;
	return store_ask(store, q);
}

static json_t *history(const struct store_topic *of, int64_t since, int64_t until)
{
	json_t *tree;

	n_answers = 0;
	ask(of, since, until);
	settle_down();
	assert_int_equal(n_answers, 1);
	assert_int_equal(answers[0]->err.class, 0);
	tree = json_loadb(answers[0]->answer.data, answers[0]->answer.len, 0, NULL);
	assert_non_null(tree);
	store_question_free(answers[0]);
	return tree;
}

static size_t points(const json_t *h)
{
	return json_array_size(json_object_get(h, "points"));
}

static int64_t number(const json_t *h, size_t point, size_t column)
{
	return json_integer_value(
		json_array_get(json_array_get(json_object_get(h, "points"), point),
			       column));
}

static int64_t peak(const json_t *h)
{
	int64_t most = INT64_MIN;

	for (size_t i = 0; i < points(h); i++)
		if (number(h, i, 2) > most)
			most = number(h, i, 2);
	return most;
}

static int64_t step_ms(const json_t *h)
{
	return json_integer_value(json_object_get(h, "step_ms"));
}

static const json_t *gap(const json_t *h, size_t i)
{
	return json_array_get(json_object_get(h, "gaps"), i);
}

static int64_t gap_time(const json_t *h, size_t i, const char *key)
{
	return json_integer_value(json_object_get(gap(h, i), key));
}

static size_t gaps(const json_t *h)
{
	return json_array_size(json_object_get(h, "gaps"));
}

/* A point every ten seconds for `ms`, and as much time. */
static void live(const struct store_topic *of, int64_t ms, int64_t lag)
{
	for (int64_t end = kit_now_ms + ms; kit_now_ms < end;) {
		add(of, KIT_T0 + kit_now_ms, 3, lag);
		pass(10000);
	}
}

static void what_was_just_told_is_found_in_memory(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	add(&orders, BEGIN, 2, 12);
	add(&clicks, BEGIN, 2, 99);
	commit_all();
	h = history(&orders, BEGIN - 1, BEGIN + 1);
	assert_int_equal(step_ms(h), 10000);
	assert_int_equal(points(h), 1);
	assert_int_equal(number(h, 0, 0), BEGIN);
	assert_int_equal(number(h, 0, 1), 25);
	assert_int_equal(number(h, 0, 2), 13);
	assert_int_equal(number(h, 0, 3), 120);
	assert_string_equal(json_string_value(json_array_get(
				    json_array_get(json_object_get(h, "points"), 0),
				    6)),
			    "OK");
	assert_int_equal(json_integer_value(json_array_get(
				 json_object_get(json_object_get(h, "lags"), "1"), 0)),
			 13);
	assert_int_equal(gaps(h), 0);
	json_decref(h);
	h = history(&orders, BEGIN + 1, BEGIN + 2);
	assert_int_equal(points(h), 0);
	json_decref(h);
	assert_int_equal(query("SELECT count(*) FROM history"), 0);
	close_store();
}

static void a_minute_is_one_row_and_a_restart_loses_nothing(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	live(&orders, 5 * 60000, 7);
	assert_in_range(query("SELECT count(*) FROM history"), 4, 5);
	close_store();
	assert_in_range(query("SELECT count(*) FROM history"), 5, 6);
	open_store();
	h = history(&orders, BEGIN, BEGIN + HOUR);
	assert_int_equal(points(h), 30);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(number(h, i, 0), BEGIN + (int64_t)i * 10000);
	json_decref(h);
	close_store();
}

static void quick_samples_become_one_point_in_ten_seconds(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	for (int i = 0; i < 60; i++)
		add(&orders, KIT_T0 + i * 1000, 1, i);
	commit_all();
	h = history(&orders, KIT_T0, KIT_T0 + 60000);
	assert_in_range(points(h), 6, 7);
	assert_int_equal(number(h, points(h) - 1, 2), 59);
	json_decref(h);
	close_store();
}

static void with_age_points_become_fewer_and_peaks_stay(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	live(&orders, HOUR, 5);
	add(&orders, KIT_T0 + kit_now_ms, 1, 777);
	live(&orders, HOUR, 5);
	kit_now_ms += 7 * HOUR;
	settle_down();
	pass(70000);
	assert_int_equal(query("SELECT count(*) FROM history WHERE level = 1"), 0);
	assert_in_range(query("SELECT count(*) FROM history WHERE level = 2"), 2, 3);
	h = history(&orders, KIT_T0, KIT_T0 + 3 * HOUR);
	assert_int_equal(step_ms(h), 60000);
	assert_in_range(points(h), 120, 121);
	assert_int_equal(peak(h), 777);
	json_decref(h);
	kit_now_ms += 4 * DAY;
	settle_down();
	assert_int_equal(query("SELECT count(*) FROM history WHERE level = 2"), 0);
	assert_int_equal(query("SELECT count(*) FROM history"), 1);
	h = history(&orders, KIT_T0 - HOUR, KIT_T0 + 3 * HOUR);
	assert_int_equal(step_ms(h), 900000);
	assert_in_range(points(h), 8, 9);
	assert_int_equal(peak(h), 777);
	json_decref(h);
	kit_now_ms += 31 * DAY;
	settle_down();
	assert_int_equal(query("SELECT count(*) FROM history"), 0);
	assert_int_equal(query("SELECT history_bytes FROM meta"), 0);
	close_store();
}

static void the_name_of_a_topic_goes_with_its_last_point(void **state)
{
	(void)state;
	open_store();
	live(&clicks, HOUR, 5);
	live(&orders, HOUR, 5);
	assert_int_equal(query("SELECT count(*) FROM series"), 2);
	kit_now_ms += 32 * DAY;
	live(&orders, HOUR, 5);
	settle_down();
	assert_int_equal(query("SELECT count(*) FROM series"), 1);
	assert_int_equal(
		query("SELECT count(*) FROM series JOIN history ON series = id"),
		query("SELECT count(*) FROM history"));
	assert_true(query("SELECT count(*) FROM history") > 0);
	close_store();
}

static void fine_and_coarse_points_have_one_step_in_one_answer(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	live(&orders, HOUR, 5);
	kit_now_ms += 8 * HOUR;
	live(&orders, HOUR, 6);
	h = history(&orders, KIT_T0, KIT_T0 + kit_now_ms);
	assert_int_equal(step_ms(h), 60000);
	assert_in_range(points(h), 120, 122);
	json_decref(h);
	h = history(&orders, KIT_T0 + kit_now_ms - HOUR / 2, KIT_T0 + kit_now_ms);
	assert_int_equal(step_ms(h), 10000);
	json_decref(h);
	close_store();
}

static void a_gap_has_a_beginning_an_end_and_a_reason(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	add(&orders, BEGIN, 1, 1);
	add_gap(&orders, BEGIN + 20000, REASON_SSH_LOST);
	add_gap(&orders, BEGIN + 80000, REASON_SSH_LOST); /* it lasts */
	commit_all();
	h = history(&orders, BEGIN, BEGIN + HOUR);
	assert_int_equal(gaps(h), 1);
	assert_int_equal(gap_time(h, 0, "from"), BEGIN + 20000);
	assert_true(json_is_null(json_object_get(gap(h, 0), "until")));
	json_decref(h);
	add_gap(&orders, BEGIN + 90000, REASON_CLI_TIMEOUT);
	add(&orders, BEGIN + 100000, 1, 1);
	commit_all();
	for (int life = 0; life < 2; life++) {
		h = history(&orders, BEGIN, BEGIN + HOUR);
		assert_int_equal(points(h), 2);
		assert_int_equal(gaps(h), 2);
		assert_int_equal(gap_time(h, 0, "until"), BEGIN + 90000);
		assert_string_equal(json_string_value(
					    json_object_get(gap(h, 1), "reason")),
				    "cli_timeout");
		assert_string_equal(json_string_value(
					    json_object_get(gap(h, 1), "message")),
				    "told by the test");
		assert_int_equal(gap_time(h, 1, "from"), BEGIN + 90000);
		assert_int_equal(gap_time(h, 1, "until"), BEGIN + 100000);
		json_decref(h);
		close_store();
		open_store();
	}
	h = history(&orders, BEGIN + 85000, BEGIN + HOUR); /* began before */
	assert_int_equal(gaps(h), 2);
	json_decref(h);
	close_store();
}

static void a_gap_that_a_stop_left_open_ends_with_the_next_point(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	add_gap(&orders, BEGIN, REASON_SSH_LOST);
	close_store();
	open_store();
	h = history(&orders, BEGIN - 5, BEGIN + HOUR);
	assert_true(json_is_null(json_object_get(gap(h, 0), "until")));
	json_decref(h);
	add(&orders, BEGIN + 50000, 1, 1);
	commit_all();
	h = history(&orders, BEGIN - 5, BEGIN + HOUR);
	assert_int_equal(gap_time(h, 0, "until"), BEGIN + 50000);
	json_decref(h);
	close_store();
}

static void too_much_history_drops_its_oldest(void **state)
{
	struct store_limits l = roomy;
	json_t *h;

	(void)state;
	l.history_bytes = 20000;
	open_with(kit_dir, &l);
	live(&orders, 5 * HOUR, 1000);
	assert_in_range(
		query("SELECT sum(length(points)) + 64 * count(*) FROM history"), 10000,
		21000);
	assert_int_equal(
		query("SELECT history_bytes - sum(length(points)) - 64 * count(*)"
		      " FROM meta, history"),
		0);
	h = history(&orders, KIT_T0, KIT_T0 + kit_now_ms);
	assert_in_range(points(h), 300, 1500);
	assert_in_range(number(h, points(h) - 1, 0), KIT_T0 + kit_now_ms - 20000,
			KIT_T0 + kit_now_ms);
	json_decref(h);
	close_store();
}

static void without_history_nothing_is_kept(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	l.history_bytes = 0;
	open_with(kit_dir, &l);
	live(&orders, HOUR / 2, 1);
	close_store();
	assert_int_equal(query("SELECT count(*) FROM history"), 0);
}

static void while_the_file_is_full_history_waits_in_memory(void **state)
{
	json_t *h;

	(void)state;
	fault_install();
	open_store();
	live(&orders, 2 * 60000, 1);
	fault_order(FAULT_WRITE, 0, 1 << 30, SQLITE_FULL);
	live(&orders, HOUR, 2);
	assert_true(status().degraded);
	h = history(&orders, KIT_T0 + kit_now_ms - HOUR, KIT_T0 + kit_now_ms);
	assert_int_equal(points(h), 360);
	json_decref(h);
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	assert_false(status().degraded);
	assert_in_range(query("SELECT count(*) FROM history"), 61, 63);
	close_store();
	fault_remove();
}

static void a_damaged_row_costs_only_itself(void **state)
{
	sqlite3 *db = NULL;
	json_t *h;

	(void)state;
	open_store();
	live(&orders, 5 * 60000, 7);
	close_store();
	assert_int_equal(sqlite3_open(kit_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "UPDATE history SET points = x'01ffffffff'"
				      " WHERE rowid = 3",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	open_store();
	h = history(&orders, BEGIN, BEGIN + HOUR);
	assert_int_equal(points(h), 24);
	json_decref(h);
	kit_now_ms += 8 * HOUR;
	settle_down();
	assert_string_equal(status().trouble, "");
	assert_int_equal(query("SELECT count(*) FROM history"), 1);
	close_store();
}

static void a_month_of_a_wide_topic_is_answered_in_bounds(void **state)
{
	json_t *h;

	(void)state;
	open_store();
	for (int day = 0; day < 30; day++) {
		for (int i = 0; i < 24; i++)
			add(&orders, KIT_T0 + day * DAY + i * HOUR, 2000, i);
		pass(DAY);
	}
	h = history(&orders, KIT_T0, KIT_T0 + kit_now_ms);
	assert_true(points(h) * 2000 <= 1000000);
	assert_int_equal(step_ms(h), 10800000);
	json_decref(h);
	close_store();
}

static void a_cancelled_question_is_never_answered(void **state)
{
	int64_t first, second;

	(void)state;
	open_store();
	n_answers = 0;
	first = ask(&orders, 0, 1);
	second = ask(&orders, 0, 1);
	ask(&clicks, 0, 1);
	assert_true(store_cancel(store, second));
	assert_false(store_cancel(store, second));
	settle_down();
	assert_int_equal(n_answers, 2);
	assert_string_equal(answers[1]->topic, "clicks");
	assert_false(store_cancel(store, first));
	store_question_free(answers[0]);
	store_question_free(answers[1]);
	close_store();
}

static void a_question_at_the_stop_is_answered_before_the_end(void **state)
{
	(void)state;
	open_store();
	n_answers = 0;
	for (int i = 0; i < 3; i++)
		ask(&orders, 0, 1);
	close_store();
	assert_int_equal(n_answers, 3);
	for (int i = 0; i < 3; i++)
		store_question_free(answers[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_just_told_is_found_in_memory),
		TEST(a_minute_is_one_row_and_a_restart_loses_nothing),
		TEST(quick_samples_become_one_point_in_ten_seconds),
		TEST(with_age_points_become_fewer_and_peaks_stay),
		TEST(the_name_of_a_topic_goes_with_its_last_point),
		TEST(fine_and_coarse_points_have_one_step_in_one_answer),
		TEST(a_gap_has_a_beginning_an_end_and_a_reason),
		TEST(a_gap_that_a_stop_left_open_ends_with_the_next_point),
		TEST(too_much_history_drops_its_oldest),
		TEST(without_history_nothing_is_kept),
		TEST(while_the_file_is_full_history_waits_in_memory),
		TEST(a_damaged_row_costs_only_itself),
		TEST(a_month_of_a_wide_topic_is_answered_in_bounds),
		TEST(a_cancelled_question_is_never_answered),
		TEST(a_question_at_the_stop_is_answered_before_the_end),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
