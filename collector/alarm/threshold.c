/* SPDX-License-Identifier: MIT
 * threshold: the part of condition that compares lags with levels. An alert begins at
 * its level and ends below a share of it; a warning and a critical level are two alerts
 * of one rule. */
#include "alarm/condition.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"

#include "banned.h"

/* What is compared. */
struct level {
	double value;  /* NAN: not known */
	bool complete; /* nothing is missing that could raise it */
	char what[96]; /* "lag of partition 3" */
};

/* "topic_lag", "group_time_lag_2": the second one of its kind has a number. */
static void name_rule(const struct config_topic *t, size_t index, char *out,
		      size_t size)
{
	static const char *const on[] = {"partition", "topic", "group"};
	const struct config_threshold *th = &t->thresholds[index];
	const char *of = th->of == THRESHOLD_TIME ? "time_lag" : "lag";
	int nth = 1;

	for (size_t i = 0; i < index; i++)
		nth += t->thresholds[i].on == th->on && t->thresholds[i].of == th->of;
	if (nth == 1)
		snprintf(out, size, "%s_%s", on[th->on], of);
	else
		snprintf(out, size, "%s_%s_%d", on[th->on], of, nth);
}

static double value_of_row(const struct view *v, size_t i, enum threshold_of of)
{
	if (of == THRESHOLD_TIME)
		return v->partitions[i].time_lag_ms >= 0
			       ? (double)v->partitions[i].time_lag_ms
			       : NAN;
	return v->sample.rows[i].has_lag ? (double)v->sample.rows[i].lag : NAN;
}

static bool has_data(const struct view *v)
{
	return v->sample.taken.ms != 0 && v->gap.reason == REASON_NONE;
}

static struct level level_of_partitions(const struct view *v, enum threshold_of of)
{
	struct level l = {NAN, true, ""};

	for (size_t i = 0; i < v->sample.n; i++) {
		double value = value_of_row(v, i, of);

		if (isnan(value) || (!isnan(l.value) && value <= l.value))
			continue;
		l.value = value;
		snprintf(l.what, sizeof(l.what), "%s of partition %" PRId32,
			 of == THRESHOLD_TIME ? "time lag" : "lag",
			 v->sample.rows[i].number);
	}
	return l;
}

static struct level level_of_topic(const struct view *v, enum threshold_of of)
{
	struct level l = {NAN, true, ""};

	if (of == THRESHOLD_TIME && v->assessment.time_lag_ms >= 0)
		l.value = (double)v->assessment.time_lag_ms;
	else if (of == THRESHOLD_MESSAGES && v->totals.with_lag > 0)
		l.value = (double)v->totals.sum;
	snprintf(l.what, sizeof(l.what), "%s of the topic",
		 of == THRESHOLD_TIME ? "time lag" : "lag");
	return l;
}

/* Messages add up; in time the slowest topic counts. */
static struct level level_of_group(const struct view *const *v, size_t n,
				   enum threshold_of of)
{
	struct level l = {NAN, true, ""};

	for (size_t i = 0; i < n; i++) {
		struct level one = {NAN, true, ""};

		if (has_data(v[i]))
			one = level_of_topic(v[i], of);
		else
			l.complete = false;
		if (isnan(one.value))
			continue;
		if (isnan(l.value))
			l.value = one.value;
		else if (of == THRESHOLD_MESSAGES)
			l.value += one.value;
		else if (one.value > l.value)
			l.value = one.value;
	}
	snprintf(l.what, sizeof(l.what), "%s of the group",
		 of == THRESHOLD_TIME ? "time lag" : "lag");
	return l;
}

static enum alert_fact compare(const struct level *l, double enter, double leave)
{
	if (isnan(l->value))
		return FACT_UNKNOWN;
	if (l->value >= enter)
		return FACT_HOLDS;
	if (!l->complete)
		return FACT_UNKNOWN;
	return l->value >= enter * leave ? FACT_BETWEEN : FACT_AWAY;
}

/* The partitions that are to blame: at or above where the alert would end. */
static size_t to_blame(const struct view *v, const struct config_threshold *th,
		       double enter, int32_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < v->sample.n; i++)
		if (value_of_row(v, i, th->of) >= enter * th->leave)
			list[n++] = v->sample.rows[i].number;
	return n;
}

