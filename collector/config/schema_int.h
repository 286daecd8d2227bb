/* SPDX-License-Identifier: MIT
 * schema: the one table of keys (keys.c), and the walks over it: fill a structure from
 * a tree, free it, print it. The reference of the manual and the suggestions for
 * unknown keys come from the same rows. */
#ifndef MMLAG_CONFIG_SCHEMA_INT_H
#define MMLAG_CONFIG_SCHEMA_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "config/tree_int.h"

enum key_type {
	KEY_STRING,   /* char *, one line */
	KEY_TEXT,     /* char *, may have several lines */
	KEY_LITERAL,  /* KEY_TEXT without ${…} */
	KEY_PATH,     /* char *, on the host or ours; no ~ */
	KEY_FILE,     /* KEY_PATH of ours, to be readable */
	KEY_SECRET,   /* KEY_FILE that others must not read, or credential:NAME */
	KEY_INT,      /* int or int64_t */
	KEY_REAL,     /* double */
	KEY_SHARE,    /* double, 0..1 */
	KEY_BOOL,     /* bool */
	KEY_DURATION, /* int64_t, ms */
	KEY_SIZE,     /* int64_t, bytes */
	KEY_ENUM,     /* an enum or bool: the place among `names` */
	KEY_LEVEL,    /* double: messages, or a duration where `of` says time */
	KEY_HOST_KEY, /* of struct config_topic: host_key and host_key_pin */
	KEY_STRINGS,  /* struct config_strings; one may stand without brackets */
	KEY_PAIRS,    /* struct config_pair * and size_t behind it */
	KEY_SECTION,  /* a structure, or part of the same one */
	KEY_SECTIONS, /* a pointer to structures and size_t behind it */
	KEY_DEFAULTS, /* nothing is stored; what `topics` fall back on */
};

enum key_reload {
	RELOAD_TOPIC,   /* the topics that it concerns begin anew */
	RELOAD_LIVE,    /* taken over as it runs */
	RELOAD_RESTART, /* needs a restart of the daemon */
};

struct section;

struct key {
	const char *name;
	enum key_type type;
	size_t offset, size; /* of the member; `size` in bytes */
	bool required;
	enum key_reload reload;
	const char *def; /* default, as it would stand in the file; NULL none */
	const char *
		automatic; /* how the default is worked out (resolve), for the reader */
	int64_t min, max;  /* of numbers, durations (ms) and sizes (bytes) */
	const char *const *names; /* KEY_ENUM, KEY_HOST_KEY; ends with NULL */
	const struct section *section;
	/* Refuses a value (each one of a list, each name of pairs). */
	int (*check)(const char *text, struct err *err);
	const char *help;
};

#define NOWHERE SIZE_MAX

struct section {
	const char *title; /* in messages and the reference */
	const struct key *keys;
	size_t n;
	size_t size;    /* of the structure */
	size_t present; /* offset of a bool: the section is there; or NOWHERE */
	size_t off;     /* offset of a bool: `off` stands for the section; or NOWHERE */
	const char *bare; /* key that a bare item of a list stands for, or NULL */
	const char
		*fallback; /* key of the parent whose map is fallen back on, or NULL */
};

extern const struct section schema_root, schema_topic;

/* What a filling needs and makes beside the structure. */
struct schema_filler {
	struct config_findings *f;
	struct config *config; /* its list of files grows; NULL: none is kept */
	size_t files_cap;
	bool quiet; /* these values were looked at before: no findings */
};

/* Fill `base` (all zero) from a map, else from `fallback`, else with defaults. `own` is
 * a map, a bare scalar or NULL. What is wrong becomes a finding and keeps its default.
 * @thread main */
void schema_fill(struct schema_filler *s, const struct section *section, void *base,
		 const struct node *own, const struct node *fallback);

/* Put a text, references to the environment replaced, into the member of a key that is
 * no list, map or section. `map` is where it stands, for KEY_LEVEL. Returns 0, or
 * ERR_REJECT and the member keeps what it had.
 * @thread main */
NODISCARD int schema_put(const struct key *key, void *base, const char *text,
			 const struct node *map, struct err *err);

/* The same for one string of the key's type, wherever it goes.  @thread main */
NODISCARD int schema_put_string(const struct key *key, char **member, const char *text,
				struct err *err);

/* Has the text control characters beside tabs and line breaks?  @thread main */
bool schema_has_control(const char *text);

/* Free what the members of `base` own.  @thread main */
void schema_free(const struct section *section, void *base);

/* Write the section as JSON, which is YAML that reads back as the same.  @thread main
 */
void schema_print(const struct section *section, const void *base, struct buf *out);

/* Append the end of a sentence about a key that the section does not have: what was
 * probably meant, or where the key belongs.
 * @thread main */
void schema_suggest(const struct section *section, const char *key, struct buf *out);

/* The one of `names` (ends with NULL) that was probably meant, NULL for none.
 * @thread main */
const char *schema_nearest(const char *const *names, const char *text);

/* A number of the key's type with its unit, as it stands in the file.  @thread main */
void schema_print_number(const struct key *key, int64_t v, struct buf *out);

/* The member of `base` that a row speaks of. */
static inline void *schema_member(const struct key *key, void *base)
{
	return (char *)base + key->offset;
}

/* A list or map's array and count. */
struct schema_array {
	void *v;
	size_t n;
};

#endif
