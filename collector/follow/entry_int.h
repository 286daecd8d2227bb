/* SPDX-License-Identifier: MIT
 * entry: one entry of `topics` in a stream: a topic, or a pattern with the topics that
 * it has found and still has. Internal to the stream, whose thread drives it. */
#ifndef MMLAG_FOLLOW_ENTRY_INT_H
#define MMLAG_FOLLOW_ENTRY_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "board/board.h"
#include "config/config.h"
#include "follow/finding.h"
#include "follow/slot_int.h"

struct entry;

/* The first three must outlive the entry; `board` may be NULL; `stream` is an identity.
 */
struct entry *entry_new(const struct config *c, const struct config_topic *t,
			struct board *board, const void *stream);
void entry_free(struct entry *e); /* NULL is legal */

const struct config_topic *entry_topic(const struct entry *e);

/* The slots that speak: the topic's, those of the topics found, in order of name, or
 * the pattern's own as long as it has none. Borrowed, until the entry finds or forgets
 * something. */
struct slots {
	struct slot **v;
	size_t n;
};
struct slots entry_slots(struct entry *e);

/* The group has this topic (group "": the output does not say). The slot of a topic
 * that is new to a pattern, else NULL. */
struct slot *entry_find(struct entry *e, const char *group, const char *topic,
			struct findings *out);

/* Drop the topics found that were away for too long. */
void entry_forget(struct entry *e, struct mono now, struct findings *out);

/* May a pattern yet find the topic of this slot_key? */
bool entry_may_find(const struct entry *e, const char *key);

#endif
