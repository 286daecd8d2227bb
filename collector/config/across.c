/* SPDX-License-Identifier: MIT
 * across: rules between topics. Each one sorts the topics so that those which it
 * compares stand side by side: a thousand topics cost nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/finding_int.h"
#include "config/resolve_int.h"
#include "config/scalar_int.h"

#include "banned.h"

#define LEAST_INTERVAL_MS 10000
#define RUN_COST_MS 2000 /* a run costs the host over a CPU second */

typedef int compare(const void *a, const void *b);

struct view {
	struct config_topic **v;
	size_t n;
};

static int compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_int(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int by_name(const void *a, const void *b)
{
	const struct config_topic *x = *(struct config_topic *const *)a;
	const struct config_topic *y = *(struct config_topic *const *)b;
	int order = compare_text(x->name, y->name);

	if (order == 0)
		order = compare_text(x->match, y->match);
	if (order == 0)
		order = compare_text(x->group, y->group);
	return order != 0 ? order : compare_text(x->cluster, y->cluster);
}

static int by_cluster(const void *a, const void *b)
{
	const struct config_topic *x = *(struct config_topic *const *)a;
	const struct config_topic *y = *(struct config_topic *const *)b;

	return compare_text(x->cluster, y->cluster);
}

static int by_host(const void *a, const void *b)
{
	const struct config_topic *x = *(struct config_topic *const *)a;
	const struct config_topic *y = *(struct config_topic *const *)b;
	int order = compare_text(x->host, y->host);

	return order != 0 ? order : compare_int(x->port, y->port);
}

static int compare_env(const struct config_topic *x, const struct config_topic *y)
{
	int order = compare_int((int64_t)x->env_count, (int64_t)y->env_count);

	for (size_t i = 0; order == 0 && i < x->env_count; i++) {
		order = strcmp(x->env[i].name, y->env[i].name);
		if (order == 0)
			order = strcmp(x->env[i].value, y->env[i].value);
	}
	return order;
}

/* 0 for topics that one request serves. */
static int by_page(const struct config_topic *x, const struct config_topic *y)
{
	const char *const pairs[][2] = {
		{x->url, y->url},
		{x->query, y->query},
		{x->group, y->group},
		{x->cluster, y->cluster},
		{x->username, y->username},
		{x->password_file, y->password_file},
		{x->token_file, y->token_file},
		{x->ca_file, y->ca_file},
	};
	int order = 0;

	for (size_t i = 0; order == 0 && i < ARRAY_LEN(pairs); i++)
		order = compare_text(pairs[i][0], pairs[i][1]);
	return order;
}

/* 0 for topics that one remote command serves. */
static int by_stream(const void *a, const void *b)
{
	const struct config_topic *x = *(struct config_topic *const *)a;
	const struct config_topic *y = *(struct config_topic *const *)b;
	const char *const pairs[][2] = {
		{x->user, y->user},
		{x->proxy_jump, y->proxy_jump},
		{x->cli, y->cli},
		{x->command, y->command},
		{x->run_as, y->run_as},
		{x->bootstrap_server, y->bootstrap_server},
		{x->group, y->group},
		{x->command_config, y->command_config},
		{x->target.kafka_home, y->target.kafka_home},
		{x->target.bootstrap_server, y->target.bootstrap_server},
		{x->target.command_config, y->target.command_config},
	};
	int order = compare_int((int64_t)x->source, (int64_t)y->source);

	if (order == 0 && x->source != SOURCE_SSH)
		return by_page(x, y);
	if (order == 0)
		order = by_host(a, b);

	for (size_t i = 0; order == 0 && i < ARRAY_LEN(pairs); i++)
		order = compare_text(pairs[i][0], pairs[i][1]);
	if (order == 0)
		order = compare_int(x->ssh_config, y->ssh_config);
	return order != 0 ? order : compare_env(x, y);
}

/* As they stand in the file: in one array. */
static int by_place(const void *a, const void *b)
{
	const struct config_topic *x = *(struct config_topic *const *)a;
	const struct config_topic *y = *(struct config_topic *const *)b;

	return (x > y) - (x < y);
}

/* What an entry is called: a topic, or a pattern. */
static const char *label(const struct config_topic *t)
{
	return t->name != NULL ? t->name : t->match;
}

/* The end of the run of equals that begins at `from`. */
static size_t run_end(const struct view *view, size_t from, compare *rule)
{
	size_t to = from + 1;

	while (to < view->n && rule(&view->v[from], &view->v[to]) == 0)
		to++;
	return to;
}

/* By the rule, and what it makes equal in the order of the file. */
static void sort(struct view *view, compare *rule)
{
	if (view->n < 2)
		return;
	qsort(view->v, view->n, sizeof(struct config_topic *), rule);
	for (size_t i = 0, end; i < view->n; i = end) {
		end = run_end(view, i, rule);
		qsort(view->v + i, end - i, sizeof(struct config_topic *), by_place);
	}
}

static void check_unique(const struct resolver *r, struct view *all)
{
	sort(all, by_name);
	for (size_t i = 0, end; i < all->n; i = end) {
		const struct config_topic *first = all->v[i];

		end = run_end(all, i, by_name);
		for (size_t j = i + 1; j < end && label(first) != NULL; j++)
			resolve_complain(
				r, all->v[j],
				"stands here a second time for group \"%s\" in cluster "
				"\"%s\"; the first is in line %d",
				first->group != NULL ? first->group : "-",
				first->cluster, first->line);
	}
}

static bool is_listed(const struct config *c, const char *cluster, const char *server)
{
	for (size_t i = 0; i < c->cluster_count; i++)
		if (compare_text(c->clusters[i].name, cluster) == 0 &&
		    compare_text(c->clusters[i].bootstrap_server, server) == 0)
			return true;
	return false;
}

/* Was this server complained about already, for a topic that stands before? */
static bool is_known(const struct view *all, size_t from, size_t i)
{
	for (size_t j = from; j < i; j++)
		if (compare_text(all->v[j]->bootstrap_server,
				 all->v[i]->bootstrap_server) == 0)
			return true;
	return false;
}

static void check_one_cluster(const struct resolver *r, const struct view *all,
			      size_t from, size_t to)
{
	const struct config_topic *first = NULL;

	for (size_t i = from; i < to && r->f->n < FINDINGS_MAX; i++) {
		const struct config_topic *t = all->v[i];

		if (t->bootstrap_server == NULL || t->command != NULL ||
		    t->source != SOURCE_SSH)
			continue;
		if (first == NULL)
			first = t;
		if (strcmp(t->bootstrap_server, first->bootstrap_server) == 0 ||
		    is_known(all, from, i) ||
		    (is_listed(r->c, t->cluster, t->bootstrap_server) &&
		     is_listed(r->c, t->cluster, first->bootstrap_server)))
			continue;
		resolve_complain(
			r, t,
			"bootstrap_server %.100s, but cluster \"%s\" is %.100s in line "
			"%d; give one of them a \"cluster\" of its own, or list both "
			"under \"clusters\" if they are the same",
			t->bootstrap_server, t->cluster, first->bootstrap_server,
			first->line);
	}
}

static void check_clusters(const struct resolver *r, struct view *all)
{
	sort(all, by_cluster);
	for (size_t i = 0, end; i < all->n; i = end) {
		end = run_end(all, i, by_cluster);
		check_one_cluster(r, all, i, end);
	}
}

static void set_intervals(struct view *all)
{
	sort(all, by_host);
	for (size_t i = 0, end; i < all->n; i = end) {
		int64_t cost = 0;

		end = run_end(all, i, by_host);
		for (size_t j = i; j < end; j++)
			if (all->v[j]->source == SOURCE_SSH)
				cost += RUN_COST_MS;
		for (size_t j = i; j < end; j++) {
			struct config_topic *t = all->v[j];

			if (t->interval_explicit)
				continue;
			t->interval_ms = LEAST_INTERVAL_MS;
			if (t->source == SOURCE_SSH && t->share == SHARE_TOPIC &&
			    cost > LEAST_INTERVAL_MS)
				t->interval_ms = cost;
		}
	}
}

static void compare_stream(const struct resolver *r, const struct config_topic *first,
			   const struct config_topic *t, const char *key, int64_t one,
			   int64_t other)
{
	struct buf a = BUF_INIT(64), b = BUF_INIT(64);

	if (one == other || one == 0 || other == 0) /* 0: it was refused */
		return;
	scalar_print_duration(&a, one);
	scalar_print_duration(&b, other);
	resolve_complain(
		r, t,
		"%s %s, but topic \"%s\" in line %d, with which it shares one command "
		"(share: group), has %s; make them equal",
		key, buf_str(&b), label(first) != NULL ? label(first) : "?",
		first->line, buf_str(&a));
	buf_free(&a);
	buf_free(&b);
}

static void check_streams(const struct resolver *r, struct view *shared)
{
	sort(shared, by_stream);
	for (size_t i = 0, end; i < shared->n; i = end) {
		const struct config_topic *first = shared->v[i];

		end = run_end(shared, i, by_stream);
		for (size_t j = i + 1; j < end; j++) {
			const struct config_topic *t = shared->v[j];

			compare_stream(r, first, t, "interval", first->interval_ms,
				       t->interval_ms);
			compare_stream(r, first, t, "timeout", first->timeout_ms,
				       t->timeout_ms);
		}
	}
}

void resolve_across(const struct resolver *r)
{
	struct config *c = r->c;
	struct view all = {mem_calloc(c->topic_count + 1,
				      sizeof(struct config_topic *)),
			   0};
	struct view shared = {mem_calloc(c->topic_count + 1,
					 sizeof(struct config_topic *)),
			      0};

	for (size_t i = 0; i < c->topic_count; i++) {
		all.v[all.n++] = &c->topics[i];
		if (c->topics[i].share == SHARE_GROUP)
			shared.v[shared.n++] = &c->topics[i];
	}
	check_unique(r, &all);
	check_clusters(r, &all);
	set_intervals(&all);
	check_streams(r, &shared);
	free(all.v);
	free(shared.v);
}
