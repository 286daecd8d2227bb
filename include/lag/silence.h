/* SPDX-License-Identifier: MIT
 * silence: what nobody wants to hear of until a time. A field that is NULL fits
 * everything. Pure. */
#ifndef MMLAG_LAG_SILENCE_H
#define MMLAG_LAG_SILENCE_H

#include <stdbool.h>

#include "base/clock.h"

#define SILENCE_ID_MAX 64 /* bytes, letters, digits, '-' and '_' */

struct silence {
	char *id;
	struct wall until; /* 0 ends the one with this id */
	char *cluster, *group, *topic, *host, *rule;
	char *comment, *by;
};

/* Free the strings; all are NULL afterwards.  @thread any */
void silence_fini(struct silence *s);

/* What an alert is about, as far as a silence asks; strings are never NULL. */
struct silence_subject {
	const char *cluster, *group, *topic, *host, *rule;
};

/* Does it last at `now`, and is this meant by it?  @thread any */
bool silence_covers(const struct silence *s, const struct silence_subject *what,
		    struct wall now);

#endif
