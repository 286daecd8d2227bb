/* SPDX-License-Identifier: MIT */
#include "lag/index_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

static void rebuild(struct index *x)
{
	x->buckets = x->buckets == 0 ? 64 : x->buckets * 2;
	x->link = mem_realloc(x->link, x->buckets, sizeof(*x->link));
	x->bucket = mem_realloc(x->bucket, x->buckets, sizeof(*x->bucket));
	memset(x->bucket, 0xff, x->buckets * sizeof(*x->bucket));
	for (size_t i = 0; i < x->n; i++) {
		uint32_t *head = &x->bucket[x->link[i].hash & (x->buckets - 1)];

		x->link[i].next = *head;
		*head = (uint32_t)i;
	}
}

void index_add(struct index *x, uint64_t hash)
{
	uint32_t *head;

	if (x->n == x->buckets)
		rebuild(x);
	head = &x->bucket[hash & (x->buckets - 1)];
	x->link[x->n].hash = hash;
	x->link[x->n].next = *head;
	*head = (uint32_t)x->n++;
}

static uint32_t same_hash(const struct index *x, uint32_t i, uint64_t hash)
{
	while (i != INDEX_NONE && x->link[i].hash != hash)
		i = x->link[i].next;
	return i;
}

uint32_t index_first(const struct index *x, uint64_t hash)
{
	if (x->buckets == 0)
		return INDEX_NONE;
	return same_hash(x, x->bucket[hash & (x->buckets - 1)], hash);
}

uint32_t index_next(const struct index *x, uint32_t i)
{
	return same_hash(x, x->link[i].next, x->link[i].hash);
}

void index_fini(struct index *x)
{
	free(x->link);
	free(x->bucket);
	*x = (struct index){0};
}
