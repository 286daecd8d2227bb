/* SPDX-License-Identifier: MIT
 * alert: the life of one alert: pending, firing, resolved. Whether what it says holds
 * is found elsewhere (alarm/condition) and comes in as a fact, so does the time. Pure.
 *
 * Flapping is damped when it ends: an alert is resolved only after what it says was
 * away for `hold_ms` without a break, and each return within an hour of the one before
 * doubles that, up to half an hour. So one that comes and goes stays one incident. */
#ifndef MMLAG_LAG_ALERT_H
#define MMLAG_LAG_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum severity { /* worse is larger */
		SEVERITY_INFO,
		SEVERITY_WARNING,
		SEVERITY_CRITICAL,
		SEVERITIES
};

enum alert_state { ALERT_NONE, ALERT_PENDING, ALERT_FIRING, ALERT_RESOLVED };

enum alert_fact {
	FACT_UNKNOWN, /* nothing is known now: everything stays as it is */
	FACT_AWAY,
	FACT_BETWEEN, /* below the level at which it begins, above that at which it
		       * ends: it stays, if it is there */
	FACT_HOLDS,
};

struct alert_policy {
	int64_t for_ms;  /* how long before it fires */
	int64_t hold_ms; /* how long away before it is resolved */
	int64_t keep_ms; /* how long it outlives that nothing is known */
};

#define ALERT_FLAP_MS INT64_C(3600000)     /* returns within it count */
#define ALERT_HOLD_MAX_MS INT64_C(1800000) /* unless the policy's is longer */
#define ALERT_SHOWN_MS INT64_C(3600000)    /* a resolved one is remembered */

/* Times are milliseconds of a steady clock, which goes on over a restart; those that
 * people see are wall-clock times. All zero is ALERT_NONE. */
struct alert_life {
	enum alert_state state;
	struct wall since; /* what it says holds since; names the incident */
	struct wall ended; /* resolved since */
	int64_t began_ms;  /* `since` by the steady clock */
	int64_t known_ms;  /* the last time that the fact was known */
	int64_t away_ms;   /* away since; 0: it is not */
	int64_t ended_ms;
	int64_t returned_ms; /* the last return */
	int32_t returns;     /* in a row */
};

struct alert_now {
	int64_t ms; /* of the steady clock */
	struct wall wall;
};

enum alert_event {
	ALERT_STAYS,
	ALERT_BEGINS,   /* is pending now */
	ALERT_FIRES,    /* also at once, from nothing */
	ALERT_DROPS,    /* was pending only */
	ALERT_RESOLVES, /* what it says is away */
	ALERT_FADES,    /* is resolved because nothing is known any more */
	ALERT_FORGETS,  /* was resolved for long: it is ALERT_NONE now */
};

/* One look. `since` (0: now) is when what it says began to hold, where that is known;
 * it counts when the alert begins.
 * @thread any */
enum alert_event alert_step(struct alert_life *a, const struct alert_policy *p,
			    enum alert_fact fact, struct wall since,
			    struct alert_now now);

/* After a restart: what was not looked at meanwhile is taken to be as it was. A pending
 * one is ALERT_NONE afterwards when that was for longer than an hour.
 * @thread any */
void alert_wake_up(struct alert_life *a, struct alert_now now);

/* What an alert is about and what it says. Strings are owned, never NULL, "" for none.
 */
struct alert {
	/* names it */
	char *rule;
	enum severity severity;
	char *cluster, *group, *topic;
	char *host; /* of an alert about a host */
	/* says it, as of the last time that it was known */
	char *at; /* the host where the topic is looked at */
	int32_t *partitions;
	size_t partition_count;
	double value; /* NAN: none */
	char *message, *changed;
	char incident[17]; /* "" before it is pending */
	struct alert_life life;
};

/* A copy, and its end (NULL strings are legal there).  @thread any */
struct alert alert_copy(const struct alert *a);
void alert_fini(struct alert *a);

/* Give it the incident of its name and `since`: the same after a restart, another for
 * each time that it begins.  @thread any */
void alert_name_incident(struct alert *a);

/* Order of the names; 0 for two that are the same alert.  @thread any */
int alert_compare(const struct alert *a, const struct alert *b);

/* "none", "pending", "firing", "resolved"; "info", "warning", "critical".
 * @thread any */
const char *alert_state_name(enum alert_state s);
const char *severity_name(enum severity s);

/* The reverse; false for another word.  @thread any */
bool alert_state_read(const char *name, enum alert_state *out);
bool severity_read(const char *name, enum severity *out);

#endif
