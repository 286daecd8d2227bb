/* SPDX-License-Identifier: MIT
 * levels: the thresholds of all topics, those that are the same put together, for
 * alert rules elsewhere. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

#define FOR_MS 180000

struct list {
	struct level *v;
	size_t n, cap;
};

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static struct level *find(struct list *l, const struct level *like)
{
	for (size_t i = 0; i < l->n; i++) {
		struct level *v = &l->v[i];

		if (v->on == like->on && v->of == like->of &&
		    fabs(v->value - like->value) < 0.5 &&
		    strcmp(v->severity, like->severity) == 0 &&
		    v->for_ms == like->for_ms && same_text(v->group, like->group))
			return v;
	}
	MEM_GROW(l->v, l->n, l->cap);
	l->v[l->n] = *like;
	return &l->v[l->n++];
}

static void add(struct list *l, const struct config_topic *t,
		const struct config_threshold *from, double value, const char *severity)
{
	struct level like = {.on = from->on,
			     .of = from->of,
			     .value = value,
			     .severity = severity,
			     .for_ms = from->for_ms,
			     .group = t->group};
	struct level *v;

	if (isnan(value))
		return;
	v = find(l, &like);
	v->whole |= t->name == NULL;
	if (v->whole)
		v->n = 0;
	for (size_t i = 0; i < v->n; i++)
		if (same_text(v->topics[i], t->name))
			return;
	if (v->whole)
		return;
	v->topics = mem_realloc(v->topics, v->n + 1, sizeof(*v->topics));
	v->topics[v->n++] = t->name;
}

struct level *levels_of(const struct dashboard *d, size_t *n)
{
	struct list l = {NULL, 0, 0};
	const struct config *c = d->config;

	for (size_t i = 0; i < c->topic_count; i++)
		for (size_t k = 0; k < c->topics[i].threshold_count; k++) {
			const struct config_threshold *t = &c->topics[i].thresholds[k];

			add(&l, &c->topics[i], t, t->warning, "warning");
			add(&l, &c->topics[i], t, t->critical, "critical");
		}
	if (l.n == 0) {
		MEM_GROW(l.v, l.n, l.cap);
		l.v[l.n++] = (struct level){.on = THRESHOLD_TOPIC,
					    .of = THRESHOLD_MESSAGES,
					    .value = d->limit,
					    .severity = "warning",
					    .for_ms = FOR_MS};
	}
	*n = l.n;
	return l.v;
}

void levels_free(struct level *levels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(levels[i].topics);
	free(levels);
}
