/* SPDX-License-Identifier: MIT
 * crew: the tailers and their threads, one for each stream of a configuration's plan.
 * At another configuration those end that are not in it, those begin that are new, and
 * what stands in both as before goes on undisturbed, session and all. */
#ifndef MMLAG_FOLLOW_CREW_H
#define MMLAG_FOLLOW_CREW_H

#include <stddef.h>

#include "base/err.h"
#include "board/board.h"
#include "config/config.h"
#include "store/record.h"
#include "store/store.h"

struct crew;

/* Nobody yet. Store and board are borrowed.  @thread main */
struct crew *crew_new(struct store *store, struct board *board);
void crew_free(struct crew *w); /* ends all that run; NULL is legal */

/* End those that are not in the plan of `c`: their topics leave the board, what is
 * known of them over time is added to `windows`, and nobody holds on to the
 * configuration that they came from. NULL for `c`: end all, and keep nothing.
 * @thread main; blocks until they have ended */
void crew_end_others(struct crew *w, const struct config *c, struct records *windows);

/* Begin those of the plan of `c` that do not run yet, with their windows (of kind
 * STORE_WINDOW) where there are any; the store forgets those that are nobody's. Each
 * holds a reference to `c`. On failure crew_end_others is still to be called.
 * @thread main */
NODISCARD int crew_begin(struct crew *w, struct config *c, struct records *windows,
			 struct err *err);

/* How many remote commands or pages are followed.  @thread main */
size_t crew_size(const struct crew *w);

#endif
