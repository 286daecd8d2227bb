/* SPDX-License-Identifier: MIT
 * grafana_lag: the board over Elasticsearch: our documents. */
#include <stdio.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SOURCE "elasticsearch"
#define CHOSEN TOPIC_FIELD ":$topic"

struct query {
	const char *metric, *field; /* count has no field */
	const char *split;          /* one line for each value, NULL: one */
	const char *alias;
};

struct row {
	struct grafana_panel panel;
	const char *lucene;
	const struct query *queries; /* NULL: one for each partition */
	size_t n;
};

#define BY_TOPIC "{{term " TOPIC_FIELD "}}"
#define ROWS(a) .queries = (a), .n = ARRAY_LEN(a)

static const struct query lag[] = {{"max", "lag_sum", TOPIC_FIELD, BY_TOPIC}};
static const struct query largest[] = {{"max", "lag_max", TOPIC_FIELD, BY_TOPIC}};
static const struct query time_lag[] = {{"max", "time_lag_ms", TOPIC_FIELD, BY_TOPIC}};
static const struct query rates[] = {{"avg", "produced_per_sec", TOPIC_FIELD,
				      BY_TOPIC " in"},
				     {"avg", "consumed_per_sec", TOPIC_FIELD,
				      BY_TOPIC " out"}};
static const struct query missing[] = {{"max", "undelivered", TOPIC_FIELD, BY_TOPIC}};
static const struct query delivery[] = {{"avg", "consumed_per_sec", TOPIC_FIELD,
					 BY_TOPIC " committed"},
					{"avg", "delivered_per_sec", TOPIC_FIELD,
					 BY_TOPIC " arrived"}};
static const struct query unread[] = {
	{"count", NULL, "target_reason", "{{term target_reason}}"}};
static const struct query gaps[] = {{"count", NULL, "reason", "{{term reason}}"}};
static const struct query raw[] = {{"raw_data", NULL, NULL, NULL}};

static const struct row rows[] = {
	{{"Lag by topic", "The largest sum of lags in each interval.", "timeseries",
	  "short", 12, 9, NULL},
	 CHOSEN,
	 ROWS(lag)},
	{{"Time lag by topic", "How old the newest committed message is.", "timeseries",
	  "ms", 12, 9, NULL},
	 CHOSEN,
	 ROWS(time_lag)},
	{{"Largest lag of a partition", "One hot partition hides in a sum.",
	  "timeseries", "short", 12, 9, NULL},
	 CHOSEN,
	 ROWS(largest)},
	{{"Messages per second, in and out", "Means of each interval.", "timeseries",
	  "cps", 12, 9, NULL},
	 CHOSEN,
	 ROWS(rates)},
	{{"Lag by partition", "Choose one topic above.", "timeseries", "short", 24, 10,
	  NULL},
	 CHOSEN,
	 NULL,
	 0},
	{{"Partitions, heat map", "Choose one topic above.", "status-history", "short",
	  24, 12, NULL},
	 CHOSEN,
	 NULL,
	 0},
	{{"Samples that are missing", "Gap documents by reason.", "timeseries", "short",
	  12, 9, "bars"},
	 "status:NODATA AND " CHOSEN,
	 ROWS(gaps)},
	{{"Alerts", "Alert documents, the newest first.", "table", "none", 12, 9, NULL},
	 "event:alert",
	 ROWS(raw)},
};

/* Where a mirror's other side is looked at. */
static const struct row mirror_rows[] = {
	{{"Committed, not arrived at the target",
	  "Messages of the last minutes that the other side did not get.", "timeseries",
	  "short", 12, 9, NULL},
	 CHOSEN,
	 ROWS(missing)},
	{{"Messages per second, committed and arrived", "On both sides of the mirror.",
	  "timeseries", "cps", 12, 9, NULL},
	 CHOSEN,
	 ROWS(delivery)},
	{{"Target not read", "Samples without its log ends, by reason.", "timeseries",
	  "short", 12, 9, "bars"},
	 "_exists_:target_reason AND " CHOSEN,
	 ROWS(unread)},
};

