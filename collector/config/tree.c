/* SPDX-License-Identifier: MIT */
#include "config/tree_int.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "config/finding_int.h"
#include "config/syntax_int.h"

#include "banned.h"

struct builder {
	yaml_parser_t yaml;
	const char *text;
	size_t len;
	struct config_findings *f;
	size_t nodes;
	int depth;
};

/* All of these return 0, or -1 after adding the finding that ends the reading; a node
 * that was begun can then be freed as far as it came. */
static int build_node(struct builder *b, const yaml_event_t *e, struct node *out);

static int next_event(struct builder *b, yaml_event_t *e)
{
	if (yaml_parser_parse(&b->yaml, e) == 1)
		return 0;
	syntax_explain(&b->yaml, b->text, b->len, b->f);
	return -1;
}

static int refuse(struct builder *b, const yaml_event_t *e, const char *text)
{
	finding_error(b->f, (int)e->start_mark.line + 1, (int)e->start_mark.column + 1,
		      "%s", text);
	return -1;
}

static int build_scalar(struct builder *b, const yaml_event_t *e, struct node *out)
{
	const char *value = (const char *)e->data.scalar.value;

	if (memchr(value, '\0', e->data.scalar.length) != NULL)
		return refuse(b, e, "a NUL character in a value");
	out->kind = NODE_SCALAR;
	out->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	out->text = mem_strndup(value, e->data.scalar.length);
	return 0;
}

static struct node *add_child(struct node *parent, size_t *cap)
{
	MEM_GROW(parent->child, parent->n, *cap);
	parent->child[parent->n] = (struct node){.kind = NODE_SCALAR};
	return &parent->child[parent->n++];
}

static int build_list(struct builder *b, struct node *out)
{
	size_t cap = 0;

	out->kind = NODE_LIST;
	for (;;) {
		yaml_event_t e;
		int rc;

		if (next_event(b, &e) != 0)
			return -1;
		if (e.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&e);
			return 0;
		}
		rc = build_node(b, &e, add_child(out, &cap));
		yaml_event_delete(&e);
		if (rc != 0)
			return -1;
	}
}

static int take_key(struct builder *b, const yaml_event_t *e, struct node *entry)
{
	struct node key = {.kind = NODE_SCALAR};

	if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT)
		return refuse(
			b, e,
			"a key must be a name; if this is text in { } or [ ], put "
			"the value in quotation marks");
	if (build_node(b, e, &key) != 0)
		return -1;
	entry->key = key.text;
	entry->key_line = key.line;
	entry->key_column = key.column;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct node *x = *(struct node *const *)a, *y = *(struct node *const *)b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : (x > y) - (x < y);
}

static void find_duplicates_of(struct config_findings *f, const struct node *map)
{
	const struct node **sorted = mem_calloc(map->n, sizeof(const struct node *));
	const struct node *first;

	for (size_t i = 0; i < map->n; i++)
		sorted[i] = &map->child[i];
	qsort(sorted, map->n, sizeof(const struct node *), by_key);
	first = sorted[0];
	for (size_t i = 1; i < map->n; i++)
		if (strcmp(sorted[i]->key, first->key) != 0)
			first = sorted[i];
		else
			finding_error(
				f, sorted[i]->key_line, sorted[i]->key_column,
				"key \"%.60s\" stands here a second time; the first is "
				"in line %d",
				first->key, first->key_line);
	free(sorted);
}

/* After the reading, so that a syntax error stands alone. */
static void find_duplicates(struct config_findings *f, const struct node *node)
{
	if (node->kind == NODE_MAP && node->n > 1)
		find_duplicates_of(f, node);
	for (size_t i = 0; i < node->n; i++)
		find_duplicates(f, &node->child[i]);
}

static int build_map(struct builder *b, struct node *out)
{
	size_t cap = 0;

	out->kind = NODE_MAP;
	for (;;) {
		yaml_event_t e;
		struct node *entry;
		int rc;

		if (next_event(b, &e) != 0)
			return -1;
		if (e.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&e);
			return 0;
		}
		entry = add_child(out, &cap);
		rc = take_key(b, &e, entry);
		yaml_event_delete(&e);
		if (rc != 0 || next_event(b, &e) != 0)
			return -1;
		rc = build_node(b, &e, entry);
		yaml_event_delete(&e);
		if (rc != 0)
			return -1;
	}
}

