/* SPDX-License-Identifier: MIT
 * quiet: hours of the week in which nobody wants to be woken. Pure; the local time
 * comes in as arguments (base/zone makes it). */
#ifndef MMLAG_LAG_QUIET_H
#define MMLAG_LAG_QUIET_H

#include <stdbool.h>
#include <stdint.h>

struct quiet {
	unsigned days;    /* bit 0: Monday … bit 6: Sunday; the day of `from` */
	int32_t from, to; /* seconds of the day; to <= from ends on the next day */
};

/* "22:00", "24:00" in seconds of the day; -1 for anything else.  @thread any */
int32_t quiet_time(const char *text);

/* "mon", "Monday", … as a bit; 0 for anything else.  @thread any */
unsigned quiet_day(const char *text);

/* Is it quiet at this local time? `weekday` 0 is Monday.  @thread any */
bool quiet_holds(const struct quiet *q, int32_t weekday, int32_t second);

#endif
