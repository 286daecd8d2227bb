/* SPDX-License-Identifier: MIT
 * question: see question.h. */
#include "store/question.h"

#include <stdlib.h>

#include "base/mem.h"

#include "banned.h"

#define ANSWER_MAX (16u << 20)

struct store_question *store_question_new(enum store_question_kind kind,
					  void (*done)(struct store_question *q),
					  void *arg)
{
	struct store_question *q = mem_calloc(1, sizeof(*q));

	q->kind = kind;
	q->done = done;
	q->arg = arg;
	q->limit = INT64_MAX;
	buf_init(&q->answer, ANSWER_MAX);
	return q;
}

void store_question_free(struct store_question *q)
{
	if (q == NULL)
		return;
	free(q->cluster);
	free(q->group);
	free(q->topic);
	free(q->ids);
	free(q->file);
	buf_free(&q->answer);
	free(q);
}
