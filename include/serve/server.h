/* SPDX-License-Identifier: MIT
 * server: the actor that answers HTTP: the pages, metrics and the API on `http.listen`,
 * and the same with all rights on <state_dir>/control.sock. It never waits for anybody:
 * what the store has to look up is answered when the store has. A port that is taken is
 * tried again every 10 s. */
#ifndef MMLAG_SERVE_SERVER_H
#define MMLAG_SERVE_SERVER_H

#include "base/err.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "store/store.h"

struct serve;

/* What it shows; all borrowed, and to outlive it. */
struct serve_parts {
	const struct config *config;
	struct board *board;
	struct store *store;
	struct wall started; /* when the program began */
};

/* ERR_PERMANENT when a file that `http` names is of no use; the listeners themselves
 * come up in the first steps. The state directory must be ours (its lock held).
 * @thread main */
NODISCARD int serve_new(struct serve **out, const struct serve_parts *parts,
			struct err *err);
void serve_free(struct serve *s); /* after its thread has ended; NULL is legal */

struct wake *serve_wake(struct serve *s);

/* From now on /-/ready says so.  @thread any */
void serve_set_ready(struct serve *s);

/* One turn; for actor_start. After the wake's stop flag it closes all connections and
 * is done.
 * @thread http */
struct step serve_step(void *self);

#endif
