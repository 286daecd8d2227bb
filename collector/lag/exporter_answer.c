/* SPDX-License-Identifier: MIT */
#include "lag/exporter_int.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lag/table_int.h"

#include "banned.h"

/* The dialect that has the group; of several the one with the most partitions. */
static int chosen(const struct exporter *x)
{
	size_t rows[DIALECTS] = {0};
	int best = -1;

	for (size_t i = 0; i < x->n_cells; i++)
		rows[x->cells[i].dialect] += x->cells[i].listed;
	for (int d = 0; d < DIALECTS; d++)
		if (x->has_group[d] && (best < 0 || rows[d] > rows[best]))
			best = d;
	return best;
}

const char *exporter_dialect(const struct exporter *x)
{
	int d = chosen(x);

	for (int i = 0; d < 0 && i < DIALECTS; i++)
		if (x->seen[i])
			d = i;
	return d >= 0 ? exporter_dialects[d].name : NULL;
}

/* Why no dialect has the group. */
static void no_group(const struct exporter *x, struct gap *gap)
{
	struct buf b = BUF_INIT(4096);

	for (size_t i = 0; i < x->n_others; i++)
		buf_printf(&b, "%s'%s'", i == 0 ? "; there are " : ", ", x->others[i]);
	if (exporter_dialect(x) == NULL)
		gap_set(gap, REASON_SOURCE_ERROR,
			"no consumer group's lag is on the page: it is none of "
			"kafka_exporter, kminion, kafka-lag-exporter, Burrow, or "
			"prometheus-kafka-consumer-group-exporter");
	else
		gap_set(gap, REASON_GROUP_NOT_FOUND,
			"group '%s' is not on the page of %s%s", x->group,
			exporter_dialect(x), buf_str(&b));
	buf_free(&b);
}

/* The cluster to be taken: -1 with `gap` when that is not clear. */
static int choose_cluster(const struct exporter *x, int dialect, const char *cluster,
			  struct gap *gap)
{
	struct buf b = BUF_INIT(4096);
	bool has[EXPORTER_CLUSTERS_MAX] = {false};
	int found = -1, n = 0;
	bool named = false;

	for (size_t i = 0; i < x->n_cells; i++)
		if (x->cells[i].listed && x->cells[i].dialect == dialect)
			has[x->cells[i].cluster] = true;
	for (int i = 0; i < (int)x->n_clusters && !named; i++) {
		if (!has[i])
			continue;
		named = cluster != NULL && strcmp(x->clusters[i], cluster) == 0;
		if (n < EXPORTER_NAMED)
			buf_printf(&b, "%s'%s'", n > 0 ? ", " : "", x->clusters[i]);
		found = i;
		n++;
	}
	if (n > 1 && !named) {
		gap_set(gap, REASON_SOURCE_ERROR,
			"the page has group '%s' in %d clusters (%s): set the topic's "
			"`cluster` to one of them",
			x->group, n, buf_str(&b));
		found = -1;
	} else if (n == 0) {
		gap_set(gap, REASON_TOPIC_ABSENT,
			"the page of %s knows group '%s', but no partition of it",
			exporter_dialects[dialect].name, x->group);
	}
	buf_free(&b);
	return found;
}

static bool contradicts(const struct exporter *x, const struct cell *c, struct gap *gap)
{
	if (!c->contradicted)
		return false;
	gap_set(gap, REASON_SOURCE_ERROR,
		"the page has two different numbers for partition %d of %s; are two "
		"exporters behind this address?",
		(int)c->p.number, x->topics[c->topic]);
	return true;
}

static void add_group(const struct exporter *x, struct table *t, uint32_t g,
		      int dialect, int cluster)
{
	const struct state *s = &x->state[dialect][cluster];

	table_count_members(t);
	if (s->members >= 0)
		t->groups[g].members = s->members;
	t->groups[g].said = s->said;
	if (s->members == 0)
		t->groups[g].said = GROUP_EMPTY;
}

static void add_rows(const struct exporter *x, struct table *t, int dialect,
		     int cluster)
{
	struct span group = text_rtrim((struct span){x->group, strlen(x->group)});
	uint32_t g = table_group_get(t, group);

	for (size_t i = 0; i < x->n_cells; i++) {
		const struct cell *c = &x->cells[i];
		const char *topic = x->topics[c->topic];

		if (c->dialect != dialect || (int)c->cluster != cluster || !c->listed)
			continue;
		if (contradicts(x, c, &t->failure))
			return;
		if (c->p.member != 0)
			table_member_add(t, g, c->p.member);
		table_row_add(t, g, (struct span){topic, strlen(topic)}, &c->p,
			      dialect == LAG_EXPORTER);
	}
	add_group(x, t, g, dialect, cluster);
}

struct table *exporter_table(struct exporter *x, const char *cluster)
{
	struct table *t = mem_calloc(1, sizeof(*t));
	int dialect = chosen(x);
	int c;

	t->wanted = mem_strdup(x->group);
	t->stateless = true;
	if (dialect < 0) {
		no_group(x, &t->failure);
		return t;
	}
	c = choose_cluster(x, dialect, cluster, &t->failure);
	if (c >= 0)
		add_rows(x, t, dialect, c);
	return t;
}

static int64_t saturate(__int128 v)
{
	return v > INT64_MAX ? INT64_MAX : v < INT64_MIN ? INT64_MIN : (int64_t)v;
}

bool exporter_total(struct exporter *x, struct exporter_total *out, struct gap *gap)
{
	int d = chosen(x);
	__int128 sum = 0;
	size_t rows = 0;

	*out = (struct exporter_total){0};
	if (d < 0) {
		no_group(x, gap);
		return false;
	}
	for (size_t i = 0; i < x->n_cells; i++) {
		const struct cell *c = &x->cells[i];

		if (c->dialect != d || !c->listed)
			continue;
		if (contradicts(x, c, gap))
			return false;
		sum += c->p.has_lag ? c->p.lag : 0;
		out->without += !c->p.has_lag;
		rows++;
	}
	out->partitions = rows;
	if (rows == 0 && x->topic_sums[d] > 0)
		sum = x->topic_sum[d];
	else if (rows == 0 && x->group_sums[d] > 0)
		sum = x->group_sum[d];
	else if (rows == out->without) {
		gap_set(gap, REASON_NO_OFFSETS,
			"group '%s' is on the page of %s, but without any lag",
			x->group, exporter_dialects[d].name);
		return false;
	}
	out->lag = saturate(sum);
	return true;
}
