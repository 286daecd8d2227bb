/* SPDX-License-Identifier: MIT
 * tail: documents as lines. The command itself is in commands.h. */
#ifndef MMLAG_CLI_TAIL_H
#define MMLAG_CLI_TAIL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"

/* Append one document as JSON on one line, without a newline. Nothing in it can speak
 * to a terminal: such characters are escaped, which leaves the value what it was.
 * @thread main */
void tail_json(const json_t *document, struct buf *out);

/* Append it as a line for a reader, at most `width` columns (0: as many as it takes).
 * With `clusters` a topic is named with its cluster. Times are those of this place.
 * @thread main */
void tail_line(const json_t *document, size_t width, bool colour, bool clusters,
	       struct buf *out);

#endif
