/* SPDX-License-Identifier: MIT
 * init: looks around on a host and prints a configuration that check passes. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "cli/commands.h"
#include "cli/init_text.h"
#include "cli/options.h"
#include "source/scout.h"
#include "ssh/ssh.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag init --host HOST --user USER --key FILE --kafka-home DIR\n"
	"                  --bootstrap HOST:PORT [options] > /etc/mmlag/mmlag.yaml\n"
	"Logs in to a host that can run Kafka's CLI, asks it for groups and topics, and\n"
	"prints a configuration with what it found.\n\n"
	"      --host HOST            the MirrorMaker host\n"
	"      --port N               of its SSH server, default 22\n"
	"      --user USER            to log in as\n"
	"      --key FILE             private key; without it the SSH agent signs\n"
	"      --passphrase-file FILE of the key\n"
	"      --host-key SHA256:…    fingerprint of the host's key, or accept-new: take\n"
	"                             the one that it shows\n"
	"      --run-as USER          run the CLI as this user, by sudo\n"
	"      --kafka-home DIR       Kafka's directory on the host\n"
	"      --bootstrap HOST:PORT  brokers, as the host reaches them\n"
	"      --command-config FILE  client properties, relative to the Kafka directory\n"
	"      --group GROUP          only this consumer group\n"
	"Exit: 0, 1 something on the way failed, 64 usage.\n";

#define TIMEOUT_S "300s"
#define CONNECT_ADVICE                                                                  \
	"A group of Kafka Connect (connect-…) may be MirrorMaker 2, whose lag is in " \
	"no consumer group: take it from its JMX metrics with `source: prometheus`.\n"
#define GROUP_ADVICE                                                               \
	"MirrorMaker's group is the group.id of its consumer properties; it must " \
	"run, and read from these brokers."

/* What to do about a failure, where the message does not say it. */
static const struct {
	enum reason reason;
	const char *words;
} advice[] = {
	{REASON_SSH_HOST_KEY,
	 "Compare the fingerprint with the host's own (ssh-keygen -lf "
	 "/etc/ssh/ssh_host_ed25519_key.pub there), then give it with --host-key."},
	{REASON_SSH_UNREACHABLE,
	 "Is the host's name right, does its SSH server run, is --port right, does a "
	 "firewall stand between?"},
	{REASON_CLI_TIMEOUT,
	 "Can the host reach the brokers? Try the CLI there by hand."},
	{REASON_BROKER_UNREACHABLE,
	 "The address must be one that the host can reach; brokers with TLS or SASL "
	 "need --command-config."},
};

/* Messages are those of the daemon, which knows keys of a configuration; here they were
 * options. */
static const struct {
	const char *key, *option;
} names[] = {
	{"`bootstrap_server`", "--bootstrap"},
	{"bootstrap_server:", "--bootstrap:"},
	{"`command_config`", "--command-config"},
	{"`kafka_home` or `cli`", "--kafka-home"},
	{"`kafka_home`", "--kafka-home"},
	{"kafka_home:", "--kafka-home:"},
	{"`group`", "--group"},
	{"`run_as`", "--run-as"},
	{"run_as:", "--run-as:"},
	{"passphrase_file", "--passphrase-file"},
	{"change host_key", "change --host-key"},
	{"not the one of host_key", "not the one of --host-key"},
	{"set host_key: accept-new", "give --host-key accept-new"},
};

/* Append `text` with the names of options. */
static void rename_keys(const char *text, struct buf *out)
{
	while (*text != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(names) &&
		       strncmp(text, names[i].key, strlen(names[i].key)) != 0)
			i++;
		if (i < ARRAY_LEN(names)) {
			buf_addstr(out, names[i].option);
			text += strlen(names[i].key);
		} else {
			buf_addch(out, *text++);
		}
	}
}

static void say(const char *text)
{
	struct buf line = BUF_INIT(4096);
	char plain[1024];

	snprintf(plain, sizeof(plain), "%s", text);
	utf8_plain(plain);
	rename_keys(plain, &line);
	fprintf(stderr, "mmlag init: %s\n", buf_str(&line));
	buf_free(&line);
}

