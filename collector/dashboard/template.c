/* SPDX-License-Identifier: MIT
 * template: what prepares a cluster for our index: an index template from the mapping,
 * the first index of an alias or the data stream, and the policy that ends old data. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

#define PRIORITY 500 /* above the server's own templates, which end at 200 */
#define DAY INT64_C(86400000)

struct request {
	const struct dashboard *d;
	const struct template_options *o;
	const char *index;
	char *name; /* of template and policy: one cluster may have several of ours */
	json_t *settings, *mappings; /* borrowed from the mapping */
	struct buf *out;
};

static bool is_dated(const struct request *r)
{
	return strchr(r->index, '{') != NULL;
}

/* What cannot work is refused before it deletes fresh documents. */
static int check(const struct request *r, struct err *err)
{
	enum template_kind kind = r->o->kind;

	if (kind != TEMPLATE_PLAIN && is_dated(r))
		return err_set(err, ERR_REJECT,
			       "elasticsearch.index is %s: a name with a date is "
			       "--kind plain; an alias or data stream needs a name "
			       "without one",
			       r->index);
	if (kind == TEMPLATE_PLAIN && !is_dated(r) && r->o->lifecycle != LIFECYCLE_NONE)
		return err_set(err, ERR_REJECT,
			       "a lifecycle deletes whole indices, and %s is one for "
			       "ever: use --kind alias or data-stream, or a date in "
			       "elasticsearch.index",
			       r->index);
	if (kind == TEMPLATE_ALIAS && r->o->lifecycle == LIFECYCLE_NONE)
		return err_set(err, ERR_REJECT,
			       "an alias without a lifecycle is never rolled over: use "
			       "--lifecycle ilm or ism, or --kind plain");
	return 0;
}

static void begin(struct jsonw *w, struct buf *out, const char *path, const char *name)
{
	buf_printf(out, "PUT %s%s\n", path, name);
	*w = jsonw_start(out);
	jsonw_object(w);
}

static void end(struct jsonw *w)
{
	jsonw_end(w);
	buf_addstr(w->out, "\n\n");
}

static void put_json(struct jsonw *w, const char *key, const json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	json_key_put(w, key, text != NULL ? text : "null");
	free(text);
}

static void key_duration(struct jsonw *w, const char *key, int64_t ms)
{
	struct buf b = BUF_INIT(64);

	put_duration(&b, ms);
	jsonw_key_str(w, key, buf_str(&b));
	buf_free(&b);
}

/* A fifteenth of the retention, so that little is kept for longer; a day at least. */
static int64_t rollover_age(const struct template_options *o)
{
	int64_t days = o->retention_ms / DAY / 15;

	return (days < 1 ? 1 : days) * DAY;
}

static bool rolls(const struct request *r)
{
	return r->o->kind != TEMPLATE_PLAIN;
}

static void put_ilm(const struct request *r)
{
	struct jsonw w;

	begin(&w, r->out, "_ilm/policy/", r->name);
	jsonw_key(&w, "policy");
	jsonw_object(&w);
	jsonw_key(&w, "phases");
	jsonw_object(&w);
	if (rolls(r)) {
		jsonw_key(&w, "hot");
		jsonw_object(&w);
		jsonw_key(&w, "actions");
		jsonw_object(&w);
		jsonw_key(&w, "rollover");
		jsonw_object(&w);
		key_duration(&w, "max_age", rollover_age(r->o));
		jsonw_key_str(&w, "max_primary_shard_size", "50gb");
		for (int i = 0; i < 3; i++)
			jsonw_end(&w);
	}
	jsonw_key(&w, "delete");
	jsonw_object(&w);
	key_duration(&w, "min_age", r->o->retention_ms);
	json_key_put(&w, "actions", "{\"delete\":{}}");
	for (int i = 0; i < 3; i++)
		jsonw_end(&w);
	end(&w);
}

/* Patterns of what is really written to. */
static char *pattern_of(const struct request *r)
{
	if (r->o->kind == TEMPLATE_ALIAS)
		return mem_printf("%s-*", r->index);
	return mem_strdup(is_dated(r) ? r->d->pattern : r->index);
}

static void put_patterns(struct jsonw *w, const char *pattern)
{
	jsonw_key(w, "index_patterns");
	jsonw_array(w);
	jsonw_str(w, pattern);
	jsonw_end(w);
}

