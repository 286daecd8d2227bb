/* SPDX-License-Identifier: MIT
 * backoff: how long to wait before trying again: exponential with full jitter between
 * `first` and `cap`. Pure but for the random numbers. */
#ifndef MMLAG_BASE_BACKOFF_H
#define MMLAG_BASE_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t first_ms; /* the bound of the first wait */
	int64_t cap_ms;   /* the bound of the last one */
	int failures;     /* in a row */
};

#define BACKOFF_INIT(first, cap)  \
	{                         \
		(first), (cap), 0 \
	}

/* Count a failure and return the wait in milliseconds: uniform in [bound/2, bound],
 * where bound doubles from first_ms to cap_ms.
 * @thread the owner's */
int64_t backoff_next(struct backoff *b);

/* @thread the owner's */
void backoff_reset(struct backoff *b);

#endif
