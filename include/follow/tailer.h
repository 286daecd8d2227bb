/* SPDX-License-Identifier: MIT
 * tailer: the actor that follows one stream and hands its documents to the store. */
#ifndef MMLAG_FOLLOW_TAILER_H
#define MMLAG_FOLLOW_TAILER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wake.h"
#include "board/board.h"
#include "follow/far.h"
#include "follow/plan.h"
#include "store/store.h"

struct tailer;

/* The plan, its configuration, the store and the board (which may be NULL) must outlive
 * the tailer. NULL with errno when there
 * is no descriptor left.
 * @thread main */
struct tailer *tailer_new(const struct plan_stream *p, struct store *store,
			  struct board *board);
void tailer_free(struct tailer *t); /* after its thread has ended */

/* Take up a window that was kept (records of STORE_WINDOW). False when it is not of
 * this tailer, or of no use any more.  @thread main, before its thread runs */
bool tailer_restore(struct tailer *t, const char *key, const void *bytes, size_t len);

/* Hand each of the windows (of kind STORE_WINDOW) to the tailer whose it is; have those
 * deleted that are nobody's.  @thread main, before the tailers' threads run */
void tailers_restore(struct tailer *const *tailers, size_t n, struct store *store,
		     const struct records *windows);

/* At its end it is to keep its windows in memory too, for whoever follows its topics
 * next.  @thread main, before its wake is stopped */
void tailer_keep_windows(struct tailer *t);

/* Add what it kept to `to`.  @thread main, after its thread has ended */
void tailer_take_windows(struct tailer *t, struct records *to);

struct wake *tailer_wake(struct tailer *t);

/* What looks at the mirror's other side from another host: an actor beside the tailer,
 * which owns it; NULL where there is none.  @thread main */
struct far *tailer_far(const struct tailer *t);

/* "t:orders", or "t:orders+3" for a stream of four topics.  @thread any */
const char *tailer_name(const struct tailer *t);

/* One turn; for actor_start.  @thread tailer */
struct step tailer_step(void *self);

#endif