static void put_ism(const struct request *r, const char *pattern)
{
	struct jsonw w;

	begin(&w, r->out, "_plugins/_ism/policies/", r->name);
	jsonw_key(&w, "policy");
	jsonw_object(&w);
	jsonw_key_str(&w, "description", "consumer lag of mmlag");
	jsonw_key_str(&w, "default_state", "hot");
	jsonw_key(&w, "states");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_key_str(&w, "name", "hot");
	jsonw_key(&w, "actions");
	jsonw_array(&w);
	if (rolls(r)) {
		jsonw_object(&w);
		jsonw_key(&w, "rollover");
		jsonw_object(&w);
		key_duration(&w, "min_index_age", rollover_age(r->o));
		jsonw_key_str(&w, "min_primary_shard_size", "50gb");
		jsonw_end(&w);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	jsonw_key(&w, "transitions");
	jsonw_array(&w);
	jsonw_object(&w);
	jsonw_key_str(&w, "state_name", "delete");
	jsonw_key(&w, "conditions");
	jsonw_object(&w);
	key_duration(&w, rolls(r) ? "min_rollover_age" : "min_index_age",
		     r->o->retention_ms);
	for (int i = 0; i < 4; i++)
		jsonw_end(&w);
	json_put(&w, "{\"name\":\"delete\",\"actions\":[{\"delete\":{}}],"
		     "\"transitions\":[]}");
	jsonw_end(&w);
	jsonw_key(&w, "ism_template");
	jsonw_array(&w);
	jsonw_object(&w);
	put_patterns(&w, pattern);
	jsonw_key_int(&w, "priority", PRIORITY);
	for (int i = 0; i < 3; i++)
		jsonw_end(&w);
	end(&w);
}

static void put_settings(struct jsonw *w, const struct request *r)
{
	const char *key;
	json_t *value;

	jsonw_key(w, "settings");
	jsonw_object(w);
	json_object_foreach(r->settings, key, value) put_json(w, key, value);
	if (r->o->lifecycle == LIFECYCLE_ILM) {
		jsonw_key_str(w, "index.lifecycle.name", r->name);
		if (r->o->kind == TEMPLATE_ALIAS)
			jsonw_key_str(w, "index.lifecycle.rollover_alias", r->index);
	}
	if (r->o->lifecycle == LIFECYCLE_ISM && r->o->kind == TEMPLATE_ALIAS)
		jsonw_key_str(w, "plugins.index_state_management.rollover_alias",
			      r->index);
	jsonw_end(w);
}

static void put_template(const struct request *r, const char *pattern)
{
	struct jsonw w;

	begin(&w, r->out, "_index_template/", r->name);
	put_patterns(&w, pattern);
	jsonw_key_int(&w, "priority", PRIORITY);
	if (r->o->kind == TEMPLATE_DATA_STREAM)
		json_key_put(&w, "data_stream", "{}");
	jsonw_key(&w, "template");
	jsonw_object(&w);
	put_settings(&w, r);
	if (r->mappings != NULL)
		put_json(&w, "mappings", r->mappings);
	jsonw_end(&w);
	end(&w);
}

/* "mmlag-" and the index without its date; the caller frees it. */
static char *name_of(const char *index)
{
	size_t n = strcspn(index, "{");

	while (n > 0 && strchr("-_.", index[n - 1]) != NULL)
		n--;
	return mem_printf("mmlag%s%.*s", n > 0 ? "-" : "", (int)n, index);
}

/* The index or stream itself: made beforehand, nothing races to write to it. */
static void put_target(const struct request *r)
{
	struct jsonw w;

	if (r->o->kind == TEMPLATE_DATA_STREAM) {
		buf_printf(r->out, "PUT _data_stream/%s\n\n\n", r->index);
	} else if (r->o->kind == TEMPLATE_ALIAS) {
		char *first = mem_printf("%s-000001", r->index);

		begin(&w, r->out, "", first);
		jsonw_key(&w, "aliases");
		jsonw_object(&w);
		jsonw_key(&w, r->index);
		json_put(&w, "{\"is_write_index\":true}");
		jsonw_end(&w);
		end(&w);
		free(first);
	}
}

int dashboard_template(const struct dashboard *d, const struct template_options *o,
		       struct buf *out, struct err *err)
{
	struct request r = {.d = d,
			    .o = o,
			    .index = d->config->elastic.index,
			    .out = out};
	json_error_t e;
	json_t *mapping = json_loads(o->mapping, JSON_REJECT_DUPLICATES, &e);
	char *pattern;
	int rc = 0;

	if (r.index == NULL)
		r.index = "consumer_lag";
	if (!json_is_object(mapping))
		rc = err_set(err, ERR_REJECT, "the mapping is no JSON object: %s",
			     mapping == NULL ? e.text : "it begins otherwise");
	else
		rc = check(&r, err);
	if (rc == 0) {
		r.settings = json_object_get(mapping, "settings");
		r.mappings = json_object_get(mapping, "mappings");
		pattern = pattern_of(&r);
		r.name = name_of(r.index);
		if (o->lifecycle == LIFECYCLE_ILM)
			put_ilm(&r);
		put_template(&r, pattern);
		if (o->lifecycle == LIFECYCLE_ISM)
			put_ism(&r, pattern);
		put_target(&r);
		free(pattern);
		free(r.name);
	}
	json_decref(mapping);
	return rc;
}
