/* SPDX-License-Identifier: MIT
 * One database: transactions, taking, settling, limits, moving, its size and the cost
 * of opening it. */
#include "support/store_kit.h"

#include <sqlite3.h>

#include "store/spool.h"
#include "support/fault_vfs.h"

#include "banned.h"

#define LEN 300

static const struct spool_limits roomy = {1LL << 30,       7 * 86400000LL, 64LL << 20,
					  30 * 86400000LL, 16384,          256LL << 20,
					  30 * 86400000LL};

static struct spool *open_limited(const char *path, const struct spool_limits *l)
{
	struct err err = ERR_INIT;
	struct spool *s = NULL;

	if (spool_open(&s, path, l, &err) != 0)
		fail_msg("%s", err.text);
	return s;
}

static struct spool *open_roomy(void)
{
	return open_limited(kit_path, &roomy);
}

static void begin(struct spool *s)
{
	struct err err = ERR_INIT;

	if (spool_begin(s, &err) != 0)
		fail_msg("%s", err.text);
}

static void commit(struct spool *s)
{
	struct err err = ERR_INIT;

	if (spool_commit(s, &err) != 0)
		fail_msg("%s", err.text);
}

static void insert(struct spool *s, int64_t id, size_t len)
{
	struct document d = kit_document(id, len);
	struct err err = ERR_INIT;

	if (spool_insert(s, id, &d, &err) != 0)
		fail_msg("%s", err.text);
	document_fini(&d);
}

/* Documents `first` to `last`, committed. */
static void fill(struct spool *s, int64_t first, int64_t last)
{
	begin(s);
	for (int64_t id = first; id <= last; id++)
		insert(s, id, LEN);
	commit(s);
}

static struct store_batch take(struct spool *s, enum store_range range, size_t n)
{
	struct store_batch b = {.rows = NULL};
	struct err err = ERR_INIT;

	if (spool_take(s, range, n, 1 << 30, &b, &err) != 0)
		fail_msg("%s", err.text);
	return b;
}

/* Take up to `n`, expect `count` of them beginning with `first`, forget the copies. */
static void expect_take(struct spool *s, enum store_range range, size_t n, size_t count,
			int64_t first)
{
	struct store_batch b = take(s, range, n);

	assert_int_equal(b.n, count);
	if (count > 0)
		assert_int_equal(b.rows[0], first);
	for (size_t i = 0; i < b.n; i++)
		assert_int_equal(kit_number(&b.documents[i]), b.rows[i]);
	store_batch_fini(&b);
}

static void settle(struct spool *s, int64_t first, int64_t last,
		   enum bulk_verdict verdict)
{
	size_t n = (size_t)(last - first + 1);
	struct spool_verdict *v = mem_calloc(n, sizeof(*v));
	char type[] = "mapper_parsing_exception", reason[] = "no number";
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		v[i] = (struct spool_verdict){first + (int64_t)i, verdict, 400, type,
					      reason};
	begin(s);
	assert_int_equal(spool_settle(s, v, n, (struct wall){KIT_T0}, &err), 0);
	commit(s);
	free(v);
}

static int64_t query(const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	int64_t v;

	assert_int_equal(sqlite3_open_v2(kit_path, &db, SQLITE_OPEN_READONLY, NULL), 0);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), 0);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return v;
}

static void execute(const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(kit_path, &db), 0);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), 0);
	sqlite3_close(db);
}

static void what_is_committed_is_there_again(void **state)
{
	struct spool *s = open_roomy();
	struct store_batch b;

	(void)state;
	fill(s, 1, 5);
	spool_close(s);
	s = open_roomy();
	assert_int_equal(spool_totals(s).documents, 5);
	assert_int_equal(spool_totals(s).bytes, 5 * LEN);
	assert_int_equal(spool_totals(s).backlog, 5);
	assert_int_equal(spool_next_id(s), 6);
	assert_int_equal(spool_oldest(s).ms, KIT_T0 + 1);
	b = take(s, STORE_BACKLOG, 10);
	assert_int_equal(b.n, 5);
	assert_true(b.backlog);
	for (int i = 0; i < 5; i++) {
		struct document want = kit_document(i + 1, LEN);

		assert_string_equal(b.documents[i].id, want.id);
		assert_string_equal(b.documents[i].topic, want.topic);
		assert_string_equal(b.documents[i].json, want.json);
		assert_int_equal(b.documents[i].len, want.len);
		assert_int_equal(b.documents[i].t.ms, want.t.ms);
		document_fini(&want);
	}
	store_batch_fini(&b);
	spool_close(s);
}

