/* SPDX-License-Identifier: MIT
 * heartbeat: the actor that calls a dead man's switch, as long as sampling and shipping
 * make progress: some topic has a sample that is not older than five minutes (or than
 * three of its intervals), and nothing has waited for Elasticsearch for five minutes
 * unless documents were taken since the last look. */
#ifndef MMLAG_ALARM_HEARTBEAT_H
#define MMLAG_ALARM_HEARTBEAT_H

#include "base/err.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "store/store.h"

struct heartbeat;

/* All are borrowed.  @thread main */
NODISCARD int heartbeat_new(struct heartbeat **out, const struct config *c,
			    struct store *store, struct board *board, struct err *err);
void heartbeat_free(
	struct heartbeat *h); /* after its thread has ended; NULL is legal */

struct wake *heartbeat_wake(struct heartbeat *h);

/* One turn; for actor_start.  @thread heartbeat */
struct step heartbeat_step(void *self);

#endif
