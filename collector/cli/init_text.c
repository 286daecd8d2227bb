/* SPDX-License-Identifier: MIT */
#include "cli/init_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define KNOWN_HOSTS "known_hosts"

/* A JSON string is a YAML scalar; "$$" is a dollar sign in the configuration. */
static void value(struct buf *out, const char *text)
{
	struct buf escaped = BUF_INIT(1 << 20);

	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '$')
			buf_addch(&escaped, '$');
		buf_addch(&escaped, *p);
	}
	jsonw_quote(out, buf_str(&escaped), escaped.len);
	buf_free(&escaped);
}

static bool is_plain(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"0123456789._/-");

	/* what begins with a letter or a slash and is no YAML word of its own */
	return text[n] == '\0' && n > 0 && strchr("0123456789.-_", text[0]) == NULL &&
	       strcmp(text, "true") != 0 && strcmp(text, "false") != 0 &&
	       strcmp(text, "null") != 0 && strcmp(text, "yes") != 0 &&
	       strcmp(text, "no") != 0 && strcmp(text, "on") != 0 &&
	       strcmp(text, "off") != 0 && strcmp(text, "y") != 0 &&
	       strcmp(text, "n") != 0;
}

static void line(struct buf *out, const char *indent, const char *key, const char *text,
		 const char *comment)
{
	if (text == NULL)
		return;
	buf_printf(out, "%s%s: ", indent, key);
	if (is_plain(text))
		buf_addstr(out, text);
	else
		value(out, text);
	if (comment != NULL)
		buf_printf(out, "    # %s", comment);
	buf_addch(out, '\n');
}

/* How the host is reached, and Kafka on it. */
static void login(const struct init_target *t, const char *host_key,
		  const char *comment, struct buf *out)
{
	line(out, "  ", "host", t->host, NULL);
	if (strcmp(t->port, "22") != 0)
		buf_printf(out, "  port: %s\n", t->port);
	line(out, "  ", "user", t->user, NULL);
	line(out, "  ", "key_file", t->key_file, NULL);
	if (t->key_file == NULL)
		buf_addstr(out, "  agent: true\n");
	line(out, "  ", "passphrase_file", t->passphrase_file, NULL);
	line(out, "  ", "host_key", host_key, comment);
	line(out, "  ", "run_as", t->run_as, NULL);
	line(out, "  ", "kafka_home", t->look.kafka_home, NULL);
	line(out, "  ", "bootstrap_server", t->look.bootstrap_server, NULL);
}

void init_scout_config(const struct init_target *t, const char *script,
		       const char *scratch, const char *timeout, struct buf *out)
{
	const char *home = getenv("HOME");
	char *mine = mem_printf("%s/" KNOWN_HOSTS, scratch);
	char *users = mem_printf("%s/.ssh/known_hosts", home != NULL ? home : "/root");

	line(out, "", "state_dir", scratch, NULL);
	buf_addstr(out, "topics:\n- name: init\n");
	login(t, t->host_key, NULL, out);
	buf_addstr(out, "  known_hosts: [");
	if (t->host_key != NULL && strcmp(t->host_key, "accept-new") == 0) {
		value(out, mine);
		buf_addstr(out, ", ");
	}
	value(out, users);
	buf_addstr(out, ", /etc/ssh/ssh_known_hosts]\n");
	buf_printf(out, "  timeout: %s\n  format: table\n  command: ", timeout);
	jsonw_quote(out, script, strlen(script)); /* taken literally */
	buf_addch(out, '\n');
	free(mine);
	free(users);
}

void init_clean(const char *scratch)
{
	char *file = mem_printf("%s/" KNOWN_HOSTS, scratch);

	unlink(file);
	rmdir(scratch);
	free(file);
}

/* The topics of a group, borrowed from its table, in order of the name. */
struct topics {
	const char **v;
	size_t n, cap;
};

