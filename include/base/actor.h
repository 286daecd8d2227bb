/* SPDX-License-Identifier: MIT
 * actor: a thread that calls a step function until it says that it is done. All
 * threads of the daemon are started here. */
#ifndef MMLAG_BASE_ACTOR_H
#define MMLAG_BASE_ACTOR_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/wake.h"

struct actor {
	char name[16]; /* as the kernel shows it */
	struct step (*step)(void *self);
	void *self;
	struct wake *wake;   /* what the thread waits on between steps */
	struct wake *parent; /* signalled when the thread ends; may be NULL */
	pthread_t thread;
	bool started;
	atomic_bool ended;
};

/* Start the thread with all signals blocked and a stack of 256 KiB. The actor stays
 * the caller's, and in its place, until actor_join.
 * @thread main */
NODISCARD int actor_start(struct actor *a, const char *name,
			  struct step (*step)(void *), void *self, struct wake *wake,
			  struct wake *parent, struct err *err);

/* Has the step function said that it is done?  @thread any */
bool actor_ended(const struct actor *a);

/* Wait for the end of the thread. Legal on one that was never started.  @thread main */
void actor_join(struct actor *a);

#endif
