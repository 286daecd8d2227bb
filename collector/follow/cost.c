/* SPDX-License-Identifier: MIT */
#include "follow/cost.h"

#include <stdio.h>
#include <string.h>

#include "follow/plan.h"

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

static void add_runs(struct cost *cost, double runs, bool archive)
{
	cost->runs += runs;
	cost->cores +=
		runs / MINUTE_S * (archive ? COST_RUN_CPU_CDS_S : COST_RUN_CPU_S);
}

/* What a stream that begins with `t` costs the host of `where`. */
static void add(struct cost *cost, const struct config *c, const struct config_topic *t,
		const struct config_topic *where, enum cost_way way)
{
	double runs = MINUTE_S / interval_s(t, way, entries_on(c, t));
	struct config_topic place;
	bool far = plan_target_place(t, &place);

	if (same_host(t, where)) {
		if (t->command != NULL)
			cost->own++;
		else
			add_runs(cost, runs, t->cds_archive != NULL);
	}
	if (t->target.set && same_host(far ? &place : t, where)) {
		add_runs(cost, runs, false);
		cost->looks += runs;
	}
}

struct cost cost_of(const struct config *c, const struct config_topic *t,
		    enum cost_way way)
{
	struct plan plan =
		plan_make(c, way == COST_GROUP ? PLAN_SHARED : PLAN_AS_CONFIGURED);
	struct cost cost = {0, 0, 0, 0};

	for (size_t i = 0; way != COST_TOPIC && i < plan.n; i++)
		add(&cost, c, plan.streams[i].topics[0], t, way);
	for (size_t i = 0; way == COST_TOPIC && i < c->topic_count; i++)
		add(&cost, c, &c->topics[i], t, way);
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
	char own[80] = "", would[120] = "", looks[80] = "", of[32] = "a core";

	if (now.own > 0)
		snprintf(own, sizeof(own), "%s%zu command%s of your own",
			 now.runs > 0 ? ", and " : "", now.own,
			 now.own == 1 ? "" : "s");
	if (now.looks > 0)
		snprintf(looks, sizeof(looks), " (%.1f of them look at the target)",
			 now.looks);
	if (other->runs != now.runs)
		snprintf(would, sizeof(would),
			 "; with `share: %s` it would be %.1f runs, %.2f of a core",
			 shared ? "topic" : "group", other->runs, other->cores);
	if (cores > 1)
		snprintf(of, sizeof(of), "one of its %d cores", cores);
	if (now.runs > 0)
		snprintf(out, size,
			 "%.1f runs of the CLI a minute%s, about %.2f of %s%s%s",
			 now.runs, looks, now.cores, of, own, would);
	else
		snprintf(out, size, "%s, no run of the CLI", own);
	return now.cores > WARN_SHARE * (cores > 1 ? cores : 1);
}
