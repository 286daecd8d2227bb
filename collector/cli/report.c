/* SPDX-License-Identifier: MIT
 * report: all that somebody needs who is asked for help and cannot look here, without
 * secrets. Nothing is changed, nothing waits for long, and what cannot be had is told
 * in its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/feed.h"
#include "cli/options.h"
#include "cli/redact.h"
#include "cli/report_int.h"
#include "cli/spool.h"
#include "store/reader.h"

#include "banned.h"

#define SECTION_MAX ((size_t)64 << 20)
#define DEAD_LETTERS 5
#define VALUE_MIN 6
#define STATE_DIR "/var/lib/mmlag"

static const char usage[] =
	"Usage: mmlag report [-c FILE] > REPORT\n"
	"Prints what a support case needs: versions, this machine, the configuration with\n"
	"its findings, the state directory, the spool, and the running daemon's status,\n"
	"alerts and metrics. Secrets, values of `env:`, arguments of commands and paths\n"
	"of webhooks are left out; names of hosts and topics are not.\n\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"Exit: 0.\n";

struct bundle {
	struct redact redact;
	struct buf section; /* the one that is being written */
};

static void begin(struct bundle *b, const char *title)
{
	printf("== %s ==\n", title);
	buf_reset(&b->section);
}

static void end(struct bundle *b)
{
	struct buf clean = BUF_INIT(4 * SECTION_MAX);

	redact_add(&b->redact, buf_str(&b->section), &clean);
	printf("%s%s\n", buf_str(&clean),
	       b->section.failed ? "\n(the rest is too large)\n" : "");
	buf_free(&clean);
}

/* --- secrets that are known --- */

static void know_files(struct redact *r, const struct config *c)
{
	struct err err = ERR_INIT;

	for (size_t i = 0; i < c->file_count; i++) {
		struct buf secret;

		if (!c->files[i].secret ||
		    file_read_secret(c->files[i].path, &secret, &err) != 0)
			continue;
		buf_addch(&secret, '\0');
		redact_know(r, buf_str(&secret));
		mem_wipe(secret.data, secret.cap);
		buf_free(&secret);
	}
}

/* A value that may be a secret, or an ordinary word: "kafka" must not vanish from the
 * whole report. */
static void know_value(struct redact *r, const char *value)
{
	if (strlen(value) >= VALUE_MIN)
		redact_know(r, value);
}

static void know_env(struct redact *r, const struct config *c)
{
	for (size_t i = 0; i < c->topic_count; i++)
		for (size_t j = 0; j < c->topics[i].env_count; j++)
			know_value(r, c->topics[i].env[j].value);
}

/* Variables that ${…} in the file may have put anywhere. */
static void know_environment(struct redact *r)
{
	static const char *const names[] = {"PASS", "SECRET", "TOKEN", "KEY"};

	for (char **e = environ; *e != NULL; e++) {
		const char *is = strchr(*e, '=');
		char *name = is == NULL ? NULL : mem_strndup(*e, (size_t)(is - *e));

		for (size_t i = 0; name != NULL && i < ARRAY_LEN(names); i++)
			if (strcasestr(name, names[i]) != NULL) {
				know_value(r, is + 1);
				break;
			}
		free(name);
	}
}

/* --- sections --- */

static void findings(const struct config_findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct config_finding *v = &f->v[i];

		buf_printf(out, "%d:%d: %s: %s\n", v->line, v->column,
			   v->warning ? "warning" : "error", v->text);
	}
	if (f->n == 0)
		buf_addstr(out, "none\n");
}

/* Returns the configuration, or NULL where there is none that can be used. */
static struct config *configuration(struct bundle *b, const char *path)
{
	struct config_findings found = {NULL, 0};
	struct err err = ERR_INIT;
	struct config *c = NULL;

