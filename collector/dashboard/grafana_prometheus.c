/* SPDX-License-Identifier: MIT
 * grafana_prometheus: the boards over Prometheus: lag from /metrics (or from
 * kafka_exporter, whose names those are), and brokers from the JMX exporter. */
#include <stdio.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SOURCE "prometheus"
#define TARGETS 3

struct row {
	struct grafana_panel panel;
	struct {
		const char *expr, *legend;
	} targets[TARGETS]; /* ends with the first without an expression */
};

#define CHOSEN "consumergroup=~\"$group\",topic=~\"$topic\""
#define TOPIC_OF_GROUP "{{topic}} ({{consumergroup}})"
#define PANEL(title, help, unit, w, h)                      \
	{                                                   \
		title, help, "timeseries", unit, w, h, NULL \
	}

static const struct row lag_rows[] = {
	{PANEL("Lag by topic", "Sum over partitions.", "short", 12, 9),
	 {{"sum by (consumergroup, topic) (kafka_consumergroup_lag_sum{" CHOSEN "})",
	   TOPIC_OF_GROUP}}},
	{PANEL("Time lag by topic", "How old the newest committed message is.", "s", 12,
	       9),
	 {{"max by (consumergroup, topic) (" METRIC_TOPIC_TIME_LAG "{" CHOSEN "})",
	   TOPIC_OF_GROUP}}},
	{PANEL("Lag by partition", "-1, which stands for unknown, is left out.",
	       "short", 12, 10),
	 {{"kafka_consumergroup_lag{" CHOSEN "} >= 0",
	   "{{topic}} {{partition}} ({{consumergroup}})"}}},
	{PANEL("The twenty largest partitions", "One hot partition hides in a sum.",
	       "short", 12, 10),
	 {{"topk(20, kafka_consumergroup_lag{" CHOSEN "})",
	   "{{topic}} {{partition}} ({{consumergroup}})"}}},
	{PANEL("Messages in per second", "Growth of the source topics.", "cps", 12, 9),
	 {{"sum by (topic) (rate(kafka_topic_partition_current_offset"
	   "{topic=~\"$topic\"}[$__rate_interval]))",
	   "{{topic}}"}}},
	{PANEL("Messages out per second", "Progress of the groups.", "cps", 12, 9),
	 {{"sum by (consumergroup, topic) (rate(kafka_consumergroup_current_offset"
	   "{" CHOSEN "}[$__rate_interval]))",
	   TOPIC_OF_GROUP}}},
	{PANEL("Members", "Of each consumer group.", "short", 12, 8),
	 {{"kafka_consumergroup_members{consumergroup=~\"$group\"}",
	   "{{consumergroup}}"}}},
	{PANEL("Partitions", "Of each topic, as far as the group knows them.", "short",
	       12, 8),
	 {{"max by (topic) (kafka_topic_partitions{topic=~\"$topic\"})", "{{topic}}"}}},
	{{"Verdict on each topic",
	  "mmlag's: 1 OK, 2 WARN, 3 ERR; 0 while there is no data.", "status-history",
	  "none", 12, 9, NULL},
	 {{"max by (consumergroup, topic) (mmlag_topic_status{" CHOSEN "})",
	   TOPIC_OF_GROUP}}},
	{PANEL("Without data", "mmlag's topics without data, with the reason.", "none",
	       12, 9),
	 {{"mmlag_topic_nodata{" CHOSEN "} == 1", "{{topic}} {{reason}}"}}},
	{PANEL("Documents", "What became of them, per second.", "cps", 12, 8),
	 {{"sum by (outcome) (rate(mmlag_documents_total[$__rate_interval]))",
	   "{{outcome}}"},
	  {"sum(rate(mmlag_samples_total[$__rate_interval]))", "samples taken"}}},
	{PANEL("Waiting in the spool", "Documents that Elasticsearch has not got.",
	       "short", 12, 8),
	 {{"mmlag_spool_documents", "{{instance}}"},
	  {"mmlag_dead_letters", "{{instance}} refused"}}},
};

