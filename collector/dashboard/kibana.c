/* SPDX-License-Identifier: MIT
 * kibana: the charts of the file that Kibana and OpenSearch Dashboards both take, and
 * the dashboard that puts them together. A row a chart; the order of the rows is that
 * of the dashboard. */
#include <stdio.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum kind { CONTROLS, TSVB, LINES, BARS, TABLE, HEAT_MAP };

struct chart {
	const char *id, *title;
	enum kind kind;
	int w, h;
	const char *kql;
	const void *rows; /* struct curve or struct agg */
	size_t n;
	const char *formatter; /* of TSVB */
	const char *help;
	bool target; /* only where a mirror's other side is looked at */
};

#define ROWS(a) .rows = (a), .n = ARRAY_LEN(a)
#define SAMPLES "not event : *" /* alert documents have no figures */
#define GAPS "status : \"NODATA\""
#define UNREAD "target_reason : *"

static const struct curve lag[] = {{"Lag", "lag_sum", "max", false, "#54B399"}};
static const struct curve time_lag[] = {
	{"Time lag", "time_lag_ms", "max", false, "#9170B8"}};
static const struct curve throughput[] = {
	{"In", "produced_per_sec", "avg", true, "#6092C0"},
	{"Out", "consumed_per_sec", "avg", true, "#D36086"},
};

static const struct curve missing[] = {
	{"Not arrived", "undelivered", "max", false, "#E7664C"}};
static const struct curve delivery[] = {
	{"Committed", "consumed_per_sec", "avg", true, "#D36086"},
	{"Arrived", "delivered_per_sec", "avg", true, "#6DCCB1"},
};

#define TERMS(size)                                                 \
	"\"size\":" size ",\"order\":\"asc\",\"orderBy\":\"_key\"," \
	"\"otherBucket\":false,\"missingBucket\":false"
/* Where the user's own command is run, the group may be unknown. */
#define TERMS_OR_NONE(size)                                         \
	"\"size\":" size ",\"order\":\"asc\",\"orderBy\":\"_key\"," \
	"\"otherBucket\":false,\"missingBucket\":true,"             \
	"\"missingBucketLabel\":\"(none)\""
#define BY_COUNT(size)                                            \
	"\"size\":" size ",\"order\":\"desc\",\"orderBy\":\"1\"," \
	"\"otherBucket\":false,\"missingBucket\":false"
#define NEWEST                                 \
	"\"aggregate\":\"concat\",\"size\":1," \
	"\"sortField\":\"@timestamp\",\"sortOrder\":\"desc\""
#define BY_TIME                                                              \
	"\"interval\":\"auto\",\"min_doc_count\":1,\"drop_partials\":false," \
	"\"useNormalizedEsInterval\":true,\"extended_bounds\":{}"

static const struct agg now[] = {
	{"top_hits", "metric", "status", "Status", NEWEST},
	{"top_hits", "metric", "lag_sum", "Lag", NEWEST},
	{"top_hits", "metric", "lag_max", "Largest of a partition", NEWEST},
	{"top_hits", "metric", "lag_max_partition", "… which one", NEWEST},
	{"top_hits", "metric", "time_lag_ms", "Time lag (ms)", NEWEST},
	{"top_hits", "metric", "drain_ms", "Drained in (ms)", NEWEST},
	{"top_hits", "metric", "reason", "Why no data", NEWEST},
	{"terms", "bucket", TOPIC_FIELD, "Topic", TERMS("1000")},
	{"terms", "bucket", "group", "Group", TERMS_OR_NONE("100")},
};
static const struct agg gaps[] = {
	{"count", "metric", NULL, "Gaps", NULL},
	{"date_histogram", "segment", "@timestamp", NULL, BY_TIME},
	{"terms", "group", "reason", "Reason", BY_COUNT("25")},
};
static const struct agg reasons[] = {
	{"count", "metric", NULL, "Gaps", NULL},
	{"max", "metric", "@timestamp", "Last", NULL},
	{"terms", "bucket", TOPIC_FIELD, "Topic", BY_COUNT("200")},
	{"terms", "bucket", "reason", "Reason", BY_COUNT("25")},
};

