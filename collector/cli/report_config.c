/* SPDX-License-Identifier: MIT
 * report_config: the configuration in a report, and the files that it names. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <jansson.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/redact.h"
#include "cli/report_int.h"

#include "banned.h"

#define CONFIG_MAX (32u << 20)

static void set_string(json_t *o, const char *key, char *text)
{
	json_object_set_new(o, key, json_string(text));
	free(text);
}

/* { NAME: value } → { NAME: "[redacted]" }: what is passed on to a program on a host
 * may be its password. */
static void hide_values(json_t *o)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(o, next, key, value)
		json_object_set_new(o, key, json_string(REDACTED));
}

/* The program of a command line, unless a variable is set before it. */
static void hide_arguments(json_t *o, const char *key)
{
	const char *line = json_string_value(json_object_get(o, key));
	size_t n = line == NULL ? 0 : strcspn(line, " \t\n");

	if (line == NULL)
		return;
	if (memchr(line, '=', n) != NULL)
		n = 0;
	set_string(o, key,
		   mem_printf("%.*s%s" REDACTED, (int)n, line, n > 0 ? " " : ""));
}

static void hide_argv(json_t *argv)
{
	for (size_t i = 1; i < json_array_size(argv); i++)
		json_array_set_new(argv, i, json_string(REDACTED));
}

/* Who knows the path of a webhook may write to it. */
static void hide_paths(json_t *urls)
{
	for (size_t i = 0; i < json_array_size(urls); i++) {
		const char *url = json_string_value(json_array_get(urls, i));
		const char *host = url == NULL ? NULL : strstr(url, "://");
		char *shown;

		if (host == NULL)
			continue;
		host += 3;
		shown = mem_printf("%.*s/" REDACTED,
				   (int)(host - url + (long)strcspn(host, "/?#")), url);
		json_array_set_new(urls, i, json_string(shown));
		free(shown);
	}
}

static void hide(json_t *tree)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(tree, "topics"), i, entry)
	{
		hide_values(json_object_get(entry, "env"));
		hide_arguments(entry, "command");
	}
	json_array_foreach(json_object_get(tree, "receivers"), i, entry)
	{
		hide_argv(json_object_get(entry, "argv"));
		hide_paths(json_object_get(entry, "urls"));
	}
}

void report_config(const struct config *c, struct buf *out)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	json_t *tree;
	char *shown;

	config_print(c, &text);
	tree = json_loadb(buf_str(&text), text.len, 0, NULL);
	hide(tree);
	shown = json_dumps(tree, JSON_INDENT(1));
	buf_printf(out, "%s\n", shown == NULL ? "not to be written as JSON" : shown);
	free(shown);
	json_decref(tree);
	buf_free(&text);
}

/* By number: a directory service that names users may let us wait. */
static void owner(const struct stat *st, struct buf *out)
{
	if (st->st_uid == geteuid())
		buf_addstr(out, "our own");
	else if (st->st_uid == 0)
		buf_addstr(out, "root's");
	else
		buf_printf(out, "of uid %u", (unsigned)st->st_uid);
}

static void file(const struct config_file *f, struct buf *out)
{
	struct buf content = BUF_INIT(CONFIG_MAX);
	struct err err = ERR_INIT;
	char *path = NULL;
	struct stat st;
	int rc;

	buf_printf(out, "%d:%d %s %s: ", f->line, f->column, f->key, f->path);
	if (file_secret_path(f->path, &path, &err) == 0 && stat(path, &st) == 0) {
		owner(&st, out);
		buf_printf(out, ", mode %04o, ", (unsigned)(st.st_mode & 07777));
	}
	/* a pipe would wait for its writer */
	if (f->secret)
		rc = file_check_secret(f->path, &err);
	else if (path != NULL && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		rc = err_set(&err, ERR_PERMANENT, "not a regular file");
	else
		rc = file_read(f->path, &content, &err);
	buf_printf(out, "%s\n", rc == 0 ? "readable" : err.text);
	buf_free(&content);
	free(path);
}

void report_files(const struct config *c, struct buf *out)
{
	for (size_t i = 0; i < c->file_count; i++)
		file(&c->files[i], out);
	if (c->file_count == 0)
		buf_addstr(out, "it names none\n");
}
