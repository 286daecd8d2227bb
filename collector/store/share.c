/* SPDX-License-Identifier: MIT
 * share: see share_int.h. */
#include "share_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define TOPICS_MIN 3 /* of two, one may well have more than the other */

void shares_fini(struct shares *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i]->topic);
		free(s->v[i]);
	}
	free(s->v);
	*s = (struct shares){.v = NULL};
}

void shares_reset(struct shares *s, bool empty)
{
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->bytes = s->v[i]->committed = 0;
		s->v[i]->from = INT64_MIN;
	}
	s->total = s->committed = 0;
	s->walked = s->committed_walked = empty ? INT64_MAX : INT64_MIN;
}

struct share *shares_of(struct shares *s, const char *topic)
{
	size_t low = 0, high = s->n;
	struct share *fresh;

	if (topic == NULL)
		topic = "";
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(topic, s->v[middle]->topic);

		if (order == 0)
			return s->v[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	fresh = mem_calloc(1, sizeof(*fresh));
	*fresh = (struct share){.topic = mem_strdup(topic), .from = INT64_MIN};
	MEM_GROW(s->v, s->n, s->cap);
	memmove(&s->v[low + 1], &s->v[low], (s->n - low) * sizeof(struct share *));
	s->v[low] = fresh;
	s->n++;
	return fresh;
}

void shares_count(struct shares *s, struct share *of, int64_t id, int64_t bytes)
{
	if (id > s->walked)
		return; /* the walk will come to it, or it is gone by then */
	of->bytes += bytes;
	s->total += bytes;
	if (of->from > id)
		of->from = id;
}

void shares_walk(struct shares *s, struct share *of, int64_t id, int64_t bytes)
{
	s->walked = id;
	if (of != NULL)
		shares_count(s, of, id, bytes);
}

bool shares_known(const struct shares *s)
{
	return s->walked == INT64_MAX;
}

struct share *shares_heavy(const struct shares *s, int64_t *excess)
{
	struct share *most = NULL;
	int64_t topics = 0;

	for (size_t i = 0; i < s->n; i++) {
		topics += s->v[i]->bytes > 0;
		if (most == NULL || s->v[i]->bytes > most->bytes)
			most = s->v[i];
	}
	if (!shares_known(s) || most == NULL || topics < 2)
		return NULL;
	if (topics < TOPICS_MIN)
		topics = TOPICS_MIN;
	/* Without `excess` of it, it has twice as much as total / topics. */
	*excess = (most->bytes * topics - 2 * s->total) / (topics - 2);
	return *excess > 0 ? most : NULL;
}

void shares_commit(struct shares *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->v[i]->committed = s->v[i]->bytes;
	s->committed = s->total;
	s->committed_walked = s->walked;
}

void shares_rollback(struct shares *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->v[i]->bytes = s->v[i]->committed;
		s->v[i]->from = INT64_MIN;
	}
	s->total = s->committed;
	s->walked = s->committed_walked;
}
