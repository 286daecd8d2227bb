/* SPDX-License-Identifier: MIT
 * script: the bash program that runs on the host for one stream. Pure: text out. It
 * needs bash alone (4.0 or newer); what it writes is described in lag/frame.h. */
#ifndef MMLAG_SOURCE_SCRIPT_H
#define MMLAG_SOURCE_SCRIPT_H

#include <stdint.h>

#include "base/buf.h"
#include "config/config.h"
#include "source/target.h"

/* Append the loop that runs the consumer-groups CLI (or the user's `command` of
 * format: table) every t->interval_ms, begin to begin, each run ended on the host after
 * t->timeout_ms, its output framed by marks with `nonce`. With `runs` > 0 it ends after
 * so many. `target`: the mirror's other side is asked before each run; NULL for not at
 * all.
 * @thread any */
void script_loop(struct buf *out, const struct config_topic *t, const char *nonce,
		 int64_t first_delay_ms, int runs, const struct target_topics *target);

/* The same loop with the look at the mirror's other side as its only deed: what it
 * prints, with the tool's words behind it, is the output of each run.
 * @thread any */
void script_ends_loop(struct buf *out, const struct config_topic *t, const char *nonce,
		      int64_t first_delay_ms, const struct target_topics *target);

#endif
