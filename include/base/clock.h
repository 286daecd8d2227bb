/* SPDX-License-Identifier: MIT
 * clock: the one source of time. Two types, so that the monotonic clock (spans,
 * deadlines) and the wall clock (time stamps) cannot be mixed. Scenario tests replace
 * this file's two readers at link time. */
#ifndef MMLAG_BASE_CLOCK_H
#define MMLAG_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC; never moved by anybody. */
struct mono {
	int64_t ns;
};

/* Milliseconds since 1970-01-01T00:00:00Z; may jump. */
struct wall {
	int64_t ms;
};

#define MONO_NEVER ((struct mono){INT64_MAX})

/* @thread any */
struct mono clock_mono(void);
struct wall clock_wall(void);

/* `t` plus `ms` milliseconds, saturating at both ends.  @thread any */
static inline struct mono mono_add_ms(struct mono t, int64_t ms)
{
	if (ms > 0 && ms > (INT64_MAX - (t.ns > 0 ? t.ns : 0)) / 1000000)
		return MONO_NEVER;
	if (ms < 0 && ms < (INT64_MIN - (t.ns < 0 ? t.ns : 0)) / 1000000)
		return (struct mono){INT64_MIN};
	return (struct mono){t.ns + ms * 1000000};
}

/* a - b in whole milliseconds.  @thread any */
static inline int64_t mono_diff_ms(struct mono a, struct mono b)
{
	return (a.ns - b.ns) / 1000000;
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.ns < b.ns;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
	return a.ns < b.ns ? a : b;
}

#define WALL_TEXT 32 /* room for wall_format, with the NUL */

/* RFC 3339 in UTC with milliseconds, e.g. 2026-11-21T03:36:10.123Z. Years outside
 * 0000..9999 are clamped.  @thread any */
void wall_format(struct wall t, char out[WALL_TEXT]);

/* The reverse, for any RFC 3339 offset and 0 to 9 fractional digits. Returns 0, or -1
 * when `text` is something else.  @thread any */
int wall_parse(const char *text, struct wall *out);

#endif