static int fail(enum reason r, const char *text)
{
	say(text);
	for (size_t i = 0; i < ARRAY_LEN(advice); i++)
		if (advice[i].reason == r)
			fprintf(stderr, "%s\n", advice[i].words);
	return 1;
}

/* The host was asked, and refused: the same can be tried by hand. */
static int fail_login(const struct init_target *t, const char *text)
{
	say(text);
	if (strstr(text, "is refused") != NULL && t->key_file != NULL)
		fprintf(stderr,
			"Try it by hand: ssh -p %s -i %s %s@%s; the public key (%s.pub, "
			"or ssh-keygen -yf %s) belongs into ~%s/.ssh/authorized_keys "
			"there.\n",
			t->port, t->key_file, t->user, t->host, t->key_file,
			t->key_file, t->user);
	return 1;
}

/* A configuration of one topic that runs `script`, so that all values pass the same
 * checks as those of a file. Returns NULL after telling what is wrong. */
static struct config *configure(const struct init_target *t, const char *script,
				const char *scratch)
{
	struct buf json = BUF_INIT(4 << 20);
	struct config_findings found = {NULL, 0};
	struct config *c = NULL;
	struct err err = ERR_INIT;
	int rc;

	init_scout_config(t, script, scratch, TIMEOUT_S, &json);
	rc = config_parse("init", buf_str(&json), json.len, &c, &found, &err);
	for (size_t i = 0; i < found.n; i++)
		if (!found.v[i].warning)
			say(found.v[i].text);
	if (rc != 0 && found.n == 0)
		say(err.text);
	config_findings_free(&found);
	buf_free(&json);
	return rc == 0 ? c : NULL;
}

/* No group has topics: name those that there are, and say where to look. */
static int tell_groups(const struct scout *s, const struct init_target *t)
{
	const char *between = "; the brokers list: ";
	bool connect = false;

	if (t->look.group != NULL)
		fprintf(stderr,
			"mmlag init: group '%s' has no topic with a committed "
			"offset",
			t->look.group);
	else if (s->n == 0)
		fprintf(stderr, "mmlag init: the brokers list no consumer group");
	else
		fprintf(stderr, "mmlag init: no group has a topic with a committed "
				"offset");
	for (size_t i = 0; i < s->n && i < SCOUT_GROUPS_MAX; i++) {
		char *name = mem_strdup(s->groups[i].name);

		connect |= strncmp(name, "connect-", 8) == 0;
		utf8_plain(name);
		if (t->look.group == NULL || strcmp(t->look.group, name) != 0) {
			fprintf(stderr, "%s%s", between, name);
			between = ", ";
		}
		free(name);
	}
	fprintf(stderr, "\n%s%s\n", connect ? CONNECT_ADVICE : "", GROUP_ADVICE);
	return 1;
}

/* Is there something to write a configuration about? Says why not. */
static int judge(const struct scout *s, const struct init_target *t)
{
	size_t topics = init_topic_count(s);
	char text[512];

	if (s->missing != NULL) {
		snprintf(text, sizeof(text), "--kafka-home %s: %s", t->look.kafka_home,
			 s->missing);
		return fail(REASON_CLI_MISSING, text);
	}
	if (topics > 0)
		return 0;
	if (s->failure.reason != REASON_NONE)
		return fail(s->failure.reason, s->failure.message);
	if (s->mm2)
		return fail(REASON_MIRRORMAKER2,
			    "MirrorMaker 2 runs on the host: it commits to no consumer "
			    "group, so there is no lag to ask the CLI for; take it "
			    "from its JMX metrics with `source: prometheus`");
	for (size_t i = 0; i < s->n && t->look.group != NULL; i++)
		if (s->groups[i].table != NULL &&
		    table_failure(s->groups[i].table)->reason != REASON_NONE)
			fail(table_failure(s->groups[i].table)->reason,
			     table_failure(s->groups[i].table)->message);
	return tell_groups(s, t);
}

static void tell_next(const struct scout *s)
{
	size_t topics = init_topic_count(s), groups = init_group_count(s);

	options_progress("%zu topic%s in %zu group%s; next: add the elasticsearch "
			 "section, then mmlag check",
			 topics, topics == 1 ? "" : "s", groups,
			 groups == 1 ? "" : "s");
}

