/* SPDX-License-Identifier: MIT
 * clock: the two readers. What is pure stands in time_text.c, so that tests can
 * replace this file alone. */
#include "base/clock.h"

#include <time.h>

#include "banned.h"

struct mono clock_mono(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (struct mono){(int64_t)t.tv_sec * 1000000000 + t.tv_nsec};
}

struct wall clock_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (struct wall){(int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000};
}
