/* SPDX-License-Identifier: MIT
 * print: two more walks over the table: free a structure, and write it down. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "config/scalar_int.h"
#include "config/schema_int.h"

#include "banned.h"

/* --- free --- */

static void free_strings(struct config_strings *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
}

static void free_pairs(struct schema_array *list)
{
	struct config_pair *v = list->v;

	for (size_t i = 0; i < list->n; i++) {
		free(v[i].name);
		free(v[i].value);
	}
	free(v);
}

static void free_sections(const struct section *section, struct schema_array *list)
{
	for (size_t i = 0; i < list->n; i++)
		schema_free(section, (char *)list->v + i * section->size);
	free(list->v);
}

void schema_free(const struct section *section, void *base)
{
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		void *member = schema_member(key, base);
		struct config_topic *topic = base; /* for KEY_HOST_KEY */

		if (key->type <= KEY_SECRET) {
			free(*(char **)member);
		} else if (key->type == KEY_HOST_KEY) {
			free(topic->host_key_pin);
			topic->host_key_pin = NULL;
		}
		if (key->type == KEY_STRINGS)
			free_strings(member);
		else if (key->type == KEY_PAIRS)
			free_pairs(member);
		else if (key->type == KEY_SECTION)
			schema_free(key->section, member);
		else if (key->type == KEY_SECTIONS)
			free_sections(key->section, member);
	}
}

/* --- write down --- */

/* A string that is read back as itself: $ is doubled. */
static void print_string(struct jsonw *w, const char *s)
{
	struct buf b = BUF_INIT(1 << 20);

	for (; *s != '\0'; s++) {
		buf_addch(&b, *s);
		if (*s == '$')
			buf_addch(&b, '$');
	}
	jsonw_strn(w, buf_str(&b), b.len);
	buf_free(&b);
}

static int64_t integer_of(const struct key *key, const void *member)
{
	int64_t v = 0;
	int narrow = 0;

	if (key->size != sizeof(narrow)) {
		memcpy(&v, member, sizeof(v));
		return v;
	}
	memcpy(&narrow, member, sizeof(narrow));
	return narrow;
}

static const char *name_of(const struct key *key, const void *member)
{
	bool flag = false;

	if (key->size == sizeof(int))
		return key->names[integer_of(key, member)];
	memcpy(&flag, member, sizeof(flag));
	return key->names[flag];
}

static void print_number(struct jsonw *w, const struct key *key, const void *member)
{
	struct buf b = BUF_INIT(64);

	if (key->type == KEY_REAL || key->type == KEY_SHARE)
		scalar_print_real(&b, *(const double *)member);
	else
		schema_print_number(key, integer_of(key, member), &b);
	if (key->type == KEY_DURATION || key->type == KEY_SIZE)
		jsonw_strn(w, buf_str(&b), b.len);
	else
		jsonw_raw(w, buf_str(&b), b.len);
	buf_free(&b);
}

static void print_level(struct jsonw *w, const struct config_threshold *t, double level)
{
	struct buf b = BUF_INIT(64);

	if (t->of == THRESHOLD_TIME)
		scalar_print_duration(&b, (int64_t)level);
	else
		scalar_print_real(&b, level);
	jsonw_strn(w, buf_str(&b), b.len);
	buf_free(&b);
}

static void print_section(struct jsonw *w, const struct section *section,
			  const void *base);

static void print_list(struct jsonw *w, const struct key *key, const void *member)
{
	const struct schema_array *list = member;

	jsonw_array(w);
	for (size_t i = 0; i < list->n; i++)
		if (key->type == KEY_STRINGS)
			print_string(w, ((char *const *)list->v)[i]);
		else
			print_section(w, key->section,
				      (const char *)list->v + i * key->section->size);
	jsonw_end(w);
}

static void print_pairs(struct jsonw *w, const struct schema_array *list)
{
	const struct config_pair *v = list->v;

	jsonw_object(w);
	for (size_t i = 0; i < list->n; i++) {
		jsonw_key(w, v[i].name);
		print_string(w, v[i].value);
	}
	jsonw_end(w);
}

static bool flag_at(const void *base, size_t offset)
{
	bool flag = false;

	memcpy(&flag, (const char *)base + offset, sizeof(flag));
	return flag;
}

/* Is there nothing to write for this key? */
static bool is_absent(const struct key *key, const void *member)
{
	if (key->type <= KEY_SECRET)
		return *(char *const *)member == NULL;
	if (key->type == KEY_LEVEL)
		return isnan(*(const double *)member);
	if (key->type == KEY_STRINGS || key->type == KEY_PAIRS ||
	    key->type == KEY_SECTIONS)
		return ((const struct schema_array *)member)->n == 0;
	if (key->type == KEY_INT)
		return key->def == NULL && integer_of(key, member) == 0;
	if (key->type == KEY_SECTION && key->section->present != NOWHERE)
		return !flag_at(member, key->section->present);
	return key->type == KEY_DEFAULTS;
}

static void print_value(struct jsonw *w, const struct key *key, const void *base,
			const void *member)
{
	const struct config_topic *topic = base;

	switch (key->type) {
	case KEY_STRING:
	case KEY_TEXT:
	case KEY_PATH:
	case KEY_FILE:
	case KEY_SECRET:
		print_string(w, *(char *const *)member);
		break;
	case KEY_LITERAL:
		jsonw_str(w, *(char *const *)member);
		break;
	case KEY_INT:
	case KEY_REAL:
	case KEY_SHARE:
	case KEY_DURATION:
	case KEY_SIZE:
		print_number(w, key, member);
		break;
	case KEY_BOOL:
		jsonw_bool(w, *(const bool *)member);
		break;
	case KEY_ENUM:
		jsonw_str(w, name_of(key, member));
		break;
	case KEY_LEVEL:
		print_level(w, base, *(const double *)member);
		break;
	case KEY_HOST_KEY:
		jsonw_str(w, topic->host_key == HOST_KEY_PINNED ? topic->host_key_pin
								: name_of(key, member));
		break;
	case KEY_STRINGS:
	case KEY_SECTIONS:
		print_list(w, key, member);
		break;
	case KEY_PAIRS:
		print_pairs(w, member);
		break;
	case KEY_SECTION:
		if (key->section->off != NOWHERE && flag_at(member, key->section->off))
			jsonw_str(w, "off");
		else
			print_section(w, key->section, member);
		break;
	case KEY_DEFAULTS:
		break;
	}
}

static void print_section(struct jsonw *w, const struct section *section,
			  const void *base)
{
	jsonw_object(w);
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];
		const void *member = (const char *)base + key->offset;

		if (is_absent(key, member))
			continue;
		jsonw_key(w, key->name);
		print_value(w, key, base, member);
	}
	jsonw_end(w);
}

void schema_print(const struct section *section, const void *base, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	print_section(&w, section, base);
}
