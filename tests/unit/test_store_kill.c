/* SPDX-License-Identifier: MIT
 * kill -9: a child commits documents and tells which; it is killed anywhere; what it
 * told must be there, what it told to be settled must be gone. Ten lives on one file.
 */
#include "support/store_run.h"
#include "support/history_kit.h"

#include <signal.h>
#include <sys/wait.h>

#define LIVES 10
#define DOCUMENTS 20000

enum word { COMMITTED, JUDGING, SETTLED };

struct telling {
	enum word word;
	int64_t first, last; /* numbers of documents */
};

static void tell(int fd, enum word word, int64_t first, int64_t last)
{
	struct telling t = {word, first, last};

	if (write(fd, &t, sizeof(t)) != (ssize_t)sizeof(t))
		_exit(1);
}

/* A record of the last number, a point, and now and then a gap. */
static void put_beside(int64_t number)
{
	const struct store_topic of = {"c", "g", "orders"};
	struct history_point p = kit_point(KIT_T0 + kit_now_ms, 4, number);
	struct gap gap;

	store_put(store, STORE_ALERT, "last", &number, sizeof(number));
	store_history_add(store, &of, &p);
	history_point_fini(&p);
	if (number % 13 != 0)
		return;
	gap_set(&gap, REASON_SSH_LOST, "told by the test");
	store_history_gap(store, &of, (struct wall){KIT_T0 + kit_now_ms}, &gap);
}

/* The child's life: never returns, and uses nothing of cmocka. */
static void live(int fd, int64_t number)
{
	struct err err = ERR_INIT;

	if (store_open(&store, kit_dir, &roomy, &err) != 0)
		_exit(1);
	for (int round = 0; number < DOCUMENTS - 20; round++) {
		struct store_batch b = {.rows = NULL};
		struct bulk_item done = {.verdict = BULK_DONE, .status = 201};
		int64_t first = number;

		for (int i = 0; i < 7; i++) {
			struct document d = kit_document(number++, LEN);

			if (store_append(store, &d, 1, false) != 0)
				_exit(1);
		}
		put_beside(number - 1);
		kit_now_ms += STORE_COMMIT_MS;
		store_step(store);
		tell(fd, COMMITTED, first, number - 1);
		store_take_ask(store, &asker, round % 2 ? STORE_NEW : STORE_BACKLOG, 5,
			       1 << 20);
		store_step(store);
		if (!store_take_get(store, &b))
			_exit(1);
		for (size_t i = 0; i < b.n; i++)
			tell(fd, JUDGING, kit_number(&b.documents[i]),
			     kit_number(&b.documents[i]));
		for (size_t i = 0; i < b.n; i++)
			store_settle(store, &b.rows[i], &done, 1);
		kit_now_ms += round % 20 == 19 ? 10000 : STORE_COMMIT_MS;
		store_step(store);
		for (size_t i = 0; i < b.n; i++)
			tell(fd, SETTLED, kit_number(&b.documents[i]),
			     kit_number(&b.documents[i]));
		store_batch_fini(&b);
	}
	_exit(0);
}

static void note(const struct telling *t, unsigned char *told)
{
	for (int64_t n = t->first; n <= t->last; n++)
		told[n] |= (unsigned char)(1 << t->word);
}

/* Hear `patience` tellings, kill, hear the rest. */
static void hear_and_kill(int fd, pid_t child, int patience, unsigned char *told)
{
	struct telling t;
	int killed = 0, status;

	while (read(fd, &t, sizeof(t)) == (ssize_t)sizeof(t)) {
		note(&t, told);
		if (patience-- == 0)
			killed = kill(child, SIGKILL) == 0;
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(killed && WIFSIGNALED(status));
}

static void read_number(void *arg, const char *key, const void *bytes, size_t len)
{
	(void)key;
	assert_int_equal(len, sizeof(int64_t));
	memcpy(arg, bytes, len);
}

/* The record is not older than the documents that it was committed with. */
static void check_beside(const unsigned char *told)
{
	int64_t last = 0;

	store_each(store, STORE_ALERT, read_number, &last);
	for (int64_t n = 1; n < DOCUMENTS; n++)
		if ((told[n] & 1 << COMMITTED) != 0)
			assert_true(n <= last);
	assert_int_equal(query("SELECT history_bytes - (SELECT coalesce(sum(64 +"
			       " length(points)), 0) FROM history) FROM meta"),
			 0);
}

/* Compare what was told with what is there; returns the next free number. */
static int64_t check_told(const unsigned char *told)
{
	int *there = mem_calloc(DOCUMENTS, sizeof(*there));
	struct store_batch b;
	int64_t next = 1;

	open_store();
	assert_string_equal(status().set_aside, "");
	check_beside(told);
	b = take(STORE_BACKLOG, DOCUMENTS);
	assert_int_equal(b.n, status().documents);
	for (size_t i = 0; i < b.n; i++)
		there[kit_number(&b.documents[i])]++;
	store_batch_fini(&b);
	for (int64_t n = 1; n < DOCUMENTS; n++) {
		assert_in_range(there[n], 0, 1);
		if ((told[n] & 1 << SETTLED) != 0)
			assert_int_equal(there[n], 0);
		else if (told[n] == 1 << COMMITTED)
			assert_int_equal(there[n], 1);
		if (there[n] > 0 || told[n] != 0)
			next = n + 1;
	}
	close_store();
	free(there);
	return next;
}

static void what_was_told_to_be_durable_survives_a_kill(void **state)
{
	unsigned char *told = mem_calloc(DOCUMENTS, 1);
	uint64_t r = 20261121;
	int64_t next = 1;

	(void)state;
	for (int life = 0; life < LIVES; life++) {
		int fds[2];
		pid_t child;

		r = r * 6364136223846793005u + 1442695040888963407u;
		assert_int_equal(pipe(fds), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(fds[0]);
			live(fds[1], next);
		}
		close(fds[1]);
		hear_and_kill(fds[0], child, (int)(r >> 33) % 300, told);
		close(fds[0]);
		next = check_told(told);
	}
	assert_true(next > 100);
	free(told);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_told_to_be_durable_survives_a_kill, run_setup,
			run_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
