/* SPDX-License-Identifier: MIT */
#include "lag/table_int.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"

#include "banned.h"

uint32_t table_group_find(const struct table *t, struct span name)
{
	uint64_t hash = hash_fnv64(name.p, name.n, 0);
	uint32_t i = index_first(&t->by_group, hash);

	while (i != INDEX_NONE && !text_is(name, t->groups[i].name))
		i = index_next(&t->by_group, i);
	return i;
}

uint32_t table_group_get(struct table *t, struct span name)
{
	uint32_t i = table_group_find(t, name);

	if (i != INDEX_NONE)
		return i;
	MEM_GROW(t->groups, t->n_groups, t->cap_groups);
	t->groups[t->n_groups] = (struct group){.name = mem_strndup(name.p, name.n),
						.said = GROUP_UNKNOWN};
	index_add(&t->by_group, hash_fnv64(name.p, name.n, 0));
	return (uint32_t)t->n_groups++;
}

static uint64_t topic_hash(uint32_t group, struct span name)
{
	return hash_fnv64(name.p, name.n, hash_fnv64(&group, sizeof(group), 0));
}

static uint32_t topic_find(const struct table *t, uint32_t group, struct span name)
{
	uint64_t hash = topic_hash(group, name);
	uint32_t i = index_first(&t->by_topic, hash);

	while (i != INDEX_NONE &&
	       (t->topics[i].group != group || !text_is(name, t->topics[i].name)))
		i = index_next(&t->by_topic, i);
	return i;
}

struct topic *table_topic_get(struct table *t, uint32_t group, struct span name)
{
	uint32_t i = topic_find(t, group, name);

	if (i != INDEX_NONE)
		return &t->topics[i];
	MEM_GROW(t->topics, t->n_topics, t->cap_topics);
	t->topics[t->n_topics] = (struct topic){.name = mem_strndup(name.p, name.n),
						.group = group,
						.first = INDEX_NONE,
						.last = INDEX_NONE};
	index_add(&t->by_topic, topic_hash(group, name));
	return &t->topics[t->n_topics++];
}

void table_row_add(struct table *t, uint32_t group, struct span name,
		   const struct partition *p, bool knows_members)
{
	struct topic *topic = table_topic_get(t, group, name);

	t->groups[group].has_rows = true;
	topic->knows_members = knows_members;
	MEM_GROW(t->rows, t->n_rows, t->cap_rows);
	t->rows[t->n_rows] = (struct row){*p, INDEX_NONE};
	if (topic->last == INDEX_NONE)
		topic->first = (uint32_t)t->n_rows;
	else
		t->rows[topic->last].next = (uint32_t)t->n_rows;
	topic->last = (uint32_t)t->n_rows++;
	topic->rows++;
}

void table_member_add(struct table *t, uint32_t group, uint64_t id)
{
	MEM_GROW(t->members, t->n_members, t->cap_members);
	t->members[t->n_members++] = (struct member){group, id};
}

static int compare_members(const void *va, const void *vb)
{
	const struct member *a = va, *b = vb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->id == b->id ? 0 : a->id < b->id ? -1 : 1;
}

void table_count_members(struct table *t)
{
	if (t->n_members > 0)
		qsort(t->members, t->n_members, sizeof(*t->members), compare_members);
	for (size_t i = 0; i < t->n_members; i++)
		if (i == 0 || compare_members(&t->members[i - 1], &t->members[i]) != 0)
			t->groups[t->members[i].group].members++;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->n_groups; i++)
		free(t->groups[i].name);
	for (size_t i = 0; i < t->n_topics; i++)
		free(t->topics[i].name);
	for (size_t i = 0; i < t->n_others; i++)
		free(t->others[i]);
	for (size_t i = 0; i < t->n_unread; i++) {
		free(t->unread[i].topic);
		free(t->unread[i].line);
	}
	index_fini(&t->by_group);
	index_fini(&t->by_topic);
	free(t->groups);
	free(t->topics);
	free(t->rows);
	free(t->members);
	free(t->wanted);
	free(t);
}

const struct gap *table_failure(const struct table *t)
{
	return &t->failure;
}

static const char *group_name(const struct table *t, const struct topic *topic)
{
	return t->wanted != NULL ? t->wanted : t->groups[topic->group].name;
}

void table_each(const struct table *t,
		void (*each)(void *arg, const char *group, const char *topic),
		void *arg)
{
	for (size_t i = 0; i < t->n_topics; i++)
		each(arg, group_name(t, &t->topics[i]), t->topics[i].name);
}

/* The topic in the group, or in the first that has it. A table that knows no group has
 * the topic in any. */
