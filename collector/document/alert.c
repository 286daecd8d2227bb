/* SPDX-License-Identifier: MIT */
#include "document/alert.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define PARTITIONS_MAX 100000

static void put_time(struct jsonw *w, const char *key, struct wall t)
{
	char stamp[WALL_TEXT];

	wall_format(t, stamp);
	jsonw_key_str(w, key, stamp);
}

static void put_text(struct jsonw *w, const char *key, const char *value)
{
	if (*value != '\0')
		jsonw_key_str(w, key, value);
}

static void put_partitions(struct jsonw *w, const struct alert *a)
{
	jsonw_key(w, "partitions");
	jsonw_array(w);
	for (size_t i = 0; i < a->partition_count; i++)
		jsonw_int(w, a->partitions[i]);
	jsonw_end(w);
}

/* A whole number is written as one: most values are messages or milliseconds. */
static void put_value(struct jsonw *w, double v)
{
	jsonw_key(w, "value");
	if (isfinite(v) && fabs(v) < 9e15 && v == floor(v))
		jsonw_int(w, (int64_t)v);
	else
		jsonw_real(w, v, 3);
}

struct document document_alert(const struct alert *a, struct wall now)
{
	const struct origin o = {.cluster = a->cluster,
				 .group = a->group,
				 .topic = a->topic};
	const char *state = alert_state_name(a->life.state);
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct jsonw w = jsonw_start(&json);
	char key[96];

	jsonw_object(&w);
	put_time(&w, "@timestamp", now);
	jsonw_key_str(&w, "event", "alert");
	jsonw_key_str(&w, "state", state);
	jsonw_key_str(&w, "severity", severity_name(a->severity));
	jsonw_key_str(&w, "rule", a->rule);
	jsonw_key_str(&w, "incident", a->incident);
	put_time(&w, "since", a->life.since);
	put_text(&w, "cluster", a->cluster);
	put_text(&w, "group", a->group);
	put_text(&w, "topic", a->topic);
	put_text(&w, "host", a->host);
	put_partitions(&w, a);
	put_value(&w, a->value);
	jsonw_key_str(&w, "message", a->message);
	jsonw_end(&w);
	snprintf(key, sizeof(key), "%s %s %" PRId64, a->incident, state, now.ms);
	return document_make(now, &o, "alert", key, &json);
}

/* NULL where there is nothing to say. */
static const char *some(const char *s)
{
	return *s == '\0' ? NULL : s;
}

void alert_show(struct jsonw *w, const struct alert *a, struct wall silenced_until)
{
	jsonw_object(w);
	jsonw_key_str(w, "incident", a->incident);
	jsonw_key_str(w, "state", alert_state_name(a->life.state));
	jsonw_key_str(w, "severity", severity_name(a->severity));
	jsonw_key_str(w, "rule", a->rule);
	jsonw_key_int(w, "since", a->life.since.ms);
	jsonw_key_str(w, "cluster", some(a->cluster));
	jsonw_key_str(w, "group", some(a->group));
	jsonw_key_str(w, "topic", some(a->topic));
	jsonw_key_str(w, "host", some(a->host));
	put_partitions(w, a);
	put_value(w, a->value);
	jsonw_key_str(w, "message", a->message);
	jsonw_key_str(w, "changed", some(a->changed));
	jsonw_key(w, "resolved");
	if (a->life.state == ALERT_RESOLVED)
		jsonw_int(w, a->life.ended.ms);
	else
		jsonw_null(w);
	jsonw_key(w, "silenced_until");
	if (silenced_until.ms > 0)
		jsonw_int(w, silenced_until.ms);
	else
		jsonw_null(w);
	jsonw_end(w);
}

static void put_life(struct jsonw *w, const struct alert_life *l)
{
	jsonw_key(w, "life");
	jsonw_object(w);
	jsonw_key_int(w, "since", l->since.ms);
	jsonw_key_int(w, "ended", l->ended.ms);
	jsonw_key_int(w, "began_ms", l->began_ms);
	jsonw_key_int(w, "known_ms", l->known_ms);
	jsonw_key_int(w, "away_ms", l->away_ms);
	jsonw_key_int(w, "ended_ms", l->ended_ms);
	jsonw_key_int(w, "returned_ms", l->returned_ms);
	jsonw_key_int(w, "returns", l->returns);
	jsonw_end(w);
}

void alert_write(struct jsonw *w, const struct alert *a)
{
	jsonw_object(w);
	jsonw_key_str(w, "rule", a->rule);
	jsonw_key_str(w, "severity", severity_name(a->severity));
	jsonw_key_str(w, "state", alert_state_name(a->life.state));
	jsonw_key_str(w, "cluster", a->cluster);
	jsonw_key_str(w, "group", a->group);
	jsonw_key_str(w, "topic", a->topic);
	jsonw_key_str(w, "host", a->host);
	jsonw_key_str(w, "at", a->at);
	put_partitions(w, a);
	put_value(w, a->value);
	jsonw_key_str(w, "message", a->message);
	jsonw_key_str(w, "changed", a->changed);
	jsonw_key_str(w, "incident", a->incident);
	put_life(w, &a->life);
	jsonw_end(w);
}

static bool get_text(const json_t *v, const char *key, char **out)
{
	const json_t *s = json_object_get(v, key);

	*out = mem_strdup(json_is_string(s) ? json_string_value(s) : "");
	return json_is_string(s);
}

static int64_t get_int(const json_t *v, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(v, key));
}

static bool get_partitions(const json_t *v, struct alert *a)
{
	const json_t *list = json_object_get(v, "partitions");
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > PARTITIONS_MAX)
		return false;
	a->partitions = mem_calloc(n + 1, sizeof(*a->partitions));
	a->partition_count = n;
	for (size_t i = 0; i < n; i++)
		a->partitions[i] = (int32_t)json_integer_value(json_array_get(list, i));
	return true;
}

static void get_life(const json_t *v, struct alert_life *l)
{
	l->since.ms = get_int(v, "since");
	l->ended.ms = get_int(v, "ended");
	l->began_ms = get_int(v, "began_ms");
	l->known_ms = get_int(v, "known_ms");
	l->away_ms = get_int(v, "away_ms");
	l->ended_ms = get_int(v, "ended_ms");
	l->returned_ms = get_int(v, "returned_ms");
	l->returns = (int32_t)get_int(v, "returns");
}

static const char *word(const json_t *v, const char *key)
{
	const char *s = json_string_value(json_object_get(v, key));

	return s != NULL ? s : "";
}

bool alert_read(const json_t *v, struct alert *out)
{
	const json_t *value = json_object_get(v, "value");
	bool ok = true;

	*out = (struct alert){.value = NAN};
	ok &= get_text(v, "rule", &out->rule);
	ok &= get_text(v, "cluster", &out->cluster);
	ok &= get_text(v, "group", &out->group);
	ok &= get_text(v, "topic", &out->topic);
	ok &= get_text(v, "host", &out->host);
	ok &= get_text(v, "at", &out->at);
	ok &= get_text(v, "message", &out->message);
	ok &= get_text(v, "changed", &out->changed);
	ok &= get_partitions(v, out);
	ok &= severity_read(word(v, "severity"), &out->severity);
	if (json_is_number(value))
		out->value = json_number_value(value);
	snprintf(out->incident, sizeof(out->incident), "%s", word(v, "incident"));
	get_life(json_object_get(v, "life"), &out->life);
	ok &= alert_state_read(word(v, "state"), &out->life.state);
	return ok;
}
