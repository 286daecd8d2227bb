/* SPDX-License-Identifier: MIT */
#include "base/backoff.h"

#include "base/random.h"

#include "banned.h"

int64_t backoff_next(struct backoff *b)
{
	int64_t bound = b->first_ms;

	for (int i = 0; i < b->failures && bound < b->cap_ms; i++)
		bound *= 2;
	if (bound > b->cap_ms)
		bound = b->cap_ms;
	b->failures++;
	return bound / 2 + (int64_t)random_below((uint64_t)(bound - bound / 2 + 1));
}

void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}
