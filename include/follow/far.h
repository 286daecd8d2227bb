/* SPDX-License-Identifier: MIT
 * far: the mirror's other side, looked at from a host of its own, by a session of its
 * own. What it says is left where the stream of the topic finds it at its next reading:
 * neither side waits for the other, and neither's failure is the other's. An actor of
 * its own; never logs. */
#ifndef MMLAG_FOLLOW_FAR_H
#define MMLAG_FOLLOW_FAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/wake.h"
#include "config/config.h"
#include "lag/ends.h"
#include "lag/reason.h"

struct far;

/* For the stream whose first topic is `t`, which is borrowed: *out is NULL where its
 * target is not looked at from another host (plan_target_place). Returns 0, or -1: no
 * descriptor is left.
 * @thread any; the steps belong to one thread */
NODISCARD int far_new(struct far **out, const struct config_topic *t,
		      int64_t first_delay_ms);
void far_free(struct far *f); /* after its thread has ended; NULL is legal */

/* As source_aim.  @thread any, before the first step */
void far_aim(struct far *f, const struct config_topic *t, const char *name);

struct wake *far_wake(struct far *f);

/* One turn; for actor_start. Done when it is told to stop.
 * @thread far; may block in opening a session */
struct step far_step(void *self);

/* What the newest look gave, for a reading that was taken at `taken`; it lives until
 * the next call. NULL, and why: a failure, or no look for the larger of the topic's
 * time-out and three intervals; REASON_NONE while there was none yet.
 * @thread the stream's */
const struct ends *far_ends(struct far *f, struct mono taken, struct gap *gap);

/* Has it ever had an answer or a failure?  @thread any */
bool far_answered(struct far *f);

#endif
