/* SPDX-License-Identifier: MIT
 * prometheus_rules: alert rules over /metrics. YAML whose scalars are JSON strings, so
 * that no name can break out of its place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dashboard/dashboard_int.h"

#include "banned.h"

#define EXPRESSION_MAX (4u << 20)

#define BY_GROUP "kafka_cluster, consumergroup" /* the first with several clusters */
#define BY_TOPIC BY_GROUP ", topic"

struct alert_rule {
	const char *name, *expr, *hold, *severity, *summary;
};

/* What needs no configuration: the daemon, and its verdicts. */
static const struct alert_rule rules[] = {
	{"MmlagDown", "absent(mmlag_build_info)", "2m", "critical",
	 "mmlag is not scraped: nothing is known of the lag"},
	{"MmlagNotSampling", "rate(mmlag_samples_total[10m]) == 0", "5m", "critical",
	 "mmlag on {{ $labels.instance }} takes no samples"},
	{"MmlagNotShipping",
	 "mmlag_spool_oldest_timestamp_seconds > 0 and "
	 "time() - mmlag_spool_oldest_timestamp_seconds > 900",
	 "1m", "warning",
	 "documents of {{ $labels.instance }} have waited for 15 minutes"},
	{"MmlagSpoolInMemory", "mmlag_spool_degraded == 1", "1m", "warning",
	 "the spool of {{ $labels.instance }} cannot be written"},
	{"MmlagDocumentsRefused",
	 "increase(mmlag_documents_total{outcome=\"rejected\"}[15m]) > 0", "0s",
	 "warning", "Elasticsearch refuses documents of {{ $labels.instance }}"},
	{"MmlagDocumentsLost",
	 "increase(mmlag_documents_total{outcome=~\"evicted|expired\"}[15m]) > 0", "0s",
	 "critical",
	 "documents of {{ $labels.instance }} were given up ({{ $labels.outcome }})"},
	{"ConsumerLagNoData", "max by (" BY_TOPIC ") (mmlag_topic_nodata) == 1", "3m",
	 "critical",
	 "nothing is known of {{ $labels.topic }} in {{ $labels.consumergroup }}; the "
	 "reason is a label of mmlag_topic_nodata"},
	/* Burrow's codes: 4 STOP, 5 STALL, 6 REWIND */
	{"ConsumerStopped",
	 "count by (" BY_TOPIC
	 ") (mmlag_partition_status == 4 or mmlag_partition_status == 5) > 0",
	 "1m", "critical",
	 "{{ $labels.consumergroup }} stands still in {{ $value }} partitions of "
	 "{{ $labels.topic }}"},
	{"ConsumerRewound", "count by (" BY_TOPIC ") (mmlag_partition_status == 6) > 0",
	 "0s", "warning",
	 "{{ $labels.consumergroup }} went back in {{ $value }} partitions of "
	 "{{ $labels.topic }}"},
};

/* Where a mirror's other side is looked at. */
static const struct alert_rule target_rules[] = {
	{"ConsumerNotDelivered",
	 "mmlag_topic_undelivered > 60 * mmlag_topic_consumed_per_second", "3m",
	 "warning",
	 "{{ $value }} messages of {{ $labels.topic }} that {{ $labels.consumergroup }} "
	 "committed did not arrive at the target"},
	{"TargetNotRead", "max by (" BY_TOPIC ") (mmlag_topic_target_unread) == 1",
	 "15m", "warning",
	 "what of {{ $labels.topic }} arrives at the target is not known; the reason is "
	 "a label of mmlag_topic_target_unread"},
};

static void put_string(struct buf *out, const char *key, const char *text)
{
	buf_printf(out, "%s: ", key);
	jsonw_quote(out, text, strlen(text));
	buf_addch(out, '\n');
}

/* `threshold`: a label that tells rules of one name apart, or NULL. */
static void put_rule(struct buf *out, const struct alert_rule *r, const char *threshold)
{
	put_string(out, "      - alert", r->name);
	put_string(out, "        expr", r->expr);
	put_string(out, "        for", r->hold);
	buf_addstr(out, "        labels:\n");
	put_string(out, "          severity", r->severity);
	if (threshold != NULL)
		put_string(out, "          threshold", threshold);
	buf_addstr(out, "        annotations:\n");
	put_string(out, "          summary", r->summary);
}

/* A string of PromQL. */
static void put_promql(struct buf *out, const char *text)
{
	buf_addch(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addch(out, '\\');
		if (*text == '\n')
			buf_addstr(out, "\\n");
		else
			buf_addch(out, *text);
	}
	buf_addch(out, '"');
}

