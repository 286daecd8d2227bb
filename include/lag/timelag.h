/* SPDX-License-Identifier: MIT
 * timelag: how far behind a consumer is in time. Remembers when the log had which end,
 * and looks up when it passed the committed offset. The history is as dense as a part
 * of its age, so that a few points cover a day: seconds are told from seconds near the
 * end, minutes from minutes further back. Pure; times are milliseconds of one clock. */
#ifndef MMLAG_LAG_TIMELAG_H
#define MMLAG_LAG_TIMELAG_H

#include <stdbool.h>
#include <stdint.h>

#define LOG_ENDS_MAX 32
#define LOG_ENDS_SPAN_MS (INT64_C(24) * 3600 * 1000)
#define TIMELAG_MAX_MS (INT64_C(3650) * 24 * 3600 * 1000) /* ten years: no estimate */

struct log_end {
	int64_t offset, time_ms;
};

/* Oldest first; offsets never fall, times rise. All zero is empty. */
struct log_ends {
	struct log_end v[LOG_ENDS_MAX];
	int32_t n;
};

enum timelag_kind {
	TIMELAG_NONE,         /* not known */
	TIMELAG_INTERPOLATED, /* between two log ends that were seen */
	TIMELAG_EXTRAPOLATED, /* beyond what was seen */
	TIMELAG_IDLE,         /* caught up */
};

/* When the log end passed the committed offset. All zero is "not known". */
struct timelag {
	enum timelag_kind kind;
	int64_t committed;
	int64_t passed_ms;
};

/* Add what was seen now; a time that has not advanced replaces the newest point.
 * Returns false when the log end went back: the topic is another one than before, and
 * the history has begun anew with this point.
 * @thread any */
bool log_ends_add(struct log_ends *h, int64_t offset, int64_t now_ms);

/* The log end at a time, by interpolation; beyond the ends of the history its end's.
 * There must be a point.  @thread any */
int64_t log_ends_at(const struct log_ends *h, int64_t time_ms);

/* Bring `t` up to date after a log end was added. There must be a point.
 * @thread any */
void timelag_update(struct timelag *t, const struct log_ends *h, int64_t committed);

/* The time lag as of `now_ms`: 0 .. TIMELAG_MAX_MS, or -1 when it is not known.
 * @thread any */
int64_t timelag_ms(const struct timelag *t, int64_t now_ms);

/* "interpolated", "extrapolated", "idle", "none".  @thread any */
const char *timelag_kind_name(enum timelag_kind k);

#endif
