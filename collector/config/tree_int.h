/* SPDX-License-Identifier: MIT
 * tree: a YAML file as nodes that know their place. The part of YAML that a
 * configuration needs: maps, lists and scalars (all of them text until the schema
 * types them); no anchors, aliases, tags, second documents. JSON is YAML.
 * Not here: what the keys mean (schema), the words for a syntax error (syntax). */
#ifndef MMLAG_CONFIG_TREE_INT_H
#define MMLAG_CONFIG_TREE_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX 200000
#define TREE_BYTES_MAX (4 << 20)

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	bool quoted;      /* a scalar in quotation marks, or a block */
	int line, column; /* of the value, from 1; columns count characters */
	char *key;        /* of a map's entry; else NULL */
	int key_line, key_column;
	char *text;         /* of a scalar, without NUL bytes; else NULL */
	struct node *child; /* of a list or map, in the file's order */
	size_t n;
};

/* Read a whole file. Returns the root, which the caller frees, or NULL after a syntax
 * error: the one finding that is then added. Keys that stand twice are findings beside
 * a root; tree_find gives the first of them.
 * @thread main */
struct node *tree_parse(const char *text, size_t len, struct config_findings *f);
void tree_free(struct node *root);

/* The entry of that key, NULL when there is none (or `map` is NULL or no map).
 * @thread main */
const struct node *tree_find(const struct node *map, const char *key);

/* Is it `key:` without a value, `key: ~` or `key: null`?  @thread main */
bool tree_is_null(const struct node *node);

#endif
