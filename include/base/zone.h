/* SPDX-License-Identifier: MIT
 * zone: a time zone of the system's tzdata, for threads: the C library knows only one
 * zone for the whole process. Reads TZif files of version 2 and later, the rule for the
 * years beyond their table included; leap seconds are not counted. */
#ifndef MMLAG_BASE_ZONE_H
#define MMLAG_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

struct zone;

/* "Europe/Berlin", below $TZDIR or /usr/share/zoneinfo; "UTC" needs no file. Fails for
 * a name that is none, and without tzdata.
 * @thread any */
NODISCARD int zone_open(struct zone **out, const char *name, struct err *err);

/* The same for the bytes of a file. NULL when they are no TZif.  @thread any */
struct zone *zone_parse(const void *data, size_t len);

void zone_free(struct zone *z); /* NULL is legal */

/* Seconds east of Greenwich at `t`.  @thread any */
int32_t zone_offset(const struct zone *z, struct wall t);

/* The local time of `t`: days since 1970-01-01 (a Thursday) and seconds of that day.
 * @thread any */
struct zone_local {
	int64_t day;
	int32_t second;
	int32_t weekday; /* 0: Monday */
};
struct zone_local zone_local(const struct zone *z, struct wall t);

#endif
