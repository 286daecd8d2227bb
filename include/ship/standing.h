/* SPDX-License-Identifier: MIT
 * standing: how we stand with the search server. What changes is told once: to the log,
 * the board and the metrics. Two troubles are kept apart: one that holds up everything,
 * and one of some documents while the others go on. Belongs to the shipper. */
#ifndef MMLAG_SHIP_STANDING_H
#define MMLAG_SHIP_STANDING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"
#include "board/board.h"
#include "document/bulk.h"

struct standing_trouble {
	bool on;
	enum bulk_pace pace;
	enum bulk_trouble kind;
	struct wall since;
	char text[512];
};

struct standing {
	struct board *board; /* borrowed; may be NULL */
	struct standing_trouble whole, part;
	struct wall last_success; /* 0: never */
	bool nothing_goes;        /* since the last success nothing was taken */
	size_t parked;
};

/* @thread main */
void standing_init(struct standing *s, struct board *board);

/* A whole request failed, or every document of it is to be sent again for good. True
 * when that is news.  @thread shipper */
bool standing_refused(struct standing *s, enum bulk_pace pace, const struct err *why);

/* `n` of `of` documents are to be sent again. True when that is news.
 * @thread shipper */
bool standing_partly(struct standing *s, enum bulk_pace pace, const struct err *why,
		     size_t n, size_t of);

/* Nothing was taken of the last few requests, though each had its answer.
 * @thread shipper */
void standing_stuck(struct standing *s);

/* Documents were taken: whatever held up everything is over.  @thread shipper */
void standing_accepted(struct standing *s);

/* So many documents wait apart; with none the trouble of some is over.
 * @thread shipper */
void standing_parked(struct standing *s, size_t n);

/* Tell the board. Cheap when nothing changed.  @thread shipper */
void standing_tell(const struct standing *s);

/* Tell the board that there is no elasticsearch section.  @thread main */
void standing_without_server(struct board *b);

#endif
