/* SPDX-License-Identifier: MIT */
#include "config/resolve_int.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/finding_int.h"

#include "banned.h"

#define CLI "bin/kafka-consumer-groups.sh"
#define SYSTEM_KNOWN_HOSTS "/etc/ssh/ssh_known_hosts"
#define TWO_COMMITS_MS 120000 /* of MirrorMaker, which commits once a minute */

const struct node *resolve_given(const struct resolver *r, const struct config_topic *t,
				 const char *key)
{
	const struct node *entry = &r->entries->child[t - r->c->topics];
	const struct node *own = tree_find(entry, key);
	const struct node *fallback = tree_find(tree_find(r->root, "defaults"), key);

	if (own != NULL)
		return tree_is_null(own) && *own->text != '\0' ? NULL : own;
	return fallback != NULL && !tree_is_null(fallback) ? fallback : NULL;
}

void resolve_complain(const struct resolver *r, const struct config_topic *t,
		      const char *fmt, ...)
{
	const struct node *entry = &r->entries->child[t - r->c->topics];
	const char *name = t->name != NULL ? t->name : t->match;
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	finding_error(r->f, entry->line, entry->column, "topic \"%s\": %s",
		      name != NULL ? name : "?", text != NULL ? text : "out of memory");
	free(text);
}

/* An error at a key's value, wherever that stands. */
static void complain_at(const struct resolver *r, const struct node *node,
			const char *text)
{
	finding_error(r->f, node->line, node->column, "%s", text);
}

static bool given(const struct resolver *r, const struct config_topic *t,
		  const char *key)
{
	return resolve_given(r, t, key) != NULL;
}

static void need(const struct resolver *r, const struct config_topic *t,
		 const char *key)
{
	if (!given(r, t, key))
		resolve_complain(r, t,
				 "\"%s\" is missing; give it here or under defaults",
				 key);
}

static void need_name(const struct resolver *r, const struct config_topic *t)
{
	const struct node *entry = &r->entries->child[t - r->c->topics];

	if ((entry->kind == NODE_MAP ||
	     (tree_is_null(entry) && *entry->text != '\0')) &&
	    !given(r, t, "name") && !given(r, t, "match"))
		finding_error(r->f, entry->line, entry->column,
			      "\"name\" is missing in this entry of topics");
	if (given(r, t, "name") && given(r, t, "match"))
		resolve_complain(r, t, "\"name\" and \"match\" exclude each other");
}

static void need_login(const struct resolver *r, const struct config_topic *t)
{
	need(r, t, "host");
	if (!t->ssh_config)
		need(r, t, "user");
	if (!given(r, t, "key_file") && !t->agent && !t->ssh_config)
		resolve_complain(
			r, t,
			"\"key_file\" is missing; give it here or under defaults, "
			"or let the SSH agent sign (agent: true)");
	if (given(r, t, "passphrase_file") && !given(r, t, "key_file"))
		resolve_complain(r, t, "\"passphrase_file\" without a \"key_file\"");
}

/* The CLI is run by us: all that it is called with. */
static void need_cli(const struct resolver *r, const struct config_topic *t)
{
	const struct node *format = resolve_given(r, t, "format");
	const struct node *config = resolve_given(r, t, "command_config");

	if (t->format == FORMAT_LINE)
		complain_at(r, format,
			    "format: line needs a \"command\" that prints lines");
	if (!given(r, t, "kafka_home") && !given(r, t, "cli"))
		resolve_complain(r, t,
				 "\"kafka_home\" is missing; give it (or \"cli\", or a "
				 "\"command\" of your own) here or under defaults");
	need(r, t, "bootstrap_server");
	need(r, t, "group");
	if (t->command_config != NULL && *t->command_config != '/' &&
	    !given(r, t, "kafka_home"))
		complain_at(r, config,
			    "command_config: a relative path is relative to "
			    "\"kafka_home\", which is not given; write the whole path");
}

