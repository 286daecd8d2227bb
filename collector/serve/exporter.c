/* SPDX-License-Identifier: MIT
 * exporter: what kafka_exporter 1.9 would show of the followed groups, under its names,
 * labels, help and conventions: a partition without an offset is -1 in both
 * current_offset and lag; that -1 goes into the sum of the offsets and not into that of
 * the lags; a topic of which the group has no offset at all is left out; a topic that
 * several groups read has its own series once. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/prom_int.h"
#include "serve/serve_int.h"

#include "banned.h"

/* Is anything known of what the group has read? */
static bool is_consumed(const struct view *v)
{
	for (size_t i = 0; i < v->sample.n; i++)
		if (v->sample.rows[i].has_committed || v->sample.rows[i].has_lag)
			return true;
	return false;
}

static bool is_shown(const struct board_views *views, size_t i)
{
	return prom_has_data(views, i) && is_consumed(views->v[i]);
}

static struct prom_labels labels_of(const struct view *v, int64_t partition)
{
	return (struct prom_labels){v->name.group, v->name.cluster, v->name.topic,
				    partition, NULL};
}

/* Neither offset nor lag: nothing was committed. */
static bool is_uncommitted(const struct partition *row)
{
	return !row->has_committed && !row->has_lag;
}

static void partition_offsets(struct prom *p, const struct view *v)
{
	for (size_t i = 0; i < v->sample.n; i++) {
		const struct partition *row = &v->sample.rows[i];
		const struct prom_labels l = labels_of(v, row->number);

		if (!row->has_committed && !is_uncommitted(row))
			continue; /* a lag alone: its offset was not said */
		prom_series(p, &l);
		prom_int(p, row->has_committed ? row->committed : -1);
	}
}

/* Saturates: what a host prints may be any number. */
static int64_t plus(int64_t a, int64_t b)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return b > 0 ? INT64_MAX : INT64_MIN;
	return sum;
}

static void offset_sum(struct prom *p, const struct view *v)
{
	const struct prom_labels l = labels_of(v, -1);
	int64_t sum = 0;
	bool known = false;

	for (size_t i = 0; i < v->sample.n; i++) {
		const struct partition *row = &v->sample.rows[i];

		known |= row->has_committed;
		if (row->has_committed || is_uncommitted(row))
			sum = plus(sum, row->has_committed ? row->committed : -1);
	}
	if (!known)
		return;
	prom_series(p, &l);
	prom_int(p, sum);
}

static void partition_lags(struct prom *p, const struct view *v)
{
	for (size_t i = 0; i < v->sample.n; i++) {
		const struct partition *row = &v->sample.rows[i];
		const struct prom_labels l = labels_of(v, row->number);

		if (!row->has_lag && !is_uncommitted(row))
			continue; /* committed, but the log's end is not known */
		prom_series(p, &l);
		prom_int(p, row->has_lag ? row->lag : -1);
	}
}

static void lag_sum(struct prom *p, const struct view *v)
{
	const struct prom_labels l = labels_of(v, -1);

	prom_series(p, &l);
	prom_int(p, v->totals.with_lag > 0 ? v->totals.sum : 0);
}

static bool same_group(const struct view *a, const struct view *b)
{
	return strcmp(a->name.group, b->name.group) == 0 &&
	       strcmp(a->name.cluster, b->name.cluster) == 0;
}

/* A group's topics stand side by side; the newest look at any of them counts. */
static void members(struct prom *p, const struct board_views *views)
{
	for (size_t i = 0, end; i < views->n; i = end) {
		const struct view *newest = NULL;

		for (end = i; end < views->n && same_group(views->v[i], views->v[end]);
		     end++) {
			const struct view *v = views->v[end];

			if (prom_has_data(views, end) && v->sample.members >= 0 &&
			    (newest == NULL ||
			     v->sample.taken.ms > newest->sample.taken.ms))
				newest = v;
		}
		if (newest != NULL) {
			prom_series(p, &(struct prom_labels){newest->name.group,
							     newest->name.cluster, NULL,
							     -1, NULL});
			prom_int(p, newest->sample.members);
		}
	}
}

/* ---- what belongs to a topic, whoever reads it ---- */

struct end { /* of one partition's log, as one group's sample had it */
	const struct view *view;
	const struct partition *row;
};

