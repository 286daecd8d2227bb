/* SPDX-License-Identifier: MIT
 * tailer: the actor that follows one stream and hands its documents to the store. */
#ifndef MMLAG_RUN_TAILER_H
#define MMLAG_RUN_TAILER_H

#include "base/wake.h"
#include "board/board.h"
#include "run/plan.h"
#include "store/store.h"

struct tailer;

/* The plan, its configuration, the store and the board (which may be NULL) must outlive
 * the tailer. NULL with errno when there
 * is no descriptor left.
 * @thread main */
struct tailer *tailer_new(const struct plan_stream *p, struct store *store,
			  struct board *board);
void tailer_free(struct tailer *t); /* after its thread has ended */

struct wake *tailer_wake(struct tailer *t);

/* "t:orders", or "t:orders+3" for a stream of four topics.  @thread any */
const char *tailer_name(const struct tailer *t);

/* One turn; for actor_start.  @thread tailer */
struct step tailer_step(void *self);

#endif
