/* SPDX-License-Identifier: MIT
 * burrow_group: what Burrow tells of a consumer group: its commits, its status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "serve/burrow_int.h"

#include "banned.h"

#define HOLES_MAX 10000 /* partitions without a row, written as empty ones */

static bool in_group(const struct view *v, const char *cluster, const char *group)
{
	return burrow_knows(v, cluster) && strcmp(v->name.group, group) == 0;
}

static int64_t current_lag(const struct partition *row)
{
	return row->has_lag && row->lag > 0 ? row->lag : 0;
}

static void write_commit(struct jsonw *w, const struct view *v, const struct commit *c)
{
	int64_t t = c->time_ms + v->mono_to_wall_ms;

	jsonw_object(w);
	jsonw_key_int(w, "offset", c->offset);
	jsonw_key_int(w, "timestamp", t);
	jsonw_key_int(w, "observedAt", t);
	jsonw_key(w, "lag");
	if (c->lag != LAG_UNKNOWN)
		jsonw_int(w, c->lag);
	else
		jsonw_null(w);
	jsonw_end(w);
}

static void write_consumer_partition(struct jsonw *w, const struct view *v, size_t i)
{
	const struct partition_state *p = &v->partitions[i];

	jsonw_object(w);
	jsonw_key(w, "offsets");
	jsonw_array(w);
	for (int32_t c = 0; c < p->n_commits; c++)
		write_commit(w, v, &p->commits[c]);
	jsonw_end(w);
	jsonw_key_str(w, "owner", "");
	jsonw_key_str(w, "client_id", "");
	jsonw_key_int(w, "current-lag", current_lag(&v->sample.rows[i]));
	jsonw_end(w);
}

/* Burrow knows of the partitions that the group has nothing to do with; we know of
 * those below the last row, and of as many as the configuration expects. */
static int32_t holes_of(const struct view *v)
{
	size_t n = v->sample.n;
	int64_t count = n > 0 ? (int64_t)v->sample.rows[n - 1].number + 1 : 0;

	if (v->config != NULL && n > 0 && v->config->partitions > count)
		count = v->config->partitions;
	count -= (int64_t)n;
	return count > HOLES_MAX ? HOLES_MAX : (int32_t)count;
}

/* Hand each of a topic's partitions to `row`, and each hole between and behind them to
 * `hole`, in order. */
static void walk(struct jsonw *w, const struct view *v,
		 void (*row)(struct jsonw *, const struct view *, size_t),
		 void (*hole)(struct jsonw *, const struct view *, int32_t))
{
	int32_t place = 0, holes = holes_of(v);

	for (size_t i = 0; i < v->sample.n; i++, place++) {
		for (; place < v->sample.rows[i].number && holes > 0; place++, holes--)
			hole(w, v, place);
		row(w, v, i);
		place = v->sample.rows[i].number;
	}
	for (; holes > 0; place++, holes--)
		hole(w, v, place);
}

static void write_consumer_hole(struct jsonw *w, const struct view *v, int32_t place)
{
	static const char hole[] =
		"{\"offsets\":[],\"owner\":\"\",\"client_id\":\"\",\"current-lag\":0}";

	(void)v;
	(void)place;
	jsonw_raw(w, hole, sizeof(hole) - 1);
}

/* The place in the array is the partition's number. */
static void write_consumer_topic(struct jsonw *w, const struct view *v)
{
	jsonw_key(w, v->name.topic);
	jsonw_array(w);
	walk(w, v, write_consumer_partition, write_consumer_hole);
	jsonw_end(w);
}

unsigned burrow_consumer(struct burrow *b, const char *cluster, const char *group)
{
	bool found = false;

	for (size_t i = 0; i < b->views->n; i++)
		found |= in_group(b->views->v[i], cluster, group);
	if (!found)
		return burrow_not_found(b, "cluster or consumer not found");
	burrow_begin(b, false, "consumer detail returned");
	jsonw_key(&b->w, "topics");
	jsonw_object(&b->w);
	for (size_t i = 0; i < b->views->n; i++)
		if (in_group(b->views->v[i], cluster, group))
			write_consumer_topic(&b->w, b->views->v[i]);
	jsonw_end(&b->w);
	return burrow_end(b);
}

/* ---- a group's status ---- */

/* As Go prints a 32-bit float: as few digits as tell it from its neighbours. */
static void write_share(struct jsonw *w, double share)
{
	char text[32];

	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)(float)share);
		if (strtof(text, NULL) == (float)share)
			break;
	}
	jsonw_raw(w, text, strlen(text));
}

