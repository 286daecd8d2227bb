/* SPDX-License-Identifier: MIT
 * The board under many writers and readers, for ThreadSanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>

#include "support/views.h"

#define WRITERS 8
#define READERS 4
#define ROUNDS 400

static struct board *board;
static atomic_int writing;

/* A topic that comes, shows sample after sample with equal rows, and goes. */
static void *writer(void *arg)
{
	char name[16], rows[32], json[64];

	snprintf(name, sizeof(name), "t%d", *(int *)arg);
	for (int life = 0; life < 4; life++) {
		struct board_slot *slot = board_add(board);

		for (int i = 0; i < ROUNDS / 4; i++) {
			int n = snprintf(json, sizeof(json), "{\"%s\":%d}", name, i);

			snprintf(rows, sizeof(rows), "%d:%d:0 %d:%d:0", i, i, i, i);
			board_publish(board, slot, views_make("c", "g", name, rows));
			board_document(board, json, (size_t)n);
			board_tell(board, BOARD_ALERTS, json, (size_t)n);
		}
		board_drop(board, slot);
	}
	atomic_fetch_sub(&writing, 1);
	return NULL;
}

/* What is seen is whole: both rows of a sample are of one round. */
static void *reader(void *arg)
{
	struct buf out = BUF_INIT(4 << 20);
	uint64_t last = 0, at = 0;
	intptr_t bad = 0;

	(void)arg;
	while (atomic_load(&writing) > 0) {
		struct board_views w = board_look(board);

		bad += w.version < last;
		last = w.version;
		for (size_t i = 0; i < w.n; i++)
			bad += w.v[i]->sample.n != 2 ||
			       w.v[i]->sample.rows[0].committed !=
				       w.v[i]->sample.rows[1].committed;
		board_views_fini(&w);
		buf_reset(&out);
		at = board_documents(board, at, 1 << 16, &out);
		board_told(board, BOARD_ALERTS, &out);
	}
	buf_free(&out);
	return (void *)bad;
}

static void readers_see_whole_views(void **state)
{
	pthread_t w[WRITERS], r[READERS];
	int number[WRITERS];
	struct board_views left;

	(void)state;
	board = board_new();
	atomic_store(&writing, WRITERS);
	for (int i = 0; i < WRITERS; i++) {
		number[i] = i;
		assert_int_equal(pthread_create(&w[i], NULL, writer, &number[i]), 0);
	}
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&r[i], NULL, reader, NULL), 0);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(w[i], NULL);
	for (int i = 0; i < READERS; i++) {
		void *bad;

		pthread_join(r[i], &bad);
		assert_null(bad);
	}
	left = board_look(board);
	assert_int_equal(left.n, 0);
	board_views_fini(&left);
	board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(readers_see_whole_views)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