static void say(struct condition *c, const struct level *l,
		const struct config_threshold *th, double enter)
{
	if (th->of == THRESHOLD_TIME)
		snprintf(c->message, sizeof(c->message),
			 "%s is %.1f s; %s from %.1f s on", l->what, l->value / 1000,
			 severity_name(c->severity), enter / 1000);
	else
		snprintf(c->message, sizeof(c->message),
			 "%s is %.0f messages; %s from %.0f on", l->what, l->value,
			 severity_name(c->severity), enter);
}

/* Both levels of one threshold. */
static void tell(struct condition c, const struct view *v,
		 const struct config_threshold *th, const struct level *l,
		 condition_each *each, void *arg)
{
	const double enter[SEVERITIES] = {[SEVERITY_INFO] = NAN,
					  [SEVERITY_WARNING] = th->warning,
					  [SEVERITY_CRITICAL] = th->critical};
	int32_t *list = mem_calloc(v->sample.n + 1, sizeof(*list));

	c.policy.for_ms = th->for_ms;
	c.lags = &v->sample;
	for (int s = SEVERITY_WARNING; s < SEVERITIES; s++) {
		if (isnan(enter[s]))
			continue;
		c.severity = (enum severity)s;
		c.fact = compare(l, enter[s], th->leave);
		c.value = l->value;
		c.message[0] = '\0';
		c.partition_count = 0;
		c.partitions = list;
		if (c.fact == FACT_HOLDS || c.fact == FACT_BETWEEN) {
			say(&c, l, th, enter[s]);
			if (th->on == THRESHOLD_PARTITION)
				c.partition_count = to_blame(v, th, enter[s], list);
		}
		each(arg, &c);
	}
	free(list);
}

void condition_thresholds(const struct view *v, condition_each *each, void *arg)
{
	const struct config_topic *t = v->config;

	for (size_t i = 0; t != NULL && i < t->threshold_count; i++) {
		const struct config_threshold *th = &t->thresholds[i];
		struct level l = {NAN, true, ""};
		char rule[48];

		if (th->on == THRESHOLD_GROUP)
			continue;
		if (has_data(v))
			l = th->on == THRESHOLD_TOPIC ? level_of_topic(v, th->of)
						      : level_of_partitions(v, th->of);
		name_rule(t, i, rule, sizeof(rule));
		tell(condition_of_topic(v, rule, SEVERITY_WARNING), v, th, &l, each,
		     arg);
	}
}

static bool same_group(const struct view *a, const struct view *b)
{
	return strcmp(a->name.cluster, b->name.cluster) == 0 &&
	       strcmp(a->name.group, b->name.group) == 0;
}

static bool has_group_threshold(const struct config_topic *t)
{
	for (size_t i = 0; t != NULL && i < t->threshold_count; i++)
		if (t->thresholds[i].on == THRESHOLD_GROUP)
			return true;
	return false;
}

/* The thresholds of a group are those of its first topic that has any. */
static void look_group(const struct view *const *v, size_t n, condition_each *each,
		       void *arg)
{
	const struct config_topic *t;
	size_t first = 0;

	while (first < n && !has_group_threshold(v[first]->config))
		first++;
	if (first == n)
		return;
	t = v[first]->config;
	for (size_t i = 0; i < t->threshold_count; i++) {
		const struct config_threshold *th = &t->thresholds[i];
		struct level l;
		char rule[48];

		if (th->on != THRESHOLD_GROUP)
			continue;
		l = level_of_group(v, n, th->of);
		name_rule(t, i, rule, sizeof(rule));
		tell(condition_of_group(v[first], rule, SEVERITY_WARNING), v[first], th,
		     &l, each, arg);
	}
}

void condition_group_thresholds(const struct board_views *views, condition_each *each,
				void *arg)
{
	for (size_t from = 0, to; from < views->n; from = to) {
		for (to = from + 1;
		     to < views->n && same_group(views->v[from], views->v[to]);)
			to++;
		look_group(views->v + from, to - from, each, arg);
	}
}
