/* SPDX-License-Identifier: MIT
 * suggest: what somebody meant who wrote a key or a word that is not known. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema_int.h"

#include "banned.h"

#define LONGEST 48 /* longer words are compared by their begin */

/* "Key-File" is "key_file", written otherwise. */
static int normal(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `b` of `a`. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
	size_t rows[3][LONGEST + 1];
	size_t *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *spare = before;

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			size_t cost = normal(a[i - 1]) != normal(b[j - 1]);

			row[j] =
				min(min(above[j], row[j - 1]) + 1, above[j - 1] + cost);
			if (i > 1 && j > 1 && normal(a[i - 1]) == normal(b[j - 2]) &&
			    normal(a[i - 2]) == normal(b[j - 1]))
				row[j] = min(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

/* Near enough to ask "did you mean": a slip or two, or one is the begin of the other.
 */
static bool is_near(const char *text, const char *name)
{
	size_t n = min(strlen(text), strlen(name)), i = 0;

	while (i < n && normal(text[i]) == normal(name[i]))
		i++;
	return (n > 2 && i == n) || distance(text, name) <= (strlen(name) + 1) / 3;
}

const char *schema_nearest(const char *const *names, const char *text)
{
	const char *best = NULL;

	for (; *names != NULL; names++)
		if (is_near(text, *names) &&
		    (best == NULL || distance(text, *names) < distance(text, best)))
			best = *names;
	return best;
}

static bool has_key(const struct section *section, const char *name)
{
	for (size_t i = 0; i < section->n; i++)
		if (strcmp(section->keys[i].name, name) == 0)
			return true;
	return false;
}

struct search {
	const struct section *not_here;
	const char *name;
	struct buf *out; /* the sections that have the key */
	const char *near;
	const struct section *near_at;
};

/* Look for the key, and for one that is near, in all sections. */
static void search_sections(struct search *s, const struct section *section)
{
	if (section != s->not_here && has_key(section, s->name)) {
		if (s->out->len > 0)
			buf_addstr(s->out, " or ");
		buf_addstr(s->out, section->title);
		if (section == &schema_topic)
			buf_addstr(s->out, " or defaults");
	}
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];

		if (section != s->not_here && is_near(s->name, key->name) &&
		    (s->near == NULL ||
		     distance(s->name, key->name) < distance(s->name, s->near))) {
			s->near = key->name;
			s->near_at = section;
		}
		if (key->section != NULL && key->type != KEY_DEFAULTS)
			search_sections(s, key->section);
	}
}

/* The best of one section; *near when it is near enough. */
static const char *best_key(const struct section *section, const char *key, bool *near)
{
	const char *best = NULL;

	*near = false;
	for (size_t i = 0; i < section->n; i++) {
		const char *name = section->keys[i].name;
		bool this_near = is_near(key, name);

		if (best == NULL || (this_near && !*near) ||
		    (this_near == *near && distance(key, name) < distance(key, best)))
			best = name;
		*near = *near || this_near;
	}
	return best;
}

void schema_suggest(const struct section *section, const char *key, struct buf *out)
{
	struct buf places = BUF_INIT(512);
	struct search s = {section, key, &places, NULL, NULL};
	bool near;
	const char *best = best_key(section, key, &near);

	search_sections(&s, &schema_root);
	if (near)
		buf_printf(out, "; did you mean \"%s\"?", best);
	if (places.len > 0)
		buf_printf(out,
			   near ? " (\"%s\" belongs under %s)"
				: "; \"%s\" belongs under %s",
			   key, places.data);
	else if (!near && s.near != NULL)
		buf_printf(out, "; did you mean \"%s\" in %s?", s.near,
			   s.near_at->title);
	else if (!near)
		buf_printf(out, "; the nearest that is known in %s is \"%s\"",
			   section->title, best);
	buf_free(&places);
}
