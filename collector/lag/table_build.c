/* SPDX-License-Identifier: MIT */
#include "lag/table_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/table_int.h"

#include "banned.h"

struct table *table_build(const char *group)
{
	struct table *t = mem_calloc(1, sizeof(*t));

	t->wanted = mem_strdup(group);
	t->stateless = true;
	return t;
}

bool table_build_row(struct table *t, const char *topic, const char *partition,
		     const struct partition *row)
{
	struct span name = {topic, strlen(topic)}, group = {"", 0};
	struct partition p = *row;
	int64_t number = text_digits((struct span){partition, strlen(partition)},
				     PARTITION_NUMBER_MAX);

	if (number < 0 || !topic_name_valid(name.p, name.n))
		return false;
	p.number = (int32_t)number;
	if (t->wanted != NULL)
		group = text_rtrim((struct span){t->wanted, strlen(t->wanted)});
	table_row_add(t, table_group_get(t, group), name, &p, false);
	return true;
}

void table_build_fail(struct table *t, enum reason r, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	gap_set(&t->failure, r, "%s", text);
}

static int compare_rows(const void *va, const void *vb)
{
	const struct partition *a = *(const struct partition *const *)va;
	const struct partition *b = *(const struct partition *const *)vb;

	return a->number == b->number ? 0 : a->number < b->number ? -1 : 1;
}

static bool same_lag(const struct partition *a, const struct partition *b)
{
	return a->has_lag == b->has_lag && (!a->has_lag || a->lag == b->lag);
}

static void check_topic(struct table *t, const struct topic *topic)
{
	const struct partition **v =
		mem_calloc(topic->rows, sizeof(struct partition *));
	size_t n = 0;

	for (uint32_t i = topic->first; i != INDEX_NONE; i = t->rows[i].next)
		v[n++] = &t->rows[i].p;
	qsort(v, n, sizeof(struct partition *), compare_rows);
	for (size_t i = 1; i < n && t->failure.reason == REASON_NONE; i++)
		if (v[i]->number == v[i - 1]->number && !same_lag(v[i], v[i - 1]))
			table_build_fail(
				t, REASON_SOURCE_ERROR,
				"there are two different lags of partition %d "
				"of %s; let the query give one series for each "
				"(max by (topic, partition) …)",
				(int)v[i]->number, topic->name);
	free(v);
}

void table_build_end(struct table *t)
{
	for (size_t i = 0; i < t->n_topics; i++)
		check_topic(t, &t->topics[i]);
}