static const struct topic *find(const struct table *t, const char *group,
				const char *topic)
{
	struct span name = {topic, strlen(topic)};
	uint32_t g = INDEX_NONE, i = INDEX_NONE;

	if (group != NULL)
		g = table_group_find(t,
				     text_rtrim((struct span){group, strlen(group)}));
	if (group != NULL && g == INDEX_NONE && t->wanted == NULL)
		g = table_group_find(t, (struct span){"", 0});
	if (g != INDEX_NONE)
		i = topic_find(t, g, name);
	else if (group == NULL)
		for (i = 0; i < t->n_topics && !text_is(name, t->topics[i].name);)
			i++;
	return i < t->n_topics ? &t->topics[i] : NULL;
}

/* "there are a, b, c and 4 more", or what stands instead. */
static void list_topics(const struct table *t, struct buf *b)
{
	size_t n = t->n_topics < TABLE_NAMED ? t->n_topics : TABLE_NAMED;

	assert(n == 0 || t->topics != NULL);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s%s", i == 0 ? "there are " : ", ", t->topics[i].name);
	if (n < t->n_topics)
		buf_printf(b, " and %zu more", t->n_topics - n);
	if (n == 0 && t->n_others > 0)
		buf_printf(b, "all rows are of other groups: ");
	for (size_t i = 0; n == 0 && i < t->n_others; i++)
		buf_printf(b, "%s'%s'", i == 0 ? "" : ", ", t->others[i]);
	if (n == 0 && t->n_others == 0)
		buf_printf(b, "it has no rows at all");
}

/* A line of the topic that cannot be read; where none can be, any of them. */
static const struct unread *find_unread(const struct table *t, const char *topic)
{
	for (size_t i = 0; i < t->n_unread; i++)
		if (t->n_topics == 0 || strcmp(t->unread[i].topic, topic) == 0)
			return &t->unread[i];
	return NULL;
}

static enum reason absent(const struct table *t, const char *group, const char *topic,
			  struct gap *gap)
{
	const struct unread *unread = find_unread(t, topic);
	struct buf b = BUF_INIT(4096);
	uint32_t g = INDEX_NONE;

	if (t->failure.reason != REASON_NONE) {
		*gap = t->failure;
		return gap->reason;
	}
	if (group != NULL)
		g = table_group_find(t,
				     text_rtrim((struct span){group, strlen(group)}));
	if (t->trouble.reason != REASON_NONE &&
	    (t->cut || g == INDEX_NONE || !t->groups[g].has_rows)) {
		*gap = t->trouble;
		return gap->reason;
	}
	if (unread != NULL)
		return gap_set(gap, REASON_BAD_OUTPUT,
			       "a row of topic %s cannot be read: %s", unread->topic,
			       unread->line);
	list_topics(t, &b);
	gap_set(gap, REASON_TOPIC_ABSENT,
		"no row of topic %s%s%s in the table (%s); check the name, and that "
		"the "
		"group reads it and has committed",
		topic, group != NULL ? " of group " : "", group != NULL ? group : "",
		buf_str(&b));
	buf_free(&b);
	return gap->reason;
}

struct ranked {
	const struct partition *p;
	size_t order; /* in the output */
};

static int compare_ranked(const void *va, const void *vb)
{
	const struct ranked *a = va, *b = vb;

	if (a->p->number != b->p->number)
		return a->p->number < b->p->number ? -1 : 1;
	return a->order == b->order ? 0 : a->order < b->order ? -1 : 1;
}

/* The rows by partition, each once: the one that has a lag, then the later one. */
static void sort_rows(const struct table *t, const struct topic *topic,
		      struct sample *out)
{
	struct ranked *rank = mem_calloc(topic->rows, sizeof(*rank));
	struct partition *rows = mem_calloc(topic->rows, sizeof(*rows));
	size_t n = 0, kept = 0;

	for (uint32_t i = topic->first; i != INDEX_NONE; i = t->rows[i].next, n++)
		rank[n] = (struct ranked){&t->rows[i].p, n};
	qsort(rank, n, sizeof(*rank), compare_ranked);
	for (size_t i = 0; i < n; i++) {
		const struct partition *p = rank[i].p;

		if (kept == 0 || rows[kept - 1].number != p->number)
			rows[kept++] = *p;
		else if (p->has_lag || !rows[kept - 1].has_lag)
			rows[kept - 1] = *p;
	}
	free(rank);
	out->rows = rows;
	out->n = kept;
}

enum reason table_sample(const struct table *t, const char *group, const char *topic,
			 struct sample *out, struct gap *gap)
{
	const struct topic *found = find(t, group, topic);
	const struct group *g;

	*out = (struct sample)SAMPLE_INIT;
	if (found == NULL)
		return absent(t, group, topic, gap);
	g = &t->groups[found->group];
	out->knows_members = found->knows_members;
	out->state = g->said;
	if (g->said == GROUP_UNKNOWN && g->members > 0 && !t->stateless)
		out->state = GROUP_STABLE;
	if (g->said == GROUP_EMPTY)
		out->members = 0;
	else if (g->members > 0)
		out->members = g->members;
	sort_rows(t, found, out);
	return REASON_NONE;
}
