/* SPDX-License-Identifier: MIT
 * dashboard_int: what the generators share. */
#ifndef MMLAG_DASHBOARD_INT_H
#define MMLAG_DASHBOARD_INT_H

#include "base/jsonw.h"
#include "dashboard/dashboard.h"

#define DATA_VIEW "mmlag-lag"       /* id of the index pattern */
#define TOPIC_FIELD "topic.keyword" /* is there in our mapping and in guessed ones */

/* Ours of /metrics, in seconds, with the labels of kafka_consumergroup_lag(_sum). */
#define METRIC_TOPIC_TIME_LAG "mmlag_topic_time_lag_seconds"
#define METRIC_PARTITION_TIME_LAG "mmlag_partition_time_lag_seconds"

/* Finished JSON as a value.  @thread main */
void json_put(struct jsonw *w, const char *json);
/* A member whose value is finished JSON.  @thread main */
void json_key_put(struct jsonw *w, const char *key, const char *json);
/* A member whose value is JSON as a string; `json` is empty afterwards.  @thread main
 */
void json_key_text(struct jsonw *w, const char *key, struct buf *json);

/* --- saved objects (saved.c) --- */

/* Stamps: the newest that every reader knows, see docs/dashboards.md. */
struct stamp {
	const char *type;
	const char *version;
	bool core; /* the style of Kibana 8.8 */
};
extern const struct stamp stamp_data_view, stamp_visualization, stamp_search,
	stamp_dashboard, stamp_lens, stamp_lens_dashboard;

/* Open an object up to and with its attributes.  @thread main */
void saved_begin(struct jsonw *w, const struct stamp *stamp, const char *id,
		 const char *title);
/* End the attributes, open the references.  @thread main */
void saved_references(struct jsonw *w);
void saved_reference(struct jsonw *w, const char *name, const char *type,
		     const char *id);
/* End the object and its line.  @thread main */
void saved_end(struct jsonw *w, const struct stamp *stamp);

/* The member kibanaSavedObjectMeta: a query in KQL, NULL for an empty source.
 * @thread main */
void saved_source(struct jsonw *w, const char *kql, bool data_view);
#define SOURCE_REFERENCE "kibanaSavedObjectMeta.searchSourceJSON.index"

/* The data view, with its line.  @thread main */
void saved_data_view(const struct dashboard *d, struct buf *out);

/* A saved search over the columns (a JSON array), with its line.  @thread main */
void saved_search(struct buf *out, const char *id, const char *title, const char *kql,
		  const char *columns);

/* One panel of a dashboard. */
struct panel {
	const char *type, *id; /* the object that is shown */
	int w, h;              /* of 48 columns; panels fill row after row */
};

/* Attributes panelsJSON and the others of a dashboard, from the title on. `modern` is
 * the form of Kibana 8.  @thread main */
void saved_panels(struct jsonw *w, const struct panel *panels, size_t n, bool modern);
/* References of the panels, in the same order.  @thread main */
void saved_panel_references(struct jsonw *w, const struct panel *panels, size_t n,
			    bool modern);

/* --- charts of the common file --- */

/* A curve of a TSVB chart. */
struct curve {
	const char *label, *field;
	const char *metric; /* max, avg */
	bool total;         /* the sum over topics rather than one line a topic */
	const char *colour;
};

/* An aggregation of a chart or table, in Kibana's own terms. */
struct agg {
	const char *type, *schema, *field;
	const char *label;  /* NULL: Kibana's */
	const char *params; /* further members, JSON without its braces; or NULL */
};

/* visState of each kind of chart, without anything around it.  @thread main */
void chart_tsvb(const struct dashboard *d, const char *title, const char *formatter,
		const struct curve *curves, size_t n, struct buf *out);
void chart_aggs(const char *title, const char *type, const struct agg *aggs, size_t n,
		struct buf *out);
void chart_partitions(const struct dashboard *d, const char *title, struct buf *out);
void chart_heat_map(const struct dashboard *d, const char *title, struct buf *out);

/* --- levels of lag (levels.c) --- */

/* A level that alerts, and the topics that it is for. */
struct level {
	enum threshold_on on;
	enum threshold_of of;
	double value; /* messages or ms */
	const char *severity;
	int64_t for_ms;
	const char *group; /* NULL: all */
	const char **topics;
	size_t n;   /* of topics; 0: all of the group */
	bool whole; /* a pattern is among them: all of the group */
};

/* The configured thresholds, those of the same level put together; one for all topics
 * where there are none. The caller frees them with levels_free.  @thread main */
struct level *levels_of(const struct dashboard *d, size_t *n);
void levels_free(struct level *levels, size_t n);

/* --- Grafana (grafana.c) --- */

/* A panel before its targets. */
struct grafana_panel {
	const char *title, *help;
	const char *type; /* timeseries, status-history, table */
	const char *unit; /* Grafana's name of one */
	int w, h;         /* of 24 columns; panels fill row after row */
	const char *bars; /* not NULL: bars, stacked */
};

/* Where the next panel goes. */
struct grafana_place {
	int id, x, y;
};

/* A variable of a board: a query for values, several of which may be chosen. */
struct grafana_variable {
	const char *name, *label, *query;
};

/* Open a board up to and with its panels; `source` is the type of its data source.
 * @thread main */
void grafana_begin(struct jsonw *w, const char *uid, const char *title,
		   const char *help, const char *source,
		   const struct grafana_variable *variables, size_t n, const char *all);
void grafana_end(struct jsonw *w);

/* Open a panel up to and with its targets; closed by grafana_panel_end.
 * @thread main */
void grafana_panel_begin(struct jsonw *w, const struct grafana_panel *p,
			 struct grafana_place *at, const char *source);
void grafana_panel_end(struct jsonw *w);

/* Open a target; "A", "B", … for `i`.  @thread main */
void grafana_target_begin(struct jsonw *w, size_t i, const char *source);

void grafana_lag(const struct dashboard *d, struct buf *out);
void grafana_prometheus(const struct dashboard *d, struct buf *out);
void grafana_brokers(struct buf *out);

/* Append a duration as Prometheus and Elasticsearch read it: "90d", "15m", "1500ms".
 * @thread main */
void put_duration(struct buf *out, int64_t ms);

#endif
