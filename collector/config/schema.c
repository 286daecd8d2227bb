/* SPDX-License-Identifier: MIT
 * schema: fills a structure from the tree, as the rows of the table say. */
#include "config/schema_int.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/finding_int.h"
#include "config/scalar_int.h"

#include "banned.h"

_Static_assert(sizeof(struct schema_array) == sizeof(struct config_strings),
	       "same shape");

/* One section that is being filled. */
struct job {
	struct schema_filler *s;
	const struct section *section;
	void *base;
	const struct node *own, *fallback;
};

static void complain(const struct schema_filler *s, const struct key *key,
		     const struct node *at, const char *text)
{
	if (!s->quiet)
		finding_error(s->f, at->line, at->column, "%s: %s", key->name, text);
}

/* The text of a scalar node, to be freed; NULL after a complaint. */
static char *take_text(const struct schema_filler *s, const struct key *key,
		       const struct node *node)
{
	struct err err = ERR_INIT;
	char *text = NULL;

	if (node->kind != NODE_SCALAR)
		complain(s, key, node,
			 node->kind == NODE_LIST
				 ? "takes one value, not a list"
				 : "takes one value, not a map (text with '{' "
				   "needs quotation marks)");
	else if (tree_is_null(node))
		complain(s, key, node, "has no value; give it one, or remove the key");
	else if (key->type == KEY_LITERAL)
		text = mem_strdup(node->text);
	else if (scalar_expand(node->text, &text, &err) != 0)
		complain(s, key, node, err.text);
	return text;
}

/* Remember a file to look at once the whole configuration is accepted. */
static void keep_file(struct schema_filler *s, const struct key *key,
		      const struct node *node, const char *path)
{
	if (s->config == NULL || (key->type != KEY_FILE && key->type != KEY_SECRET))
		return;
	MEM_GROW(s->config->files, s->config->file_count, s->files_cap);
	s->config->files[s->config->file_count++] = (struct config_file){
		.key = key->name,
		.path = mem_strdup(path),
		.secret = key->type == KEY_SECRET,
		.line = node->line,
		.column = node->column,
	};
}

static void fill_scalar(const struct job *j, const struct key *key,
			const struct node *node, const struct node *map)
{
	struct err err = ERR_INIT;
	char *text = take_text(j->s, key, node);

	if (text == NULL)
		return;
	if (schema_put(key, j->base, text, map, &err) != 0)
		complain(j->s, key, node, err.text);
	else
		keep_file(j->s, key, node, text);
	free(text);
}

static void fill_strings(const struct job *j, const struct key *key,
			 const struct node *node)
{
	struct config_strings *list = schema_member(key, j->base);
	size_t n = node->kind == NODE_SCALAR ? 1 : node->n;
	struct err err = ERR_INIT;

	if (node->kind == NODE_MAP) {
		complain(j->s, key, node, "is a list: [one, two]");
		return;
	}
	list->v = mem_calloc(n + 1, sizeof(*list->v));
	for (size_t i = 0; i < n; i++) {
		const struct node *item =
			node->kind == NODE_SCALAR ? node : &node->child[i];
		char *text = take_text(j->s, key, item);

		if (text == NULL)
			continue;
		if (schema_put_string(key, &list->v[list->n], text, &err) == 0)
			list->n++;
		else
			complain(j->s, key, item, err.text);
		free(text);
	}
	if (n == 0)
		complain(j->s, key, node,
			 "is an empty list; name one, or remove the key");
}

static void put_pair(struct schema_array *pairs, const char *name, char *value)
{
	struct config_pair *v = pairs->v;

	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(v[i].name, name) == 0) {
			free(v[i].value);
			v[i].value = value;
			return;
		}
	v[pairs->n++] = (struct config_pair){mem_strdup(name), value};
}

/* Room for what is there and all of `node`; names that are there are replaced. */
static void fill_pairs(const struct job *j, const struct key *key,
		       const struct node *node)
{
	struct schema_array *pairs = schema_member(key, j->base);
	struct err err = ERR_INIT;

	if (node->kind != NODE_MAP) {
		complain(j->s, key, node, "is a map: {NAME: value}");
		return;
	}
	pairs->v = mem_realloc(pairs->v, pairs->n + node->n + 1,
			       sizeof(struct config_pair));
	for (size_t i = 0; i < node->n; i++) {
		const struct node *item = &node->child[i];
		char *text = take_text(j->s, key, item);

		if (text == NULL)
			continue;
		if (key->check(item->key, &err) != 0) {
			complain(j->s, key, item, err.text);
			free(text);
		} else if (schema_has_control(text)) {
			complain(j->s, key, item,
				 "has a control character in it; remove it");
			free(text);
		} else {
			put_pair(pairs, item->key, text);
		}
	}
}

static void fill_section(const struct job *j, const struct key *key,
			 const struct node *node)
{
	const struct section *section = key->section;
	char *base = schema_member(key, j->base);
	bool there = node != NULL && !tree_is_null(node);

	if (there && node->kind == NODE_SCALAR && section->off != NOWHERE &&
	    strcmp(node->text, "off") == 0) {
		memcpy(base + section->off, &there, sizeof(there));
		there = false;
	} else if (there && node->kind != NODE_MAP) {
		complain(j->s, key, node,
			 section->off != NOWHERE
				 ? "is a section: its keys stand indented below it; or "
				   "`off`"
				 : "is a section: its keys stand indented below it");
		there = false;
	}
	if (there && section->present != NOWHERE)
		memcpy(base + section->present, &there, sizeof(there));
	schema_fill(j->s, section, base, there ? node : NULL, NULL);
}

