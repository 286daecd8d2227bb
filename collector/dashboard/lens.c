/* SPDX-License-Identifier: MIT
 * lens: charts for Kibana 8.8 and later, which can be changed there by dragging, and a
 * dashboard with Kibana's own controls. Not in the common file: OpenSearch Dashboards
 * refuses what it does not know. */
#include <stdio.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LAYER "mmlag-layer"
#define TEXT_MAX (4u << 20)

struct measure {
	const char *field, *label;
	const char *operation; /* max, average; count has no field */
};

struct lens {
	const char *id, *title, *type; /* of the series: line, bar_stacked */
	const char *split;             /* a field, NULL for none */
	const char *kql;
	const struct measure *measures; /* NULL: one for each partition */
	size_t n;
	int w, h;
	bool target; /* only where a mirror's other side is looked at */
};

#define ROWS(a) .measures = (a), .n = ARRAY_LEN(a)

static const struct measure lag[] = {{"lag_sum", "Lag", "max"}};
static const struct measure time_lag[] = {{"time_lag_ms", "Time lag (ms)", "max"}};
static const struct measure rates[] = {{"produced_per_sec", "In per second", "average"},
				       {"consumed_per_sec", "Out per second",
					"average"}};
static const struct measure missing[] = {{"undelivered", "Not arrived", "max"}};
static const struct measure delivery[] = {{"consumed_per_sec", "Committed per second",
					   "average"},
					  {"delivered_per_sec", "Arrived per second",
					   "average"}};
static const struct measure count[] = {{NULL, "Gaps", "count"}};

static const struct lens charts[] = {
	{"mmlag-lens-lag", "mmlag: lag by topic (Lens)", "line", TOPIC_FIELD, "",
	 ROWS(lag), .w = 24, .h = 12},
	{"mmlag-lens-time-lag", "mmlag: time lag by topic (Lens)", "line", TOPIC_FIELD,
	 "", ROWS(time_lag), .w = 24, .h = 12},
	{"mmlag-lens-partitions", "mmlag: lag by partition (Lens)", "line", NULL, "",
	 .w = 48, .h = 16},
	{"mmlag-lens-rates", "mmlag: messages per second by topic (Lens)", "line",
	 TOPIC_FIELD, "", ROWS(rates), .w = 24, .h = 12},
	{"mmlag-lens-gaps", "mmlag: samples that are missing (Lens)", "bar_stacked",
	 "reason", "status : \"NODATA\"", ROWS(count), .w = 24, .h = 12},
	{"mmlag-lens-not-arrived", "mmlag: committed, not arrived (Lens)", "line",
	 TOPIC_FIELD, "", ROWS(missing), .w = 24, .h = 12, .target = true},
	{"mmlag-lens-arrival",
	 "mmlag: messages per second, committed and arrived (Lens)", "line",
	 TOPIC_FIELD, "", ROWS(delivery), .w = 24, .h = 12, .target = true},
};

static size_t measures_of(const struct dashboard *d, const struct lens *l)
{
	return l->measures != NULL ? l->n : (size_t)d->partitions;
}

static void measure_id(size_t i, char id[32])
{
	snprintf(id, 32, "m%zu", i);
}

static void put_time(struct jsonw *w)
{
	json_key_put(w, "time",
		     "{\"label\":\"@timestamp\",\"dataType\":\"date\","
		     "\"operationType\":\"date_histogram\","
		     "\"sourceField\":\"@timestamp\",\"isBucketed\":true,"
		     "\"scale\":\"interval\",\"params\":{\"interval\":\"auto\","
		     "\"includeEmptyRows\":true,\"dropPartials\":false}}");
}

static void put_split(struct jsonw *w, const char *field)
{
	jsonw_key(w, "split");
	jsonw_object(w);
	jsonw_key_str(w, "label", "Top values");
	jsonw_key_str(w, "dataType", "string");
	jsonw_key_str(w, "operationType", "terms");
	jsonw_key_str(w, "sourceField", field);
	json_key_put(w, "isBucketed", "true");
	jsonw_key_str(w, "scale", "ordinal");
	json_key_put(w, "params",
		     "{\"size\":50,\"orderBy\":{\"type\":\"column\",\"columnId\":"
		     "\"m0\"},\"orderDirection\":\"desc\",\"otherBucket\":false,"
		     "\"missingBucket\":false,\"parentFormat\":{\"id\":\"terms\"}}");
	jsonw_end(w);
}

static void put_measure(struct jsonw *w, size_t i, const struct measure *m)
{
	char id[32];

	measure_id(i, id);
	jsonw_key(w, id);
	jsonw_object(w);
	jsonw_key_str(w, "label", m->label);
	json_key_put(w, "customLabel", "true");
	jsonw_key_str(w, "dataType", "number");
	jsonw_key_str(w, "operationType", m->operation);
	jsonw_key_str(w, "sourceField", m->field != NULL ? m->field : "___records___");
	json_key_put(w, "isBucketed", "false");
	jsonw_key_str(w, "scale", "ratio");
	json_key_put(w, "params", "{\"emptyAsNull\":true}");
	jsonw_end(w);
}

static void put_ids(struct jsonw *w, size_t n)
{
	char id[32];

	for (size_t i = 0; i < n; i++) {
		measure_id(i, id);
		jsonw_str(w, id);
	}
}