/* Names as a regular expression: "a|b[.]c". */
static void put_topics(struct buf *out, const struct level *l)
{
	for (size_t i = 0; i < l->n; i++) {
		buf_addstr(out, i == 0 ? "" : "|");
		for (const char *c = l->topics[i]; *c != '\0'; c++)
			buf_printf(out, *c == '.' ? "[%c]" : "%c", *c);
	}
}

/* {consumergroup="g",topic=~"a|b[.]c"}; a group may be unknown, where the user's own
 * command is run. */
static void put_selector(struct buf *out, const struct level *l)
{
	struct buf names = BUF_INIT(EXPRESSION_MAX);
	bool some = l->n > 0 && l->on != THRESHOLD_GROUP;

	if (l->group == NULL && !some)
		return;
	buf_addch(out, '{');
	if (l->group != NULL) {
		buf_addstr(out, "consumergroup=");
		put_promql(out, l->group);
	}
	if (some) {
		put_topics(&names, l);
		buf_addstr(out, l->group != NULL ? ",topic=~" : "topic=~");
		put_promql(out, buf_str(&names));
	}
	buf_addch(out, '}');
	buf_free(&names);
}

/* "topic above 30 for 5m in GROUP"; labels are templates, in which {{ begins a field.
 */
static void put_threshold(struct buf *out, const struct level *l, const char *hold)
{
	static const char *const on[] = {[THRESHOLD_PARTITION] = "partition",
					 [THRESHOLD_TOPIC] = "topic",
					 [THRESHOLD_GROUP] = "group"};

	buf_printf(out, "%s above ", on[l->on]);
	if (l->of == THRESHOLD_TIME)
		put_duration(out, (int64_t)l->value);
	else
		buf_printf(out, "%.0f", l->value);
	buf_printf(out, " for %s", hold);
	if (l->group == NULL)
		return;
	buf_addstr(out, " in ");
	for (const char *c = l->group; *c != '\0'; c++)
		if (c[0] == '{' && c[1] == '{') {
			buf_addstr(out, "{{\"{{\"}}");
			c++;
		} else {
			buf_addch(out, *c);
		}
}

static const char *const metrics[][2] = {
	[THRESHOLD_PARTITION] = {"kafka_consumergroup_lag", METRIC_PARTITION_TIME_LAG},
	[THRESHOLD_TOPIC] = {"kafka_consumergroup_lag_sum", METRIC_TOPIC_TIME_LAG},
	[THRESHOLD_GROUP] = {"sum by (" BY_GROUP ") (kafka_consumergroup_lag_sum",
			     "max by (" BY_GROUP ") (" METRIC_TOPIC_TIME_LAG},
};
static const char *const places[] = {
	[THRESHOLD_PARTITION] =
		("{{ $labels.topic }} partition {{ $labels.partition }} "
		 "in {{ $labels.consumergroup }}"),
	[THRESHOLD_TOPIC] = "{{ $labels.topic }} in {{ $labels.consumergroup }}",
	[THRESHOLD_GROUP] = "{{ $labels.consumergroup }}",
};

static void put_level(struct buf *out, const struct level *l)
{
	struct buf expr = BUF_INIT(EXPRESSION_MAX), hold = BUF_INIT(64);
	struct buf summary = BUF_INIT(512), threshold = BUF_INIT(65536);
	bool time = l->of == THRESHOLD_TIME;
	char value[64];

	snprintf(value, sizeof(value), "%.*f", time ? 3 : 0,
		 time ? l->value / 1000 : l->value);
	buf_addstr(&expr, metrics[l->on][time]);
	put_selector(&expr, l);
	buf_printf(&expr, "%s > %s", l->on == THRESHOLD_GROUP ? ")" : "", value);
	put_duration(&hold, l->for_ms);
	put_threshold(&threshold, l, buf_str(&hold));
	buf_printf(&summary, "%s is {{ $value%s }} behind", places[l->on],
		   time ? " | humanizeDuration" : "");
	put_rule(out,
		 &(struct alert_rule){time ? "ConsumerTimeLag" : "ConsumerLag",
				      buf_str(&expr), buf_str(&hold), l->severity,
				      buf_str(&summary)},
		 buf_str(&threshold));
	buf_free(&expr);
	buf_free(&hold);
	buf_free(&summary);
	buf_free(&threshold);
}

void dashboard_prometheus_rules(const struct dashboard *d, struct buf *out)
{
	size_t n;
	struct level *levels = levels_of(d, &n);

	buf_addstr(out, "groups:\n  - name: mmlag\n    rules:\n");
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		put_rule(out, &rules[i], NULL);
	for (size_t i = 0;
	     d->target && i < sizeof(target_rules) / sizeof(target_rules[0]); i++)
		put_rule(out, &target_rules[i], NULL);
	for (size_t i = 0; i < n; i++)
		put_level(out, &levels[i]);
	levels_free(levels, n);
}