static void the_file_is_set_up_as_promised(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 1);
	assert_int_equal(query("PRAGMA application_id"), SPOOL_APPLICATION_ID);
	assert_int_equal(query("PRAGMA user_version"), SPOOL_VERSION);
	assert_int_equal(query("PRAGMA auto_vacuum"), 2);
	assert_int_equal(query("SELECT count(*) FROM pragma_journal_mode"
			       " WHERE journal_mode = 'wal'"),
			 1);
	/* Another process reads while we have it open. */
	assert_int_equal(query("SELECT documents FROM meta"), 1);
	assert_int_equal(query("SELECT count(*) FROM q WHERE topic = 'orders'"), 1);
	spool_close(s);
}

static void a_rollback_leaves_all_as_it_was(void **state)
{
	struct spool *s = open_roomy();
	struct spool_verdict v[] = {{1, BULK_DONE, 201, NULL, NULL},
				    {2, BULK_REJECT, 400, NULL, NULL}};
	struct err err = ERR_INIT;

	(void)state;
	fill(s, 1, 3);
	spool_set_boundary(s, 3);
	expect_take(s, STORE_BACKLOG, 3, 3, 1);
	begin(s);
	insert(s, 4, LEN);
	assert_int_equal(spool_settle(s, v, 2, (struct wall){KIT_T0}, &err), 0);
	assert_int_equal(spool_evict(s, 1, &err), 0);
	spool_rollback(s);
	assert_int_equal(spool_totals(s).documents, 3);
	assert_int_equal(spool_totals(s).dead, 0);
	assert_int_equal(spool_next_id(s), 4);
	assert_int_equal(kit_ended(), 0);
	expect_take(s, STORE_BACKLOG, 3, 0, 0); /* still in flight */
	settle(s, 1, 3, BULK_DONE);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 3);
	spool_close(s);
}

static void new_and_backlog_are_two_ranges_oldest_first(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 4);
	expect_take(s, STORE_BACKLOG, 9, 0, 0);
	spool_set_boundary(s, 6);
	assert_int_equal(spool_totals(s).backlog, 4);
	fill(s, 5, 9); /* 5 and 6 were staged when the boundary was drawn */
	assert_int_equal(spool_totals(s).backlog, 6);
	expect_take(s, STORE_NEW, 2, 2, 7);
	expect_take(s, STORE_BACKLOG, 4, 4, 1);
	expect_take(s, STORE_BACKLOG, 4, 2, 5);
	expect_take(s, STORE_NEW, 9, 1, 9);
	expect_take(s, STORE_NEW, 9, 0, 0);
	settle(s, 1, 9, BULK_DONE);
	assert_int_equal(spool_totals(s).backlog, 0);
	assert_int_equal(spool_totals(s).documents, 0);
	assert_int_equal(spool_totals(s).bytes, 0);
	spool_close(s);
}

static void a_released_document_is_taken_again(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 3);
	expect_take(s, STORE_NEW, 3, 3, 1);
	assert_true(spool_release(s, 2));
	assert_false(spool_release(s, 2));
	assert_false(spool_release(s, 77));
	expect_take(s, STORE_NEW, 3, 1, 2);
	expect_take(s, STORE_NEW, 3, 0, 0);
	spool_close(s);
}

static void a_batch_is_bounded_but_never_empty(void **state)
{
	struct spool *s = open_roomy();
	struct store_batch b = {.rows = NULL};
	struct err err = ERR_INIT;

	(void)state;
	fill(s, 1, 5);
	assert_int_equal(spool_take(s, STORE_NEW, 9, 2 * LEN + 1, &b, &err), 0);
	assert_int_equal(b.n, 2);
	store_batch_fini(&b);
	assert_int_equal(spool_take(s, STORE_NEW, 9, 1, &b, &err), 0);
	assert_int_equal(b.n, 1);
	store_batch_fini(&b);
	spool_close(s);
}