static void add_topic(void *arg, const char *group, const char *topic)
{
	struct topics *t = arg;

	(void)group;
	MEM_GROW(t->v, t->n, t->cap);
	t->v[t->n++] = topic;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Groups of people at a console come and go. */
static bool is_wanted(const struct scout_group *g)
{
	return g->table != NULL && strncmp(g->name, "console-consumer-", 17) != 0 &&
	       table_failure(g->table)->reason == REASON_NONE;
}

static struct topics topics_of(const struct scout_group *g)
{
	struct topics t = {NULL, 0, 0};

	if (is_wanted(g))
		table_each(g->table, add_topic, &t);
	if (t.n > 1)
		qsort(t.v, t.n, sizeof(char *), by_name);
	return t;
}

static size_t count_of(const struct scout_group *g)
{
	struct topics t = topics_of(g);

	free(t.v);
	return t.n;
}

size_t init_topic_count(const struct scout *found)
{
	size_t n = 0;

	for (size_t i = 0; i < found->n; i++)
		n += count_of(&found->groups[i]);
	return n;
}

size_t init_group_count(const struct scout *found)
{
	size_t n = 0;

	for (size_t i = 0; i < found->n; i++)
		n += count_of(&found->groups[i]) > 0;
	return n;
}

static void print_head(const struct init_target *t, const struct scout *found,
		       struct buf *out)
{
	char now[WALL_TEXT];

	wall_format(clock_wall(), now);
	buf_printf(out, "# Written by mmlag init on %.10s: what %s@%s told", now,
		   t->user, t->host);
	if (*found->version != '\0')
		buf_printf(out, ", Kafka %s", found->version);
	buf_addstr(out,
		   ".\n# Next: mmlag check, mmlag once, mmlag run.\n\n"
		   "# Where documents go. Until this section is there they stay in "
		   "the local store.\n"
		   "# elasticsearch:\n"
		   "#   hosts: [https://es1.example.com:9200]\n"
		   "#   username: mmlag\n"
		   "#   password_file: /etc/mmlag/es.password\n\n");
	if (found->mm2)
		buf_addstr(out,
			   "# MirrorMaker 2 runs on this host too. It commits to no "
			   "consumer group; its lag is\n# in its JMX metrics "
			   "(source: prometheus).\n\n");
}

static void print_defaults(const struct init_target *t, const struct scout *found,
			   struct buf *out)
{
	size_t topics = init_topic_count(found);
	char share[128];

	buf_addstr(out, "defaults:\n");
	login(t, found->fingerprint, "the key that the host showed", out);
	line(out, "  ", "command_config", t->look.command_config, NULL);
	for (size_t i = 0; i < found->n && init_group_count(found) == 1; i++)
		if (count_of(&found->groups[i]) > 0)
			line(out, "  ", "group", found->groups[i].name, NULL);
	if (topics < 2)
		return;
	snprintf(share, sizeof(share),
		 "one run of the CLI for all topics of a group, not %zu", topics);
	line(out, "  ", "share", "group", share);
}

/* The other groups, so that nobody has to ask again. */
static void print_others(const struct scout *found, struct buf *out)
{
	bool any = false;

	for (size_t i = 0; i < found->n; i++) {
		const struct scout_group *g = &found->groups[i];

		if (count_of(g) > 0)
			continue;
		if (!any)
			buf_addstr(out, "\n# Groups that were left out:\n");
		any = true;
		buf_addstr(out, "#   ");
		value(out, g->name);
		buf_printf(out, ": %s\n",
			   g->table == NULL ? "not looked at; give it with --group"
			   : !is_wanted(g) && table_failure(g->table)->reason !=
						      REASON_NONE
				   ? reason_name(table_failure(g->table)->reason)
				   : "no topics, or a console's");
	}
}

static void print_topic(const struct scout_group *g, const char *topic, bool name_group,
			struct buf *out)
{
	struct sample sample = SAMPLE_INIT;
	struct lag_totals totals;
	struct gap gap;
	char seen[128], lag[40] = "no lag known";

	if (table_sample(g->table, g->name, topic, &sample, &gap) != REASON_NONE)
		return;
	totals = sample_totals(&sample);
	if (totals.with_lag > 0)
		snprintf(lag, sizeof(lag), "lag %lld", (long long)totals.sum);
	snprintf(seen, sizeof(seen), "%zu partition%s, %s, group %s", sample.n,
		 sample.n == 1 ? "" : "s", lag, group_state_name(sample.state));
	line(out, "  - ", "name", topic, seen);
	if (name_group)
		line(out, "    ", "group", g->name, NULL);
	sample_fini(&sample);
}

void init_print(const struct init_target *t, const struct scout *found, struct buf *out)
{
	bool several = init_group_count(found) > 1;

	print_head(t, found, out);
	print_defaults(t, found, out);
	buf_addstr(out, "topics:\n");
	for (size_t i = 0; i < found->n; i++) {
		struct topics topics = topics_of(&found->groups[i]);

		for (size_t j = 0; j < topics.n; j++)
			print_topic(&found->groups[i], topics.v[j], several, out);
		free(topics.v);
	}
	print_others(found, out);
}
