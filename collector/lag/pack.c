/* SPDX-License-Identifier: MIT
 * pack: see pack_int.h. */
#include "pack_int.h"

#include <math.h>
#include <string.h>

#include "banned.h"

uint64_t pack_fold(int64_t v)
{
	return ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);
}

int64_t pack_unfold(uint64_t v)
{
	return (int64_t)((v >> 1) ^ ((v & 1) != 0 ? UINT64_MAX : 0));
}

void pack_number(struct buf *out, uint64_t v)
{
	for (; v > 127; v >>= 7)
		buf_addch(out, (char)((v & 127) | 128));
	buf_addch(out, (char)v);
}

void pack_signed(struct buf *out, int64_t v)
{
	pack_number(out, pack_fold(v));
}

void pack_real(struct buf *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	for (unsigned i = 0; i < 8; i++)
		buf_addch(out, (char)(bits >> (8 * i) & 255));
}

void pack_step(struct buf *out, int64_t *before, int64_t v)
{
	pack_signed(out, (int64_t)((uint64_t)v - (uint64_t)*before));
	*before = v;
}

unsigned unpack_byte(struct unpack *r)
{
	if (r->bad || r->p == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->p++;
}

uint64_t unpack_number(struct unpack *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		unsigned byte = unpack_byte(r);

		if (shift == 63 && byte > 1)
			break;
		v |= (uint64_t)(byte & 127) << shift;
		if (byte < 128)
			return r->bad ? 0 : v;
	}
	r->bad = true;
	return 0;
}

int64_t unpack_signed(struct unpack *r)
{
	return pack_unfold(unpack_number(r));
}

double unpack_real(struct unpack *r)
{
	uint64_t bits = 0;
	double v;

	for (unsigned i = 0; i < 8; i++)
		bits |= (uint64_t)unpack_byte(r) << (8 * i);
	memcpy(&v, &bits, sizeof(v));
	if (!isfinite(v))
		r->bad = true;
	return r->bad ? 0 : v;
}

int64_t unpack_add(struct unpack *r, int64_t *before, int64_t step, int64_t max)
{
	int64_t v;

	if (__builtin_add_overflow(*before, step, &v) || v > max || v < -max) {
		r->bad = true;
		return 0;
	}
	*before = v;
	return v;
}

int64_t unpack_step(struct unpack *r, int64_t *before, int64_t max)
{
	return unpack_add(r, before, unpack_signed(r), max);
}
