/* SPDX-License-Identifier: MIT
 * mapping: the mapping of an existing index beside ours: what would be refused, what
 * would be guessed, what cannot be computed with. Pure. An index that a team has
 * already is written to as it stands; this only tells, and collects what can be added.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "elastic/elastic_int.h"

#include "banned.h"

#define PARTITION_PATTERN "^p[0-9]+$"
#define KEYWORD_LENGTH 1024

struct comparison {
	const json_t *theirs; /* properties */
	json_t *lacks;        /* the body of PUT _mapping that grows */
	int64_t largest_lag;
	bool strict; /* an unknown field makes the server refuse the document */
	elastic_finding *each;
	void *arg;
};

static void say(const struct comparison *c, enum finding_level level,
		const char *subject, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void say(const struct comparison *c, enum finding_level level,
		const char *subject, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (c->each == NULL)
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	c->each(c->arg, level, subject, text);
}

enum family { NUMBER, WORD, DATE, OBJECT, OTHER };

static enum family family_of(const char *type)
{
	static const struct {
		const char *type;
		enum family family;
	} types[] = {
		{"long", NUMBER},
		{"integer", NUMBER},
		{"short", NUMBER},
		{"byte", NUMBER},
		{"unsigned_long", NUMBER},
		{"double", NUMBER},
		{"float", NUMBER},
		{"half_float", NUMBER},
		{"scaled_float", NUMBER},
		{"keyword", WORD},
		{"text", WORD},
		{"match_only_text", WORD},
		{"wildcard", WORD},
		{"constant_keyword", WORD},
		{"date", DATE},
		{"date_nanos", DATE},
		{"object", OBJECT},
		{"nested", OBJECT},
		{"flattened", OBJECT},
		{"flat_object", OBJECT},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].type, type) == 0)
			return types[i].family;
	return OTHER;
}

/* The type of a field; one without is an object. */
static const char *type_of(const json_t *field)
{
	const char *type = json_string_value(json_object_get(field, "type"));

	return type != NULL ? type : "object";
}

static bool is_small_integer(const char *type)
{
	return strcmp(type, "integer") == 0 || strcmp(type, "short") == 0 ||
	       strcmp(type, "byte") == 0;
}

static bool is_partition(const char *name)
{
	return name[0] == 'p' && name[1] != '\0' &&
	       strspn(name + 1, "0123456789") == strlen(name + 1);
}

/* A member of an object, made when it is not there. */
static json_t *member(json_t *object, const char *name, json_t *fresh)
{
	json_t *old = json_object_get(object, name);

	if (old != NULL) {
		json_decref(fresh);
		return old;
	}
	return json_object_set_new(object, name, fresh) == 0 ? fresh : NULL;
}

/* Have field `name` put; takes over `definition`. */
static void add_field(struct comparison *c, const char *name, json_t *definition)
{
	json_t *properties = member(c->lacks, "properties", json_object());

	if (properties == NULL ||
	    json_object_set_new(properties, name, definition) != 0)
		return; /* out of memory: it stays lacking, and the next look says so */
}

static void compare_topic(struct comparison *c)
{
	const json_t *field = json_object_get(c->theirs, "topic");
	json_t *fixed, *fields;

	if (field == NULL || strcmp(type_of(field), "text") != 0)
		return;
	if (json_object_get(json_object_get(field, "fields"), "keyword") != NULL) {
		say(c, FINDING_OK, "topic", "is text, with topic.keyword");
		return;
	}
	say(c, FINDING_WARNING, "topic",
	    "is text without topic.keyword: nothing can be grouped by topic; "
	    "--fix-mapping adds it (for documents written from then on; "
	    "_update_by_query for older ones)");
	fixed = json_deep_copy(field);
	fields = member(fixed, "fields", json_object());
	if (fields != NULL &&
	    json_object_set_new(fields, "keyword",
				json_pack("{s:s,s:i}", "type", "keyword",
					  "ignore_above", KEYWORD_LENGTH)) == 0)
		add_field(c, "topic", fixed);
	else
		json_decref(fixed);
}

