/* SPDX-License-Identifier: MIT */
#include "lag/rules.h"

#include <stdbool.h>

#include "banned.h"

static const struct commit *newest(const struct window *w)
{
	return &w->commits[w->n - 1];
}

/* Had the log an end, lately, that the newest commit has reached? Whoever was there is
 * not gone, there was nothing to do. */
static bool caught_up_lately(const struct window *w)
{
	for (size_t i = 0; i < w->n_log_ends; i++)
		if (w->log_ends[i] <= newest(w)->offset)
			return true;
	return false;
}

/* Silent for longer than the window spans; just as long is not stopped yet. */
static bool stopped(const struct window *w)
{
	__int128 last = newest(w)->time_ms;

	return w->now_ms - last > last - w->commits[0].time_ms && !caught_up_lately(w);
}

/* Only the first step back counts, and it is forgiven once the offset is reached again.
 */
static bool rewound(const struct window *w)
{
	size_t i = 1;

	while (i < w->n && w->commits[i].offset >= w->commits[i - 1].offset)
		i++;
	if (i >= w->n)
		return false;
	for (size_t k = i; k < w->n; k++)
		if (w->commits[k].offset >= w->commits[i - 1].offset)
			return false;
	return true;
}

static bool lag_was_zero(const struct window *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->commits[i].lag != LAG_UNKNOWN &&
		    w->commits[i].lag <= w->allowed_lag)
			return true;
	return false;
}

static bool stalled(const struct window *w)
{
	for (size_t i = 1; i < w->n; i++)
		if (w->commits[i].offset != w->commits[0].offset)
			return false;
	return true;
}

static bool lag_not_falling(const struct window *w)
{
	int64_t before = LAG_UNKNOWN;

	for (size_t i = 0; i < w->n; i++) {
		if (w->commits[i].lag == LAG_UNKNOWN)
			continue;
		if (w->commits[i].lag < before)
			return false;
		before = w->commits[i].lag;
	}
	return true;
}

static bool may(const struct window *w, enum rule r)
{
	return (w->without & (1u << r)) == 0;
}

enum rule rules_judge(const struct window *w)
{
	if (w->n == 0 || w->complete < w->minimum_complete)
		return RULE_INCOMPLETE;
	if (w->current_lag <= w->allowed_lag)
		return RULE_LAG_ALLOWED;
	if (may(w, RULE_STOPPED) && stopped(w))
		return RULE_STOPPED;
	if (may(w, RULE_REWOUND) && rewound(w))
		return RULE_REWOUND;
	if (lag_was_zero(w))
		return RULE_LAG_WAS_ZERO;
	if (may(w, RULE_STALLED) && stalled(w))
		return RULE_STALLED;
	return lag_not_falling(w) ? RULE_LAG_NOT_FALLING : RULE_LAG_FALLING;
}

enum verdict rule_verdict(enum rule r)
{
	static const enum verdict verdicts[] = {
#define RULE_VERDICT(symbol, name, verdict) [RULE_##symbol] = VERDICT_##verdict,
		RULES(RULE_VERDICT)
#undef RULE_VERDICT
	};

	return verdicts[r];
}

const char *rule_name(enum rule r)
{
	static const char *const names[] = {
#define RULE_NAME(symbol, name, verdict) [RULE_##symbol] = (name),
		RULES(RULE_NAME)
#undef RULE_NAME
	};

	return names[r];
}

const char *verdict_name(enum verdict v)
{
	switch (v) {
	case VERDICT_OK:
		return "OK";
	case VERDICT_WARN:
		return "WARN";
	case VERDICT_ERR:
		return "ERR";
	case VERDICT_STOP:
		return "STOP";
	case VERDICT_STALL:
		return "STALL";
	case VERDICT_REWIND:
		return "REWIND";
	case VERDICT_NODATA:
		break;
	}
	return "NODATA";
}
