/* SPDX-License-Identifier: MIT
 * outlook: what an index would refuse of the topics as they are on the board, told in
 * the log before the first document is sent. */
#ifndef MMLAG_SHIP_OUTLOOK_H
#define MMLAG_SHIP_OUTLOOK_H

#include "base/err.h"
#include "board/board.h"
#include "elastic/elastic.h"

/* Look, and log what was found. Fails as elastic_look_ahead does, with nothing told;
 * `board` may be NULL.
 * @thread shipper; blocks */
NODISCARD int outlook_tell(struct elastic *e, struct board *board, struct err *err);

#endif