/* One entry of the file for each of the array, whatever is wrong with it. */
static void fill_sections(const struct job *j, const struct key *key,
			  const struct node *node)
{
	const struct section *section = key->section;
	const struct node *fallback =
		section->fallback != NULL ? tree_find(j->own, section->fallback) : NULL;
	struct schema_array *list = schema_member(key, j->base);

	if (node->kind != NODE_LIST) {
		complain(j->s, key, node, "is a list: begin each entry with \"- \"");
		return;
	}
	list->v = mem_calloc(node->n + 1, section->size);
	list->n = node->n;
	for (size_t i = 0; i < node->n; i++) {
		const struct node *item = &node->child[i];
		bool good = item->kind == NODE_MAP ||
			    (item->kind == NODE_SCALAR && section->bare != NULL);

		if (!good)
			complain(j->s, key, item, "an entry is a map of keys");
		schema_fill(j->s, section, (char *)list->v + i * section->size,
			    good ? item : NULL, fallback);
	}
}

/* The defaults are looked at once, by filling a topic that nobody uses. */
static void fill_defaults(const struct job *j, const struct key *key,
			  const struct node *node)
{
	struct schema_filler look = {.f = j->s->f};
	void *scratch;

	if (tree_is_null(node))
		return;
	if (node->kind != NODE_MAP) {
		complain(j->s, key, node,
			 "is a section: its keys stand indented below it");
		return;
	}
	scratch = mem_calloc(1, key->section->size);
	schema_fill(&look, key->section, scratch, node, NULL);
	schema_free(key->section, scratch);
	free(scratch);
}

static void say_missing(const struct job *j, const struct key *key)
{
	const struct node *own = j->own;

	if (j->s->quiet || own == NULL)
		return;
	finding_error(j->s->f, own->key != NULL ? own->key_line : own->line,
		      own->key != NULL ? own->key_column : own->column,
		      "\"%s\" is missing in %s", key->name, j->section->title);
}

static void set_default(const struct key *key, void *base)
{
	struct err err = ERR_INIT;

	if (key->type == KEY_LEVEL)
		*(double *)schema_member(key, base) = NAN;
	else if (key->def != NULL && schema_put(key, base, key->def, NULL, &err) != 0)
		abort(); /* our own table */
}

static void fill_node(const struct job *j, const struct key *key,
		      const struct node *node, const struct node *map)
{
	if (key->type == KEY_SECTION)
		fill_section(j, key, node);
	else if (key->type == KEY_DEFAULTS)
		fill_defaults(j, key, node);
	else if (tree_is_null(node) &&
		 (key->type == KEY_PAIRS || key->type == KEY_SECTIONS))
		return;
	else if (key->type == KEY_PAIRS)
		fill_pairs(j, key, node);
	else if (key->type == KEY_SECTIONS)
		fill_sections(j, key, node);
	else if (key->type == KEY_STRINGS)
		fill_strings(j, key, node);
	else
		fill_scalar(j, key, node, map);
}

/* `key: null` in a map with a fallback takes the fallback away. */
static bool is_unset(const struct job *j, const struct node *own)
{
	return j->section->fallback != NULL && tree_is_null(own) && *own->text != '\0';
}

static void fill_key(const struct job *j, const struct key *key)
{
	const struct section *section = j->section;
	bool bare = j->own != NULL && j->own->kind == NODE_SCALAR &&
		    strcmp(key->name, section->bare) == 0;
	const struct node *own = bare ? j->own : tree_find(j->own, key->name);
	const struct node *fallback = tree_find(j->fallback, key->name);
	bool quiet = j->s->quiet;

	set_default(key, j->base);
	if (own == NULL || tree_is_null(own)) {
		if (key->required)
			say_missing(j, key);
		if (own != NULL && is_unset(j, own))
			own = fallback = NULL;
	}
	if (fallback != NULL && (own == NULL || key->type == KEY_PAIRS)) {
		j->s->quiet = true;
		fill_node(j, key, fallback, j->fallback);
		j->s->quiet = quiet;
	}
	if (own != NULL && !(key->required && tree_is_null(own)))
		fill_node(j, key, own, j->own);
	else if (own == NULL && fallback == NULL && key->type == KEY_SECTION)
		fill_section(j, key, NULL);
}

static void find_unknown(const struct job *j)
{
	struct buf words = BUF_INIT(1024);

	for (size_t i = 0; i < j->own->n && j->s->f->n <= FINDINGS_MAX; i++) {
		const struct node *child = &j->own->child[i];
		size_t k = 0;

		while (k < j->section->n &&
		       strcmp(j->section->keys[k].name, child->key) != 0)
			k++;
		if (k < j->section->n)
			continue;
		buf_reset(&words);
		schema_suggest(j->section, child->key, &words);
		finding_error(j->s->f, child->key_line, child->key_column,
			      "unknown key \"%.60s\"%s", child->key, buf_str(&words));
	}
	buf_free(&words);
}

void schema_fill(struct schema_filler *s, const struct section *section, void *base,
		 const struct node *own, const struct node *fallback)
{
	struct job j = {s, section, base, own, fallback};

	if (own != NULL && own->kind == NODE_MAP && !s->quiet)
		find_unknown(&j);
	for (size_t i = 0; i < section->n; i++)
		fill_key(&j, &section->keys[i]);
}
