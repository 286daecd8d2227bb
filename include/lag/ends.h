/* SPDX-License-Identifier: MIT
 * ends: the log end offsets that kafka-get-offsets.sh prints, and GetOffsetShell before
 * it: a line `topic:partition:offset` each, in any order, several topics mixed. Pure;
 * the bytes may hold anything. */
#ifndef MMLAG_LAG_ENDS_H
#define MMLAG_LAG_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lag/reason.h"

struct ends;

/* What one look gave. `exit_code` is -1 when unknown. Lines of another form are what
 * the tool had to say; they matter where it failed. Never NULL.
 * @thread any */
struct ends *ends_read(const char *out, size_t len, int exit_code);
void ends_free(struct ends *e); /* NULL is legal */

/* The sum over the partitions of a topic, in messages, and how many there are. Returns
 * REASON_NONE, or why there is no sum, with `gap` filled in: topic_absent, no_offsets
 * (a partition has no end), bad_output (one is listed twice with different ends), or
 * what ended the look before the topic's turn.
 * @thread any */
enum reason ends_sum(const struct ends *e, const char *topic, int64_t *sum,
		     int32_t *partitions, struct gap *gap);

/* Why the look as a whole gave nothing; REASON_NONE where it gave something.
 * @thread any */
const struct gap *ends_gap(const struct ends *e);

#endif