static void put_layer(struct jsonw *w, const struct dashboard *d, const struct lens *l)
{
	size_t n = measures_of(d, l);
	char field[32];

	jsonw_object(w);
	jsonw_key(w, "columnOrder");
	jsonw_array(w);
	if (l->split != NULL)
		jsonw_str(w, "split");
	jsonw_str(w, "time");
	put_ids(w, n);
	jsonw_end(w);
	jsonw_key(w, "columns");
	jsonw_object(w);
	if (l->split != NULL)
		put_split(w, l->split);
	put_time(w);
	for (size_t i = 0; i < n; i++) {
		snprintf(field, sizeof(field), "p%zu", i);
		put_measure(w, i,
			    l->measures != NULL
				    ? &l->measures[i]
				    : &(struct measure){field, field, "max"});
	}
	jsonw_end(w);
	json_key_put(w, "incompleteColumns", "{}");
	jsonw_end(w);
}

static void put_visualization(struct jsonw *w, const struct dashboard *d,
			      const struct lens *l)
{
	jsonw_object(w);
	json_key_put(w, "legend", "{\"isVisible\":true,\"position\":\"right\"}");
	jsonw_key_str(w, "valueLabels", "hide");
	jsonw_key_str(w, "fittingFunction", "None");
	jsonw_key_str(w, "preferredSeriesType", l->type);
	jsonw_key(w, "layers");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_key_str(w, "layerId", LAYER);
	jsonw_key_str(w, "layerType", "data");
	jsonw_key_str(w, "seriesType", l->type);
	jsonw_key_str(w, "xAccessor", "time");
	if (l->split != NULL)
		jsonw_key_str(w, "splitAccessor", "split");
	jsonw_key(w, "accessors");
	jsonw_array(w);
	put_ids(w, measures_of(d, l));
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
}

static void put_chart(const struct dashboard *d, const struct lens *l, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	saved_begin(&w, &stamp_lens, l->id, l->title);
	jsonw_key_str(&w, "description", "");
	jsonw_key_str(&w, "visualizationType", "lnsXY");
	jsonw_key(&w, "state");
	jsonw_object(&w);
	jsonw_key(&w, "datasourceStates");
	jsonw_object(&w);
	jsonw_key(&w, "formBased");
	jsonw_object(&w);
	jsonw_key(&w, "layers");
	jsonw_object(&w);
	jsonw_key(&w, LAYER);
	put_layer(&w, d, l);
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_key(&w, "visualization");
	put_visualization(&w, d, l);
	jsonw_key(&w, "query");
	jsonw_object(&w);
	jsonw_key_str(&w, "query", l->kql);
	jsonw_key_str(&w, "language", "kuery");
	jsonw_end(&w);
	json_key_put(&w, "filters", "[]");
	json_key_put(&w, "internalReferences", "[]");
	json_key_put(&w, "adHocDataViews", "{}");
	jsonw_end(&w);
	saved_references(&w);
	saved_reference(&w, "indexpattern-datasource-layer-" LAYER, "index-pattern",
			DATA_VIEW);
	saved_end(&w, &stamp_lens);
}

static const char *const controls[][3] = {{"mmlag-topic", "Topic", TOPIC_FIELD},
					  {"mmlag-group", "Group", "group"},
					  {"mmlag-cluster", "Cluster", "cluster"}};

static void put_control(struct jsonw *w, size_t i)
{
	jsonw_key(w, controls[i][0]);
	jsonw_object(w);
	jsonw_key_int(w, "order", (int64_t)i);
	jsonw_key_str(w, "width", "medium");
	json_key_put(w, "grow", "true");
	jsonw_key_str(w, "type", "optionsListControl");
	jsonw_key(w, "explicitInput");
	jsonw_object(w);
	jsonw_key_str(w, "id", controls[i][0]);
	jsonw_key_str(w, "title", controls[i][1]);
	jsonw_key_str(w, "fieldName", controls[i][2]);
	json_key_put(w, "enhancements", "{}");
	jsonw_end(w);
	jsonw_end(w);
}

static void put_control_group(struct jsonw *w)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct jsonw p = jsonw_start(&text);

	jsonw_object(&p);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++)
		put_control(&p, i);
	jsonw_end(&p);
	jsonw_key(w, "controlGroupInput");
	jsonw_object(w);
	jsonw_key_str(w, "controlStyle", "oneLine");
	jsonw_key_str(w, "chainingSystem", "HIERARCHICAL");
	json_key_text(w, "panelsJSON", &text);
	jsonw_key_str(w, "ignoreParentSettingsJSON",
		      "{\"ignoreFilters\":false,\"ignoreQuery\":false,"
		      "\"ignoreTimerange\":false,\"ignoreValidations\":false}");
	jsonw_end(w);
	buf_free(&text);
}

void dashboard_lens(const struct dashboard *d, struct buf *out)
{
	struct panel panels[ARRAY_LEN(charts)];
	struct jsonw w;
	char name[80];
	size_t n = 0;

	saved_data_view(d, out);
	for (size_t i = 0; i < ARRAY_LEN(charts); i++) {
		if (charts[i].target && !d->target)
			continue;
		put_chart(d, &charts[i], out);
		panels[n++] =
			(struct panel){"lens", charts[i].id, charts[i].w, charts[i].h};
	}
	w = jsonw_start(out);
	saved_begin(&w, &stamp_lens_dashboard, "mmlag-lens-overview",
		    "mmlag: consumer lag (Lens)");
	jsonw_key_str(&w, "description",
		      "Lag of MirrorMaker's consumer groups, by topic and partition.");
	put_control_group(&w);
	saved_panels(&w, panels, n, true);
	saved_references(&w);
	saved_panel_references(&w, panels, n, true);
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		snprintf(name, sizeof(name), "controlGroup_%s:optionsListDataView",
			 controls[i][0]);
		saved_reference(&w, name, "index-pattern", DATA_VIEW);
	}
	saved_end(&w, &stamp_lens_dashboard);
}
