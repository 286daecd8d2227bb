/* SPDX-License-Identifier: MIT
 * cost: what following a host's topics costs that host, which runs a JVM for each look.
 * Pure. */
#ifndef MMLAG_FOLLOW_COST_H
#define MMLAG_FOLLOW_COST_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define COST_RUN_CPU_S 0.9 /* one run of the CLI with our JVM options */
#define COST_RUN_CPU_CDS_S 0.5

enum cost_way {
	COST_CHOSEN, /* as the configuration has it */
	COST_TOPIC,  /* if each entry had a command of its own */
	COST_GROUP,  /* if all that can share a command did */
};

struct cost {
	double runs;  /* of the CLI, a minute: */
	double looks; /* those of them that ask the mirror's other side */
	double cores; /* that these keep busy */
	size_t own;   /* streams by commands of the user's own */
};

/* What all topics on the host of `t` cost it, and those whose target is looked at from
 * there. An interval that was not given is the one
 * that this way of sharing would have.  @thread any */
struct cost cost_of(const struct config *c, const struct config_topic *t,
		    enum cost_way way);

/* Write a line for people about the chosen way and the other one. Returns whether it is
 * worth a warning: more than half of the host's `cores` (0, unknown, counts as one).
 * @thread any */
bool cost_describe(const struct config *c, const struct config_topic *t, int cores,
		   char *out, size_t size);

#endif
