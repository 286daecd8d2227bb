/* SPDX-License-Identifier: MIT
 * What a person does with rows: listing them, sending dead letters again, giving rows
 * up, taking in files that were set aside, whole and torn. */
#include "support/store_run.h"

#include <jansson.h>

#include "support/fault_vfs.h"

#include "banned.h"

static struct store_question *answered;

static void keep_answer(struct store_question *q)
{
	assert_null(answered);
	answered = q;
}

static struct store_question *question(enum store_question_kind kind)
{
	return store_question_new(kind, keep_answer, NULL);
}

/* The answer, or NULL with the error in `words`. */
static char words[768];

static json_t *put(struct store_question *q)
{
	json_t *tree = NULL;

	answered = NULL;
	store_ask(store, q);
	settle_down();
	assert_non_null(answered);
	snprintf(words, sizeof(words), "%s", answered->err.text);
	if (answered->err.class == 0) {
		tree = json_loadb(answered->answer.data, answered->answer.len, 0, NULL);
		assert_non_null(tree);
	}
	store_question_free(answered);
	return tree;
}

static json_t *rows(bool dead, int64_t limit)
{
	struct store_question *q = question(STORE_ASK_ROWS);

	q->dead = dead;
	q->limit = limit;
	return put(q);
}

/* The number of rows that were changed, -1 after an error. */
static int64_t change(struct store_question *q)
{
	json_t *tree = put(q);
	int64_t n =
		tree == NULL ? -1 : json_integer_value(json_object_get(tree, "rows"));

	json_decref(tree);
	return n;
}

static int64_t change_all(enum store_question_kind kind, bool dead)
{
	struct store_question *q = question(kind);

	q->all = true;
	q->dead = dead;
	return change(q);
}

static int64_t change_ids(enum store_question_kind kind, bool dead, int64_t first,
			  int64_t last)
{
	struct store_question *q = question(kind);

	q->dead = dead;
	q->ids = mem_calloc((size_t)(last - first + 1), sizeof(*q->ids));
	for (int64_t id = first; id <= last; id++)
		q->ids[q->n++] = id;
	return change(q);
}

/* All that was appended or has returned has ended or waits. */
static void check_accounts(void)
{
	assert_int_equal(kit_ended() + status().documents,
			 appended + metrics_get(METRIC_RETURNED));
}

static void refuse(size_t n)
{
	append(n);
	commit_all();
	ship(STORE_NEW, n, n, BULK_REJECT);
	commit_all();
}

static json_t *at(json_t *answer, size_t i)
{
	return json_array_get(json_object_get(answer, "rows"), i);
}

static size_t count(json_t *answer)
{
	return json_array_size(json_object_get(answer, "rows"));
}

