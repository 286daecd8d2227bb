/* SPDX-License-Identifier: MIT
 * ends: the log end offsets that kafka-get-offsets.sh prints, and GetOffsetShell before
 * it: a line `topic:partition:offset` each, in any order, several topics mixed. Pure;
 * the bytes may hold anything. */
#ifndef MMLAG_LAG_ENDS_H
#define MMLAG_LAG_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDS_TROUBLE_MAX 200

struct ends;

/* What one look gave. `exit_code` is -1 when unknown. Lines of another form are what
 * the tool had to say; they matter where it failed. Never NULL.
 * @thread any */
struct ends *ends_read(const char *out, size_t len, int exit_code);
void ends_free(struct ends *e); /* NULL is legal */

/* The sum over the partitions of a topic, in messages, and how many there are. False
 * where the topic is not there, one of its partitions has no end offset, or one is
 * listed twice with different ones.
 * @thread any */
bool ends_sum(const struct ends *e, const char *topic, int64_t *sum,
	      int32_t *partitions);

/* Why the look as a whole gave nothing; "" where it gave something.  @thread any */
const char *ends_trouble(const struct ends *e);

#endif
