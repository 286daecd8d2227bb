/* SPDX-License-Identifier: MIT
 * random: jitter, nonces. From the kernel; tests replace this file at link time to
 * make runs repeatable. */
#ifndef MMLAG_BASE_RANDOM_H
#define MMLAG_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* `n` unpredictable bytes.  @thread any */
void random_bytes(void *out, size_t n);

/* Uniform in 0 .. bound - 1; 0 for bound 0.  @thread any */
uint64_t random_below(uint64_t bound);

#endif