static int64_t number(json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

static const char *text(json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static void rows_are_listed_newest_first(void **state)
{
	json_t *answer;

	(void)state;
	open_store();
	refuse(3);
	append(4);
	commit_all();
	answer = rows(false, 3);
	assert_int_equal(count(answer), 3);
	assert_int_equal(number(at(answer, 0), "id"), 7);
	assert_int_equal(number(at(answer, 2), "id"), 5);
	assert_int_equal(number(at(answer, 0), "at"), KIT_T0 + 7);
	assert_int_equal(number(at(answer, 0), "bytes"), LEN);
	assert_string_equal(text(at(answer, 0), "topic"), "orders");
	assert_null(json_object_get(at(answer, 0), "source"));
	json_decref(answer);
	answer = rows(true, 100);
	assert_int_equal(count(answer), 3);
	assert_int_equal(number(at(answer, 2), "id"), 1);
	assert_int_equal(number(at(answer, 2), "status"), 400);
	assert_string_equal(text(at(answer, 2), "type"), "some_exception");
	assert_string_equal(text(at(answer, 2), "reason"), "a reason");
	assert_int_equal(number(json_object_get(at(answer, 2), "source"), "n"), 1);
	json_decref(answer);
	close_store();
}

static json_t *rows_before(int64_t before, int64_t limit)
{
	struct store_question *q = question(STORE_ASK_ROWS);

	q->dead = true;
	q->limit = limit;
	q->before = before;
	return put(q);
}

/* Go through all dead letters, `limit` at a time; each is seen once. */
static size_t leaf_through(int64_t limit)
{
	int64_t before = 0, id = 0;
	size_t seen = 0;
	bool more = true;

	while (more) {
		json_t *answer = rows_before(before, limit);
		size_t n = count(answer);

		assert_true(n > 0 && n <= (size_t)limit);
		for (size_t i = 0; i < n; i++, seen++) {
			id = number(at(answer, i), "id");
			assert_true(before == 0 || id < before ||
				    (before < 0 && id > before));
			before = id;
		}
		more = json_is_true(json_object_get(answer, "more"));
		json_decref(answer);
	}
	return seen;
}

static void rows_are_leafed_through(void **state)
{
	(void)state;
	open_store();
	refuse(7);
	assert_int_equal(leaf_through(3), 7);
	assert_int_equal(leaf_through(7), 7);
	assert_int_equal(leaf_through(1), 7);
	close_store();
}

static void those_in_memory_come_before_those_in_the_file(void **state)
{
	json_t *answer;

	(void)state;
	fault_install();
	open_store();
	refuse(2);
	fault_order(FAULT_WRITE, 0, 1 << 30, SQLITE_FULL);
	refuse(3);
	assert_true(status().degraded);
	answer = rows_before(0, 10);
	assert_true(number(at(answer, 0), "id") < 0);
	json_decref(answer);
	answer = rows_before(-1,
			     10); /* behind the oldest in memory: what the file has */
	for (size_t i = 0; i < count(answer); i++)
		assert_true(number(at(answer, i), "id") > 0);
	json_decref(answer);
	fault_order(0, -1, 0, 0);
	close_store();
	fault_remove();
}

static void a_dead_letter_goes_again_as_it_was(void **state)
{
	struct store_batch b;

	(void)state;
	open_store();
	refuse(3);
	check_balance();
	assert_int_equal(change_ids(STORE_RETRY, true, 2, 2), 1);
	assert_int_equal(status().dead, 2);
	assert_int_equal(status().dead_bytes, 2 * LEN);
	assert_int_equal(status().documents, 1);
	assert_int_equal(status().bytes, LEN);
	b = take(STORE_NEW, 10);
	assert_int_equal(b.n, 1);
	assert_int_equal(kit_number(&b.documents[0]), 2);
	assert_string_equal(b.documents[0].id,
			    "1795000000002-00000000000000000000000000000002");
	settle(&b, 0, 1, BULK_DONE);
	store_batch_fini(&b);
	commit_all();
	check_accounts();
	assert_int_equal(metrics_get(METRIC_RETURNED), 1);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 1);
	assert_int_equal(change_ids(STORE_RETRY, true, 2, 2), 0); /* gone */
	close_store();
}

static void all_dead_letters_go_again_once(void **state)
{
	(void)state;
	open_store();
	refuse(1200); /* some slices */
	append(5);
	commit_all();
	assert_int_equal(change_all(STORE_RETRY, true), 1200);
	assert_int_equal(status().dead, 0);
	assert_int_equal(status().documents, 1205);
	append(5); /* ids of their own */
	commit_all();
	assert_int_equal(query("SELECT count(DISTINCT doc_id) FROM q"), 1210);
	ship(STORE_NEW, 2000, 1210, BULK_DONE);
	commit_all();
	check_accounts();
	close_store();
}

static void dropped_rows_are_counted_once(void **state)
{
	struct store_batch b;

	(void)state;
	open_store();
	refuse(10);
	append(1500);
	commit_all();
	b = take(STORE_NEW, 3); /* ids 11, 12, 13 */
	assert_int_equal(change_ids(STORE_DROP, false, 11, 14), 4);
	settle(&b, 0, 3, BULK_DONE); /* too late */
	store_batch_fini(&b);
	commit_all();
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 4);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 0);
	check_accounts();
	assert_int_equal(change_ids(STORE_DROP, true, 1, 4), 4);
	assert_int_equal(status().dead, 6);
	assert_int_equal(change_all(STORE_DROP, true), 6);
	assert_int_equal(status().dead, 0);
	assert_int_equal(status().dead_bytes, 0);
	assert_int_equal(change_all(STORE_DROP, false), 1496);
	assert_int_equal(status().documents, 0);
	assert_int_equal(status().bytes, 0);
	check_accounts();
	close_store();
}