static const struct agg unread[] = {
	{"count", "metric", NULL, "Samples", NULL},
	{"max", "metric", "@timestamp", "Last", NULL},
	{"terms", "bucket", TOPIC_FIELD, "Topic", BY_COUNT("200")},
	{"terms", "bucket", "target_reason", "Reason", BY_COUNT("25")},
};

static const struct chart charts[] = {
	{"mmlag-controls", "mmlag: choose", CONTROLS, 48, 5, "",
	 .help = "Topic, group and cluster of all panels below."},
	{"mmlag-now", "mmlag: topics now", TABLE, 48, 12, SAMPLES, ROWS(now),
	 .help = "The newest sample of each topic."},
	{"mmlag-lag-by-topic", "mmlag: lag by topic", TSVB, 24, 12, "", ROWS(lag),
	 .formatter = "number", .help = "The largest sum of lags in each interval."},
	{"mmlag-time-lag", "mmlag: time lag by topic", TSVB, 24, 12, "", ROWS(time_lag),
	 .formatter = "ms,humanize,",
	 .help = "How old the newest committed message is."},
	{"mmlag-lag-by-partition", "mmlag: lag by partition", LINES, 24, 14, "",
	 .help = "The largest lag of each partition number; choose a topic above."},
	{"mmlag-throughput", "mmlag: messages per second, in and out", TSVB, 24, 14, "",
	 ROWS(throughput), .formatter = "number",
	 .help = "Sums over topics of the mean rates."},
	{"mmlag-heat-map", "mmlag: partitions, heat map", HEAT_MAP, 48, 16, "",
	 .help = "The largest lag of each partition number in each interval."},
	{"mmlag-gaps", "mmlag: samples that are missing", BARS, 24, 12, GAPS,
	 ROWS(gaps), .help = "Gap documents by reason."},
	{"mmlag-reasons", "mmlag: reasons", TABLE, 24, 12, GAPS, ROWS(reasons),
	 .help = "Which topics were without data, and why."},
	{"mmlag-not-arrived", "mmlag: committed, not arrived at the target", TSVB, 24,
	 12, "", ROWS(missing), .formatter = "number", .target = true,
	 .help = "Messages of the last minutes that the other side did not get."},
	{"mmlag-arrival", "mmlag: messages per second, committed and arrived", TSVB, 24,
	 12, "", ROWS(delivery), .formatter = "number", .target = true,
	 .help = "Sums over topics of the mean rates on both sides of the mirror."},
	{"mmlag-target-reasons", "mmlag: targets that could not be read", TABLE, 48, 8,
	 UNREAD, ROWS(unread), .target = true,
	 .help = "Samples without the log ends of the other side, and why."},
};

static void put_control(struct jsonw *w, size_t i, const char *field, const char *label)
{
	char name[40];

	jsonw_object(w);
	snprintf(name, sizeof(name), "mmlag-control-%zu", i);
	jsonw_key_str(w, "id", name);
	snprintf(name, sizeof(name), "control_%zu_index_pattern", i);
	jsonw_key_str(w, "indexPatternRefName", name);
	jsonw_key_str(w, "fieldName", field);
	jsonw_key_str(w, "parent", "");
	jsonw_key_str(w, "label", label);
	jsonw_key_str(w, "type", "list");
	json_key_put(w, "options",
		     "{\"type\":\"terms\",\"multiselect\":true,\"dynamicOptions\":true,"
		     "\"size\":100,\"order\":\"desc\"}");
	jsonw_end(w);
}

static const char *const controls[][2] = {{TOPIC_FIELD, "Topic"},
					  {"group", "Group"},
					  {"cluster", "Cluster"}};

