/* SPDX-License-Identifier: MIT
 * rules: the verdict on one partition from a window of its commits. The order of the
 * tests and their arithmetic are Burrow's; docs/judgement.md tells them in words. Pure;
 * numbers may be any int64. Not here: how a window is made from samples (series). */
#ifndef MMLAG_LAG_RULES_H
#define MMLAG_LAG_RULES_H

#include <stddef.h>
#include <stdint.h>

enum verdict { /* worse is larger */
	       VERDICT_OK,
	       VERDICT_WARN,
	       VERDICT_ERR, /* topics and groups: the worst partition is STALL, STOP or
			       REWIND */
	       VERDICT_STOP,
	       VERDICT_STALL,
	       VERDICT_REWIND,
	       VERDICT_NODATA,
};

/* The rule that decided, in the order of the tests: symbol, name, verdict */
#define RULES(X)                                                                    \
	X(INCOMPLETE, "incomplete", OK)     /* not enough is known */               \
	X(LAG_ALLOWED, "lag_allowed", OK)   /* the lag is small at this moment */   \
	X(STOPPED, "stopped", STOP)         /* silent for longer than the window */ \
	X(REWOUND, "rewound", REWIND)       /* went back, and has not recovered */  \
	X(LAG_WAS_ZERO, "lag_was_zero", OK) /* caught up within the window */       \
	X(STALLED, "stalled", STALL)        /* commits, but always the same */      \
	X(LAG_NOT_FALLING, "lag_not_falling", WARN)                                 \
	X(LAG_FALLING, "lag_falling", OK)

enum rule {
#define RULE_ENUM(symbol, name, verdict) RULE_##symbol,
	RULES(RULE_ENUM)
#undef RULE_ENUM
};

#define LAG_UNKNOWN (-1)

struct commit {
	int64_t offset;
	int64_t time_ms;
	int64_t lag; /* when the commit was seen, >= 0, or LAG_UNKNOWN */
};

struct window {
	const struct commit *commits; /* oldest first */
	size_t n;
	const int64_t *log_ends; /* log end offsets that were seen lately */
	size_t n_log_ends;
	int64_t current_lag;
	int64_t allowed_lag;
	__int128 now_ms; /* wide, so that any number of whole seconds fits */
	double complete, minimum_complete; /* 0..1 */
	unsigned without; /* bits (1u << RULE_STOPPED …): rules that must not decide */
};

/* @thread any */
enum rule rules_judge(const struct window *w);

/* @thread any */
enum verdict rule_verdict(enum rule r);
/* "incomplete", "lag_allowed", …  @thread any */
const char *rule_name(enum rule r);
/* "OK", "WARN", …  @thread any */
const char *verdict_name(enum verdict v);

#endif
