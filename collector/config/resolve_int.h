/* SPDX-License-Identifier: MIT
 * resolve: what several keys say together: keys that need each other, values that are
 * worked out from others, rules between topics. Runs on a filled configuration while
 * its tree is there to tell the places. */
#ifndef MMLAG_CONFIG_RESOLVE_INT_H
#define MMLAG_CONFIG_RESOLVE_INT_H

#include "config/config.h"
#include "config/tree_int.h"

struct resolver {
	struct config *c;
	struct config_findings *f;
	const struct node *root;
	const struct node
		*entries; /* of `topics`, one for each topic; NULL without any */
};

/* The node of a topic's key: its own or that of `defaults`; NULL when neither has it.
 * @thread main */
const struct node *resolve_given(const struct resolver *r, const struct config_topic *t,
				 const char *key);

/* An error at the entry of a topic.  @thread main */
void resolve_complain(const struct resolver *r, const struct config_topic *t,
		      const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Each topic by itself, then all of them together; then the other sections. In this
 * order. What is wrong becomes a finding.
 * @thread main */
void resolve_topics(const struct resolver *r);
void resolve_across(const struct resolver *r);
void resolve_sections(const struct resolver *r);
void resolve_telling(const struct resolver *r);

#endif
