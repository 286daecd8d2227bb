/* SPDX-License-Identifier: MIT
 * pattern: which topics a `match:` entry follows. Each topic of a group has one
 * follower: an entry that names it, wherever that stands; else the first pattern in the
 * file that matches it. Pure. */
#ifndef MMLAG_FOLLOW_PATTERN_H
#define MMLAG_FOLLOW_PATTERN_H

#include <stdbool.h>

#include "config/config.h"

struct pattern;

/* `t` is an entry of `c` with a `match`; both must outlive the pattern.
 * @thread any; each belongs to one */
struct pattern *pattern_new(const struct config *c, const struct config_topic *t);
void pattern_free(struct pattern *p); /* NULL is legal */

/* Is `topic`, of the entry's group, for this entry to follow?  @thread the owner's */
bool pattern_takes(const struct pattern *p, const char *topic);

#endif
