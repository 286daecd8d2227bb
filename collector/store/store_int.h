/* SPDX-License-Identifier: MIT
 * store_int: what store.c (documents, the thread's step) and store_beside.c (records,
 * history, questions) share. Private to collector/store. */
#ifndef MMLAG_STORE_STORE_INT_H
#define MMLAG_STORE_STORE_INT_H

#include <pthread.h>

#include "ask_int.h"
#include "history_int.h"
#include "pair_int.h"
#include "store/store.h"

/* Documents in order; their ids are counted up from first_id. */
struct queue {
	struct document *docs; /* [head, head + n) are in use */
	size_t head, n, cap;
	int64_t bytes; /* with overhead */
	int64_t first_id;
};

struct settled {
	int64_t row;
	enum bulk_verdict verdict;
	int status;
	char *type, *reason; /* NULL unless rejected */
};

struct settled_list {
	struct settled *v;
	size_t n, cap;
};

struct request {
	enum { NOTHING, ASKED, ANSWERED } state;
	struct wake *asker;
	enum store_range range;
	size_t max_n, max_bytes;
	struct store_batch batch;
};

/* Questions in the order in which they came. */
struct asked {
	struct store_question *q;
	int64_t number;
};

struct asked_list {
	struct asked *v;
	size_t n, cap;
};

struct store {
	struct wake wake;
	int64_t staging_bytes, commit_bytes;

	pthread_mutex_t lock; /* a leaf */
	struct queue staged;
	struct { /* the batch under way, until its outcome is published */
		int64_t n, first_id, bytes;
		struct wall oldest; /* of its first */
	} committing;
	struct mono due; /* when the next group commit is */
	struct settled_list settled;
	struct records records;
	struct history_events events;
	struct asked_list asked;
	int64_t asked_last; /* number */
	int64_t answering;  /* number of the question in hand, 0 none or cancelled */
	struct request take;
	int64_t boundary;
	struct store_status durable; /* without what is staged or in the batch */

	/* the store's thread's own */
	struct pair pair;
	struct queue batch;
	struct ask ask;
	int64_t ask_number;
};

/* Have a group commit within `ms`. Returns whether the thread is to be woken.
 * @thread any, with the lock */
bool store_set_due(struct store *s, int64_t ms);

/* Take the next question in hand.  @thread store, with the lock */
void store_grab_question(struct store *s);

/* A slice of the question in hand. Returns whether there is more to do.
 * @thread store */
bool store_answer_question(struct store *s);

#endif
