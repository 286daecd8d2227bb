/* SPDX-License-Identifier: MIT
 * tell: what the daemon tells the board of the spool, and of a missing search server.
 */
#ifndef MMLAG_RUN_TELL_H
#define MMLAG_RUN_TELL_H

#include "board/board.h"
#include "store/store.h"

/* The state of the spool, as docs/api.md has it under "spool". Cheap when nothing
 * changed.  @thread main */
void tell_spool(struct board *b, const struct store_status *s);

/* There is no elasticsearch section.  @thread main */
void tell_no_elastic(struct board *b);

#endif
