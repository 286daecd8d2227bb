/* SPDX-License-Identifier: MIT
 * charts: the state (visState) of each kind of chart. What never changes stands here as
 * text; what depends on the plan is written member by member. */
#include <stdio.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define LEGEND_MAX 40 /* more lines than this have no legend */

static void begin(struct jsonw *w, struct buf *out, const char *title, const char *type)
{
	*w = jsonw_start(out);
	jsonw_object(w);
	jsonw_key_str(w, "title", title);
	jsonw_key_str(w, "type", type);
}

/* --- TSVB --- */

static void put_metrics(struct jsonw *w, const struct curve *c)
{
	jsonw_key(w, "metrics");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_key_str(w, "id", "m1");
	jsonw_key_str(w, "type", c->metric);
	jsonw_key_str(w, "field", c->field);
	jsonw_end(w);
	if (c->total)
		json_put(
			w,
			"{\"id\":\"m2\",\"type\":\"series_agg\",\"function\":\"sum\"}");
	jsonw_end(w);
}

static void put_curve(struct jsonw *w, size_t i, const char *formatter,
		      const struct curve *c)
{
	char id[32];

	snprintf(id, sizeof(id), "s%zu", i);
	jsonw_object(w);
	jsonw_key_str(w, "id", id);
	jsonw_key_str(w, "label", c->label);
	jsonw_key_str(w, "color", c->colour);
	jsonw_key_str(w, "split_mode", "terms");
	jsonw_key_str(w, "terms_field", TOPIC_FIELD);
	jsonw_key_str(w, "terms_size", "100");
	jsonw_key_str(w, "terms_order_by", "m1");
	jsonw_key_str(w, "split_color_mode", c->total ? "kibana" : "rainbow");
	put_metrics(w, c);
	jsonw_key_str(w, "formatter", formatter);
	jsonw_key_str(w, "value_template", "{{value}}");
	jsonw_key_int(w, "seperate_axis", 0); /* spelled so by TSVB */
	jsonw_key_str(w, "axis_position", "right");
	jsonw_key_str(w, "chart_type", "line");
	jsonw_key_int(w, "line_width", 1);
	jsonw_key_int(w, "point_size", 1);
	jsonw_key_int(w, "fill", 0);
	jsonw_key_str(w, "stacked", "none");
	jsonw_end(w);
}

void chart_tsvb(const struct dashboard *d, const char *title, const char *formatter,
		const struct curve *curves, size_t n, struct buf *out)
{
	struct jsonw w;

	begin(&w, out, title, "metrics");
	json_key_put(&w, "aggs", "[]");
	jsonw_key(&w, "params");
	jsonw_object(&w);
	jsonw_key_str(&w, "id", "mmlag");
	jsonw_key_str(&w, "type", "timeseries");
	jsonw_key_str(&w, "index_pattern", d->pattern);
	jsonw_key_str(&w, "default_index_pattern", d->pattern);
	json_key_put(&w, "use_kibana_indexes", "false");
	jsonw_key_str(&w, "time_field", "@timestamp");
	jsonw_key_str(&w, "default_timefield", "@timestamp");
	jsonw_key_str(&w, "interval", "auto");
	jsonw_key_str(&w, "axis_position", "left");
	jsonw_key_str(&w, "axis_formatter", "number");
	jsonw_key_str(&w, "axis_scale", "normal");
	jsonw_key_int(&w, "axis_min", 0);
	jsonw_key_int(&w, "show_legend", 1);
	jsonw_key_str(&w, "legend_position", "bottom");
	jsonw_key_int(&w, "show_grid", 1);
	jsonw_key_str(&w, "tooltip_mode", "show_all");
	jsonw_key(&w, "series");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		put_curve(&w, i, formatter, &curves[i]);
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_end(&w);
}

/* --- charts of aggregations --- */

static void put_agg(struct jsonw *w, size_t id, const struct agg *a)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", id);
	jsonw_object(w);
	jsonw_key_str(w, "id", text);
	json_key_put(w, "enabled", "true");
	jsonw_key_str(w, "type", a->type);
	jsonw_key_str(w, "schema", a->schema);
	jsonw_key(w, "params");
	jsonw_object(w);
	if (a->field != NULL)
		jsonw_key_str(w, "field", a->field);
	if (a->label != NULL)
		jsonw_key_str(w, "customLabel", a->label);
	if (a->params != NULL) /* members without braces */
		buf_printf(w->out, "%s%s",
			   a->field != NULL || a->label != NULL ? "," : "", a->params);
	jsonw_end(w);
	jsonw_end(w);
}

