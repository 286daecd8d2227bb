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

unsigned burrow_end(struct burrow *b)
{
	burrow_request(b);
	jsonw_end(&b->w);
	return MHD_HTTP_OK;
}

unsigned burrow_not_found(struct burrow *b, const char *message)
{
	burrow_begin(b, true, message);
	burrow_end(b);
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

bool burrow_knows(const struct view *v, const char *cluster)
{
	return v->partitions != NULL && *v->name.topic != '\0' &&
	       strcmp(v->name.cluster, cluster) == 0;
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
		burrow_end(b);
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
		return burrow_not_found(b, "cluster not found");
	}
	for (size_t i = 0; i < b->views->n; i++) {
		const struct view *v = b->views->v[i];

		if (burrow_knows(v, cluster) &&
		    (topic == NULL || strcmp(v->name.topic, topic) == 0))
			names[n++] = groups ? v->name.group : v->name.topic;
	}
	burrow_begin(b, false, message);
	write_names(b, groups ? "consumers" : "topics", names, n);
	free(names);
	return burrow_end(b);
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
		return burrow_not_found(b, "cluster module not found");
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
	return burrow_end(b);
}

/* ---- a topic ---- */

static unsigned topic_offsets(struct burrow *b, const char *cluster, const char *topic)
{
	const struct view *newest = NULL;

	for (size_t i = 0; i < b->views->n; i++) {
		const struct view *v = b->views->v[i];

		if (burrow_knows(v, cluster) && strcmp(v->name.topic, topic) == 0 &&
		    (newest == NULL || v->sample.taken.ms > newest->sample.taken.ms))
			newest = v;
	}
	if (newest == NULL)
		return burrow_not_found(b, "cluster or topic not found");
	burrow_begin(b, false, "topic offsets returned");
	jsonw_key(&b->w, "offsets");
	jsonw_array(&b->w);
	for (size_t i = 0; i < newest->sample.n; i++)
		if (newest->sample.rows[i].has_end)
			jsonw_int(&b->w, newest->sample.rows[i].end);
	jsonw_end(&b->w);
	return burrow_end(b);
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
			return burrow_consumer(b, s[2], s[4]);
		if (t->n == 6 && (is(t, 5, "status") || is(t, 5, "lag")))
			return burrow_status(b, s[2], s[4], is(t, 5, "lag"));
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