static void each_verdict_counts_once(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 9);
	expect_take(s, STORE_NEW, 9, 9, 1);
	settle(s, 1, 4, BULK_DONE);
	settle(s, 3, 6, BULK_DUPLICATE); /* 3 and 4 are settled already */
	settle(s, 8, 8, BULK_REJECT);
	settle(s, 8, 8, BULK_REJECT);
	settle(s, 500, 510, BULK_DONE);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 4);
	assert_int_equal(metrics_get(METRIC_DOC_DUPLICATE), 2);
	assert_int_equal(metrics_get(METRIC_DOC_REJECTED), 1);
	assert_int_equal(spool_totals(s).documents, 2);
	assert_int_equal(query("SELECT count(*) FROM q"), 2);
	assert_int_equal(query("SELECT sum(id) FROM q"), 7 + 9);
	spool_close(s);
}

static void a_dead_letter_keeps_document_and_reason(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 1);
	expect_take(s, STORE_NEW, 1, 1, 1);
	settle(s, 1, 1, BULK_REJECT);
	assert_int_equal(spool_totals(s).dead, 1);
	assert_int_equal(spool_totals(s).dead_bytes, LEN);
	assert_int_equal(query("SELECT count(*) FROM dead WHERE status = 400"
			       " AND type = 'mapper_parsing_exception'"
			       " AND reason = 'no number' AND topic = 'orders'"
			       " AND length(doc) = 300 AND doc_id LIKE '%-%1'"),
			 1);
	spool_close(s);
	s = open_roomy();
	assert_int_equal(spool_totals(s).dead, 1);
	assert_int_equal(spool_totals(s).dead_bytes, LEN);
	spool_close(s);
}

static void limit(struct spool *s, int64_t now)
{
	struct err err = ERR_INIT;
	bool more = true;

	while (more) {
		begin(s);
		assert_int_equal(spool_limit(s, (struct wall){now}, &more, &err), 0);
		commit(s);
	}
}

static void too_many_bytes_drop_the_oldest(void **state)
{
	struct spool_limits l = roomy;
	struct spool *s;

	(void)state;
	l.max_bytes = 5000 * LEN;
	s = open_limited(kit_path, &l);
	fill(s, 1, 5000);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 0);
	fill(s, 5001, 10000);
	assert_true(spool_over_limit(s, (struct wall){KIT_T0}));
	limit(s, KIT_T0);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 5000);
	assert_int_equal(spool_totals(s).documents, 5000);
	assert_int_equal(spool_totals(s).bytes, 5000 * LEN);
	assert_int_equal(query("SELECT min(id) FROM q"), 5001);
	spool_close(s);
}

static void a_document_dropped_in_flight_counts_once(void **state)
{
	struct spool_limits l = roomy;
	struct spool *s;

	(void)state;
	l.max_bytes = 2 * LEN;
	s = open_limited(kit_path, &l);
	fill(s, 1, 2);
	expect_take(s, STORE_NEW, 2, 2, 1);
	fill(s, 3, 3);
	limit(s, KIT_T0);
	settle(s, 1, 2, BULK_DONE); /* 1 is gone and was counted */
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 1);
	assert_int_equal(metrics_get(METRIC_DOC_INDEXED), 1);
	assert_int_equal(spool_totals(s).documents, 1);
	spool_close(s);
}

static void the_aged_expire_even_behind_one_from_the_future(void **state)
{
	struct spool_limits l = roomy;
	struct document d = kit_document(1, LEN);
	struct err err = ERR_INIT;
	struct spool *s;

	(void)state;
	l.max_age_ms = 1000;
	s = open_limited(kit_path, &l);
	d.t.ms += 365 * 86400000LL;
	begin(s);
	assert_int_equal(spool_insert(s, 1, &d, &err), 0);
	document_fini(&d);
	for (int64_t id = 2; id <= 1200; id++)
		insert(s, id, LEN);
	commit(s);
	expect_take(s, STORE_NEW, 3, 3, 1);
	limit(s, KIT_T0 + 1100 + 1000); /* all that is older than number 1100 */
	assert_int_equal(metrics_get(METRIC_DOC_EXPIRED), 499);
	limit(s, KIT_T0 + 1100 + 1000 + 60000);
	limit(s, KIT_T0 + 1100 + 1000 + 120000);
	assert_int_equal(metrics_get(METRIC_DOC_EXPIRED), 1199);
	assert_int_equal(spool_totals(s).documents, 1);
	settle(s, 1, 3, BULK_DONE);
	assert_int_equal(kit_ended(), 1200);
	assert_int_equal(spool_totals(s).documents, 0);
	spool_close(s);
}