static int by_topic(const struct end *x, const struct end *y)
{
	int c = strcmp(x->view->name.cluster, y->view->name.cluster);

	return c != 0 ? c : strcmp(x->view->name.topic, y->view->name.topic);
}

/* Known ends first, the newest of them before the others. */
static int by_partition(const void *a, const void *b)
{
	const struct end *x = a, *y = b;
	int c = by_topic(x, y);

	if (c == 0)
		c = (x->row->number > y->row->number) -
		    (x->row->number < y->row->number);
	if (c == 0)
		c = y->row->has_end - x->row->has_end;
	if (c == 0)
		c = (x->view->sample.taken.ms < y->view->sample.taken.ms) -
		    (x->view->sample.taken.ms > y->view->sample.taken.ms);
	return c;
}

struct ends {
	struct end *v;
	size_t n, cap;
};

/* One for each partition that any group's sample shows. */
static struct ends ends_of(const struct board_views *views)
{
	struct ends e = {NULL, 0, 0};
	size_t kept = 0;

	for (size_t i = 0; i < views->n; i++) {
		const struct view *v = views->v[i];

		for (size_t j = 0; prom_has_data(views, i) && j < v->sample.n; j++) {
			MEM_GROW(e.v, e.n, e.cap);
			e.v[e.n++] = (struct end){v, &v->sample.rows[j]};
		}
	}
	if (e.n > 1)
		qsort(e.v, e.n, sizeof(*e.v), by_partition);
	for (size_t i = 0; i < e.n; i++)
		if (kept == 0 || by_topic(&e.v[kept - 1], &e.v[i]) != 0 ||
		    e.v[kept - 1].row->number != e.v[i].row->number)
			e.v[kept++] = e.v[i];
	e.n = kept;
	return e;
}

static void log_ends(struct prom *p, const struct ends *e)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct view *v = e->v[i].view;

		if (!e->v[i].row->has_end)
			continue;
		prom_series(p,
			    &(struct prom_labels){NULL, v->name.cluster, v->name.topic,
						  e->v[i].row->number, NULL});
		prom_int(p, e->v[i].row->end);
	}
}

static void partition_counts(struct prom *p, const struct ends *e)
{
	for (size_t i = 0, end; i < e->n; i = end) {
		const struct view *v = e->v[i].view;

		for (end = i + 1; end < e->n && by_topic(&e->v[i], &e->v[end]) == 0;)
			end++;
		prom_series(p, &(struct prom_labels){NULL, v->name.cluster,
						     v->name.topic, -1, NULL});
		prom_int(p, (int64_t)(end - i));
	}
}

/* ---- all of it, families in order of their names ---- */

static const struct {
	const char *family, *help;
	void (*write)(struct prom *, const struct view *);
} of_groups[] = {
	{"kafka_consumergroup_current_offset",
	 "Current Offset of a ConsumerGroup at Topic/Partition", partition_offsets},
	{"kafka_consumergroup_current_offset_sum",
	 "Current Offset of a ConsumerGroup at Topic for all partitions", offset_sum},
	{"kafka_consumergroup_lag",
	 "Current Approximate Lag of a ConsumerGroup at Topic/Partition",
	 partition_lags},
	{"kafka_consumergroup_lag_sum",
	 "Current Approximate Lag of a ConsumerGroup at Topic for all partitions",
	 lag_sum},
};

void exporter_write(const struct board_views *views, bool several_clusters,
		    struct buf *out)
{
	struct prom p = {.out = out, .several_clusters = several_clusters};
	struct ends ends = ends_of(views);

	for (size_t f = 0; f < ARRAY_LEN(of_groups); f++) {
		prom_family(&p, of_groups[f].family, "gauge", of_groups[f].help);
		for (size_t i = 0; i < views->n; i++)
			if (is_shown(views, i))
				of_groups[f].write(&p, views->v[i]);
	}
	prom_family(&p, "kafka_consumergroup_members", "gauge",
		    "Amount of members in a consumer group");
	members(&p, views);
	prom_family(&p, "kafka_topic_partition_current_offset", "gauge",
		    "Current Offset of a Broker at Topic/Partition");
	log_ends(&p, &ends);
	prom_family(&p, "kafka_topic_partitions", "gauge",
		    "Number of partitions for this Topic");
	partition_counts(&p, &ends);
	free(ends.v);
}