static const struct grafana_variable variables[] = {
	{"topic", "Topic", "{\"find\":\"terms\",\"field\":\"" TOPIC_FIELD "\"}"},
};

static void put_metric(struct jsonw *w, size_t id, const char *type, const char *field)
{
	char name[32];

	snprintf(name, sizeof(name), "%zu", id);
	jsonw_object(w);
	jsonw_key_str(w, "id", name);
	jsonw_key_str(w, "type", type);
	if (field != NULL)
		jsonw_key_str(w, "field", field);
	if (*type == 'r')
		json_key_put(w, "settings", "{\"size\":\"100\"}");
	jsonw_end(w);
}

/* Terms first, the histogram last: in another order Grafana shows nothing. */
static void put_buckets(struct jsonw *w, const char *split)
{
	jsonw_key(w, "bucketAggs");
	jsonw_array(w);
	if (split != NULL) {
		jsonw_object(w);
		jsonw_key_str(w, "id", "t");
		jsonw_key_str(w, "type", "terms");
		jsonw_key_str(w, "field", split);
		json_key_put(w, "settings",
			     "{\"size\":\"50\",\"order\":\"desc\",\"orderBy\":\"1\","
			     "\"min_doc_count\":\"1\"}");
		jsonw_end(w);
	}
	json_put(w, "{\"id\":\"h\",\"type\":\"date_histogram\","
		    "\"field\":\"@timestamp\",\"settings\":{\"interval\":\"auto\","
		    "\"min_doc_count\":\"0\",\"trimEdges\":\"0\"}}");
	jsonw_end(w);
}

static void target_begin(struct jsonw *w, size_t i, const struct row *r,
			 const char *alias)
{
	grafana_target_begin(w, i, SOURCE);
	jsonw_key_str(w, "query", r->lucene);
	jsonw_key_str(w, "timeField", "@timestamp");
	if (alias != NULL)
		jsonw_key_str(w, "alias", alias);
	jsonw_key(w, "metrics");
	jsonw_array(w);
}

static void put_query(struct jsonw *w, size_t i, const struct row *r,
		      const struct query *q)
{
	target_begin(w, i, r, q->alias);
	put_metric(w, 1, q->metric, q->field);
	jsonw_end(w);
	if (*q->metric == 'r')
		json_key_put(w, "bucketAggs", "[]");
	else
		put_buckets(w, q->split);
	jsonw_end(w);
}

/* Several metrics may share a target: that fits our wide documents. */
static void put_partitions(struct jsonw *w, const struct dashboard *d,
			   const struct row *r)
{
	char field[32];

	target_begin(w, 0, r, "{{field}}");
	for (int i = 0; i < d->partitions; i++) {
		snprintf(field, sizeof(field), "p%d", i);
		put_metric(w, (size_t)i + 1, "max", field);
	}
	jsonw_end(w);
	put_buckets(w, NULL);
	jsonw_end(w);
}

static void put_rows(struct jsonw *w, const struct dashboard *d, const struct row *r,
		     size_t n, struct grafana_place *at)
{
	for (size_t i = 0; i < n; i++) {
		grafana_panel_begin(w, &r[i].panel, at, SOURCE);
		if (r[i].queries == NULL)
			put_partitions(w, d, &r[i]);
		for (size_t k = 0; k < r[i].n; k++)
			put_query(w, k, &r[i], &r[i].queries[k]);
		grafana_panel_end(w);
	}
}

void grafana_lag(const struct dashboard *d, struct buf *out)
{
	struct grafana_place at = {0, 0, 0};
	struct jsonw w = jsonw_start(out);

	grafana_begin(&w, "mmlag-lag", "mmlag: consumer lag",
		      "Lag of MirrorMaker's consumer groups, from Elasticsearch.",
		      SOURCE, variables, ARRAY_LEN(variables), "*");
	put_rows(&w, d, rows, ARRAY_LEN(rows), &at);
	if (d->target)
		put_rows(&w, d, mirror_rows, ARRAY_LEN(mirror_rows), &at);
	grafana_end(&w);
}