static void dead_letters_are_bounded_by_bytes_and_age(void **state)
{
	struct spool_limits l = roomy;
	struct spool *s;

	(void)state;
	l.dead_bytes = 3 * LEN;
	l.dead_age_ms = 1000;
	s = open_limited(kit_path, &l);
	fill(s, 1, 5);
	expect_take(s, STORE_NEW, 5, 5, 1);
	settle(s, 1, 5, BULK_REJECT);
	limit(s, KIT_T0);
	assert_int_equal(spool_totals(s).dead, 3);
	assert_int_equal(spool_totals(s).dead_bytes, 3 * LEN);
	assert_int_equal(query("SELECT min(id) FROM dead"), 3);
	limit(s, KIT_T0 + 61000);
	assert_int_equal(spool_totals(s).dead, 0);
	assert_int_equal(metrics_get(METRIC_DOC_REJECTED), 5);
	assert_int_equal(kit_ended(), 5);
	spool_close(s);
}

static void a_move_keeps_order_flight_and_dead_letters(void **state)
{
	struct spool *from = open_limited(NULL, &roomy), *to = open_roomy();
	struct err err = ERR_INIT;
	int64_t next = 5001;
	bool more = true;

	(void)state;
	fill(to, 1, 10);
	spool_set_boundary(to, 10);
	spool_set_boundary(from, 10);
	fill(from, 11, 5000);
	expect_take(from, STORE_NEW, 3, 3, 11);
	settle(from, 11, 11, BULK_REJECT);
	while (more)
		assert_int_equal(spool_move(from, to, &next, &more, &err), 0);
	assert_int_equal(spool_totals(from).documents, 2);
	assert_int_equal(spool_totals(from).dead, 0);
	assert_int_equal(spool_totals(to).documents, 5000 - 3);
	assert_int_equal(spool_totals(to).dead, 1);
	settle(from, 12, 12, BULK_DONE);
	spool_release(from, 13);
	assert_int_equal(spool_move(from, to, &next, &more, &err), 0);
	assert_int_equal(spool_totals(from).documents, 0);
	assert_int_equal(spool_totals(to).documents, 5000 - 2);
	assert_int_equal(spool_totals(to).bytes, (5000 - 2) * LEN);
	expect_take(to, STORE_NEW, 1, 1, 13);
	assert_int_equal(next, 5001);
	assert_int_equal(kit_ended(), 2);
	spool_close(from);
	spool_close(to);
}

static void a_move_neither_loses_nor_doubles_rows_whose_id_is_taken(void **state)
{
	struct spool *from = open_limited(NULL, &roomy), *to = open_roomy();
	struct document other = kit_document(2000, LEN);
	struct err err = ERR_INIT;
	int64_t next = 1;
	bool more;

	(void)state;
	fill(from, 1, 3);
	fill(to, 2, 2); /* the same document: a move that got halfway */
	begin(to);
	assert_int_equal(spool_insert(to, 3, &other, &err), 0); /* another */
	commit(to);
	document_fini(&other);
	assert_int_equal(spool_move(from, to, &next, &more, &err), 0);
	assert_int_equal(spool_totals(from).documents, 0);
	assert_int_equal(spool_totals(to).documents, 4);
	assert_int_equal(query("SELECT count(*) FROM q"), 4);
	assert_int_equal(query("SELECT count(DISTINCT doc_id) FROM q"), 4);
	assert_int_equal(next, 5);
	spool_close(from);
	spool_close(to);
}

