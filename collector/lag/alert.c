/* SPDX-License-Identifier: MIT
 * alert: see alert.h. */
#include "lag/alert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/mem.h"

#include "banned.h"

static const char *const states[] = {"none", "pending", "firing", "resolved"};
static const char *const severities[] = {"info", "warning", "critical"};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long it must be away: doubled by each return, up to a bound. */
static int64_t hold_ms(const struct alert_life *a, const struct alert_policy *p)
{
	int64_t hold = p->hold_ms;

	for (int32_t i = 0; i < a->returns && hold < ALERT_HOLD_MAX_MS; i++)
		hold = hold > 0 ? least(hold * 2, ALERT_HOLD_MAX_MS) : 1000;
	return hold;
}

static void came_back(struct alert_life *a, int64_t now_ms)
{
	a->returns++;
	a->returned_ms = now_ms;
}

/* What was quiet for long is no flapping. */
static void forgive(struct alert_life *a, int64_t now_ms)
{
	if (now_ms - a->returned_ms >= ALERT_FLAP_MS)
		a->returns = 0;
}

static enum alert_event fire_if_due(struct alert_life *a, const struct alert_policy *p,
				    enum alert_event otherwise, struct alert_now now)
{
	if (now.ms - a->began_ms < p->for_ms)
		return otherwise;
	a->state = ALERT_FIRING;
	a->away_ms = 0;
	return ALERT_FIRES;
}

static enum alert_event begin(struct alert_life *a, const struct alert_policy *p,
			      struct wall since, struct alert_now now)
{
	bool returns = a->state == ALERT_RESOLVED;

	forgive(a, now.ms);
	if (returns)
		came_back(a, now.ms);
	if (since.ms <= 0 || since.ms > now.wall.ms)
		since = now.wall;
	*a = (struct alert_life){.state = ALERT_PENDING,
				 .since = since,
				 .began_ms = now.ms - (now.wall.ms - since.ms),
				 .known_ms = now.ms,
				 .returned_ms = a->returned_ms,
				 .returns = a->returns};
	return fire_if_due(a, p, ALERT_BEGINS, now);
}

static enum alert_event end(struct alert_life *a, enum alert_event why,
			    struct alert_now now)
{
	a->state = ALERT_RESOLVED;
	a->ended = now.wall;
	a->ended_ms = now.ms;
	a->away_ms = 0;
	return why;
}

static enum alert_event drop(struct alert_life *a, enum alert_event why)
{
	a->state = ALERT_NONE;
	return why;
}

static enum alert_event step_pending(struct alert_life *a, const struct alert_policy *p,
				     enum alert_fact fact, struct alert_now now)
{
	if (fact == FACT_AWAY ||
	    (fact == FACT_UNKNOWN && now.ms - a->known_ms >= p->keep_ms))
		return drop(a, ALERT_DROPS);
	if (fact != FACT_UNKNOWN)
		a->known_ms = now.ms;
	if (fact == FACT_HOLDS)
		return fire_if_due(a, p, ALERT_STAYS, now);
	return ALERT_STAYS;
}

static enum alert_event step_firing(struct alert_life *a, const struct alert_policy *p,
				    enum alert_fact fact, struct alert_now now)
{
	if (fact == FACT_UNKNOWN)
		return now.ms - a->known_ms >= p->keep_ms ? end(a, ALERT_FADES, now)
							  : ALERT_STAYS;
	a->known_ms = now.ms;
	if (fact != FACT_AWAY) {
		if (a->away_ms != 0)
			came_back(a, now.ms);
		a->away_ms = 0;
		return ALERT_STAYS;
	}
	if (a->away_ms == 0) {
		forgive(a, now.ms);
		a->away_ms = now.ms;
	}
	return now.ms - a->away_ms >= hold_ms(a, p) ? end(a, ALERT_RESOLVES, now)
						    : ALERT_STAYS;
}

enum alert_event alert_step(struct alert_life *a, const struct alert_policy *p,
			    enum alert_fact fact, struct wall since,
			    struct alert_now now)
{
	switch (a->state) {
	case ALERT_NONE:
		return fact == FACT_HOLDS ? begin(a, p, since, now) : ALERT_STAYS;
	case ALERT_PENDING:
		return step_pending(a, p, fact, now);
	case ALERT_FIRING:
		return step_firing(a, p, fact, now);
	case ALERT_RESOLVED:
		if (fact == FACT_HOLDS)
			return begin(a, p, since, now);
		if (now.ms - a->ended_ms >= ALERT_SHOWN_MS)
			return drop(a, ALERT_FORGETS);
		return ALERT_STAYS;
	}
	return ALERT_STAYS;
}

void alert_wake_up(struct alert_life *a, struct alert_now now)
{
	if (a->state == ALERT_PENDING && now.ms - a->known_ms >= ALERT_FLAP_MS)
		a->state = ALERT_NONE;
	a->known_ms = now.ms;
	a->away_ms = 0; /* nobody saw that it was */
	a->began_ms = least(a->began_ms, now.ms);
	a->ended_ms = now.ms; /* so that every receiver hears of its end */
	a->returned_ms = least(a->returned_ms, now.ms);
}

struct alert alert_copy(const struct alert *a)
{
	struct alert c = *a;

	c.rule = mem_strdup(a->rule);
	c.cluster = mem_strdup(a->cluster);
	c.group = mem_strdup(a->group);
	c.topic = mem_strdup(a->topic);
	c.host = mem_strdup(a->host);
	c.at = mem_strdup(a->at);
	c.message = mem_strdup(a->message);
	c.changed = mem_strdup(a->changed);
	c.partitions = mem_calloc(a->partition_count + 1, sizeof(*c.partitions));
	for (size_t i = 0; i < a->partition_count; i++)
		c.partitions[i] = a->partitions[i];
	return c;
}

void alert_fini(struct alert *a)
{
	free(a->rule);
	free(a->cluster);
	free(a->group);
	free(a->topic);
	free(a->host);
	free(a->at);
	free(a->message);
	free(a->changed);
	free(a->partitions);
	*a = (struct alert){.rule = NULL};
}

void alert_name_incident(struct alert *a)
{
	unsigned char digest[HASH_SHA256_LEN];
	char *name = mem_printf("%s\n%s\n%s\n%s\n%s\n%s\n%lld", a->rule,
				severity_name(a->severity), a->cluster, a->group,
				a->topic, a->host, (long long)a->life.since.ms);

	hash_sha256(name, strlen(name), digest);
	free(name);
	hash_hex(digest, 8, a->incident);
}

int alert_compare(const struct alert *a, const struct alert *b)
{
	const char *const left[] = {a->cluster, a->group, a->topic, a->host, a->rule};
	const char *const right[] = {b->cluster, b->group, b->topic, b->host, b->rule};

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		int order = strcmp(left[i], right[i]);

		if (order != 0)
			return order;
	}
	return (int)b->severity - (int)a->severity; /* the worse first */
}

const char *alert_state_name(enum alert_state s)
{
	return states[s];
}

const char *severity_name(enum severity s)
{
	return severities[s];
}

bool alert_state_read(const char *name, enum alert_state *out)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(name, states[i]) == 0) {
			*out = (enum alert_state)i;
			return true;
		}
	return false;
}

bool severity_read(const char *name, enum severity *out)
{
	for (size_t i = 0; i < ARRAY_LEN(severities); i++)
		if (strcmp(name, severities[i]) == 0) {
			*out = (enum severity)i;
			return true;
		}
	return false;
}