static void chart_controls(const char *title, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "title", title);
	jsonw_key_str(&w, "type", "input_control_vis");
	json_key_put(&w, "aggs", "[]");
	jsonw_key(&w, "params");
	jsonw_object(&w);
	jsonw_key(&w, "controls");
	jsonw_array(&w);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		put_control(&w, i, controls[i][0], controls[i][1]);
	jsonw_end(&w);
	json_key_put(&w, "updateFiltersOnChange", "true");
	json_key_put(&w, "useTimeFilter", "false");
	json_key_put(&w, "pinFilters", "false");
	jsonw_end(&w);
	jsonw_end(&w);
}

static void put_state(const struct dashboard *d, const struct chart *c,
		      struct buf *state)
{
	switch (c->kind) {
	case CONTROLS:
		chart_controls(c->title, state);
		break;
	case TSVB:
		chart_tsvb(d, c->title, c->formatter, c->rows, c->n, state);
		break;
	case LINES:
		chart_partitions(d, c->title, state);
		break;
	case BARS:
		chart_aggs(c->title, "histogram", c->rows, c->n, state);
		break;
	case TABLE:
		chart_aggs(c->title, "table", c->rows, c->n, state);
		break;
	case HEAT_MAP:
		chart_heat_map(d, c->title, state);
		break;
	}
}

/* TSVB, Vega and controls name their index by themselves. */
static bool has_source(const struct chart *c)
{
	return c->kind == LINES || c->kind == BARS || c->kind == TABLE;
}

static void put_chart(const struct dashboard *d, const struct chart *c, struct buf *out)
{
	struct jsonw w = jsonw_start(out);
	struct buf state = BUF_INIT(DASHBOARD_TEXT_MAX);
	char name[40];

	put_state(d, c, &state);
	saved_begin(&w, &stamp_visualization, c->id, c->title);
	json_key_text(&w, "visState", &state);
	jsonw_key_str(&w, "uiStateJSON", "{}");
	jsonw_key_str(&w, "description", c->help);
	jsonw_key_int(&w, "version", 1);
	saved_source(&w, has_source(c) ? c->kql : NULL, has_source(c));
	saved_references(&w);
	if (has_source(c))
		saved_reference(&w, SOURCE_REFERENCE, "index-pattern", DATA_VIEW);
	for (size_t i = 0; c->kind == CONTROLS && i < ARRAY_LEN(controls); i++) {
		snprintf(name, sizeof(name), "control_%zu_index_pattern", i);
		saved_reference(&w, name, "index-pattern", DATA_VIEW);
	}
	saved_end(&w, &stamp_visualization);
	buf_free(&state);
}

void dashboard_saved_objects(const struct dashboard *d, struct buf *out)
{
	struct panel panels[ARRAY_LEN(charts) + 1];
	struct jsonw w;
	size_t n = 0;

	saved_data_view(d, out);
	for (size_t i = 0; i < ARRAY_LEN(charts); i++) {
		if (charts[i].target && !d->target)
			continue;
		put_chart(d, &charts[i], out);
		panels[n++] = (struct panel){"visualization", charts[i].id, charts[i].w,
					     charts[i].h};
	}
	saved_search(out, "mmlag-alerts", "mmlag: alerts", "event : \"alert\"",
		     "[\"state\",\"severity\",\"rule\",\"topic\",\"partitions\","
		     "\"value\",\"message\"]");
	panels[n++] = (struct panel){"search", "mmlag-alerts", 48, 14};
	w = jsonw_start(out);
	saved_begin(&w, &stamp_dashboard, "mmlag-overview", "mmlag: consumer lag");
	jsonw_key_str(&w, "description",
		      "Lag of MirrorMaker's consumer groups, by topic and partition.");
	saved_panels(&w, panels, n, false);
	saved_references(&w);
	saved_panel_references(&w, panels, n, false);
	saved_end(&w, &stamp_dashboard);
}