static void a_full_database_in_memory_keeps_what_it_had(void **state)
{
	struct spool_limits l = roomy;
	struct err err = ERR_INIT;
	struct spool *s;
	int64_t had, id = 1;
	int rc = 0;

	(void)state;
	l.max_pages = 64;
	s = open_limited(NULL, &l);
	while (rc == 0) {
		begin(s);
		for (int i = 0; i < 50 && rc == 0; i++) {
			struct document d = kit_document(id, LEN);

			rc = spool_insert(s, id++, &d, &err);
			document_fini(&d);
		}
		if (rc == 0)
			rc = spool_commit(s, &err);
	}
	spool_rollback(s);
	assert_int_equal(err.code, SPOOL_FULL);
	had = spool_totals(s).documents;
	assert_true(had >= 50 && had < id);
	begin(s);
	assert_int_equal(spool_evict(s, 60, &err), 0);
	commit(s);
	begin(s);
	for (int i = 0; i < 50; i++)
		insert(s, id++, LEN);
	commit(s);
	assert_int_equal(spool_totals(s).documents, had - 60 + 50);
	assert_int_equal(metrics_get(METRIC_DOC_EVICTED), 60);
	spool_close(s);
}

static void totals_that_contradict_the_tables_are_counted_anew(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	fill(s, 1, 10);
	spool_close(s);
	execute("DELETE FROM q");
	s = open_roomy();
	assert_int_equal(spool_totals(s).documents, 0);
	assert_int_equal(spool_totals(s).bytes, 0);
	fill(s, 11, 14);
	spool_close(s);
	execute("UPDATE meta SET documents = 0, next_id = 1");
	s = open_roomy();
	assert_int_equal(spool_totals(s).documents, 4);
	assert_int_equal(spool_totals(s).bytes, 4 * LEN);
	assert_int_equal(spool_next_id(s), 15);
	spool_close(s);
}

static void a_suspended_spool_resumes_with_documents_in_flight(void **state)
{
	struct spool *s = open_roomy();
	struct err err = ERR_INIT;

	(void)state;
	fill(s, 1, 5);
	expect_take(s, STORE_NEW, 2, 2, 1);
	spool_suspend(s);
	assert_int_equal(spool_totals(s).documents, 5);
	assert_int_equal(spool_resume(s, &err), 0);
	settle(s, 1, 2, BULK_DONE);
	assert_int_equal(spool_totals(s).documents, 3);
	spool_suspend(s);
	execute("DELETE FROM q WHERE id = 5; UPDATE meta SET documents = 2");
	assert_int_equal(spool_resume(s, &err), 0);
	assert_int_equal(spool_totals(s).documents, 2);
	assert_int_equal(kit_ended(), 3);
	spool_close(s);
}

static void a_drained_file_gives_its_space_back(void **state)
{
	struct spool *s = open_roomy();
	struct err err = ERR_INIT;
	bool more = true;
	struct stat before, after;

	(void)state;
	fill(s, 1, 20000);
	assert_int_equal(spool_tidy(s, false, &more, &err), 0);
	stat(kit_path, &before);
	assert_true(before.st_size > 20000 * LEN);
	begin(s);
	for (int i = 0; i < 10; i++)
		assert_int_equal(spool_evict(s, 2000, &err), 0);
	commit(s);
	for (int i = 0; i < 100; i++)
		assert_int_equal(spool_tidy(s, true, &more, &err), 0);
	assert_false(more);
	stat(kit_path, &after);
	assert_true(after.st_size < 65536);
	spool_close(s);
}

static void the_log_is_bounded_while_much_is_written(void **state)
{
	struct spool *s = open_roomy();
	struct err err = ERR_INIT;
	char wal[310];
	struct stat st;
	bool more;

	(void)state;
	snprintf(wal, sizeof(wal), "%s-wal", kit_path);
	for (int64_t i = 0; i < 100; i++) {
		fill(s, 1 + i * 500, 500 + i * 500);
		assert_int_equal(spool_tidy(s, false, &more, &err), 0);
		assert_int_equal(stat(wal, &st), 0);
		assert_true(st.st_size < 8 << 20);
	}
	assert_int_equal(spool_tidy(s, true, &more, &err), 0);
	assert_int_equal(stat(wal, &st), 0);
	assert_int_equal(st.st_size, 0);
	spool_close(s);
}

