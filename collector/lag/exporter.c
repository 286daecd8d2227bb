/* SPDX-License-Identifier: MIT */
#include "lag/exporter_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "base/mem.h"
#include "lag/exposition.h"
#include "lag/text_int.h"

#include "banned.h"

enum role {
	ROLE_LAG,
	ROLE_COMMITTED,
	ROLE_END,
	ROLE_MEMBERS,
	ROLE_STATE,
	ROLE_TOPIC_SUM,
	ROLE_GROUP_SUM,
};

const struct dialect_words exporter_dialects[DIALECTS] = {
	[KAFKA_EXPORTER] = {"kafka_exporter", "consumergroup", "topic", "partition",
			    false},
	[KMINION] = {"kminion", "group_id", "topic_name", "partition_id", true},
	[LAG_EXPORTER] = {"kafka-lag-exporter", "group", "topic", "partition", false},
	[BURROW] = {"Burrow", "consumer_group", "topic", "partition", false},
	[GROUP_EXPORTER] = {"prometheus-kafka-consumer-group-exporter", "group",
			    "topic", "partition", false},
};

static const struct known {
	const char *name;
	enum dialect dialect;
	enum role role;
} known[] = {
	{"kafka_consumergroup_lag", KAFKA_EXPORTER, ROLE_LAG},
	{"kafka_consumergroup_current_offset", KAFKA_EXPORTER, ROLE_COMMITTED},
	{"kafka_topic_partition_current_offset", KAFKA_EXPORTER, ROLE_END},
	{"kafka_consumergroup_members", KAFKA_EXPORTER, ROLE_MEMBERS},
	{"kafka_consumergroup_lag_sum", KAFKA_EXPORTER, ROLE_TOPIC_SUM},
	{"kafka_consumer_group_topic_partition_lag", KMINION, ROLE_LAG},
	{"kafka_topic_partition_high_water_mark", KMINION, ROLE_END},
	{"kafka_consumer_group_members", KMINION, ROLE_MEMBERS},
	{"kafka_consumer_group_info", KMINION, ROLE_STATE},
	{"kafka_consumer_group_topic_lag", KMINION, ROLE_TOPIC_SUM},
	{"kafka_consumergroup_group_lag", LAG_EXPORTER, ROLE_LAG},
	{"kafka_consumergroup_group_offset", LAG_EXPORTER, ROLE_COMMITTED},
	{"kafka_partition_latest_offset", LAG_EXPORTER, ROLE_END},
	{"kafka_consumergroup_group_topic_sum_lag", LAG_EXPORTER, ROLE_TOPIC_SUM},
	{"kafka_consumergroup_group_sum_lag", LAG_EXPORTER, ROLE_GROUP_SUM},
	{"burrow_kafka_consumer_partition_lag", BURROW, ROLE_LAG},
	{"burrow_kafka_consumer_current_offset", BURROW, ROLE_COMMITTED},
	{"burrow_kafka_topic_partition_offset", BURROW, ROLE_END},
	{"burrow_kafka_consumer_lag_total", BURROW, ROLE_GROUP_SUM},
	{"kafka_consumer_group_lag", GROUP_EXPORTER, ROLE_LAG},
	{"kafka_consumer_group_offset", GROUP_EXPORTER, ROLE_COMMITTED},
	{"kafka_topic_highwater", GROUP_EXPORTER, ROLE_END},
};

static void take(void *arg, const struct metric *m);

struct exporter *exporter_new(const char *group)
{
	struct exporter *x = mem_calloc(1, sizeof(*x));

	x->group = mem_strdup(group);
	x->page = exposition_new(take, x);
	for (size_t d = 0; d < DIALECTS; d++)
		for (size_t c = 0; c < EXPORTER_CLUSTERS_MAX; c++)
			x->state[d][c] = (struct state){-1, GROUP_UNKNOWN};
	return x;
}

void exporter_free(struct exporter *x)
{
	if (x == NULL)
		return;
	exposition_free(x->page);
	for (size_t i = 0; i < x->n_others; i++)
		free(x->others[i]);
	for (size_t i = 0; i < x->n_clusters; i++)
		free(x->clusters[i]);
	for (size_t i = 0; i < x->n_topics; i++)
		free(x->topics[i]);
	free(x->topics);
	free(x->cells);
	index_fini(&x->by_topic);
	index_fini(&x->by_cell);
	free(x->group);
	free(x);
}

static const struct known *look_up(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t n = strlen(known[i].name);

		if (len == n && strcmp(name, known[i].name) == 0)
			return &known[i];
		if (exporter_dialects[known[i].dialect].any_prefix && len > n &&
		    name[len - n - 1] == '_' &&
		    strcmp(name + len - n, known[i].name) == 0)
			return &known[i];
	}
	return NULL;
}

