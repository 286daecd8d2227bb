/* SPDX-License-Identifier: MIT
 * burrow: Burrow's REST API v3, read only: the paths, bodies, key order and words of
 * Burrow 1.9. What Burrow keeps of commits is the window that our rules saw; a topic
 * without data repeats what was known last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "serve/burrow_int.h"

#include "banned.h"

#define HOLES_MAX 10000 /* partitions without a row, written as empty ones */

/* ---- envelope ---- */

void burrow_begin(struct burrow *b, bool error, const char *message)
{
	jsonw_object(&b->w);
	jsonw_key(&b->w, "error");
	jsonw_bool(&b->w, error);
	jsonw_key_str(&b->w, "message", message);
}

void burrow_request(struct burrow *b)
{
	jsonw_key(&b->w, "request");
	jsonw_object(&b->w);
	jsonw_key_str(&b->w, "url", b->target->path);
	jsonw_key_str(&b->w, "host", b->serve->host);
	jsonw_end(&b->w);
}

static unsigned end(struct burrow *b)
{
	burrow_request(b);
	jsonw_end(&b->w);
	return MHD_HTTP_OK;
}

static unsigned not_found(struct burrow *b, const char *message)
{
	burrow_begin(b, true, message);
	end(b);
	return MHD_HTTP_NOT_FOUND;
}

/* ---- what there is ---- */

/* The first topic of a cluster that is configured; NULL when there is no such cluster.
 */
static const struct config_topic *find_cluster(const struct burrow *b, const char *name)
{
	const struct config *c = b->serve->parts.config;

	for (size_t i = 0; i < c->topic_count; i++)
		if (strcmp(c->topics[i].cluster, name) == 0)
			return &c->topics[i];
	return NULL;
}

/* A topic that has had a sample: others Burrow would not know. */
static bool is_known(const struct view *v, const char *cluster)
{
	return v->partitions != NULL && *v->name.topic != '\0' &&
	       strcmp(v->name.cluster, cluster) == 0;
}

