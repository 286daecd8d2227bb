/* SPDX-License-Identifier: MIT
 * window: what a topic's assess knows, as bytes, so that a restart forgets nothing: the
 * series of all partitions, the rates and the delivery. Times are kept as wall time and
 * moved to the monotonic clock of the next life. Pure; the bytes are checked, never
 * believed. */
#ifndef MMLAG_LAG_WINDOW_H
#define MMLAG_LAG_WINDOW_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/compiler.h"
#include "lag/assess.h"

/* What was said of the topic last: OK, WARN, ERR or NODATA, and since when that is so.
 */
struct window_word {
	enum verdict status;
	struct wall since; /* 0: nothing was said */
};

/* Append the bytes; `name` says whose they are (any text). Nothing is appended before
 * the first word and the first sample. `now` and `wall` are the same moment.
 * @thread the owner's */
void window_save(const struct assess *a, const struct window_word *word,
		 const char *name, struct mono now, struct wall wall, struct buf *out);

/* Take up what was saved, into a fresh assess. Returns 0, or -1 with `a` as it was:
 * bytes of another form, of another topic, damaged, from the future, or with a newest
 * sample that is older than the window. `word` is filled in where it was saved within
 * the last window, whatever is returned, and is else left alone.
 * @thread the owner's */
NODISCARD int window_restore(struct assess *a, struct window_word *word,
			     const char *name, const void *bytes, size_t len,
			     struct mono now, struct wall wall);

#endif
