/* SPDX-License-Identifier: MIT
 * question: what a reader may ask of the store, or have done in it, without waiting for
 * the disk: the store's thread answers by a call. */
#ifndef MMLAG_STORE_QUESTION_H
#define MMLAG_STORE_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"

enum store_question_kind {
	STORE_ASK_HISTORY, /* a topic over time, as in docs/api.md under "history" */
	STORE_ASK_ROWS,    /* what waits, or was refused: {"rows":[…],"more":bool} */
	STORE_RETRY,       /* dead letters go into the queue again: {"rows":n} */
	STORE_DROP,        /* give rows up: {"rows":n} */
	STORE_IMPORT,      /* take in a file that was set aside: {"rows":n,"dead":n,
			    * "missing":n|null,"damaged":true|false}; missing: of those that
			    * the file says it has */
};

struct store_question {
	enum store_question_kind kind;

	/* STORE_ASK_HISTORY; NULL is "" */
	char *cluster, *group, *topic;
	struct wall since, until;

	/* STORE_ASK_ROWS, STORE_DROP: of dead letters, not of what waits */
	bool dead;
	int64_t limit;  /* STORE_ASK_ROWS: at most so many, the newest first, and */
	int64_t before; /* only those behind the row of this id; 0: from the newest on
			 */

	/* STORE_RETRY, STORE_DROP: these, or all. Ids are those of STORE_ASK_ROWS. */
	bool all;
	int64_t *ids;
	size_t n;

	/* STORE_IMPORT: a name in the state directory */
	char *file;

	/* The answer: JSON text, or an error: ERR_REJECT when the question is wrong
	 * (err.text says why), else ERR_RETRY. */
	struct buf answer;
	struct err err;

	/* Called once by the store's thread, under no lock, unless the question was
	 * cancelled; owns the question then. Must not wait. */
	void (*done)(struct store_question *q);
	void *arg; /* the asker's */
};

/* An empty question; memory given to it (with mem_*) becomes its own.  @thread any */
struct store_question *store_question_new(enum store_question_kind kind,
					  void (*done)(struct store_question *q),
					  void *arg);
void store_question_free(struct store_question *q); /* NULL is legal */

#endif