/* Random steps beside a model that is too simple to be wrong. */
static void accounts_balance_whatever_happens(void **state)
{
	struct spool_limits l = roomy;
	uint64_t r = 20261121;
	int64_t inserted = 0, id = 1;
	struct spool *s;

	(void)state;
	l.max_bytes = 400 * LEN;
	l.max_age_ms = 700;
	l.dead_bytes = 10 * LEN;
	s = open_limited(kit_path, &l);
	for (int round = 0; round < 1500; round++) {
		struct store_batch b;
		bool keep;

		r = r * 6364136223846793005u + 1442695040888963407u;
		keep = (r >> 40) % 8 != 0;
		switch ((r >> 33) % 6) {
		case 0:
		case 1:
			begin(s);
			for (int i = 0; i < (int)(r >> 50) % 60; i++, id++)
				insert(s, id, LEN);
			if (keep) {
				inserted += (int)(r >> 50) % 60;
				commit(s);
			} else {
				spool_rollback(s);
			}
			break;
		case 2:
			spool_set_boundary(s, id - 1 - (int64_t)((r >> 45) % 2));
			break;
		case 3:
		case 4:
			b = take(s, (r >> 41) % 2 ? STORE_NEW : STORE_BACKLOG, 40);
			if (b.n > 0 && keep)
				settle(s, b.rows[0], b.rows[b.n - 1],
				       (enum bulk_verdict)((r >> 42) % 2));
			else if (b.n > 0 && (r >> 43) % 2)
				settle(s, b.rows[0], b.rows[0], BULK_REJECT);
			for (size_t i = 0; i < b.n; i += 2)
				spool_release(s, b.rows[i]);
			store_batch_fini(&b);
			break;
		default:
			limit(s, KIT_T0 + id);
			break;
		}
		assert_int_equal(kit_ended() + spool_totals(s).documents, inserted);
	}
	assert_true(metrics_get(METRIC_DOC_EVICTED) > 0);
	assert_true(metrics_get(METRIC_DOC_EXPIRED) > 0);
	assert_true(metrics_get(METRIC_DOC_REJECTED) > 0);
	assert_int_equal(query("SELECT count(*) - documents FROM meta, q"), 0);
	assert_int_equal(query("SELECT sum(length(doc)) - bytes FROM meta, q"), 0);
	spool_close(s);
}

static void opening_does_not_look_at_what_waits(void **state)
{
	struct spool *s = open_roomy();

	(void)state;
	for (int64_t i = 0; i < 50; i++)
		fill(s, 1 + i * 2000, 2000 + i * 2000);
	spool_close(s);
	fault.reads = 0;
	s = open_roomy();
	assert_int_equal(spool_totals(s).documents, 100000);
	assert_in_range(fault.reads, 1, 40);
	spool_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_committed_is_there_again),
		TEST(the_file_is_set_up_as_promised),
		TEST(a_rollback_leaves_all_as_it_was),
		TEST(new_and_backlog_are_two_ranges_oldest_first),
		TEST(a_released_document_is_taken_again),
		TEST(a_batch_is_bounded_but_never_empty),
		TEST(each_verdict_counts_once),
		TEST(a_dead_letter_keeps_document_and_reason),
		TEST(too_many_bytes_drop_the_oldest),
		TEST(a_document_dropped_in_flight_counts_once),
		TEST(the_aged_expire_even_behind_one_from_the_future),
		TEST(dead_letters_are_bounded_by_bytes_and_age),
		TEST(a_move_keeps_order_flight_and_dead_letters),
		TEST(a_move_neither_loses_nor_doubles_rows_whose_id_is_taken),
		TEST(a_full_database_in_memory_keeps_what_it_had),
		TEST(totals_that_contradict_the_tables_are_counted_anew),
		TEST(a_suspended_spool_resumes_with_documents_in_flight),
		TEST(a_drained_file_gives_its_space_back),
		TEST(the_log_is_bounded_while_much_is_written),
		TEST(accounts_balance_whatever_happens),
		TEST(opening_does_not_look_at_what_waits),
	};

	return cmocka_run_group_tests(tests, fault_group_setup, fault_group_teardown);
}