	know_environment(&b->redact);
	if (config_load(path, &c, &found, &err) == 0) {
		config_check_files(c, &found);
		know_files(&b->redact, c);
		know_env(&b->redact, c);
	}
	begin(b, "findings of the configuration");
	buf_printf(&b->section, "%s\n", path);
	if (c == NULL && found.n == 0)
		buf_printf(&b->section, "%s\n", err.text);
	else
		findings(&found, &b->section);
	end(b);
	config_findings_free(&found);
	if (c == NULL)
		return NULL;
	begin(b, "configuration");
	report_config(c, &b->section);
	end(b);
	begin(b, "files of the configuration");
	report_files(c, &b->section);
	end(b);
	return c;
}

/* Without a configuration the directory is where it would be by itself. */
static char *state_dir(const struct config *c)
{
	const char *given = getenv("STATE_DIRECTORY");

	if (c != NULL)
		return mem_strdup(c->state_dir);
	if (given == NULL || *given != '/')
		return mem_strdup(STATE_DIR);
	return mem_strndup(given, strcspn(given, ":"));
}

static void add_json(json_t *tree, struct buf *out)
{
	char *text = json_dumps(tree, JSON_INDENT(1));

	buf_printf(out, "%s\n", text == NULL ? "nothing" : text);
	free(text);
	json_decref(tree);
}

static void dead_letters(const char *dir, struct buf *out)
{
	struct buf rows = BUF_INIT(SECTION_MAX);
	struct err err = ERR_INIT;
	json_t *tree = NULL, *row;
	size_t i;

	if (reader_rows(dir, true, DEAD_LETTERS, &rows, &err) == 0)
		tree = json_loadb(buf_str(&rows), rows.len, 0, NULL);
	json_array_foreach(json_object_get(tree, "rows"), i, row)
		json_object_del(row, "source");
	if (json_array_size(json_object_get(tree, "rows")) > 0)
		add_json(json_incref(json_object_get(tree, "rows")), out);
	json_decref(tree);
	buf_free(&rows);
}

static void spool(const char *dir, struct buf *out)
{
	struct err err = ERR_INIT;
	json_t *status = spool_file_status(dir, &err);

	if (status == NULL) {
		buf_printf(out, "%s\n", err.text);
		return;
	}
	add_json(status, out);
	dead_letters(dir, out);
}

/* One page of the daemon. Returns false when it gave none, so that the others are not
 * waited for. */
static bool page(struct bundle *b, const char *dir, const char *target)
{
	struct buf answer = BUF_INIT(SECTION_MAX);
	struct err err = ERR_INIT;
	int rc = feed_once(dir, target, NULL, &answer, &err);
	json_t *tree;

	begin(b, target);
	tree = rc != 0 ? NULL : json_loadb(buf_str(&answer), answer.len, 0, NULL);
	if (rc != 0)
		buf_printf(&b->section, "%s\n", err.text);
	else if (tree != NULL)
		add_json(tree, &b->section);
	else
		buf_addstr(&b->section, buf_str(&answer));
	end(b);
	buf_free(&answer);
	return rc == 0;
}

static void daemon_pages(struct bundle *b, const char *dir)
{
	static const char *const pages[] = {"/api/v1/status", "/api/v1/alerts",
					    "/metrics"};

	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		if (!page(b, dir, pages[i]))
			return;
}

static void report(struct bundle *b, const char *path)
{
	struct config *c;
	char *dir;

	begin(b, "versions");
	report_versions(&b->section);
	end(b);
	c = configuration(b, path);
	begin(b, "system");
	report_system(&b->section);
	end(b);
	dir = state_dir(c);
	begin(b, "state directory");
	report_state(dir, &b->section);
	end(b);
	begin(b, "spool");
	spool(dir, &b->section);
	end(b);
	daemon_pages(b, dir);
	free(dir);
	config_unref(c);
}

int cli_report(int argc, char **argv)
{
	struct bundle b = {.section = BUF_INIT(SECTION_MAX)};
	const char *path;
	int rc = options_parse(argc, argv, usage, &path, NULL, 0, NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	report(&b, path);
	redact_fini(&b.redact);
	buf_free(&b.section);
	return 0;
}
