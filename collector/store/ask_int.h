/* SPDX-License-Identifier: MIT
 * ask: answers questions out of the pair of databases, in slices. Private to
 * collector/store. */
#ifndef MMLAG_STORE_ASK_INT_H
#define MMLAG_STORE_ASK_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "import_int.h"
#include "pair_int.h"
#include "spool_rows_int.h"
#include "store/question.h"

struct ask {
	struct store_question *q;
	bool begun;
	int side;     /* of "all": which database is under way */
	size_t at;    /* in q->ids */
	int64_t rows; /* done */
	int64_t dead; /* imported dead letters */
	struct spool_range range;
	struct import *import;
};

/* One slice. True when the answer, or the error, stands in the question; the question
 * is the caller's then, and `a` empty.
 * @thread store */
bool ask_step(struct ask *a, struct pair *p);

/* Give up what was begun; the question stays the caller's.  @thread store */
void ask_fini(struct ask *a);

#endif
