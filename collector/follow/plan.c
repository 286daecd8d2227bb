/* SPDX-License-Identifier: MIT */
#include "follow/plan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_env(const struct config_topic *a, const struct config_topic *b)
{
	if (a->env_count != b->env_count)
		return false;
	for (size_t i = 0; i < a->env_count; i++)
		if (!same(a->env[i].name, b->env[i].name) ||
		    !same(a->env[i].value, b->env[i].value))
			return false;
	return true;
}

static bool same_host(const struct config_topic *a, const struct config_topic *b)
{
	return same(a->host, b->host) && a->port == b->port;
}

bool plan_same_login(const struct config_topic *a, const struct config_topic *b)
{
	if (a->source != SOURCE_SSH || b->source != SOURCE_SSH)
		return plan_can_share(a, b) != 0;
	return same_host(a, b) && same(a->user, b->user) &&
	       same(a->key_file, b->key_file) && a->agent == b->agent &&
	       a->host_key == b->host_key && same(a->host_key_pin, b->host_key_pin) &&
	       same(a->proxy_jump, b->proxy_jump) && a->ssh_config == b->ssh_config;
}

/* Does one look at the mirror's other side serve both? Names may differ. */
static bool same_target(const struct config_target *a, const struct config_target *b)
{
	return a->set == b->set && same(a->host, b->host) && same(a->user, b->user) &&
	       a->port == b->port && same(a->key_file, b->key_file) &&
	       same(a->kafka_home, b->kafka_home) &&
	       same(a->bootstrap_server, b->bootstrap_server) &&
	       same(a->command_config, b->command_config);
}

/* Does one request serve both? */
static bool same_page(const struct config_topic *a, const struct config_topic *b)
{
	return same(a->url, b->url) && same(a->query, b->query) &&
	       same(a->group, b->group) && same(a->cluster, b->cluster) &&
	       same(a->username, b->username) &&
	       same(a->password_file, b->password_file) &&
	       same(a->token_file, b->token_file) && same(a->ca_file, b->ca_file);
}

/* Would looking from over there be the topic's own log-in? */
static bool is_own_login(const struct config_target *o, const struct config_topic *t)
{
	return same(o->host, t->host) && (o->port == 0 || o->port == t->port) &&
	       (o->user == NULL || same(o->user, t->user)) &&
	       (o->key_file == NULL || same(o->key_file, t->key_file));
}

bool plan_target_place(const struct config_topic *t, struct config_topic *out)
{
	const struct config_target *o = &t->target;

	if (!o->set || o->host == NULL || is_own_login(o, t))
		return false;
	*out = *t;
	out->host = o->host;
	if (o->user != NULL)
		out->user = o->user;
	if (o->key_file != NULL)
		out->key_file = o->key_file;
	if (o->port != 0) {
		out->port = o->port;
		out->port_explicit = true;
	}
	if (out->host_key == HOST_KEY_PINNED) { /* another host has another key */
		out->host_key = HOST_KEY_STRICT;
		out->host_key_pin = NULL;
	}
	out->command = NULL;
	out->cds_archive = NULL;
	return true;
}

int plan_can_share(const struct config_topic *a, const struct config_topic *b)
{
	if (a->source != b->source)
		return false;
	if (a->source != SOURCE_SSH)
		return same_page(a, b);
	return a->format == FORMAT_TABLE && b->format == FORMAT_TABLE &&
	       same_host(a, b) && same(a->user, b->user) &&
	       same(a->proxy_jump, b->proxy_jump) && a->ssh_config == b->ssh_config &&
	       same(a->cli, b->cli) && same(a->command, b->command) && same_env(a, b) &&
	       same(a->run_as, b->run_as) &&
	       same(a->bootstrap_server, b->bootstrap_server) &&
	       same(a->group, b->group) && same(a->command_config, b->command_config) &&
	       same_target(&a->target, &b->target);
}

static struct plan_stream *find(struct plan *p, const struct config_topic *t,
				enum plan_sharing sharing)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct config_topic *first = p->streams[i].topics[0];

		if (sharing == PLAN_AS_CONFIGURED && first->share != SHARE_GROUP)
			continue;
		if (sharing == PLAN_SHARED && !plan_same_login(first, t))
			continue;
		if (plan_can_share(first, t))
			return &p->streams[i];
	}
	return NULL;
}

/* Begins of one host's streams stand evenly over the interval. */
static void spread(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct config_topic *t = p->streams[i].topics[0];
		int64_t place = 0, total = 0;

		for (size_t j = 0; j < p->n; j++)
			if (same_host(t, p->streams[j].topics[0])) {
				place += j < i;
				total++;
			}
		p->streams[i].first_delay_ms = t->interval_ms * place / total;
	}
}

struct plan plan_make(const struct config *c, enum plan_sharing sharing)
{
	struct plan p = {NULL, 0};
	size_t cap = 0;

	for (size_t i = 0; i < c->topic_count; i++) {
		const struct config_topic *t = &c->topics[i];
		struct plan_stream *s = NULL;

		if (sharing == PLAN_SHARED || t->share == SHARE_GROUP)
			s = find(&p, t, sharing);
		if (s == NULL) {
			MEM_GROW(p.streams, p.n, cap);
			s = &p.streams[p.n++];
			*s = (struct plan_stream){c, NULL, 0, 0};
		}
		s->topics = mem_realloc(s->topics, s->n + 1,
					sizeof(const struct config_topic *));
		s->topics[s->n++] = t;
	}
	spread(&p);
	return p;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->streams[i].topics);
	free(p->streams);
	*p = (struct plan){NULL, 0};
}

size_t plan_sessions(const struct plan *p)
{
	struct config_topic place;
	size_t n = p->n;

	for (size_t i = 0; i < p->n; i++)
		n += plan_target_place(p->streams[i].topics[0], &place);
	return n;
}