/* Where a mirror's other side is looked at. */
static const struct row mirror_rows[] = {
	{PANEL("Committed, not arrived at the target",
	       "Messages of the last minutes that the other side did not get.", "short",
	       12, 9),
	 {{"max by (consumergroup, topic) (mmlag_topic_undelivered{" CHOSEN "})",
	   TOPIC_OF_GROUP},
	  {"mmlag_topic_target_unread{" CHOSEN "} * 0",
	   "{{topic}} not known: {{reason}}"}}},
	{PANEL("Messages per second, committed and arrived",
	       "On both sides of the mirror.", "cps", 12, 9),
	 {{"sum by (topic) (mmlag_topic_consumed_per_second{" CHOSEN "})",
	   "{{topic}} committed"},
	  {"sum by (topic) (mmlag_topic_delivered_per_second{" CHOSEN "})",
	   "{{topic}} arrived"}}},
};

static const struct grafana_variable lag_variables[] = {
	{"group", "Group", "label_values(kafka_consumergroup_lag_sum, consumergroup)"},
	{"topic", "Topic", "label_values(kafka_consumergroup_lag_sum, topic)"},
};

/* Names of the JMX exporter differ: some versions append _total to counters, and rules
 * make series by topic, a total without a topic, or both. */
#define BROKER(name) "{__name__=~\"kafka_server_BrokerTopicMetrics_" name "(_total)?\","
#define ON "instance=~\"$instance\""
#define RATE(name) RATE_OVER(name, "$__rate_interval")
#define RATE_OVER(name, span)                                                         \
	"sum by (instance) (rate(" BROKER(                                            \
		name) "topic!=\"\"," ON "}[" span                                     \
		      "])) or sum by (instance) (rate(" BROKER(name) "topic=\"\"," ON \
								     "}[" span "]))"
#define RATE_BY_TOPIC(name)                                                      \
	"sum by (topic) (rate(" BROKER(name) "topic=~\"$topic\",topic!=\"\"," ON \
					     "}[$__rate_interval]))"

static const struct row broker_rows[] = {
	{PANEL("Messages in per second, by broker", "Of all topics.", "cps", 12, 9),
	 {{RATE("MessagesInPerSec"), "{{instance}}"}}},
	{PANEL("Messages in per second, by topic", "Of all brokers.", "cps", 12, 9),
	 {{RATE_BY_TOPIC("MessagesInPerSec"), "{{topic}}"}}},
	{PANEL("Bytes in, by broker", "From producers.", "Bps", 12, 8),
	 {{RATE("BytesInPerSec"), "{{instance}}"}}},
	{PANEL("Bytes out, by broker", "To consumers, replicas left out.", "Bps", 12,
	       8),
	 {{RATE("BytesOutPerSec"), "{{instance}}"}}},
	{PANEL("Idle request handlers", "Below 0.3 a broker has too much to do.",
	       "percentunit", 12, 8),
	 {{"{__name__=~\"kafka_server_KafkaRequestHandlerPool_"
	   "RequestHandlerAvgIdlePercent(_total)?\"," ON "}",
	   "{{instance}}"}}},
	{PANEL("Under-replicated partitions", "Anything but 0 is trouble.", "short", 12,
	       8),
	 {{"{__name__=~\"kafka_server_ReplicaManager_UnderReplicatedPartitions\"," ON
	   "}",
	   "{{instance}}"}}},
	{PANEL("Heap", "Used, of all of it.", "bytes", 12, 8),
	 {{"sum by (instance) ({__name__=~\"jvm_memory_(bytes_used|used_bytes)\","
	   "area=\"heap\"," ON "})",
	   "{{instance}} used"},
	  {"sum by (instance) ({__name__=~\"jvm_memory_(bytes_max|max_bytes)\","
	   "area=\"heap\"," ON "})",
	   "{{instance}} at most"}}},
	{PANEL("Garbage collection", "Share of the time.", "percentunit", 12, 8),
	 {{"sum by (instance, gc) "
	   "(rate(jvm_gc_collection_seconds_sum{" ON "}[$__rate_interval]))",
	   "{{instance}} {{gc}}"}}},
};