/* Somebody else's figures, over HTTP. */
static void need_page(const struct resolver *r, const struct config_topic *t)
{
	need(r, t, "url");
	if (t->source == SOURCE_PROMETHEUS)
		need(r, t, "query");
	else
		need(r, t, "group");
	if (given(r, t, "command"))
		complain_at(r, resolve_given(r, t, "command"),
			    "command: goes with \"source: ssh\" only");
	if (given(r, t, "username") != given(r, t, "password_file"))
		resolve_complain(r, t,
				 "\"username\" and \"password_file\" go together");
	if (given(r, t, "username") && given(r, t, "token_file"))
		resolve_complain(r, t,
				 "\"username\" and \"token_file\" exclude each other");
}

static void need_by_source(const struct resolver *r, const struct config_topic *t)
{
	const struct node *command = resolve_given(r, t, "command");
	const struct node *format = resolve_given(r, t, "format");

	if (t->source != SOURCE_SSH) {
		need_page(r, t);
		return;
	}
	need_login(r, t);
	if (t->match != NULL && t->format == FORMAT_LINE)
		complain_at(r, resolve_given(r, t, "match"),
			    "match: lines of \"format: line\" name no topics; give the "
			    "topic's \"name\"");
	if (command == NULL)
		need_cli(r, t);
	else if (!given(r, t, "format"))
		complain_at(
			r, command,
			"command: say what it prints: \"format: line\" (a sample "
			"a line, for ever) or \"format: table\" (as the CLI, once)");
	if (command != NULL && format != NULL && t->format == FORMAT_LINE &&
	    t->partitions == 0)
		finding_warn(
			r->f, format->line, format->column,
			"format: without \"partitions\" a value's position need not "
			"be its partition: say how many there are, or use "
			"\"format: table\"");
}

static char *join(const char *directory, const char *path)
{
	size_t n = strlen(directory);

	while (n > 1 && directory[n - 1] == '/')
		n--;
	return mem_printf("%.*s%s%s", (int)n, directory,
			  n == 1 && *directory == '/' ? "" : "/", path);
}

static void add_known_hosts(const struct resolver *r, struct config_topic *t)
{
	t->known_hosts.v = mem_calloc(2, sizeof(*t->known_hosts.v));
	t->known_hosts.v[0] = join(r->c->state_dir, "known_hosts");
	t->known_hosts.v[1] = mem_strdup(SYSTEM_KNOWN_HOSTS);
	t->known_hosts.n = 2;
}

/* Host of a URL that was checked: without port and brackets. */
static char *host_of(const char *url)
{
	const char *p = strstr(url, "://");
	size_t n;

	p = p != NULL ? p + 3 : url;
	if (*p == '[')
		return mem_strndup(p + 1, strcspn(p + 1, "]/"));
	n = strcspn(p, ":/");
	return mem_strndup(p, n);
}

/* What a source over HTTP has otherwise than one over SSH. */
static void work_out_page(const struct resolver *r, struct config_topic *t)
{
	if (t->url != NULL) {
		free(t->host);
		t->host = host_of(t->url);
	}
	t->format = FORMAT_TABLE;
	if (!given(r, t, "share"))
		t->share = SHARE_GROUP;
}

/* The other side is asked by our loop, on the topic's own host or another one. */
static void need_target(const struct resolver *r, const struct config_topic *t)
{
	const struct node *at = resolve_given(r, t, "target");
	const struct config_target *o = &t->target;

	if (!o->set || at == NULL)
		return;
	if (t->source != SOURCE_SSH || t->format == FORMAT_LINE)
		complain_at(
			r, at,
			"target: goes with \"source: ssh\" and the CLI's table only");
	if (o->bootstrap_server == NULL)
		complain_at(r, at, "target: \"bootstrap_server\" is missing");
	if (o->kafka_home == NULL && t->kafka_home == NULL)
		complain_at(r, at,
			    "target: \"kafka_home\" is missing, here and in the topic");
	if (o->host == NULL && (o->port != 0 || o->user != NULL || o->key_file != NULL))
		complain_at(r, at,
			    "target: \"port\", \"user\" and \"key_file\" are those of "
			    "\"host\", which is missing: the other side is looked at "
			    "from the topic's own host");
}

