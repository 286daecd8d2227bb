/* SPDX-License-Identifier: MIT
 * objective: which share of a span a topic's lag was within a bound. Kept in pieces of
 * a sixtieth of the span, so that it slides, and survives a restart as text. Time of
 * which nothing is known counts for neither side. Pure. */
#ifndef MMLAG_LAG_OBJECTIVE_H
#define MMLAG_LAG_OBJECTIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define OBJECTIVE_PIECES 61 /* the span, and the piece that is not full yet */

struct objective {
	int64_t piece_ms;
	struct objective_piece {
		int64_t number; /* of the piece, since 1970 */
		int64_t within_ms, beyond_ms;
	} v[OBJECTIVE_PIECES]; /* at number % OBJECTIVE_PIECES */
};

/* Nothing is known of the span.  @thread any */
void objective_init(struct objective *o, int64_t over_ms);

/* From `from_ms` to `to_ms` (of a steady clock near the time of day) it was so.
 * @thread the owner's */
void objective_add(struct objective *o, bool within, int64_t from_ms, int64_t to_ms);

/* The sums over the span that ends at `now_ms`.  @thread the owner's */
struct objective_sums {
	int64_t within_ms, beyond_ms;
};
struct objective_sums objective_sums(const struct objective *o, int64_t now_ms);

/* As text, and back, with the span that it was made for; false for a text that is none
 * of ours, `o` is empty then.  @thread any */
void objective_write(const struct objective *o, struct buf *out);
bool objective_read(struct objective *o, const char *text, size_t len);

#endif