static void rows_in_memory_have_names_of_their_own(void **state)
{
	json_t *answer;

	(void)state;
	fault_install();
	open_store();
	refuse(2);
	fault_order(FAULT_WRITE, 0, 1 << 30, SQLITE_FULL);
	append(3);
	commit_all();
	assert_true(status().degraded);
	answer = rows(false, 10);
	assert_int_equal(count(answer), 3);
	assert_true(number(at(answer, 0), "id") < 0);
	json_decref(answer);
	assert_int_equal(change_all(STORE_RETRY, true), -1);
	assert_non_null(strstr(words, "full"));
	fault_order(0, -1, 0, 0);
	pass(STORE_REOPEN_MS);
	assert_int_equal(change_all(STORE_RETRY, true), 2);
	check_accounts();
	close_store();
	fault_remove();
}

/* Make a spool of `n` documents and `dead` letters, and set it aside. */
static void make_aside(size_t n, size_t dead)
{
	char path[320];

	open_store();
	if (dead > 0)
		refuse(dead);
	append(n);
	close_store();
	snprintf(path, sizeof(path), "%s.aside-1", kit_path);
	assert_int_equal(rename(kit_path, path), 0);
	appended = 0;
	metrics_reset();
}

static json_t *import_file(const char *name)
{
	struct store_question *q = question(STORE_IMPORT);

	q->file = mem_strdup(name);
	return put(q);
}

static void an_aside_file_is_taken_in_as_backlog(void **state)
{
	json_t *answer;

	(void)state;
	make_aside(1300, 20);
	open_store();
	append(10);
	commit_all();
	answer = import_file("mmlag.db.aside-1");
	assert_non_null(answer);
	assert_int_equal(number(answer, "rows"), 1300);
	assert_int_equal(number(answer, "dead"), 20);
	assert_int_equal(number(answer, "missing"), 0);
	assert_true(json_is_false(json_object_get(answer, "damaged")));
	json_decref(answer);
	assert_int_equal(status().documents, 1310);
	assert_int_equal(status().dead, 20);
	assert_int_equal(status().backlog, 1310);
	assert_int_equal(query("SELECT count(DISTINCT doc_id) FROM q"), 1310);
	assert_int_equal(query("SELECT count(*) FROM dead WHERE reason = 'a reason'"),
			 20);
	append(1);
	commit_all();
	ship(STORE_NEW, 2000, 1, BULK_DONE);
	ship(STORE_BACKLOG, 2000, 1310, BULK_DONE);
	commit_all();
	check_accounts();
	close_store();
}

static void only_files_of_the_directory_are_taken_in(void **state)
{
	static const char *const names[] = {"../mmlag.db.x", "/etc/passwd", "lock", ""};

	(void)state;
	open_store();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_null(import_file(names[i]));
		assert_non_null(strstr(words, "by its name there"));
	}
	assert_null(import_file("mmlag.db.aside-none"));
	assert_non_null(strstr(words, "nothing can be read"));
	assert_int_equal(kit_files("aside-none", NULL), 0);
	close_store();
}

