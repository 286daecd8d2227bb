/* SPDX-License-Identifier: MIT
 * pack: numbers as bytes, for what is kept in a file: varints of seven bits a byte,
 * lowest first; signed ones are folded so that small ones are short. The same on every
 * machine. Private to collector/lag. */
#ifndef MMLAG_LAG_PACK_INT_H
#define MMLAG_LAG_PACK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Smallest to largest: 0, -1, 1, -2, …  @thread any */
uint64_t pack_fold(int64_t v);
int64_t pack_unfold(uint64_t v);

/* @thread any */
void pack_number(struct buf *out, uint64_t v);
void pack_signed(struct buf *out, int64_t v);
void pack_real(struct buf *out, double v); /* eight bytes, exact */

/* The difference to *before, which becomes `v`.  @thread any */
void pack_step(struct buf *out, int64_t *before, int64_t v);

/* Reads what was packed; after the first thing that is wrong it gives zeros. */
struct unpack {
	const unsigned char *p, *end;
	bool bad;
};

/* @thread any */
unsigned unpack_byte(struct unpack *r);
uint64_t unpack_number(struct unpack *r);
int64_t unpack_signed(struct unpack *r);
double unpack_real(struct unpack *r); /* finite, or bad */

/* *before plus `step`, which must lie within +-max.  @thread any */
int64_t unpack_add(struct unpack *r, int64_t *before, int64_t step, int64_t max);
int64_t unpack_step(struct unpack *r, int64_t *before, int64_t max);

#endif
