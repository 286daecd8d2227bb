/* SPDX-License-Identifier: MIT */
#include "lag/hostclock.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "banned.h"

#define MINUTE_NS 60000000000
#define ODD_MS 2000   /* so much larger is odd: delayed, or the clock was set back */
#define AGREE_MS 500  /* half of the smallest interval, see odd_in_a_row() */
#define ODD_SAMPLES 3 /* in a row: the clock was set */

/* The smallest difference of the last 10 minutes; INT64_MAX when none was seen. */
static int64_t smallest(const struct hostclock *c, struct mono now)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < c->used; i++) {
		int64_t age = now.ns / MINUTE_NS - c->minute[i].when.ns / MINUTE_NS;

		if (age < HOSTCLOCK_MINUTES && c->minute[i].difference_ms < least)
			least = c->minute[i].difference_ms;
	}
	return least;
}

static void remember(struct hostclock *c, int64_t difference, struct mono now)
{
	if (c->used > 0 && c->minute[0].when.ns / MINUTE_NS == now.ns / MINUTE_NS) {
		if (difference < c->minute[0].difference_ms)
			c->minute[0].difference_ms = difference;
		return;
	}
	if (c->used < HOSTCLOCK_MINUTES)
		c->used++;
	memmove(&c->minute[1], &c->minute[0], (c->used - 1) * sizeof(c->minute[0]));
	c->minute[0].when = now;
	c->minute[0].difference_ms = difference;
}

/* Are these ODD_SAMPLES in a row that agree? A clock that was set shifts all by the
 * same; in a backlog, which arrives at once, each differs from the one before by the
 * time between two samples. */
static bool odd_in_a_row(struct hostclock *c, int64_t difference)
{
	if (c->odd > 0 && difference <= c->odd_ms + AGREE_MS &&
	    difference >= c->odd_ms - AGREE_MS) {
		c->odd++;
	} else {
		c->odd = 1;
		c->odd_ms = difference;
	}
	return c->odd >= ODD_SAMPLES;
}

struct wall hostclock_correct(struct hostclock *c, int64_t mark_ms, struct wall arrived,
			      struct mono now)
{
	int64_t difference, least;

	/* a mark from the ends of int64 is no time */
	if (__builtin_sub_overflow(arrived.ms, mark_ms, &difference) ||
	    difference > INT64_MAX / 4 || difference < INT64_MIN / 4)
		return arrived;
	least = smallest(c, now);
	if (least == INT64_MAX || difference <= least + ODD_MS) {
		c->odd = 0;
	} else if (odd_in_a_row(c, difference)) {
		c->used = 0;
		c->odd = 0;
	}
	remember(c, difference, now);
	return (struct wall){mark_ms + smallest(c, now)};
}