static const char axes[] =
	"[{\"id\":\"CategoryAxis-1\",\"type\":\"category\",\"position\":\"bottom\","
	"\"show\":true,\"style\":{},\"scale\":{\"type\":\"linear\"},"
	"\"labels\":{\"show\":true,\"filter\":true,\"truncate\":100},\"title\":{}}]";

static void put_value_axis(struct jsonw *w, const char *title)
{
	json_key_put(w, "grid", "{\"categoryLines\":false}");
	json_key_put(w, "categoryAxes", axes);
	jsonw_key(w, "valueAxes");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_key_str(w, "id", "ValueAxis-1");
	jsonw_key_str(w, "name", "LeftAxis-1");
	jsonw_key_str(w, "type", "value");
	jsonw_key_str(w, "position", "left");
	json_key_put(w, "show", "true");
	json_key_put(w, "style", "{}");
	json_key_put(w, "scale", "{\"type\":\"linear\",\"mode\":\"normal\"}");
	json_key_put(w, "labels",
		     "{\"show\":true,\"rotate\":0,\"filter\":false,\"truncate\":100}");
	jsonw_key(w, "title");
	jsonw_object(w);
	jsonw_key_str(w, "text", title);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
}

/* How metric `id` is drawn. */
static void put_series(struct jsonw *w, size_t id, const char *label, const char *type)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", id);
	jsonw_object(w);
	json_key_put(w, "show", "true");
	jsonw_key_str(w, "type", type);
	jsonw_key_str(w, "mode", *type == 'h' ? "stacked" : "normal");
	jsonw_key(w, "data");
	jsonw_object(w);
	jsonw_key_str(w, "id", text);
	jsonw_key_str(w, "label", label);
	jsonw_end(w);
	jsonw_key_str(w, "valueAxis", "ValueAxis-1");
	json_key_put(w, "drawLinesBetweenPoints", "true");
	jsonw_key_int(w, "lineWidth", 1);
	jsonw_key_str(w, "interpolate", "linear");
	json_key_put(w, "showCircles", "false");
	jsonw_end(w);
}

static void put_legend(struct jsonw *w, bool shown)
{
	jsonw_key(w, "addLegend");
	jsonw_bool(w, shown);
	jsonw_key_str(w, "legendPosition", "right");
	json_key_put(w, "addTooltip", "true");
	json_key_put(w, "times", "[]");
	json_key_put(w, "addTimeMarker", "false");
	json_key_put(w, "labels", "{}");
	json_key_put(w, "thresholdLine",
		     "{\"show\":false,\"value\":10,\"width\":1,\"style\":\"full\","
		     "\"color\":\"#E7664C\"}");
}

static const char table_params[] =
	"{\"perPage\":25,\"showPartialRows\":false,\"showMetricsAtAllLevels\":false,"
	"\"showTotal\":false,\"totalFunc\":\"sum\",\"percentageCol\":\"\","
	"\"showToolbar\":true}";

void chart_aggs(const char *title, const char *type, const struct agg *aggs, size_t n,
		struct buf *out)
{
	struct jsonw w;

	begin(&w, out, title, type);
	jsonw_key(&w, "aggs");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++)
		put_agg(&w, i + 1, &aggs[i]);
	jsonw_end(&w);
	jsonw_key(&w, "params");
	if (*type == 't') {
		json_put(&w, table_params);
	} else {
		jsonw_object(&w);
		jsonw_key_str(&w, "type", type);
		put_value_axis(&w, aggs[0].label);
		jsonw_key(&w, "seriesParams");
		jsonw_array(&w);
		put_series(&w, 1, aggs[0].label, type);
		jsonw_end(&w);
		put_legend(&w, true);
		jsonw_end(&w);
	}
	jsonw_end(&w);
}

void chart_partitions(const struct dashboard *d, const char *title, struct buf *out)
{
	static const struct agg by_time = {
		"date_histogram", "segment", "@timestamp", NULL,
		"\"interval\":\"auto\",\"min_doc_count\":1,\"drop_partials\":false,"
		"\"useNormalizedEsInterval\":true,\"extended_bounds\":{}"};
	struct jsonw w;
	char field[32];
	size_t n = (size_t)d->partitions;

	begin(&w, out, title, "line");
	jsonw_key(&w, "aggs");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		snprintf(field, sizeof(field), "p%zu", i);
		put_agg(&w, i + 1, &(struct agg){"max", "metric", field, field, NULL});
	}
	put_agg(&w, n + 1, &by_time);
	jsonw_end(&w);
	jsonw_key(&w, "params");
	jsonw_object(&w);
	jsonw_key_str(&w, "type", "line");
	put_value_axis(&w, "Lag");
	jsonw_key(&w, "seriesParams");
	jsonw_array(&w);
	for (size_t i = 0; i < n; i++) {
		snprintf(field, sizeof(field), "p%zu", i);
		put_series(&w, i + 1, field, "line");
	}
	jsonw_end(&w);
	put_legend(&w, n <= LEGEND_MAX);
	jsonw_end(&w);
	jsonw_end(&w);
}

