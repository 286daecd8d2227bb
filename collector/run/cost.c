/* SPDX-License-Identifier: MIT */
#include "run/cost.h"

#include <stdio.h>
#include <string.h>

#include "run/plan.h"

#include "banned.h"

#define MINUTE_S 60.0
#define LEAST_INTERVAL_S 10.0
#define TOPIC_INTERVAL_S 2.0 /* times the topics of the host */
#define WARN_SHARE 0.5       /* of the host's cores */

static bool same_host(const struct config_topic *a, const struct config_topic *b)
{
	return a->source == SOURCE_SSH && b->source == SOURCE_SSH &&
	       strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static size_t entries_on(const struct config *c, const struct config_topic *t)
{
	size_t n = 0;

	for (size_t i = 0; i < c->topic_count; i++)
		n += same_host(&c->topics[i], t);
	return n;
}

static double interval_s(const struct config_topic *t, enum cost_way way,
			 size_t entries)
{
	double many = TOPIC_INTERVAL_S * (double)entries;

	if (way == COST_CHOSEN || t->interval_explicit)
		return (double)t->interval_ms / 1000;
	return way == COST_TOPIC && many > LEAST_INTERVAL_S ? many : LEAST_INTERVAL_S;
}

static void add(struct cost *cost, const struct config_topic *t, enum cost_way way,
		size_t entries)
{
	double runs = MINUTE_S / interval_s(t, way, entries);

	if (t->source != SOURCE_SSH)
		return;
	if (t->command != NULL) {
		cost->own++;
		return;
	}
	cost->runs += runs;
	cost->cores += runs / MINUTE_S *
		       (t->cds_archive != NULL ? COST_RUN_CPU_CDS_S : COST_RUN_CPU_S);
}

struct cost cost_of(const struct config *c, const struct config_topic *t,
		    enum cost_way way)
{
	struct plan plan =
		plan_make(c, way == COST_GROUP ? PLAN_SHARED : PLAN_AS_CONFIGURED);
	size_t entries = entries_on(c, t);
	struct cost cost = {0, 0, 0};

	for (size_t i = 0; way != COST_TOPIC && i < plan.n; i++)
		if (same_host(plan.streams[i].topics[0], t))
			add(&cost, plan.streams[i].topics[0], way, entries);
	for (size_t i = 0; way == COST_TOPIC && i < c->topic_count; i++)
		if (same_host(&c->topics[i], t))
			add(&cost, &c->topics[i], way, entries);
	plan_free(&plan);
	return cost;
}

bool cost_describe(const struct config *c, const struct config_topic *t, int cores,
		   char *out, size_t size)
{
	struct cost now = cost_of(c, t, COST_CHOSEN);
	struct cost apart = cost_of(c, t, COST_TOPIC);
	struct cost together = cost_of(c, t, COST_GROUP);
	bool shared = now.runs < apart.runs && now.runs <= together.runs;
	const struct cost *other = shared ? &apart : &together;
	char own[80] = "", would[120] = "", of[32] = "a core";

	if (now.own > 0)
		snprintf(own, sizeof(own), "%s%zu command%s of your own",
			 now.runs > 0 ? ", and " : "", now.own,
			 now.own == 1 ? "" : "s");
	if (other->runs != now.runs)
		snprintf(would, sizeof(would),
			 "; with `share: %s` it would be %.1f runs, %.2f of a core",
			 shared ? "topic" : "group", other->runs, other->cores);
	if (cores > 1)
		snprintf(of, sizeof(of), "one of its %d cores", cores);
	if (now.runs > 0)
		snprintf(out, size,
			 "%.1f runs of the CLI a minute, about %.2f of %s%s%s",
			 now.runs, now.cores, of, own, would);
	else
		snprintf(out, size, "%s, no run of the CLI", own);
	return now.cores > WARN_SHARE * (cores > 1 ? cores : 1);
}
