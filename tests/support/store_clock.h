/* SPDX-License-Identifier: MIT
 * store_clock: replaces base/clock's two readers by a time that the test sets. */
#ifndef MMLAG_TESTS_STORE_CLOCK_H
#define MMLAG_TESTS_STORE_CLOCK_H

#include "base/clock.h"
#include "support/store_kit.h"

static int64_t kit_now_ms = 1000; /* since KIT_T0 */

struct mono clock_mono(void)
{
	return (struct mono){kit_now_ms * 1000000};
}

struct wall clock_wall(void)
{
	return (struct wall){KIT_T0 + kit_now_ms};
}

#endif