/* --- the heat map, a Vega chart --- */

static const char rows_of[] =
	"{\"type\":\"project\",\"fields\":[\"key\",\"lags\",\"numbers\"]},"
	"{\"type\":\"flatten\",\"fields\":[\"lags\",\"numbers\"],"
	"\"as\":[\"lag\",\"partition\"]}";
static const char known[] = "{\"type\":\"filter\",\"expr\":\"isValid(datum.lag)\"}";
static const char scales[] =
	"[{\"name\":\"x\",\"type\":\"band\",\"range\":\"width\","
	"\"domain\":{\"data\":\"intervals\",\"field\":\"key\"}},"
	"{\"name\":\"y\",\"type\":\"band\",\"range\":\"height\","
	"\"domain\":{\"data\":\"lags\",\"field\":\"partition\",\"sort\":true}},"
	"{\"name\":\"colour\",\"type\":\"sqrt\",\"zero\":true,\"nice\":true,"
	"\"range\":{\"scheme\":\"yelloworangered\"},"
	"\"domain\":{\"signal\":\"range\"}}]";
/* Without a lag the extent of none would be a warning upon the panel. */
static const char range_of[] =
	"{\"name\":\"ends\",\"source\":\"lags\",\"transform\":[{\"type\":\"aggregate\","
	"\"fields\":[\"lag\",\"lag\"],\"ops\":[\"min\",\"max\"],"
	"\"as\":[\"least\",\"most\"]}]}";
static const char signals[] =
	"[{\"name\":\"range\",\"update\":\"length(data('lags')) ? "
	"[min(0, data('ends')[0].least), max(1, data('ends')[0].most)] : [0, 1]\"}]";
static const char axes_of_map[] =
	"[{\"orient\":\"bottom\",\"scale\":\"x\",\"labelOverlap\":\"greedy\","
	"\"labelSeparation\":12,"
	"\"encode\":{\"labels\":{\"update\":{\"text\":{"
	"\"signal\":\"timeFormat(datum.value, '%d %b %H:%M')\"}}}}},"
	"{\"orient\":\"left\",\"scale\":\"y\",\"title\":\"Partition\",\"ticks\":false,"
	"\"labelOverlap\":\"greedy\"}]";
static const char legends[] =
	"[{\"fill\":\"colour\",\"title\":\"Messages\",\"format\":\",.1~f\"}]";
static const char title_of_map[] =
	"{\"text\":\"Largest lag of each partition in each interval\","
	"\"subtitle\":\"grey: no lag known\",\"anchor\":\"start\","
	"\"subtitleColor\":\"#69707d\",\"offset\":8}";
static const char paper[] =
	"{\"update\":{\"fill\":{\"value\":\"#e9edf3\"},\"stroke\":{\"value\":null}}}";
static const char marks[] =
	"[{\"type\":\"rect\",\"from\":{\"data\":\"lags\"},\"sort\":{\"field\":\"datum.lag\"},"
	"\"encode\":{\"update\":{"
	"\"x\":{\"scale\":\"x\",\"field\":\"key\"},"
	"\"width\":{\"scale\":\"x\",\"band\":1},"
	"\"y\":{\"scale\":\"y\",\"field\":\"partition\"},"
	"\"height\":{\"signal\":\"max(bandwidth('y'), 2)\"},"
	"\"fill\":{\"scale\":\"colour\",\"field\":\"lag\"},"
	"\"tooltip\":{\"signal\":\"{'Partition': datum.partition, "
	"'Largest lag': format(datum.lag, ','), "
	"'From': timeFormat(datum.key, '%d %b %H:%M:%S')}\"}"
	"}}},"
	"{\"type\":\"text\",\"interactive\":false,\"encode\":{\"update\":{"
	"\"x\":{\"signal\":\"width / 2\"},\"y\":{\"signal\":\"height / 2\"},"
	"\"align\":{\"value\":\"center\"},\"fontSize\":{\"value\":14},"
	"\"fill\":{\"value\":\"#535966\"},"
	"\"text\":{\"signal\":\"length(data('lags')) ? '' : "
	"'No lag is known here: choose another time or topic'\"}}}}]";