/* -1 when there are too many. */
static int cluster_of(struct exporter *x, const struct metric *m)
{
	static const char *const labels[] = {"kafka_cluster", "cluster_name",
					     "cluster"};
	const char *name = NULL;

	for (size_t i = 0; name == NULL && i < ARRAY_LEN(labels); i++)
		name = metric_label(m, labels[i]);
	if (name == NULL)
		name = "";
	for (size_t i = 0; i < x->n_clusters; i++)
		if (strcmp(x->clusters[i], name) == 0)
			return (int)i;
	if (x->n_clusters == EXPORTER_CLUSTERS_MAX)
		return -1;
	x->clusters[x->n_clusters] = mem_strdup(name);
	return (int)x->n_clusters++;
}

static uint32_t topic_get(struct exporter *x, const char *name)
{
	uint64_t hash = hash_fnv64(name, strlen(name), 0);
	uint32_t i = index_first(&x->by_topic, hash);

	while (i != INDEX_NONE && strcmp(x->topics[i], name) != 0)
		i = index_next(&x->by_topic, i);
	if (i != INDEX_NONE)
		return i;
	MEM_GROW(x->topics, x->n_topics, x->cap_topics);
	x->topics[x->n_topics] = mem_strdup(name);
	index_add(&x->by_topic, hash);
	return (uint32_t)x->n_topics++;
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
	return a->cluster == b->cluster && a->topic == b->topic &&
	       a->p.number == b->p.number && a->dialect == b->dialect;
}

/* The cell with the place of `want`, made when there is none; NULL when there are too
 * many. */
static struct cell *cell_get(struct exporter *x, const struct cell *want)
{
	const uint32_t place[] = {want->cluster, want->topic, (uint32_t)want->p.number,
				  want->dialect};
	uint64_t hash = hash_fnv64(place, sizeof(place), 0);
	uint32_t i = index_first(&x->by_cell, hash);

	while (i != INDEX_NONE && !same_cell(&x->cells[i], want))
		i = index_next(&x->by_cell, i);
	if (i != INDEX_NONE)
		return &x->cells[i];
	if (x->n_cells == EXPORTER_CELLS_MAX) {
		x->full = true;
		return NULL;
	}
	MEM_GROW(x->cells, x->n_cells, x->cap_cells);
	x->cells[x->n_cells] = *want;
	index_add(&x->by_cell, hash);
	return &x->cells[x->n_cells++];
}

/* The number, where it is one that messages can be counted with. */
static bool countable(const struct metric *m)
{
	return m->integral || (m->value > -0x1p63 && m->value < 0x1p63);
}

static void put(struct cell *c, bool *has, int64_t *place, bool has_now, int64_t now,
		bool first)
{
	if (!first && (*has != has_now || (has_now && *place != now)))
		c->contradicted = true;
	*has = has_now;
	*place = now;
}

/* The id behind the label, 0 for none. */
static uint64_t member_of(const struct metric *m)
{
	const char *id = metric_label(m, "consumer_id");
	uint64_t hash;

	if (id == NULL || *id == '\0' || strcmp(id, "unknown") == 0)
		return 0;
	hash = hash_fnv64(id, strlen(id), 0);
	return hash != 0 ? hash : 1;
}

static void fill_cell(struct cell *c, enum role role, const struct metric *m)
{
	bool has = countable(m);

	/* An offset is never negative: -1 says that there is none. */
	if (role != ROLE_LAG)
		has = has && m->integer >= 0;
	if (role == ROLE_END) {
		put(c, &c->p.has_end, &c->p.end, has, m->integer, !c->p.has_end);
		return;
	}
	if (role == ROLE_LAG) {
		put(c, &c->p.has_lag, &c->p.lag, has, m->integer,
		    !c->p.has_lag && !c->minus_lag);
		c->minus_lag = has && m->integer == -1;
	} else {
		put(c, &c->p.has_committed, &c->p.committed, has, m->integer,
		    !c->p.has_committed);
		c->minus_offset = countable(m) && m->integer == -1;
	}
	c->listed = true;
	if (c->p.member == 0)
		c->p.member = member_of(m);
}