static void work_out_target(struct config_topic *t)
{
	struct config_target *o = &t->target;
	char *relative = o->command_config;

	if (o->set && o->kafka_home == NULL)
		o->kafka_home = mem_strdup(t->kafka_home);
	if (relative != NULL && *relative != '/' && o->kafka_home != NULL) {
		o->command_config = join(o->kafka_home, relative);
		free(relative);
	}
}

static void work_out(const struct resolver *r, struct config_topic *t)
{
	char *relative = t->command_config;

	if (t->cli == NULL && t->kafka_home != NULL && t->command == NULL)
		t->cli = join(t->kafka_home, CLI);
	if (relative != NULL && *relative != '/' && t->kafka_home != NULL) {
		t->command_config = join(t->kafka_home, relative);
		free(relative);
	}
	if (!given(r, t, "known_hosts"))
		add_known_hosts(r, t);
	if (t->match != NULL && !given(r, t, "share"))
		t->share = SHARE_GROUP;
	if (t->format ==
	    FORMAT_LINE) /* a command that runs for ever serves one topic */
		t->share = SHARE_TOPIC;
	if (t->source != SOURCE_SSH)
		work_out_page(r, t);
	t->interval_explicit = given(r, t, "interval");
	t->port_explicit = given(r, t, "port");
	t->known_hosts_explicit = given(r, t, "known_hosts");
	t->host_key_explicit = given(r, t, "host_key");
}

static void check_thresholds(const struct resolver *r, const struct config_topic *t)
{
	const struct node *list = resolve_given(r, t, "thresholds");

	if (list == NULL || list->kind != NODE_LIST || list->n != t->threshold_count)
		return;
	for (size_t i = 0; i < list->n; i++) {
		const struct config_threshold *v = &t->thresholds[i];
		const struct node *entry = &list->child[i],
				  *span = tree_find(entry, "for");

		if (tree_find(entry, "warning") == NULL &&
		    tree_find(entry, "critical") == NULL)
			complain_at(r, entry,
				    "a threshold needs \"warning\" or \"critical\"");
		if (v->critical < v->warning)
			complain_at(r, entry, "\"critical\" is below \"warning\"");
		if (span != NULL && v->for_ms < TWO_COMMITS_MS)
			finding_warn(
				r->f, span->line, span->column,
				"for: below two commit intervals of MirrorMaker (120s) "
				"every tooth of the saw alerts; write 3m");
	}
}

static bool same(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

/* May both stand for a topic of one name? */
static bool may_meet(const struct config_topic *a, const struct config_topic *b)
{
	return a->match != NULL || b->match != NULL || same(a->name, b->name);
}

/* Where people read names: what must be said beside them. */
static void tell_apart(struct config *c)
{
	for (size_t i = 0; i < c->topic_count; i++)
		for (size_t k = 0; k < c->topic_count; k++) {
			struct config_topic *t = &c->topics[i];
			const struct config_topic *other = &c->topics[k];

			if (!same(t->cluster, other->cluster))
				t->says_cluster = true;
			else if (!same(t->group, other->group) && may_meet(t, other))
				t->says_group = true;
		}
}

void resolve_topics(const struct resolver *r)
{
	for (size_t i = 0; i < r->c->topic_count; i++) {
		struct config_topic *t = &r->c->topics[i];

		t->line = r->entries->child[i].line;
		if (r->entries->child[i].kind == NODE_LIST)
			continue; /* no entry at all, and said so */
		need_name(r, t);
		need_by_source(r, t);
		check_thresholds(r, t);
		need_target(r, t);
		work_out_target(t);
		work_out(r, t);
	}
	tell_apart(r->c);
}
