/* SPDX-License-Identifier: MIT */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/finding_int.h"
#include "config/resolve_int.h"
#include "config/schema_int.h"
#include "config/tree_int.h"

#include "banned.h"

#define STATE_DIR "/var/lib/mmlag"

static void config_free(struct config *c)
{
	schema_free(&schema_root, c);
	for (size_t i = 0; i < c->file_count; i++)
		free(c->files[i].path);
	free(c->files);
	free(c->path);
	free(c);
}

struct config *config_ref(struct config *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

void config_unref(struct config *c)
{
	if (c != NULL && atomic_fetch_sub(&c->refs, 1) == 1)
		config_free(c);
}

/* systemd gives a list, ':' between its directories; ours is the first. */
static char *default_state_dir(void)
{
	const char *given = getenv("STATE_DIRECTORY");

	if (given == NULL || *given != '/')
		return mem_strdup(STATE_DIR);
	return mem_strndup(given, strcspn(given, ":"));
}

static int by_file_place(const void *a, const void *b)
{
	const struct config_file *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

static void free_file(struct config_file *file)
{
	free(file->path);
}

/* A value under `defaults` was noted for each topic: keep it once. */
static void order_files(struct config *c)
{
	size_t n = 0;

	if (c->file_count > 1)
		qsort(c->files, c->file_count, sizeof(*c->files), by_file_place);
	for (size_t i = 0; i < c->file_count; i++)
		if (n > 0 && by_file_place(&c->files[n - 1], &c->files[i]) == 0)
			free_file(&c->files[i]);
		else
			c->files[n++] = c->files[i];
	c->file_count = n;
}

static void fill(struct config *c, const struct node *root, struct config_findings *f)
{
	struct schema_filler filler = {.f = f, .config = c};
	struct resolver resolver = {c, f, root, tree_find(root, "topics")};

	schema_fill(&filler, &schema_root, c, root, NULL);
	if (c->state_dir == NULL)
		c->state_dir = default_state_dir();
	if (resolver.entries != NULL && resolver.entries->kind == NODE_LIST &&
	    resolver.entries->n == 0)
		finding_error(f, resolver.entries->line, resolver.entries->column,
			      "topics: is an empty list; name at least one topic");
	resolve_topics(&resolver);
	resolve_across(&resolver);
	resolve_sections(&resolver);
	resolve_telling(&resolver);
	order_files(c);
}

static struct config *build(const char *path, const struct node *root,
			    struct config_findings *f)
{
	struct config *c;

	if (root->kind != NODE_MAP) {
		finding_error(f, root->line, root->column,
			      "the file must begin with keys, such as \"topics:\"");
		return NULL;
	}
	c = mem_calloc(1, sizeof(*c));
	atomic_init(&c->refs, 1);
	c->path = mem_strdup(path);
	fill(c, root, f);
	return c;
}

int config_parse(const char *path, const char *text, size_t len, struct config **out,
		 struct config_findings *findings, struct err *err)
{
	struct node *root;
	struct config *c = NULL;
	size_t errors;

	*out = NULL;
	*findings = (struct config_findings){NULL, 0};
	root = tree_parse(text, len, findings);
	if (root != NULL)
		c = build(path, root, findings);
	tree_free(root);
	finding_sort(findings);
	errors = finding_errors(findings);
	if (errors > 0) {
		config_unref(c);
		return err_set(err, ERR_PERMANENT, "%s: %zu error%s", path, errors,
			       errors == 1 ? "" : "s");
	}
	*out = c;
	return 0;
}

int config_load(const char *path, struct config **out, struct config_findings *findings,
		struct err *err)
{
	struct buf text = BUF_INIT(TREE_BYTES_MAX);
	int rc;

	*out = NULL;
	*findings = (struct config_findings){NULL, 0};
	rc = file_read(path, &text, err);
	if (rc == 0)
		rc = config_parse(path, buf_str(&text), text.len, out, findings, err);
	else if (err != NULL)
		err->class = ERR_PERMANENT;
	buf_free(&text);
	return rc == 0 ? 0 : ERR_PERMANENT;
}

void config_check_files(const struct config *c, struct config_findings *findings)
{
	for (size_t i = 0; i < c->file_count; i++) {
		const struct config_file *file = &c->files[i];
		struct err err = ERR_INIT;
		int rc = 0;

		if (file->secret)
			rc = file_check_secret(file->path, &err);
		else if (access(file->path, R_OK) != 0)
			rc = err_set_errno(&err, ERR_PERMANENT, errno, "%s",
					   file->path);
		if (rc != 0)
			finding_error(findings, file->line, file->column, "%s: %s",
				      file->key, err.text);
	}
	finding_sort(findings);
}

void config_print(const struct config *c, struct buf *out)
{
	schema_print(&schema_root, c, out);
	buf_addch(out, '\n');
}
