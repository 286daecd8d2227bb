/* SPDX-License-Identifier: MIT
 * kibana_rules: alert rules for Kibana's alerting, as requests for its console. Ids are
 * worked out from names, so that a rule is not made twice. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

#define TEXT_MAX (1u << 20)
#define MINUTE 60000

/* A version 4 UUID in shape; the same name gives the same one. */
static void put_uuid(struct buf *out, const char *name)
{
	unsigned char h[HASH_SHA256_LEN];

	hash_sha256(name, strlen(name), h);
	h[6] = (unsigned char)((h[6] & 0x0f) | 0x40);
	h[8] = (unsigned char)((h[8] & 0x3f) | 0x80);
	for (int i = 0; i < 16; i++)
		buf_printf(out, "%s%02x",
			   i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", h[i]);
}

/* Request line, body up to and with the opening of its parameters. */
static void rule_begin(struct jsonw *w, struct buf *out, const char *name,
		       const char *type)
{
	buf_addstr(out, "POST kbn:/api/alerting/rule/");
	put_uuid(out, name);
	buf_addch(out, '\n');
	*w = jsonw_start(out);
	jsonw_object(w);
	jsonw_key_str(w, "name", name);
	jsonw_key_str(w, "consumer", "alerts");
	jsonw_key_str(w, "rule_type_id", type);
	json_key_put(w, "schedule", "{\"interval\":\"1m\"}");
	json_key_put(w, "tags", "[\"mmlag\"]");
	json_key_put(w, "actions", "[]");
	jsonw_key(w, "params");
	jsonw_object(w);
}

/* What all kinds have, and the end of the request. */
static void rule_end(struct jsonw *w, const struct dashboard *d, const char *comparator,
		     double threshold, int64_t window_ms)
{
	jsonw_key(w, "index");
	jsonw_array(w);
	jsonw_str(w, d->pattern);
	jsonw_end(w);
	jsonw_key_str(w, "timeField", "@timestamp");
	jsonw_key(w, "threshold");
	jsonw_array(w);
	jsonw_int(w, (int64_t)llround(threshold));
	jsonw_end(w);
	jsonw_key_str(w, "thresholdComparator", comparator);
	jsonw_key_int(w, "timeWindowSize", (window_ms + MINUTE - 1) / MINUTE);
	jsonw_key_str(w, "timeWindowUnit", "m");
	jsonw_end(w);
	jsonw_end(w);
	buf_addstr(w->out, "\n\n");
}

/* Documents that answer the query, counted. */
static void count_rule(const struct dashboard *d, const char *name, struct buf *query,
		       const char *comparator, int64_t threshold, int64_t window_ms,
		       struct buf *out)
{
	struct jsonw w;

	rule_begin(&w, out, name, ".es-query");
	jsonw_key_str(&w, "searchType", "esQuery");
	jsonw_key_int(&w, "size", 20);
	json_key_text(&w, "esQuery", query);
	rule_end(&w, d, comparator, (double)threshold, window_ms);
}

/* Long enough for two samples, whatever the interval. */
static int64_t window_of(const struct dashboard *d, int64_t at_least)
{
	return d->interval_ms * 2 > at_least ? d->interval_ms * 2 : at_least;
}

static const char *field_of(const struct level *l)
{
	if (l->of == THRESHOLD_TIME)
		return "time_lag_ms";
	return l->on == THRESHOLD_PARTITION ? "lag_max" : "lag_sum";
}

/* One alert a topic. */
static void level_rule_for_all(const struct dashboard *d, const struct level *l,
			       const char *name, struct buf *out)
{
	struct jsonw w;

	rule_begin(&w, out, name, ".index-threshold");
	jsonw_key_str(&w, "aggType", "max");
	jsonw_key_str(&w, "aggField", field_of(l));
	jsonw_key_str(&w, "groupBy", "top");
	jsonw_key_str(&w, "termField", TOPIC_FIELD);
	jsonw_key_int(&w, "termSize", 1000);
	rule_end(&w, d, ">", l->value, window_of(d, l->for_ms));
}

/* One member of a filter, up to its value; ended by two ends. */
static void put_term(struct jsonw *w, const char *kind, const char *field)
{
	jsonw_object(w);
	jsonw_key(w, kind);
	jsonw_object(w);
	jsonw_key(w, field);
}

static void put_ends(struct jsonw *w, int n)
{
	while (n-- > 0)
		jsonw_end(w);
}

static void put_filter(struct jsonw *w, const struct level *l)
{
	jsonw_array(w);
	put_term(w, "range", field_of(l));
	jsonw_object(w);
	jsonw_key_int(w, "gt", (int64_t)llround(l->value));
	put_ends(w, 3);
	if (l->group != NULL) {
		put_term(w, "term", "group");
		jsonw_str(w, l->group);
		put_ends(w, 2);
	}
	if (l->n > 0) {
		put_term(w, "terms", TOPIC_FIELD);
		jsonw_array(w);
		for (size_t i = 0; i < l->n; i++)
			jsonw_str(w, l->topics[i]);
		put_ends(w, 3);
	}
	jsonw_end(w);
}

/* Of some topics: their documents above the level. */
static void level_rule_for_some(const struct dashboard *d, const struct level *l,
				const char *name, struct buf *out)
{
	struct buf query = BUF_INIT(TEXT_MAX);
	struct jsonw w = jsonw_start(&query);

	jsonw_object(&w);
	jsonw_key(&w, "query");
	jsonw_object(&w);
	jsonw_key(&w, "bool");
	jsonw_object(&w);
	jsonw_key(&w, "filter");
	put_filter(&w, l);
	put_ends(&w, 3);
	count_rule(d, name, &query, ">", 0, window_of(d, MINUTE), out);
	buf_free(&query);
}

static void level_rules(const struct dashboard *d, struct buf *out)
{
	size_t n;
	struct level *levels = levels_of(d, &n);

	for (size_t i = 0; i < n; i++) {
		const struct level *l = &levels[i];
		char *name;

		if (l->on == THRESHOLD_GROUP)
			continue; /* no document has a group's sum */
		name = mem_printf("mmlag: %s above %.0f%s (%s%s%s)", field_of(l),
				  l->value, l->of == THRESHOLD_TIME ? " ms" : "",
				  l->severity, l->group != NULL ? ", " : "",
				  l->group != NULL ? l->group : "");
		if (l->group == NULL && l->n == 0)
			level_rule_for_all(d, l, name, out);
		else
			level_rule_for_some(d, l, name, out);
		free(name);
	}
	levels_free(levels, n);
}

static void query_rule(const struct dashboard *d, const char *name, const char *query,
		       const char *comparator, int64_t threshold, int64_t window_ms,
		       struct buf *out)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	buf_addstr(&text, query);
	count_rule(d, name, &text, comparator, threshold, window_ms, out);
	buf_free(&text);
}

void dashboard_kibana_rules(const struct dashboard *d, struct buf *out)
{
	level_rules(d, out);
	query_rule(d, "mmlag: a topic is stopped or stalled",
		   "{\"query\":{\"term\":{\"status\":\"ERR\"}}}", ">", 0,
		   window_of(d, MINUTE), out);
	query_rule(d, "mmlag: a topic is without data",
		   "{\"query\":{\"term\":{\"status\":\"NODATA\"}}}", ">", 2,
		   window_of(d, 5 * MINUTE), out);
	/* Well above the interval: a backlog of ours comes late, but comes. */
	query_rule(d, "mmlag: nothing arrives", "{\"query\":{\"match_all\":{}}}", "<",
		   1, window_of(d, 5 * MINUTE), out);
}
