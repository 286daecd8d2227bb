/* SPDX-License-Identifier: MIT
 * plan: which topics share a remote command, and when each command begins. Pure. */
#ifndef MMLAG_FOLLOW_PLAN_H
#define MMLAG_FOLLOW_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/config.h"

struct plan_stream {
	const struct config *config;        /* borrowed, and so are: */
	const struct config_topic **topics; /* its entries that share the command */
	size_t n;
	int64_t first_delay_ms; /* spreads the begins of a host over the interval */
};

struct plan {
	struct plan_stream *streams;
	size_t n;
};

enum plan_sharing {
	PLAN_AS_CONFIGURED,
	PLAN_SHARED, /* one command for all that can share and log in alike, whatever
		      * `share` says */
};

/* The streams of a configuration, which must outlive the plan.  @thread any */
struct plan plan_make(const struct config *c, enum plan_sharing sharing);
void plan_free(struct plan *p);

/* How many sessions its streams hold: one each, and one more where the mirror's other
 * side is looked at from another host.  @thread any */
size_t plan_sessions(const struct plan *p);

/* Do they log in to the same account in the same way?  @thread any */
bool plan_same_login(const struct config_topic *a, const struct config_topic *b);

/* Where the mirror's other side is looked at: `out` becomes the topic as it is logged
 * in to over there (borrows everything from `t`). False where the topic's own session
 * looks, or nobody does.  @thread any */
bool plan_target_place(const struct config_topic *t, struct config_topic *out);

/* Could these two topics be read by one command?  @thread any */
int plan_can_share(const struct config_topic *a, const struct config_topic *b);

#endif