static void compare_field(struct comparison *c, const char *name, const json_t *field,
			  const char *ours)
{
	const char *theirs = type_of(field);
	enum family want = family_of(ours), have = family_of(theirs);

	if (want == have) {
		if (want == NUMBER && is_small_integer(theirs) &&
		    strcmp(ours, "long") == 0)
			say(c, FINDING_WARNING, name,
			    "is %s: a value of 2147483648 and above makes the server "
			    "refuse the document; reindex into long",
			    theirs);
		return;
	}
	if (have == WORD)
		say(c,
		    strcmp(name, "@timestamp") == 0 ? FINDING_FAILURE : FINDING_WARNING,
		    name,
		    "is %s where we write %s: stored, but not to be computed with; "
		    "reindex into %s",
		    theirs, ours, ours);
	else
		say(c, FINDING_FAILURE, name,
		    "is %s where we write %s: documents would be refused; reindex, or "
		    "use another index",
		    theirs, ours);
}

/* Our fields but the topic. Absent ones are named in one line. */
static void compare_fields(struct comparison *c, const json_t *ours)
{
	struct buf absent = BUF_INIT(200);
	const char *name;
	const json_t *field;
	size_t count = 0;

	json_object_foreach((json_t *)ours, name, field)
	{
		const json_t *theirs = json_object_get(c->theirs, name);

		if (theirs != NULL) {
			compare_field(c, name, theirs, type_of(field));
			continue;
		}
		if (buf_printf(&absent, "%s%s", count > 0 ? ", " : "", name) != 0)
			absent.failed = false; /* enough of them are named */
		count++;
		add_field(c, name, json_deep_copy(field));
	}
	if (count > 0)
		say(c, c->strict ? FINDING_FAILURE : FINDING_WARNING, "mapping",
		    "%zu of our fields are not in it%s (%s …); --fix-mapping adds them",
		    count,
		    c->strict ? ", and it is strict: documents would be refused"
			      : ", so the server would guess their types",
		    buf_str(&absent));
	buf_free(&absent);
}

static void compare_partitions(struct comparison *c)
{
	size_t small = 0, open_small = 0, words = 0, others = 0;
	const char *name;
	const json_t *field;

	json_object_foreach((json_t *)c->theirs, name, field)
	{
		const char *type = type_of(field);
		json_t *fixed;

		if (!is_partition(name))
			continue;
		words += family_of(type) == WORD;
		others += family_of(type) == DATE || family_of(type) == OBJECT;
		if (!is_small_integer(type))
			continue;
		small++;
		if (json_is_true(json_object_get(field, "ignore_malformed")))
			continue;
		open_small++;
		fixed = json_deep_copy(field);
		if (json_object_set_new(fixed, "ignore_malformed", json_true()) == 0)
			add_field(c, name, fixed);
		else
			json_decref(fixed);
	}
	if (words > 0)
		say(c, FINDING_WARNING, "p0…",
		    "%zu of them are strings: stored, but not to be computed with; "
		    "reindex into long",
		    words);
	if (others > 0)
		say(c, FINDING_FAILURE, "p0…",
		    "%zu of them are no numbers: documents would be refused; reindex "
		    "into long",
		    others);
	if (open_small > 0)
		say(c, c->largest_lag > INT32_MAX ? FINDING_FAILURE : FINDING_WARNING,
		    "p0…",
		    "%zu of them are integer: a lag of 2147483648 and above makes the "
		    "server refuse the document; --fix-mapping adds ignore_malformed "
		    "(the document is kept, that value not searchable); reindex into "
		    "long to have both",
		    open_small);
	else if (small > 0)
		say(c, FINDING_WARNING, "p0…",
		    "%zu of them are integer with ignore_malformed: a lag of "
		    "2147483648 and above is kept, but not searchable; reindex into "
		    "long",
		    small);
}