static bool in_group(const struct view *v, const char *cluster, const char *group)
{
	return is_known(v, cluster) && strcmp(v->name.group, group) == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different ones of `n` names, as an array of JSON. */
static void write_names(struct burrow *b, const char *key, const char **names, size_t n)
{
	if (n > 1)
		qsort(names, n, sizeof(*names), by_text);
	jsonw_key(&b->w, key);
	jsonw_array(&b->w);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			jsonw_str(&b->w, names[i]);
	jsonw_end(&b->w);
}

static unsigned list_clusters(struct burrow *b, const char *message, const char *key)
{
	const struct config *c = b->serve->parts.config;
	const char **names = mem_calloc(c->topic_count + 1, sizeof(*names));

	for (size_t i = 0; i < c->topic_count; i++)
		names[i] = c->topics[i].cluster;
	burrow_begin(b, false, message);
	if (strcmp(key, "modules") == 0) {
		burrow_request(b);
		jsonw_key_str(&b->w, "coordinator", "cluster");
	}
	write_names(b, key, names, c->topic_count);
	if (strcmp(key, "modules") == 0)
		jsonw_end(&b->w);
	else
		end(b);
	free(names);
	return MHD_HTTP_OK;
}

/* Topics or groups of a cluster; of those only what reads `topic`, unless NULL. */
static unsigned list(struct burrow *b, const char *cluster, const char *topic,
		     bool groups, const char *message)
{
	const char **names = mem_calloc(b->views->n + 1, sizeof(*names));
	size_t n = 0;

	if (find_cluster(b, cluster) == NULL) {
		free(names);
		return not_found(b, "cluster not found");
	}
	for (size_t i = 0; i < b->views->n; i++) {
		const struct view *v = b->views->v[i];

		if (is_known(v, cluster) &&
		    (topic == NULL || strcmp(v->name.topic, topic) == 0))
			names[n++] = groups ? v->name.group : v->name.topic;
	}
	burrow_begin(b, false, message);
	write_names(b, groups ? "consumers" : "topics", names, n);
	free(names);
	return end(b);
}

/* ---- a cluster ---- */

static void write_servers(struct burrow *b, const char *servers)
{
	jsonw_key(&b->w, "servers");
	jsonw_array(&b->w);
	while (servers != NULL && *servers != '\0') {
		size_t n = strcspn(servers, ",");

		jsonw_strn(&b->w, servers, n);
		servers += n + (servers[n] == ',');
	}
	jsonw_end(&b->w);
}

static unsigned cluster_detail(struct burrow *b, const char *cluster)
{
	const struct config_topic *t = find_cluster(b, cluster);
	struct jsonw *w = &b->w;

	if (t == NULL)
		return not_found(b, "cluster module not found");
	burrow_begin(b, false, "cluster module detail returned");
	jsonw_key(w, "module");
	jsonw_object(w);
	jsonw_key_str(w, "class-name", "kafka");
	write_servers(b, t->bootstrap_server);
	jsonw_key(w, "client-profile");
	jsonw_object(w);
	jsonw_key_str(w, "name", "");
	jsonw_key_str(w, "client-id", "mmlag");
	jsonw_key_str(w, "kafka-version", "");
	jsonw_key_str(w, "tls", NULL);
	jsonw_key_str(w, "sasl", NULL);
	jsonw_end(w);
	jsonw_key_int(w, "topic-refresh", (t->interval_ms + 999) / 1000);
	jsonw_key_int(w, "offset-refresh", (t->interval_ms + 999) / 1000);
	jsonw_end(w);
	return end(b);
}

/* ---- a topic ---- */

static unsigned topic_offsets(struct burrow *b, const char *cluster, const char *topic)
{
	const struct view *newest = NULL;

	for (size_t i = 0; i < b->views->n; i++) {
		const struct view *v = b->views->v[i];

		if (is_known(v, cluster) && strcmp(v->name.topic, topic) == 0 &&
		    (newest == NULL || v->sample.taken.ms > newest->sample.taken.ms))
			newest = v;
	}
	if (newest == NULL)
		return not_found(b, "cluster or topic not found");
	burrow_begin(b, false, "topic offsets returned");
	jsonw_key(&b->w, "offsets");
	jsonw_array(&b->w);
	for (size_t i = 0; i < newest->sample.n; i++)
		if (newest->sample.rows[i].has_end)
			jsonw_int(&b->w, newest->sample.rows[i].end);
	jsonw_end(&b->w);
	return end(b);
}

/* ---- a group ---- */

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

/* The place in the array is the partition's number. */
static void write_consumer_topic(struct jsonw *w, const struct view *v)
{
	static const char hole[] =
		"{\"offsets\":[],\"owner\":\"\",\"client_id\":\"\",\"current-lag\":0}";
	int32_t place = 0, holes = 0;

	jsonw_key(w, v->name.topic);
	jsonw_array(w);
	for (size_t i = 0; i < v->sample.n; i++, place++) {
		for (; place < v->sample.rows[i].number && holes < HOLES_MAX; place++) {
			jsonw_raw(w, hole, sizeof(hole) - 1);
			holes++;
		}
		write_consumer_partition(w, v, i);
	}
	jsonw_end(w);
}

static unsigned consumer_detail(struct burrow *b, const char *cluster,
				const char *group)
{
	bool found = false;

	for (size_t i = 0; i < b->views->n; i++)
		found |= in_group(b->views->v[i], cluster, group);
	if (!found)
		return not_found(b, "cluster or consumer not found");
	burrow_begin(b, false, "consumer detail returned");
	jsonw_key(&b->w, "topics");
	jsonw_object(&b->w);
	for (size_t i = 0; i < b->views->n; i++)
		if (in_group(b->views->v[i], cluster, group))
			write_consumer_topic(&b->w, b->views->v[i]);
	jsonw_end(&b->w);
	return end(b);
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

struct group_status {
	enum verdict worst;
	size_t partitions, complete;
	int64_t total;               /* of current lags; saturates */
	const struct view *max_view; /* NULL: no partition */
	size_t max;
};

static void sum_up(struct group_status *g, const struct view *v)
{
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

		for (size_t j = 0; in_group(v, cluster, group) && j < v->sample.n; j++)
			if (all || v->partitions[j].verdict > VERDICT_OK)
				write_partition(&b->w, v, j);
	}
	jsonw_end(&b->w);
}

static unsigned group_status(struct burrow *b, const char *cluster, const char *group,
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
	end(b);
	return found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND;
}

/* ---- paths ---- */

static unsigned invalid(struct buf *out, const char **type)
{
	buf_addstr(out, "{\"error\":true,\"message\":\"invalid request type\","
			"\"result\":{}}\n");
	*type = TYPE_TEXT;
	return MHD_HTTP_NOT_FOUND;
}

static bool is(const struct target *t, size_t i, const char *text)
{
	return i < t->n && strcmp(t->segment[i], text) == 0;
}

/* Below /v3/kafka/CLUSTER; 0 when there is no such path. */
static unsigned of_cluster(struct burrow *b)
{
	const struct target *t = b->target;
	char *const *s = t->segment;

	if (t->n == 3)
		return cluster_detail(b, s[2]);
	if (is(t, 3, "topic")) {
		if (t->n == 4)
			return list(b, s[2], NULL, false, "topic list returned");
		if (t->n == 5)
			return topic_offsets(b, s[2], s[4]);
		if (t->n == 6 && is(t, 5, "consumers"))
			return list(b, s[2], s[4], true, "consumers of topic returned");
	}
	if (is(t, 3, "consumer")) {
		if (t->n == 4)
			return list(b, s[2], NULL, true, "consumer list returned");
		if (t->n == 5)
			return consumer_detail(b, s[2], s[4]);
		if (t->n == 6 && (is(t, 5, "status") || is(t, 5, "lag")))
			return group_status(b, s[2], s[4], is(t, 5, "lag"));
	}
	return 0;
}

unsigned burrow_answer(const struct scene *scene, struct buf *out, const char **type)
{
	const struct target *t = scene->target;
	struct burrow b = {jsonw_start(out), scene->serve, scene->views, t};
	unsigned status = 0;

	*type = TYPE_JSON;
	if (is(t, 1, "kafka") && t->n == 2)
		status = list_clusters(&b, "cluster list returned", "clusters");
	else if (is(t, 1, "kafka"))
		status = of_cluster(&b);
	else if (is(t, 1, "config") && t->n == 2)
		status = burrow_config(&b);
	else if (is(t, 1, "config") && is(t, 2, "cluster") && t->n == 3)
		status = list_clusters(&b, "module list returned", "modules");
	else if (is(t, 1, "config") && is(t, 2, "cluster") && t->n == 4)
		status = cluster_detail(&b, t->segment[3]);
	return status != 0 ? status : invalid(out, type);
}
