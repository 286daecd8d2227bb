/* SPDX-License-Identifier: MIT */
#include "board/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

struct view *view_new(void)
{
	struct view *v = mem_calloc(1, sizeof(*v));

	atomic_init(&v->refs, 1);
	v->sample = (struct sample)SAMPLE_INIT;
	v->assessment = (struct assessment)ASSESSMENT_INIT;
	return v;
}

const struct view *view_ref(const struct view *v)
{
	atomic_fetch_add(&((struct view *)(uintptr_t)v)->refs, 1);
	return v;
}

static void free_name(struct view_name *n)
{
	free(n->cluster);
	free(n->group);
	free(n->topic);
	free(n->host);
	free(n->match);
	for (size_t i = 0; i < n->label_count; i++) {
		free((char *)(uintptr_t)n->labels[i].name);
		free((char *)(uintptr_t)n->labels[i].value);
	}
	free(n->labels);
}

void view_unref(const struct view *shared)
{
	struct view *v = (struct view *)(uintptr_t)shared;

	if (v == NULL || atomic_fetch_sub(&v->refs, 1) != 1)
		return;
	free_name(&v->name);
	sample_fini(&v->sample);
	free(v->partitions);
	free(v);
}

static char *copy(const char *text)
{
	return mem_strdup(text != NULL ? text : "");
}

void view_set_name(struct view *v, const char *cluster, const char *group,
		   const char *topic, const char *host, const char *match)
{
	v->name.cluster = copy(cluster);
	v->name.group = copy(group);
	v->name.topic = copy(topic);
	v->name.host = copy(host);
	v->name.match = copy(match);
}

void view_set_labels(struct view *v, const struct label *labels, size_t n)
{
	v->name.labels = mem_calloc(n + 1, sizeof(*labels));
	v->name.label_count = n;
	for (size_t i = 0; i < n; i++)
		v->name.labels[i] =
			(struct label){copy(labels[i].name), copy(labels[i].value)};
}

static void drop_sample(struct view *v)
{
	sample_fini(&v->sample);
	free(v->partitions);
	v->partitions = NULL;
}

void view_set_sample(struct view *v, const struct sample *s, struct mono seen)
{
	drop_sample(v);
	v->sample = sample_copy(s);
	v->sample_seen = seen;
	v->totals = sample_totals(s);
	v->partitions = mem_calloc(s->n + 1, sizeof(*v->partitions));
	v->mono_to_wall_ms = s->taken.ms - seen.ns / 1000000;
}

void view_copy_sample(struct view *v, const struct view *from)
{
	if (from->partitions == NULL)
		return;
	view_set_sample(v, &from->sample, from->sample_seen);
	v->assessment = from->assessment;
	memcpy(v->partitions, from->partitions,
	       from->sample.n * sizeof(*v->partitions));
}
