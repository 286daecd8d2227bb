/* SPDX-License-Identifier: MIT
 * history_kit: points made and compared by tests. */
#ifndef MMLAG_TESTS_HISTORY_KIT_H
#define MMLAG_TESTS_HISTORY_KIT_H

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "lag/history.h"

/* xorshift64*: the same numbers everywhere. */
__attribute__((unused)) static uint64_t kit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* Partition i of n has `lag` + i. */
__attribute__((unused)) static struct history_point kit_point(int64_t t, size_t n,
							      int64_t lag)
{
	struct history_point p = {.t = {t},
				  .has_lag = n > 0,
				  .time_lag_ms = lag * 10,
				  .produced = 2.5,
				  .consumed = 1.25,
				  .merged = 1,
				  .status = VERDICT_OK,
				  .n = n};

	p.lags = mem_calloc(n, sizeof(*p.lags));
	for (size_t i = 0; i < n; i++) {
		p.lags[i] = (struct history_lag){(int32_t)i, true, lag + (int64_t)i};
		p.lag_sum += p.lags[i].lag;
		p.lag_max = p.lags[i].lag;
	}
	return p;
}

static int64_t kit_any_lag(uint64_t *r)
{
	switch (kit_random(r) % 4) {
	case 0:
		return (int64_t)(kit_random(r) % 100);
	case 1:
		return -(int64_t)(kit_random(r) % 1000);
	case 2:
		return kit_random(r) % 2 ? HISTORY_LAG_MAX : -HISTORY_LAG_MAX;
	default:
		return (int64_t)(kit_random(r) >> 4);
	}
}

/* Anything that a point may be. */
__attribute__((unused)) static struct history_point kit_any_point(uint64_t *r,
								  int64_t t)
{
	struct history_point p = {.t = {t}, .time_lag_ms = -1, .merged = 1};
	int32_t number = 0;

	p.status = (enum verdict)(kit_random(r) % (VERDICT_NODATA + 1));
	p.has_lag = kit_random(r) % 4 != 0;
	p.lag_sum = p.has_lag ? kit_any_lag(r) : 0;
	p.lag_max = p.has_lag ? kit_any_lag(r) : 0;
	if (kit_random(r) % 2)
		p.time_lag_ms = (int64_t)(kit_random(r) % 1000000);
	p.produced = kit_random(r) % 3 ? (double)(kit_random(r) % 100000) / 100 : NAN;
	p.consumed = kit_random(r) % 3 ? (double)(kit_random(r) % 100000) / 100 : NAN;
	p.n = kit_random(r) % 12;
	p.lags = mem_calloc(p.n, sizeof(*p.lags));
	for (size_t i = 0; i < p.n; i++) {
		number += 1 + (int32_t)(kit_random(r) % 3);
		p.lags[i].partition = number;
		p.lags[i].known = kit_random(r) % 5 != 0;
		p.lags[i].lag = p.lags[i].known ? kit_any_lag(r) : 0;
	}
	return p;
}

static bool kit_same_number(double a, double b)
{
	return isnan(a) ? isnan(b) : fabs(a - b) < 0.005 + fabs(a) * 1e-9;
}

__attribute__((unused)) static bool kit_same_point(const struct history_point *a,
						   const struct history_point *b)
{
	if (a->t.ms != b->t.ms || a->has_lag != b->has_lag ||
	    (a->has_lag && (a->lag_sum != b->lag_sum || a->lag_max != b->lag_max)) ||
	    a->time_lag_ms != b->time_lag_ms || a->status != b->status ||
	    !kit_same_number(a->produced, b->produced) ||
	    !kit_same_number(a->consumed, b->consumed) || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->lags[i].partition != b->lags[i].partition ||
		    a->lags[i].known != b->lags[i].known ||
		    (a->lags[i].known && a->lags[i].lag != b->lags[i].lag))
			return false;
	return true;
}

#endif
