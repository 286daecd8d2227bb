/* SPDX-License-Identifier: MIT
 * target: the part of the remote loop that asks the mirror's other side for its log
 * ends. Pure: text out. What it prints is read by lag/ends. */
#ifndef MMLAG_SOURCE_TARGET_H
#define MMLAG_SOURCE_TARGET_H

#include <stddef.h>

#include "base/buf.h"
#include "config/config.h"

/* The topics there that are wanted; empty for all that there are. */
struct target_topics {
	char **v; /* owned, and each of them */
	size_t n, cap;
};

/* Add a topic by its name on the source: topic `{topic}` of `t` says what it is called
 * there. Nothing is added twice.
 * @thread the owner's */
void target_add(struct target_topics *list, const struct config_target *t,
		const char *name);
void target_topics_fini(struct target_topics *list);

/* The name over there; the caller frees it.  @thread any */
char *target_name(const struct config_target *t, const char *name);

/* How long the look may take: half of what a run may, at most 15 s, so that a target
 * that does not answer holds up no sample for too long.  @thread any */
int64_t target_timeout_ms(const struct config_topic *t);

/* Append the functions that look: `aim` prints the offsets, then the last of what the
 * tool had to say. Kafka before 3.0 needs a run for each topic.
 * @thread any */
void target_script(struct buf *out, const struct config_target *t,
		   const struct target_topics *list);

#endif