static const struct grafana_variable broker_variables[] = {
	{"instance", "Broker",
	 "label_values(kafka_server_ReplicaManager_UnderReplicatedPartitions, instance)"},
	{"topic", "Topic",
	 "label_values({__name__=~\"kafka_server_BrokerTopicMetrics_MessagesInPerSec(_total)?\"}, topic)"},
};

static void put_target(struct jsonw *w, size_t i, const char *expr, const char *legend)
{
	grafana_target_begin(w, i, SOURCE);
	jsonw_key_str(w, "expr", expr);
	jsonw_key_str(w, "legendFormat", legend);
	json_key_put(w, "range", "true");
	json_key_put(w, "instant", "false");
	jsonw_key_str(w, "editorMode", "code");
	jsonw_end(w);
}

static void put_rows(struct jsonw *w, const struct row *rows, size_t n,
		     struct grafana_place *at)
{
	for (size_t i = 0; i < n; i++) {
		grafana_panel_begin(w, &rows[i].panel, at, SOURCE);
		for (size_t k = 0; k < TARGETS && rows[i].targets[k].expr != NULL; k++)
			put_target(w, k, rows[i].targets[k].expr,
				   rows[i].targets[k].legend);
		grafana_panel_end(w);
	}
}

void grafana_prometheus(const struct dashboard *d, struct buf *out)
{
	struct grafana_place at = {0, 0, 0};
	struct jsonw w = jsonw_start(out);

	grafana_begin(&w, "mmlag-prometheus", "mmlag: consumer lag (Prometheus)",
		      "Lag of MirrorMaker's consumer groups, from /metrics.", SOURCE,
		      lag_variables, ARRAY_LEN(lag_variables), ".*");
	put_rows(&w, lag_rows, ARRAY_LEN(lag_rows), &at);
	if (d->target)
		put_rows(&w, mirror_rows, ARRAY_LEN(mirror_rows), &at);
	grafana_end(&w);
}

#define HOURLY                                                          \
	"avg_over_time((sum(" RATE_OVER("MessagesInPerSec",             \
					"10m") ") and on() (hour() == " \
					       "%d))[1d:10m])"

/* A row for each hour of the day, a column for each day: the mean rate of that hour.
 * Grafana has no such panel of its own. */
static void put_hours(struct jsonw *w, struct grafana_place *at)
{
	static const struct grafana_panel panel = {
		"Messages in per second, by hour of the day (UTC) and day",
		"Two weeks: when the load comes.",
		"status-history",
		"cps",
		24,
		12,
		NULL};
	char name[8];
	struct buf expr = BUF_INIT(4096);

	grafana_panel_begin(w, &panel, at, SOURCE);
	for (int hour = 23; hour >= 0; hour--) {
		buf_reset(&expr);
		buf_printf(&expr, HOURLY, hour);
		snprintf(name, sizeof(name), "%02d", hour);
		grafana_target_begin(w, (size_t)hour, SOURCE);
		jsonw_key_str(w, "expr", buf_str(&expr));
		jsonw_key_str(w, "legendFormat", name);
		jsonw_key_str(w, "interval", "1d");
		json_key_put(w, "range", "true");
		jsonw_end(w);
	}
	jsonw_end(w);
	jsonw_key_str(w, "timeFrom", "14d");
	jsonw_key_str(w, "interval", "1d");
	jsonw_end(w);
	buf_free(&expr);
}

void grafana_brokers(struct buf *out)
{
	struct grafana_place at = {0, 0, 0};
	struct jsonw w = jsonw_start(out);

	grafana_begin(&w, "mmlag-brokers", "mmlag: brokers",
		      "Kafka's brokers, from the JMX exporter.", SOURCE,
		      broker_variables, ARRAY_LEN(broker_variables), ".*");
	put_rows(&w, broker_rows, ARRAY_LEN(broker_rows), &at);
	put_hours(&w, &at);
	grafana_end(&w);
}