static int look(const struct init_target *t, const char *scratch)
{
	struct buf script = BUF_INIT(1 << 20), yaml = BUF_INIT(16 << 20);
	unsigned char random[8];
	struct wake wake;
	struct err err = ERR_INIT;
	struct config *c;
	struct scout found;
	char tag[32] = "@look-";
	int rc;

	random_bytes(random, sizeof(random));
	hash_hex(random, sizeof(random), tag + 6);
	scout_script(&script, &t->look, tag);
	c = configure(t, buf_str(&script), scratch);
	buf_free(&script);
	if (c == NULL)
		return EXIT_USAGE;
	if (wake_init(&wake) != 0 || ssh_global_init(&err) != 0) {
		config_unref(c);
		return fail(REASON_NONE,
			    "no file descriptor is left; raise the limit (ulimit -n)");
	}
	options_progress("logging in to %s and asking for groups …", t->host);
	if (scout_run(&found, &c->topics[0], tag, &wake, &err) != 0)
		rc = err.code == REASON_SSH_AUTH
			     ? fail_login(t, err.text)
			     : fail((enum reason)err.code, err.text);
	else
		rc = judge(&found, t);
	if (rc == 0) {
		init_print(t, &found, &yaml);
		fputs(buf_str(&yaml), stdout);
		tell_next(&found);
	}
	scout_fini(&found);
	buf_free(&yaml);
	ssh_global_fini();
	wake_fini(&wake);
	config_unref(c);
	return rc;
}

/* A file that cannot be used is told before anybody is called. */
static bool usable(const char *option, const char *file)
{
	struct err err = ERR_INIT;

	if (file == NULL || file_check_secret(file, &err) == 0)
		return true;
	fprintf(stderr, "mmlag init: --%s: %s\n", option, err.text);
	return false;
}

/* A path as the daemon will find it, wherever that is started; the caller frees it. */
static char *whole(const char *path)
{
	char here[PATH_MAX];

	if (path == NULL)
		return NULL;
	if (*path == '/' || getcwd(here, sizeof(here)) == NULL)
		return mem_strdup(path);
	return mem_printf("%s/%s", here, path);
}

/* Without a key the agent signs. */
static bool has_key(const struct init_target *t)
{
	const char *socket = getenv("SSH_AUTH_SOCK");

	if (t->key_file != NULL || (socket != NULL && *socket != '\0'))
		return true;
	fprintf(stderr,
		"mmlag init: no --key was given, and SSH_AUTH_SOCK names no agent; give "
		"--key FILE, or start an agent that has the key\n");
	return false;
}

int cli_init(int argc, char **argv)
{
	struct init_target t = {.port = "22"};
	const struct option_flag flags[] = {
		{"host", NULL, &t.host},
		{"port", NULL, &t.port},
		{"user", NULL, &t.user},
		{"key", NULL, &t.key_file},
		{"passphrase-file", NULL, &t.passphrase_file},
		{"host-key", NULL, &t.host_key},
		{"run-as", NULL, &t.run_as},
		{"kafka-home", NULL, &t.look.kafka_home},
		{"bootstrap", NULL, &t.look.bootstrap_server},
		{"command-config", NULL, &t.look.command_config},
		{"group", NULL, &t.look.group},
	};
	char scratch[] = "/tmp/mmlag-init-XXXXXX";
	char *key, *passphrase;
	struct err err = ERR_INIT;
	const char *path;
	int rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags), NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	if (t.host == NULL || t.user == NULL || t.look.kafka_home == NULL ||
	    t.look.bootstrap_server == NULL)
		return options_usage("init", "--host, --user, --kafka-home and "
					     "--bootstrap are needed");
	if (!has_key(&t) || !usable("key", t.key_file) ||
	    !usable("passphrase-file", t.passphrase_file))
		return 1;
	if (mkdtemp(scratch) == NULL) {
		(void)err_set_errno(&err, ERR_PERMANENT, errno,
				    "no directory can be made in /tmp");
		return fail(REASON_NONE, err.text);
	}
	t.key_file = key = whole(t.key_file);
	t.passphrase_file = passphrase = whole(t.passphrase_file);
	rc = look(&t, scratch);
	init_clean(scratch);
	free(key);
	free(passphrase);
	return rc;
}