static void take_partition(struct exporter *x, const struct known *k,
			   const struct metric *m, int cluster)
{
	const char *topic = metric_label(m, exporter_dialects[k->dialect].topic);
	const char *partition =
		metric_label(m, exporter_dialects[k->dialect].partition);
	struct cell want = {.cluster = (uint32_t)cluster,
			    .dialect = (unsigned char)k->dialect};
	struct cell *c;
	int64_t number;

	if (topic == NULL || partition == NULL ||
	    !topic_name_valid(topic, strlen(topic)))
		return;
	number = text_digits((struct span){partition, strlen(partition)},
			     PARTITION_NUMBER_MAX);
	if (number < 0)
		return;
	want.topic = topic_get(x, topic);
	want.p.number = (int32_t)number;
	c = cell_get(x, &want);
	if (c != NULL)
		fill_cell(c, k->role, m);
}

static enum group_state state_of(const char *word)
{
	static const struct {
		const char *word;
		enum group_state state;
	} words[] = {
		{"Stable", GROUP_STABLE},
		{"Empty", GROUP_EMPTY},
		{"PreparingRebalance", GROUP_REBALANCING},
		{"CompletingRebalance", GROUP_REBALANCING},
	};

	for (size_t i = 0; word != NULL && i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].state;
	return GROUP_UNKNOWN;
}

static void note_other(struct exporter *x, const char *group)
{
	for (size_t i = 0; i < x->n_others; i++)
		if (strcmp(x->others[i], group) == 0)
			return;
	if (x->n_others < EXPORTER_NAMED)
		x->others[x->n_others++] = mem_strdup(group);
}

static void take_group(struct exporter *x, const struct known *k,
		       const struct metric *m, int cluster)
{
	struct state *s = &x->state[k->dialect][cluster];

	x->has_group[k->dialect] = true;
	switch (k->role) {
	case ROLE_MEMBERS:
		if (countable(m) && m->integer >= 0 && m->integer <= INT32_MAX)
			s->members = (int32_t)m->integer;
		break;
	case ROLE_STATE:
		if (m->value != 0)
			s->said = state_of(metric_label(m, "state"));
		break;
	case ROLE_TOPIC_SUM:
		x->topic_sum[k->dialect] += countable(m) ? m->integer : 0;
		x->topic_sums[k->dialect] += countable(m);
		break;
	case ROLE_GROUP_SUM:
		x->group_sum[k->dialect] += countable(m) ? m->integer : 0;
		x->group_sums[k->dialect] += countable(m);
		break;
	case ROLE_LAG:
	case ROLE_COMMITTED:
	case ROLE_END:
		take_partition(x, k, m, cluster);
		break;
	}
}

static void take(void *arg, const struct metric *m)
{
	struct exporter *x = arg;
	const struct known *k = look_up(m->name);
	const char *group;
	int cluster;

	if (k == NULL)
		return;
	group = metric_label(m, exporter_dialects[k->dialect].group);
	if (k->role != ROLE_END && group == NULL)
		return;
	x->seen[k->dialect] = true;
	if (k->role != ROLE_END && strcmp(group, x->group) != 0) {
		note_other(x, group);
		return;
	}
	cluster = cluster_of(x, m);
	if (cluster < 0)
		x->full = true;
	else if (k->role == ROLE_END)
		take_partition(x, k, m, cluster);
	else
		take_group(x, k, m, cluster);
}

static int check_size(const struct exporter *x, struct err *err)
{
	return !x->full ? 0
			: err_set(err, ERR_REJECT,
				  "the page has more than %d partitions or %d "
				  "clusters; filter them in the exporter",
				  EXPORTER_CELLS_MAX, EXPORTER_CLUSTERS_MAX);
}

int exporter_feed(struct exporter *x, const char *data, size_t len, struct err *err)
{
	int rc = exposition_feed(x->page, data, len, err);

	return rc != 0 ? rc : check_size(x, err);
}

/* What the numbers mean, once all are there. */
static void settle(struct cell *c)
{
	/* kafka_exporter's page may lack the offsets. */
	bool alone = c->dialect == KAFKA_EXPORTER && !c->p.has_committed;

	if (c->minus_lag && (c->minus_offset || alone))
		c->p.has_lag = false;
	/* kminion does not show offsets; its lag is worked out from the very log end
	 * that it shows. */
	if (c->dialect == KMINION && c->p.has_lag && c->p.has_end && c->p.lag >= 0 &&
	    c->p.lag <= c->p.end) {
		c->p.has_committed = true;
		c->p.committed = c->p.end - c->p.lag;
	}
}

int exporter_end(struct exporter *x, bool whole, struct err *err)
{
	int rc = exposition_end(x->page, whole, err);

	for (size_t i = 0; i < x->n_cells; i++)
		settle(&x->cells[i]);
	return rc != 0 ? rc : check_size(x, err);
}