/* Does some template make a new pN a long? */
static bool has_template(const json_t *templates)
{
	size_t i;
	const json_t *one;

	json_array_foreach(templates, i, one)
	{
		const json_t *t =
			json_object_iter_value(json_object_iter((json_t *)one));
		const json_t *pattern = json_object_get(t, "match");
		const char *match = json_string_value(
			json_is_array(pattern) ? json_array_get(pattern, 0) : pattern);

		if (match != NULL &&
		    strcmp(type_of(json_object_get(t, "mapping")), "long") == 0 &&
		    (strcmp(match, PARTITION_PATTERN) == 0 ||
		     strcmp(match, "^p\\d+$") == 0 || strcmp(match, "p*") == 0))
			return true;
	}
	return false;
}

/* A PUT replaces the whole list, so theirs goes with ours. */
static void compare_template(struct comparison *c, const json_t *templates)
{
	json_t *list, *ours;

	if (has_template(templates))
		return;
	say(c, c->strict ? FINDING_FAILURE : FINDING_WARNING, "p0…",
	    "no dynamic template makes a new partition a long; --fix-mapping adds it");
	list = templates != NULL ? json_deep_copy(templates) : json_array();
	ours = json_pack("{s:{s:s,s:s,s:{s:s}}}", "partition_lag", "match_pattern",
			 "regex", "match", PARTITION_PATTERN, "mapping", "type",
			 "long");
	if (json_array_insert_new(list, 0, ours) != 0 ||
	    json_object_set(c->lacks, "dynamic_templates", list) != 0)
		say(c, FINDING_WARNING, "p0…", "out of memory");
	json_decref(list);
}

/* Fields, objects, and sub-fields: all count. */
static int count_fields(const json_t *properties, int depth)
{
	const char *name;
	const json_t *field;
	int n = 0;

	if (depth == 0)
		return 0;
	json_object_foreach((json_t *)properties, name, field) n +=
		1 + count_fields(json_object_get(field, "properties"), depth - 1) +
		count_fields(json_object_get(field, "fields"), depth - 1);
	return n;
}

int mapping_compare(const json_t *theirs, const json_t *ours, int64_t largest_lag,
		    json_t *lacks, elastic_finding *each, void *arg)
{
	const char *dynamic = json_string_value(json_object_get(theirs, "dynamic"));
	struct comparison c = {
		.theirs = json_object_get(theirs, "properties"),
		.lacks = lacks,
		.largest_lag = largest_lag,
		.strict = dynamic != NULL && strcmp(dynamic, "strict") == 0,
		.each = each,
		.arg = arg,
	};

	if (json_is_false(json_object_get(theirs, "dynamic")) ||
	    (dynamic != NULL && strcmp(dynamic, "false") == 0))
		say(&c, FINDING_WARNING, "mapping",
		    "dynamic is false: a new partition is stored, but not searchable");
	compare_fields(&c, json_object_get(ours, "properties"));
	compare_topic(&c);
	compare_partitions(&c);
	compare_template(&c, json_object_get(theirs, "dynamic_templates"));
	return count_fields(c.theirs, 8);
}

int mapping_missing_partitions(const json_t *theirs, int partitions)
{
	const json_t *properties = json_object_get(theirs, "properties");
	char name[16];
	int n = 0;

	for (int i = 0; i < partitions; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		n += json_object_get(properties, name) == NULL;
	}
	return n;
}

int mapping_missing_fields(const json_t *theirs, const json_t *ours)
{
	const json_t *properties = json_object_get(theirs, "properties");
	json_t *absent = json_object();
	const char *name;
	json_t *field;
	int n;

	json_object_foreach(json_object_get(ours, "properties"), name, field)
	{
		if (json_object_get(properties, name) == NULL &&
		    json_object_set(absent, name, field) != 0)
			break; /* out of memory: fewer are told of */
	}
	n = count_fields(absent, 8);
	json_decref(absent);
	return n;
}

const json_t *mapping_newest(const json_t *answer, const char **index)
{
	const char *name;
	const json_t *one, *newest = NULL;

	json_object_foreach((json_t *)answer, name,
			    one) if (json_is_object(json_object_get(one, "mappings")) &&
				     (newest == NULL || strcmp(name, *index) > 0))
	{
		newest = json_object_get(one, "mappings");
		*index = name;
	}
	return newest;
}
