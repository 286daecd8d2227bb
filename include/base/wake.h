/* SPDX-License-Identifier: MIT
 * wake: the only place where a thread sleeps. A thread waits for one descriptor, a
 * deadline, or a call of wake_signal from any other thread, whichever comes first.
 * Scenario tests replace this file at link time. */
#ifndef MMLAG_BASE_WAKE_H
#define MMLAG_BASE_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/clock.h"

struct wake {
	int fd;           /* an eventfd: may be polled beside other descriptors */
	atomic_bool stop; /* the owner ends as soon as it can */
};

/* What an actor waits for next: `fd` (-1 for none) to have one of the poll(2)
 * `events`, or the monotonic time `until`. */
struct step {
	int fd;
	short events;
	struct mono until;
	bool done; /* the actor has ended */
};

#define STEP_NOW ((struct step){-1, 0, {0}, false})
#define STEP_DONE ((struct step){-1, 0, {0}, true})
#define STEP_UNTIL(when) ((struct step){-1, 0, (when), false})

/* Returns 0, or -1 with errno.  @thread the owner's, or main before it starts */
int wake_init(struct wake *w);
void wake_fini(struct wake *w);

/* Make the owner's current or next wake_wait return.  @thread any */
void wake_signal(struct wake *w);

/* Set the stop flag and signal. wake_stopping reads the flag.  @thread any */
void wake_stop(struct wake *w);

/* Clear the stop flag: what has stopped is about to run again.
 * @thread main, while no thread waits on it */
void wake_resume(struct wake *w);
bool wake_stopping(const struct wake *w);

/* Sleep as `s` says; returns at once where s.until has passed.  @thread the owner's */
void wake_wait(struct wake *w, struct step s);

#endif
