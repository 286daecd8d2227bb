/* SPDX-License-Identifier: MIT */
#include "document/silence.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define UNTIL_MAX_MS (INT64_C(366) * 86400 * 1000)
#define TEXT_MAX 1024 /* bytes of one member */

/* "500ms", "5s", "1h30m", "7d" in milliseconds; -1 for anything else. */
static int64_t duration(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
		     {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
	int64_t total = 0;

	if (*text == '\0')
		return -1;
	while (*text != '\0') {
		int64_t n = 0, unit = 0;
		size_t len;

		if (!isdigit((unsigned char)*text))
			return -1;
		for (; isdigit((unsigned char)*text); text++)
			if ((n = n * 10 + (*text - '0')) > UNTIL_MAX_MS)
				return -1;
		len = strspn(text, "dhmsw");
		for (size_t i = 0; i < ARRAY_LEN(units); i++)
			if (len == strlen(units[i].unit) &&
			    strncmp(text, units[i].unit, len) == 0)
				unit = units[i].ms;
		if (unit == 0 || (total += n * unit) > UNTIL_MAX_MS)
			return -1;
		text += len;
	}
	return total;
}

static int read_text(const char *key, const json_t *v, char **out, struct err *err)
{
	const char *text = json_string_value(v);

	if (json_is_null(v))
		return 0;
	if (text == NULL || json_string_length(v) > TEXT_MAX ||
	    strlen(text) != json_string_length(v))
		return err_set(err, ERR_REJECT,
			       "\"%s\" must be a string of at most %d "
			       "bytes",
			       key, TEXT_MAX);
	free(*out);
	*out = mem_strdup(text);
	return 0;
}

static int read_until(const char *key, const json_t *v, struct wall now,
		      struct wall *out, bool *given, struct err *err)
{
	bool is_for = strcmp(key, "for") == 0;
	int64_t ms = -1;

	if (json_is_null(v))
		return 0;
	if (*given)
		return err_set(err, ERR_REJECT,
			       "\"until\" and \"for\" exclude each other");
	if (is_for && json_is_string(v)) {
		ms = duration(json_string_value(v));
		out->ms = now.ms + ms;
	} else if (!is_for && json_is_integer(v)) {
		ms = out->ms = (int64_t)json_integer_value(v);
	}
	if (ms < 0)
		return err_set(err, ERR_REJECT,
			       is_for ? "\"for\" must be a duration such as \"2h\""
				      : "\"until\" must be milliseconds since 1970");
	*given = true;
	return 0;
}

static int read_member(const char *key, const json_t *v, struct wall now, bool *given,
		       struct silence *s, struct err *err)
{
	const struct {
		const char *key;
		char **to;
	} texts[] = {{"id", &s->id},           {"cluster", &s->cluster},
		     {"group", &s->group},     {"topic", &s->topic},
		     {"host", &s->host},       {"rule", &s->rule},
		     {"comment", &s->comment}, {"by", &s->by}};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strcmp(key, texts[i].key) == 0)
			return read_text(key, v, texts[i].to, err);
	if (strcmp(key, "until") == 0 || strcmp(key, "for") == 0)
		return read_until(key, v, now, &s->until, given, err);
	return err_set(err, ERR_REJECT, "a silence has no \"%.64s\"", key);
}

static bool id_is_good(const char *id)
{
	size_t n = strlen(id);

	return n > 0 && n <= SILENCE_ID_MAX &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			  "0123456789-_") == n;
}

static int check(const struct silence *s, bool given, struct wall now, struct err *err)
{
	if (s->id != NULL && !id_is_good(s->id))
		return err_set(err, ERR_REJECT, "\"id\" is none of ours");
	if (!given)
		return err_set(err, ERR_REJECT,
			       "until when? give \"for\": \"2h\" or \"until\"");
	if (s->until.ms == 0)
		return s->id != NULL ? 0
				     : err_set(err, ERR_REJECT,
					       "which one is to end? give its \"id\"");
	if (s->until.ms <= now.ms || s->until.ms - now.ms > UNTIL_MAX_MS)
		return err_set(err, ERR_REJECT,
			       "a silence must end ahead of now, within a year");
	if (s->cluster == NULL && s->group == NULL && s->topic == NULL &&
	    s->host == NULL && s->rule == NULL)
		return err_set(err, ERR_REJECT,
			       "of what? name a cluster, group, topic, host or rule");
	return 0;
}

int silence_read(const char *json, size_t len, struct wall now, struct silence *out,
		 struct err *err)
{
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	bool given = false;
	const char *key;
	json_t *v;
	int rc = 0;

	*out = (struct silence){.id = NULL};
	if (!json_is_object(root))
		rc = err_set(err, ERR_REJECT, "the body must be a JSON object");
	json_object_foreach(root, key, v) if (rc == 0) rc =
		read_member(key, v, now, &given, out, err);
	if (rc == 0)
		rc = check(out, given, now, err);
	json_decref(root);
	if (rc != 0)
		silence_fini(out);
	return rc;
}

void silence_write(struct buf *out, const struct silence *s)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "id", s->id);
	jsonw_key_int(&w, "until", s->until.ms);
	jsonw_key_str(&w, "cluster", s->cluster);
	jsonw_key_str(&w, "group", s->group);
	jsonw_key_str(&w, "topic", s->topic);
	jsonw_key_str(&w, "host", s->host);
	jsonw_key_str(&w, "rule", s->rule);
	jsonw_key_str(&w, "comment", s->comment);
	jsonw_key_str(&w, "by", s->by);
	jsonw_end(&w);
}