static void spoil(int64_t from, int64_t len)
{
	char path[320], junk[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s.aside-1", kit_path);
	f = fopen(path, "r+");
	assert_non_null(f);
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(fseek(f, from, SEEK_SET), 0);
	for (; len > 0; len -= (int64_t)sizeof(junk))
		assert_int_equal(fwrite(junk, 1, sizeof(junk), f), sizeof(junk));
	fclose(f);
}

static void a_torn_file_gives_what_can_be_read(void **state)
{
	json_t *answer;
	int64_t got;

	(void)state;
	make_aside(2000, 0);
	spoil(INT64_C(40) * 4096, INT64_C(10) * 4096); /* leaves of the queue */
	open_store();
	answer = import_file("mmlag.db.aside-1");
	assert_non_null(answer);
	got = number(answer, "rows");
	assert_in_range(got, 1800, 1999);
	assert_int_equal(number(answer, "missing"), 2000 - got);
	assert_true(json_is_true(json_object_get(answer, "damaged")));
	json_decref(answer);
	assert_int_equal(status().documents, got);
	check_accounts();
	close_store();
}

static void the_end_of_a_file_may_be_gone(void **state)
{
	char path[320];
	json_t *answer;
	struct stat st;

	(void)state;
	make_aside(2000, 0);
	snprintf(path, sizeof(path), "%s.aside-1", kit_path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, st.st_size / 2), 0);
	open_store();
	answer = import_file("mmlag.db.aside-1");
	assert_non_null(answer);
	assert_in_range(number(answer, "rows"), 500, 1500);
	assert_true(json_is_true(json_object_get(answer, "damaged")));
	json_decref(answer);
	close_store();
}

static void what_is_no_spool_is_refused(void **state)
{
	(void)state;
	make_aside(10, 0);
	spoil(0, 4096);
	open_store();
	assert_null(import_file("mmlag.db.aside-1"));
	assert_non_null(strstr(words, "nothing can be read"));
	close_store();
}

static void an_import_stops_before_it_drives_out_what_waits(void **state)
{
	struct store_limits l = roomy;

	(void)state;
	make_aside(2000, 0);
	l.max_bytes = 1000 * LEN;
	open_with(kit_dir, &l);
	append(500);
	commit_all();
	assert_null(import_file("mmlag.db.aside-1"));
	assert_non_null(strstr(words, "500 rows"));
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 0);
	check_accounts();
	close_store();
}

/* Each write fails once while rows change: all or nothing of a slice, and the accounts
 * stay right. */
static void a_change_that_fails_changes_nothing(void **state)
{
	(void)state;
	fault_install();
	for (int n = 0; n < 40; n++) {
		int64_t changed;

		appended = 0;
		metrics_reset();
		open_store();
		refuse(40);
		fault_order(FAULT_WRITE, n, 1, SQLITE_IOERR_WRITE);
		changed = change_all(STORE_RETRY, true);
		fault_order(0, -1, 0, 0);
		assert_true(changed == -1 || changed == 40);
		pass(STORE_REOPEN_MS);
		assert_int_equal(status().dead, changed == -1 ? 40 : 0);
		assert_int_equal(status().documents, changed == -1 ? 0 : 40);
		check_accounts();
		close_store();
		kit_files("", kit_remove);
	}
	fault_remove();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, run_setup, run_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rows_are_listed_newest_first),
		TEST(rows_are_leafed_through),
		TEST(those_in_memory_come_before_those_in_the_file),
		TEST(a_dead_letter_goes_again_as_it_was),
		TEST(all_dead_letters_go_again_once),
		TEST(dropped_rows_are_counted_once),
		TEST(rows_in_memory_have_names_of_their_own),
		TEST(an_aside_file_is_taken_in_as_backlog),
		TEST(only_files_of_the_directory_are_taken_in),
		TEST(a_torn_file_gives_what_can_be_read),
		TEST(the_end_of_a_file_may_be_gone),
		TEST(what_is_no_spool_is_refused),
		TEST(an_import_stops_before_it_drives_out_what_waits),
		TEST(a_change_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
