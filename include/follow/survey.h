/* SPDX-License-Identifier: MIT
 * survey: looks once at every topic of a plan, all streams at the same time; what the
 * commands `once` and `check` are made of. No store, no state. */
#ifndef MMLAG_FOLLOW_SURVEY_H
#define MMLAG_FOLLOW_SURVEY_H

#include "base/err.h"
#include "follow/plan.h"
#include "follow/stream.h"

struct survey {
	struct findings found; /* one for each topic, in the order of the plan; what a
				* pattern found stands in its place, by name; what gave
				* nothing in time has a gap */
};

/* Step every stream until each topic has a sample or a named reason (a busy host is
 * tried again until the topic's time-out). Fills `out`, which the caller ends with
 * survey_fini.
 * @thread main; blocks for at most the longest time-out plus a session's set-up */
NODISCARD int survey_run(const struct plan *p, struct survey *out, struct err *err);
void survey_fini(struct survey *s);

#endif