static const char by_interval[] =
	"{\"field\":\"@timestamp\",\"min_doc_count\":0,"
	"\"interval\":{\"%autointerval%\":60},\"extended_bounds\":{"
	"\"min\":{\"%timefilter%\":\"min\"},\"max\":{\"%timefilter%\":\"max\"}}}";

static void put_maxima(struct jsonw *w, int partitions)
{
	char field[32];

	jsonw_object(w);
	for (int i = 0; i < partitions; i++) {
		snprintf(field, sizeof(field), "p%d", i);
		jsonw_key(w, field);
		jsonw_object(w);
		jsonw_key(w, "max");
		jsonw_object(w);
		jsonw_key_str(w, "field", field);
		jsonw_end(w);
		jsonw_end(w);
	}
	jsonw_end(w);
}

/* The reader puts its time range, its filters and a fitting interval in place of the
 * names between %. It must be "interval": only in that one does Kibana look. */
static void put_intervals(struct jsonw *w, const struct dashboard *d)
{
	jsonw_object(w);
	jsonw_key_str(w, "name", "intervals");
	jsonw_key(w, "url");
	jsonw_object(w);
	jsonw_key_str(w, "index", d->pattern);
	json_key_put(w, "%context%", "true");
	jsonw_key_str(w, "%timefield%", "@timestamp");
	jsonw_key(w, "body");
	jsonw_object(w);
	jsonw_key_int(w, "size", 0);
	jsonw_key(w, "aggs");
	jsonw_object(w);
	jsonw_key(w, "time");
	jsonw_object(w);
	json_key_put(w, "date_histogram", by_interval);
	jsonw_key(w, "aggs");
	put_maxima(w, d->partitions);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_end(w);
	json_key_put(w, "format", "{\"property\":\"aggregations.time.buckets\"}");
	jsonw_end(w);
}

/* A row for each partition and interval. Projected before it is flattened: each row is
 * a copy, and a thousand partitions would be copied a thousand times. */
static void put_lags(struct jsonw *w, const struct dashboard *d)
{
	struct buf expr = BUF_INIT(DASHBOARD_TEXT_MAX);

	for (int i = 0; i < d->partitions; i++)
		buf_printf(&expr, "%cdatum.p%d.value", i == 0 ? '[' : ',', i);
	buf_addch(&expr, ']');
	jsonw_object(w);
	jsonw_key_str(w, "name", "lags");
	jsonw_key_str(w, "source", "intervals");
	jsonw_key(w, "transform");
	jsonw_array(w);
	jsonw_object(w);
	jsonw_key_str(w, "type", "formula");
	jsonw_key_str(w, "as", "lags");
	json_key_text(w, "expr", &expr);
	jsonw_end(w);
	jsonw_object(w);
	jsonw_key_str(w, "type", "formula");
	jsonw_key_str(w, "as", "numbers");
	buf_printf(&expr, "sequence(%d)", d->partitions);
	json_key_text(w, "expr", &expr);
	jsonw_end(w);
	json_put(w, rows_of);
	json_put(w, known);
	jsonw_end(w);
	jsonw_end(w);
	buf_free(&expr);
}

static void put_spec(const struct dashboard *d, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "$schema", "https://vega.github.io/schema/vega/v5.json");
	json_key_put(&w, "autosize", "{\"type\":\"fit\",\"contains\":\"padding\"}");
	jsonw_key_int(&w, "padding", 5);
	jsonw_key(&w, "data");
	jsonw_array(&w);
	put_intervals(&w, d);
	put_lags(&w, d);
	json_put(&w, range_of);
	jsonw_end(&w);
	json_key_put(&w, "title", title_of_map);
	json_key_put(&w, "signals", signals);
	json_key_put(&w, "encode", paper);
	json_key_put(&w, "scales", scales);
	json_key_put(&w, "axes", axes_of_map);
	json_key_put(&w, "legends", legends);
	json_key_put(&w, "marks", marks);
	jsonw_end(&w);
}

void chart_heat_map(const struct dashboard *d, const char *title, struct buf *out)
{
	struct buf spec = BUF_INIT(DASHBOARD_TEXT_MAX);
	struct jsonw w;

	put_spec(d, &spec);
	begin(&w, out, title, "vega");
	json_key_put(&w, "aggs", "[]");
	jsonw_key(&w, "params");
	jsonw_object(&w);
	json_key_text(&w, "spec", &spec);
	jsonw_end(&w);
	jsonw_end(&w);
	buf_free(&spec);
}