static void write_end(struct jsonw *w, const char *key, const struct view *v,
		      const struct partition_state *p, int32_t which)
{
	jsonw_key(w, key);
	if (p->n_commits > 0)
		write_commit(w, v, &p->commits[which]);
	else
		jsonw_null(w);
}

static void write_partition(struct jsonw *w, const struct view *v, size_t i)
{
	const struct partition_state *p = &v->partitions[i];

	jsonw_object(w);
	jsonw_key_str(w, "topic", v->name.topic);
	jsonw_key_int(w, "partition", v->sample.rows[i].number);
	jsonw_key_str(w, "owner", "");
	jsonw_key_str(w, "client_id", "");
	jsonw_key_str(w, "status", verdict_name(p->verdict));
	write_end(w, "start", v, p, 0);
	write_end(w, "end", v, p, p->n_commits - 1);
	jsonw_key_int(w, "current_lag", current_lag(&v->sample.rows[i]));
	jsonw_key(w, "complete");
	write_share(w, p->complete);
	jsonw_end(w);
}

static void write_hole(struct jsonw *w, const struct view *v, int32_t place)
{
	jsonw_object(w);
	jsonw_key_str(w, "topic", v->name.topic);
	jsonw_key_int(w, "partition", place);
	jsonw_key_str(w, "owner", "");
	jsonw_key_str(w, "client_id", "");
	jsonw_key_str(w, "status", verdict_name(VERDICT_OK));
	jsonw_key_str(w, "start", NULL);
	jsonw_key_str(w, "end", NULL);
	jsonw_key_int(w, "current_lag", 0);
	jsonw_key_int(w, "complete", 0);
	jsonw_end(w);
}

struct group_status {
	enum verdict worst;
	size_t partitions, complete;
	int64_t total;               /* of current lags; saturates */
	const struct view *max_view; /* NULL: no partition */
	size_t max;
};

static void sum_up(struct group_status *g, const struct view *v)
{
	g->partitions += (size_t)holes_of(v);
	for (size_t i = 0; i < v->sample.n; i++) {
		int64_t lag = current_lag(&v->sample.rows[i]);

		if (v->partitions[i].verdict > g->worst)
			g->worst = v->partitions[i].verdict;
		g->partitions++;
		g->complete += v->partitions[i].complete >= 1.0;
		if (__builtin_add_overflow(g->total, lag, &g->total))
			g->total = INT64_MAX;
		if (g->max_view == NULL ||
		    lag > current_lag(&g->max_view->sample.rows[g->max])) {
			g->max_view = v;
			g->max = i;
		}
	}
}

static void write_partitions(struct burrow *b, const char *cluster, const char *group,
			     bool all)
{
	jsonw_key(&b->w, "partitions");
	jsonw_array(&b->w);
	for (size_t i = 0; i < b->views->n; i++) {
		const struct view *v = b->views->v[i];

		if (!in_group(v, cluster, group))
			continue;
		if (all)
			walk(&b->w, v, write_partition, write_hole);
		for (size_t j = 0; !all && j < v->sample.n; j++)
			if (v->partitions[j].verdict > VERDICT_OK)
				write_partition(&b->w, v, j);
	}
	jsonw_end(&b->w);
}

unsigned burrow_status(struct burrow *b, const char *cluster, const char *group,
		       bool all)
{
	struct group_status g = {.worst = VERDICT_OK};
	struct jsonw *w = &b->w;
	bool found = false;

	for (size_t i = 0; i < b->views->n; i++)
		if (in_group(b->views->v[i], cluster, group)) {
			sum_up(&g, b->views->v[i]);
			found = true;
		}
	burrow_begin(b, false, "consumer status returned");
	jsonw_key(w, "status");
	jsonw_object(w);
	jsonw_key_str(w, "cluster", cluster);
	jsonw_key_str(w, "group", group);
	jsonw_key_str(w, "status",
		      !found ? "NOTFOUND"
			     : verdict_name(g.worst > VERDICT_ERR ? VERDICT_ERR
								  : g.worst));
	jsonw_key(w, "complete");
	write_share(w, !found             ? 1
		       : g.partitions > 0 ? (double)g.complete / (double)g.partitions
					  : 0);
	write_partitions(b, cluster, group, all);
	jsonw_key_int(w, "partition_count", (int64_t)g.partitions);
	jsonw_key(w, "maxlag");
	if (g.max_view != NULL)
		write_partition(w, g.max_view, g.max);
	else
		jsonw_null(w);
	jsonw_key_int(w, "totallag", g.total);
	jsonw_end(w);
	burrow_end(b);
	return found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND;
}