/* What YAML can do beside plain values, and nobody needs here. */
static int refuse_extras(struct builder *b, const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (e->type == YAML_ALIAS_EVENT)
		return refuse(b, e,
			      "an alias (*name), which is not used here: put text that "
			      "begins with '*' in quotation marks; what topics share "
			      "belongs under \"defaults\"");
	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
	} else if (e->type == YAML_MAPPING_START_EVENT) {
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
	}
	if (anchor != NULL)
		return refuse(
			b, e,
			"an anchor (&name), which is not used here: put text that "
			"begins with '&' in quotation marks");
	if (tag != NULL)
		return refuse(b, e,
			      "a tag (!name), which is not used here: put text that "
			      "begins with '!' in quotation marks");
	return 0;
}

static int build_node(struct builder *b, const yaml_event_t *e, struct node *out)
{
	int rc = refuse_extras(b, e);

	out->line = (int)e->start_mark.line + 1;
	out->column = (int)e->start_mark.column + 1;
	if (rc != 0)
		return rc;
	if (++b->nodes > TREE_NODES_MAX)
		return refuse(b, e, "more than 200000 values in one file");
	if (e->type == YAML_SCALAR_EVENT)
		return build_scalar(b, e, out);
	if (b->depth == TREE_DEPTH_MAX)
		return refuse(b, e, "nested more than 32 deep");
	b->depth++;
	rc = e->type == YAML_SEQUENCE_START_EVENT ? build_list(b, out)
						  : build_map(b, out);
	b->depth--;
	return rc;
}

/* The event after the document: only the end of the file may be there. */
static int expect_end(struct builder *b)
{
	yaml_event_t e;
	int rc = 0;

	if (next_event(b, &e) != 0) /* the document's end */
		return -1;
	yaml_event_delete(&e);
	if (next_event(b, &e) != 0)
		return -1;
	if (e.type != YAML_STREAM_END_EVENT)
		rc = refuse(b, &e, "a second document (---); one file holds one");
	yaml_event_delete(&e);
	return rc;
}

static int build_document(struct builder *b, struct node *root)
{
	yaml_event_t e;
	int rc = -1;

	if (next_event(b, &e) != 0) /* the stream's begin */
		return -1;
	yaml_event_delete(&e);
	if (next_event(b, &e) != 0)
		return -1;
	if (e.type == YAML_STREAM_END_EVENT) {
		yaml_event_delete(&e);
		finding_error(b->f, 1, 1, "the file is empty");
		return -1;
	}
	yaml_event_delete(&e); /* the document's begin */
	if (next_event(b, &e) == 0) {
		rc = build_node(b, &e, root);
		yaml_event_delete(&e);
	}
	return rc == 0 ? expect_end(b) : rc;
}

static void free_inside(struct node *node)
{
	for (size_t i = 0; i < node->n; i++)
		free_inside(&node->child[i]);
	free(node->child);
	free(node->key);
	free(node->text);
}

void tree_free(struct node *root)
{
	if (root == NULL)
		return;
	free_inside(root);
	free(root);
}

struct node *tree_parse(const char *text, size_t len, struct config_findings *f)
{
	struct builder b = {.f = f};
	size_t mark = syntax_skip_mark(text, len);
	struct node *root;

	if (syntax_check_bytes(text, len, f) != 0)
		return NULL;
	text += mark;
	len -= mark;
	if (yaml_parser_initialize(&b.yaml) != 1) {
		finding_error(f, 0, 0, "out of memory");
		return NULL;
	}
	b.text = text;
	b.len = len;
	yaml_parser_set_encoding(&b.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.yaml, (const unsigned char *)text, len);
	root = mem_calloc(1, sizeof(*root));
	if (build_document(&b, root) != 0) {
		tree_free(root);
		root = NULL;
	} else {
		find_duplicates(f, root);
	}
	yaml_parser_delete(&b.yaml);
	return root;
}

const struct node *tree_find(const struct node *map, const char *key)
{
	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (strcmp(map->child[i].key, key) == 0)
			return &map->child[i];
	return NULL;
}

bool tree_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->quoted &&
	       (*node->text == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}
