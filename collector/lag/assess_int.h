/* SPDX-License-Identifier: MIT
 * assess_int: what assess.c and window.c share. Private to collector/lag. */
#ifndef MMLAG_LAG_ASSESS_INT_H
#define MMLAG_LAG_ASSESS_INT_H

#include "lag/assess.h"
#include "lag/rate.h"
#include "lag/series.h"

/* Plain but for two pointers: what is kept over a restart is v[0 .. n-1], the two
 * rates, the time of the newest sample and the delivery. */
struct assess {
	struct assess_rules rules;
	struct series *v; /* by partition number */
	size_t n, cap;
	struct rate produced, consumed;
	struct delivery *delivery; /* NULL before the first look at a target */
	bool fed;
	int64_t fed_ms; /* the newest sample */
	struct assessment state;
};

#endif
