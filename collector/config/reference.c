/* SPDX-License-Identifier: MIT
 * reference: the table of keys as the manual has it. */
#include <stdint.h>

#include "config/schema_int.h"

#include "banned.h"

static const char *type_name(const struct key *key)
{
	switch (key->type) {
	case KEY_STRING:
	case KEY_TEXT:
		return "text";
	case KEY_LITERAL:
		return "text, taken literally";
	case KEY_PATH:
		return "path";
	case KEY_FILE:
		return "file";
	case KEY_SECRET:
		return "secret file";
	case KEY_INT:
		return "number";
	case KEY_REAL:
		return "decimal number";
	case KEY_SHARE:
		return "share";
	case KEY_BOOL:
		return "true, false";
	case KEY_DURATION:
		return "duration";
	case KEY_SIZE:
		return "size";
	case KEY_LEVEL:
		return "number or duration";
	case KEY_STRINGS:
		return "list of texts";
	case KEY_PAIRS:
		return "map of texts";
	case KEY_SECTION:
	case KEY_DEFAULTS:
		return "section";
	case KEY_SECTIONS:
		return "list of sections";
	case KEY_ENUM:
	case KEY_HOST_KEY:
		break;
	}
	return "word";
}

static void print_range(const struct key *key, struct buf *out)
{
	switch (key->type) {
	case KEY_ENUM:
	case KEY_HOST_KEY:
		for (size_t i = 0; key->names[i] != NULL; i++)
			buf_printf(out, "%s%s", i == 0 ? "" : ", ", key->names[i]);
		break;
	case KEY_INT:
	case KEY_DURATION:
	case KEY_SIZE:
		if (key->max == INT64_MAX)
			buf_addstr(out, "from ");
		schema_print_number(key, key->min, out);
		if (key->max == INT64_MAX)
			break;
		buf_addstr(out, " to ");
		schema_print_number(key, key->max, out);
		break;
	case KEY_SHARE:
		buf_addstr(out, "0% to 100%");
		break;
	case KEY_REAL:
		buf_addstr(out, "from 0");
		break;
	case KEY_STRING:
	case KEY_TEXT:
	case KEY_LITERAL:
	case KEY_PATH:
	case KEY_FILE:
	case KEY_SECRET:
	case KEY_BOOL:
	case KEY_LEVEL:
	case KEY_STRINGS:
	case KEY_PAIRS:
	case KEY_SECTION:
	case KEY_SECTIONS:
	case KEY_DEFAULTS:
		break;
	}
}

static void print_key(const struct key *key, struct buf *out)
{
	static const char *const reloads[] = {"topic", "live", "restart"};

	buf_printf(out, "| `%s` | %s | ", key->name, type_name(key));
	if (key->def != NULL)
		buf_printf(out, "`%s`", key->def);
	else
		buf_addstr(out, key->automatic != NULL ? key->automatic
				: key->required        ? "needed"
						       : "");
	buf_addstr(out, " | ");
	print_range(key, out);
	buf_printf(out, " | %s | %s |\n", reloads[key->reload], key->help);
}

static void print_table(const struct section *section, struct buf *out)
{
	if (section != &schema_root)
		buf_printf(out, "\n## `%s`\n", section->title);
	buf_addstr(out, "| key | type | default | range | reload | help |\n"
			"|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < section->n; i++)
		print_key(&section->keys[i], out);
	for (size_t i = 0; i < section->n; i++)
		if (section->keys[i].section != NULL &&
		    section->keys[i].type != KEY_DEFAULTS)
			print_table(section->keys[i].section, out);
}

void config_print_reference(struct buf *out)
{
	print_table(&schema_root, out);
}
