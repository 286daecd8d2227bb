/* SPDX-License-Identifier: MIT
 * finding: what a stream found, as its driver gets it: a sample, a gap, or something to
 * tell people, of one topic or of one pattern. */
#ifndef MMLAG_FOLLOW_FINDING_H
#define MMLAG_FOLLOW_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "document/document.h"
#include "lag/assess.h"
#include "lag/history.h"
#include "lag/reason.h"
#include "lag/sample.h"

/* One thing that a stream found about one topic, or about a pattern that found none. */
struct finding {
	const struct config_topic *topic; /* its entry in the configuration */
	char *name;   /* of the topic, or the pattern itself, for people; owned */
	char *notice; /* owned: something to tell people; then there is no document,
		       * and nothing else below means anything */
	bool is_gap;
	bool changed; /* has data since now, or lacks it since now, or another reason */
	struct gap gap;     /* why, where is_gap */
	int64_t partitions; /* of a sample: number of rows */
	struct lag_totals totals;
	enum group_state state;
	struct assessment assessment;
	int cores; /* of the host, where a survey has found them; 0: unknown */
	bool state_changed, status_changed; /* since the last sample */
	struct history_point point;         /* of a sample */
	struct document document;           /* to be taken over by the caller */
};

/* What one step found; grows as needed, owned by the caller. */
struct findings {
	struct finding *v;
	size_t n, cap;
};

/* What people are to read for topic `name` of the entry `t`, NULL for the entry itself:
 * "orders", or where others could be taken for it "dc1/orders", "orders (group)". The
 * caller frees it.  @thread any */
char *finding_name(const struct config_topic *t, const char *name);

/* A new one at the end, all zero but the topic and the name, made by finding_name. Good
 * until the next call.  @thread the owner's */
struct finding *findings_add(struct findings *f, const struct config_topic *t,
			     const char *name);

/* End the documents that were not taken over and the points, forget all. findings_reset
 * keeps the memory.  @thread the owner's */
void findings_reset(struct findings *f);
void findings_fini(struct findings *f);

#endif
