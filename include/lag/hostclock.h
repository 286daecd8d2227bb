/* SPDX-License-Identifier: MIT
 * hostclock: turns the host's time marks into our wall clock. The difference of the
 * clocks is the smallest (arrival - mark) of the last 10 minutes: what is larger was
 * delayed on the way. Begun anew when the difference moves by more than 2 s for three
 * samples in a row. Pure. */
#ifndef MMLAG_LAG_HOSTCLOCK_H
#define MMLAG_LAG_HOSTCLOCK_H

#include <stddef.h>

#include "base/clock.h"

#define HOSTCLOCK_SPAN_MS 600000
#define HOSTCLOCK_MINUTES 11

struct hostclock {
	/* the smallest difference seen in each minute, newest first filled */
	struct {
		struct mono when;
		int64_t difference_ms;
	} minute[HOSTCLOCK_MINUTES];
	size_t used;
	int64_t odd_ms; /* the difference of the odd samples in a row */
	int odd;        /* how many */
};

#define HOSTCLOCK_INIT    \
	{                 \
		.used = 0 \
	}

/* The wall-clock time of a mark `mark_ms` (ms since the epoch by the host's clock)
 * whose bytes arrived at `arrived`. Never later than `arrived`.
 * @thread the owner's */
struct wall hostclock_correct(struct hostclock *c, int64_t mark_ms, struct wall arrived,
			      struct mono now);

#endif
