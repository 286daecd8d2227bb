/* SPDX-License-Identifier: MIT
 * jsonschema: the table of keys as a JSON Schema (draft 7), for editors: completion,
 * help and wavy lines while a configuration is written. It is meant to accept whatever
 * config_load accepts; what only config_load sees (a path that is not there, two keys
 * that exclude each other) passes. */
#include <string.h>

#include "base/jsonw.h"
#include "config/schema_int.h"

#include "banned.h"

#define VARIABLE "\\$\\{"

static void put_section(struct jsonw *w, const struct section *section, bool whole);

static void put(struct jsonw *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	jsonw_raw(w, json, strlen(json));
}

/* Beside what it is, any scalar may be a reference to the environment. */
static void either_begin(struct jsonw *w)
{
	jsonw_key(w, "anyOf");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_key_str(w, "type", "string");
	jsonw_key_str(w, "pattern", VARIABLE);
	jsonw_end(w);
	jsonw_object(w);
}

static void either_end(struct jsonw *w)
{
	jsonw_end(w);
	jsonw_end(w);
}

static void put_pattern(struct jsonw *w, const char *pattern)
{
	struct buf b = BUF_INIT(256);

	buf_printf(&b, "%s|%s", pattern, VARIABLE);
	jsonw_key_str(w, "type", "string");
	jsonw_key_str(w, "pattern", buf_str(&b));
	buf_free(&b);
}

static void put_number(struct jsonw *w, const struct key *key, const char *type)
{
	either_begin(w);
	jsonw_key_str(w, "type", type);
	jsonw_key_int(w, "minimum", key->min);
	if (key->max > 0 && key->max < INT64_MAX)
		jsonw_key_int(w, "maximum", key->max);
	either_end(w);
}

static void put_words(struct jsonw *w, const struct key *key)
{
	either_begin(w);
	if (key->type == KEY_HOST_KEY) {
		jsonw_key_str(w, "type", "string");
		jsonw_key_str(w, "pattern", "^(strict|accept-new|SHA256:.+)$");
	} else {
		jsonw_key(w, "enum");
		jsonw_array(w);
		for (size_t i = 0; key->names[i] != NULL; i++)
			jsonw_str(w, key->names[i]);
		jsonw_end(w);
	}
	either_end(w);
}

static const char text[] = "[\"string\",\"number\",\"boolean\"]";

/* A list whose single item may stand without brackets. */
static void put_strings(struct jsonw *w)
{
	static const char any[] =
		"[{\"type\":[\"string\",\"number\"]},{\"type\":\"array\","
		"\"items\":{\"type\":[\"string\",\"number\"]}}]";

	put(w, "anyOf", any);
}

static void put_pairs(struct jsonw *w)
{
	jsonw_key_str(w, "type", "object");
	jsonw_key(w, "additionalProperties");
	jsonw_object(w);
	put(w, "type", text);
	jsonw_end(w);
}

static void put_nested(struct jsonw *w, const struct key *key)
{
	bool choice = key->section->off != NOWHERE;

	if (choice) {
		jsonw_key(w, "anyOf");
		jsonw_array(w);
		/* editors that read YAML 1.1 see a bare off as false */
		jsonw_raw(w, "{\"enum\":[\"off\",false]}", 22);
		jsonw_object(w);
	}
	put_section(w, key->section, true);
	if (choice) {
		jsonw_end(w);
		jsonw_end(w);
	}
}

static void put_items(struct jsonw *w, const struct key *key)
{
	bool bare = key->section->bare != NULL;

	jsonw_key_str(w, "type", "array");
	jsonw_key(w, "items");
	jsonw_object(w);
	if (bare) {
		jsonw_key(w, "anyOf");
		jsonw_array(w);
		jsonw_object(w);
		put(w, "type", "[\"string\",\"number\"]");
		jsonw_end(w);
		jsonw_object(w);
	}
	put_section(w, key->section, true);
	if (bare) {
		jsonw_end(w);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_type(struct jsonw *w, const struct key *key)
{
	switch (key->type) {
	case KEY_STRING:
	case KEY_TEXT:
	case KEY_LITERAL:
	case KEY_PATH:
	case KEY_FILE:
	case KEY_SECRET:
		put(w, "type", text);
		break;
	case KEY_INT:
		put_number(w, key, "integer");
		break;
	case KEY_REAL:
		put_number(w, key, "number");
		break;
	case KEY_LEVEL:
		put(w, "type", "[\"number\",\"string\"]");
		break;
	case KEY_SHARE:
		put(w, "type", "[\"number\",\"string\"]");
		break;
	case KEY_BOOL:
		either_begin(w);
		jsonw_key_str(w, "type", "boolean");
		either_end(w);
		break;
	case KEY_DURATION:
		put_pattern(w, "^([0-9]+(d|h|ms|m|s))+$");
		break;
	case KEY_SIZE:
		put_pattern(w, "^[0-9]+([KMGT]iB|B)$");
		break;
	case KEY_ENUM:
	case KEY_HOST_KEY:
		put_words(w, key);
		break;
	case KEY_STRINGS:
		put_strings(w);
		break;
	case KEY_PAIRS:
		put_pairs(w);
		break;
	case KEY_SECTION:
		put_nested(w, key);
		break;
	case KEY_SECTIONS:
		put_items(w, key);
		break;
	case KEY_DEFAULTS:
		put_section(w, key->section, false);
		break;
	}
}

static void put_help(struct jsonw *w, const struct key *key)
{
	struct buf b = BUF_INIT(2048);

	buf_addstr(&b, key->help);
	if (key->def != NULL)
		buf_printf(&b, " Default: %s.", key->def);
	else if (key->automatic != NULL)
		buf_printf(&b, " Default: %s.", key->automatic);
	jsonw_key_str(w, "description", buf_str(&b));
	buf_free(&b);
}

/* The members of a section's schema; without `whole` nothing of it is required. */
static void put_section(struct jsonw *w, const struct section *section, bool whole)
{
	size_t required = 0;

	jsonw_key_str(w, "type", "object");
	put(w, "additionalProperties", "false");
	jsonw_key(w, "properties");
	jsonw_object(w);
	for (size_t i = 0; i < section->n; i++) {
		const struct key *key = &section->keys[i];

		jsonw_key(w, key->name);
		jsonw_object(w);
		put_help(w, key);
		put_type(w, key);
		jsonw_end(w);
		required += key->required;
	}
	jsonw_end(w);
	if (!whole || required == 0)
		return;
	jsonw_key(w, "required");
	jsonw_array(w);
	for (size_t i = 0; i < section->n; i++)
		if (section->keys[i].required)
			jsonw_str(w, section->keys[i].name);
	jsonw_end(w);
}

void config_print_schema(struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "$schema", "http://json-schema.org/draft-07/schema#");
	jsonw_key_str(&w, "title", "mmlag");
	put_section(&w, &schema_root, true);
	jsonw_end(&w);
	buf_addch(out, '\n');
}
