/* SPDX-License-Identifier: MIT
 * silence: a silence as JSON, as the pages ask for it, the store keeps it and the board
 * shows it. Pure. */
#ifndef MMLAG_DOCUMENT_SILENCE_H
#define MMLAG_DOCUMENT_SILENCE_H

#include "base/buf.h"
#include "base/err.h"
#include "lag/silence.h"

/* Read {"id", "until":MS or "for":"2h", "cluster", "group", "topic", "host", "rule",
 * "comment", "by"}; unknown members are an error. `until` is worked out from `for` and
 * `now`; one that is not 0 must lie ahead, at most a year. "id" may be missing, except
 * with until 0. A new one must name at least one of the five fields. Returns 0 and *out
 * (ended with silence_fini), or ERR_REJECT with a sentence for who asked.
 * @thread any */
NODISCARD int silence_read(const char *json, size_t len, struct wall now,
			   struct silence *out, struct err *err);

/* Append it as JSON, with null for what fits everything.  @thread any */
void silence_write(struct buf *out, const struct silence *s);

#endif
