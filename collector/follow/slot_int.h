/* SPDX-License-Identifier: MIT
 * slot: one topic of a stream, or one pattern as long as it has found nothing: what is
 * known of it over time, what it says of each reading, and where it stands on the
 * board. Internal to the stream, whose thread drives it. */
#ifndef MMLAG_FOLLOW_SLOT_INT_H
#define MMLAG_FOLLOW_SLOT_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "board/board.h"
#include "config/config.h"
#include "lag/reason.h"
#include "follow/finding.h"
#include "source/source.h"

struct slot;

/* `t` and `board`, which may be NULL, must outlive the slot; `name` is NULL for a
 * pattern; `stream` is an identity only. */
struct slot *slot_new(const struct config_topic *t, const char *name,
		      struct board *board, const void *stream);
void slot_free(struct slot *s); /* and off the board; NULL is legal */

const char *slot_name(const struct slot *s); /* NULL for a pattern */

/* It has nothing to say for now: off the board, without a gap, and its silence counts
 * from now on. */
void slot_rest(struct slot *s);

/* What is known of the mirror's other side at a reading. */
struct other_side {
	const struct ends *ends; /* NULL: nothing */
	struct gap gap;          /* why; REASON_NONE where nobody has looked yet */
	int looks_apart; /* the two sides are looked at within so many intervals */
};

/* What a reading, or a failure that concerns the whole source, says of it. */
void slot_reading(struct slot *s, const struct reading *r,
		  const struct other_side *other, struct mono now,
		  struct findings *out);
void slot_gap(struct slot *s, const struct gap *g, struct mono now,
	      struct findings *out);

/* Time passes: what is silent for too long is a gap, for `trouble` where the source has
 * told one, and a gap is repeated. Returns when to look again. */
struct mono slot_tick(struct slot *s, const struct gap *trouble, struct mono now,
		      struct findings *out);

/* Was it away from the readings for as long as that?  (A topic.) */
bool slot_is_away(const struct slot *s, struct mono now, int64_t ms);

/* Its key, and what is kept under that over a restart: nothing for a pattern. */
const char *slot_key(const struct slot *s);
void slot_save(const struct slot *s, struct buf *out);
/* False when the bytes are of no use, or of no use any more. */
bool slot_restore(struct slot *s, const void *bytes, size_t len);

#endif
