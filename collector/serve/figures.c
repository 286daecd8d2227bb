/* SPDX-License-Identifier: MIT
 * figures: mmlag's own metrics of topics and partitions, each declared once with its
 * help; docs/metrics.md is made from this table and that of base/metrics. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/metrics.h"
#include "serve/prom_int.h"
#include "serve/serve_int.h"

#include "banned.h"

#define CODES "Burrow's codes: 1 OK, 2 WARN, 3 ERR, 4 STOP, 5 STALL, 6 REWIND"

/* A verdict as Burrow numbers them; 0 is for what it does not know. */
static double code(enum verdict v)
{
	return v == VERDICT_NODATA ? 0 : (double)v + 1;
}

/* A time in ms as seconds; NAN for one that is not known. */
static double seconds(int64_t ms)
{
	return ms < 0 ? NAN : (double)ms / 1000;
}

/* ---- values of a topic; NAN leaves the series out ---- */

static double status(const struct view *v, struct wall now)
{
	(void)now;
	return code(v->status);
}

static double lag(const struct view *v, struct wall now)
{
	(void)now;
	return v->totals.with_lag > 0 ? (double)v->totals.sum : NAN;
}

static double lag_max(const struct view *v, struct wall now)
{
	(void)now;
	return v->totals.with_lag > 0 ? (double)v->totals.max : NAN;
}

static double time_lag(const struct view *v, struct wall now)
{
	(void)now;
	return seconds(v->assessment.time_lag_ms);
}

static double produced(const struct view *v, struct wall now)
{
	(void)now;
	return v->assessment.produced_per_sec;
}

static double consumed(const struct view *v, struct wall now)
{
	(void)now;
	return v->assessment.consumed_per_sec;
}

static double drain(const struct view *v, struct wall now)
{
	(void)now;
	return seconds(v->assessment.drain_ms);
}

static double target_end(const struct view *v, struct wall now)
{
	const struct delivered *d = &v->assessment.delivered;

	(void)now;
	return d->known ? (double)d->end : NAN;
}

static double delivered(const struct view *v, struct wall now)
{
	const struct delivered *d = &v->assessment.delivered;

	(void)now;
	return d->known ? d->per_sec : NAN;
}

static double undelivered(const struct view *v, struct wall now)
{
	const struct delivered *d = &v->assessment.delivered;

	(void)now;
	return d->known && d->missing >= 0 ? (double)d->missing : NAN;
}

static double rows(const struct view *v, struct wall now)
{
	(void)now;
	return (double)v->sample.n;
}

static double expected(const struct view *v, struct wall now)
{
	(void)now;
	return v->config != NULL && v->config->partitions > 0 ? v->config->partitions
							      : NAN;
}

static double duration(const struct view *v, struct wall now)
{
	(void)now;
	return seconds(v->sample.sample_ms);
}

static double taken(const struct view *v, struct wall now)
{
	(void)now;
	return v->sample.taken.ms == 0 ? NAN : seconds(v->sample.taken.ms);
}

static double age(const struct view *v, struct wall now)
{
	int64_t ms = now.ms - v->sample.taken.ms;

	if (v->sample.taken.ms == 0)
		return NAN;
	return seconds(ms > 0 ? ms : 0); /* a wall clock that went back */
}

static const struct {
	const char *family, *help;
	bool always; /* also while the topic is without data */
	double (*value)(const struct view *, struct wall now);
} of_topics[] = {
	{"mmlag_topic_status",
	 "Verdict on the topic (" CODES "), 0 while it is without data.", true, status},
	{"mmlag_topic_lag", "Sum of the known lags of a topic, messages.", false, lag},
	{"mmlag_topic_lag_max", "Largest lag of a partition of the topic, messages.",
	 false, lag_max},
	{"mmlag_topic_time_lag_seconds",
	 "How far behind in time, the largest of the partitions.", false, time_lag},
	{"mmlag_topic_produced_per_second",
	 "Messages written to the topic, slope over the last 180 s.", false, produced},
	{"mmlag_topic_consumed_per_second",
	 "Messages read by the group, slope over the last 180 s.", false, consumed},
	{"mmlag_topic_drain_seconds", "Time until the lag is gone at these rates.",
	 false, drain},
	{"mmlag_topic_target_end_offset",
	 "Sum of the log ends at the mirror's other side, with `target:`.", false,
	 target_end},
	{"mmlag_topic_delivered_per_second",
	 "Messages that arrive there, over the last three to four minutes.", false,
	 delivered},
	{"mmlag_topic_undelivered",
	 "Messages that the mirror committed in the last minutes and that are not "
	 "there.",
	 false, undelivered},
	{"mmlag_topic_partitions", "Partitions in the last sample.", false, rows},
	{"mmlag_topic_partitions_expected",
	 "Partitions that the configuration expects.", true, expected},
	{"mmlag_topic_sample_duration_seconds",
	 "How long the last sample took on the host.", false, duration},
	{"mmlag_topic_sample_timestamp_seconds", "When the last sample was taken.",
	 true, taken},
	{"mmlag_topic_sample_age_seconds", "Age of the last sample.", true, age},
};

/* ---- values of a partition ---- */

static double partition_status(const struct partition_state *p)
{
	return code(p->verdict);
}

static double partition_time_lag(const struct partition_state *p)
{
	return seconds(p->time_lag_ms);
}

static double partition_unchanged(const struct partition_state *p)
{
	return seconds(p->unchanged_ms);
}

static const struct {
	const char *family, *help;
	double (*value)(const struct partition_state *);
} of_partitions[] = {
	{"mmlag_partition_status", "Verdict on the partition (" CODES ").",
	 partition_status},
	{"mmlag_partition_time_lag_seconds", "How far behind in time.",
	 partition_time_lag},
	{"mmlag_partition_unchanged_seconds",
	 "How long the committed offset has stood still.", partition_unchanged},
};

#define NODATA "mmlag_topic_nodata"
#define NODATA_HELP "1 while the topic is without data, with the reason."
#define UNREAD "mmlag_topic_target_unread"
#define KEPT "mmlag_topic_objective_kept_ratio"
#define KEPT_HELP                                                                   \
	"Share of the time of the topic's objective in which no lag was above its " \
	"lag_max."
#define UNREAD_HELP "1 while the mirror's other side cannot be read, with the reason."
#define TOPICS "mmlag_topics"
#define TOPICS_HELP "Topics that are followed, by status."
#define BUILD "mmlag_build_info"
#define BUILD_HELP "1, with the version of mmlag."
#define STARTED "mmlag_start_time_seconds"
#define STARTED_HELP "When this process began."

/* ---- all of it ---- */

static struct prom_labels labels_of(const struct view *v)
{
	return (struct prom_labels){v->name.group, v->name.cluster, v->name.topic, -1,
				    NULL};
}

static bool is_topic(const struct board_views *views, size_t i)
{
	const struct view_name *a, *b;

	if (*views->v[i]->name.topic == '\0')
		return false;
	if (i == 0)
		return true;
	a = &views->v[i - 1]->name;
	b = &views->v[i]->name;
	return strcmp(a->topic, b->topic) != 0 || strcmp(a->group, b->group) != 0 ||
	       strcmp(a->cluster, b->cluster) != 0;
}

static void write_topics(struct prom *p, const struct board_views *views,
			 struct wall now)
{
	for (size_t f = 0; f < ARRAY_LEN(of_topics); f++) {
		prom_family(p, of_topics[f].family, "gauge", of_topics[f].help);
		for (size_t i = 0; i < views->n; i++) {
			const struct prom_labels l = labels_of(views->v[i]);
			double v = of_topics[f].value(views->v[i], now);

			if (isnan(v) ||
			    !(of_topics[f].always ? is_topic(views, i)
						  : prom_has_data(views, i)))
				continue;
			prom_series(p, &l);
			prom_real(p, v);
		}
	}
}

static void write_partitions(struct prom *p, const struct board_views *views)
{
	for (size_t f = 0; f < ARRAY_LEN(of_partitions); f++) {
		prom_family(p, of_partitions[f].family, "gauge", of_partitions[f].help);
		for (size_t i = 0; i < views->n; i++) {
			const struct view *view = views->v[i];
			struct prom_labels l = labels_of(view);

			for (size_t j = 0;
			     prom_has_data(views, i) && j < view->sample.n; j++) {
				double v = of_partitions[f].value(&view->partitions[j]);

				if (isnan(v))
					continue;
				l.partition = view->sample.rows[j].number;
				prom_series(p, &l);
				prom_real(p, v);
			}
		}
	}
}

static void write_nodata(struct prom *p, const struct board_views *views)
{
	prom_family(p, NODATA, "gauge", NODATA_HELP);
	for (size_t i = 0; i < views->n; i++) {
		struct prom_labels l = labels_of(views->v[i]);

		if (!is_topic(views, i) || views->v[i]->status != VERDICT_NODATA)
			continue;
		l.reason = reason_name(views->v[i]->gap.reason);
		prom_series(p, &l);
		prom_int(p, 1);
	}
}

static void write_unread(struct prom *p, const struct board_views *views)
{
	prom_family(p, UNREAD, "gauge", UNREAD_HELP);
	for (size_t i = 0; i < views->n; i++) {
		struct prom_labels l = labels_of(views->v[i]);
		const struct gap *gap = &views->v[i]->assessment.delivered.gap;

		if (gap->reason == REASON_NONE || !prom_has_data(views, i))
			continue;
		l.reason = reason_name(gap->reason);
		prom_series(p, &l);
		prom_int(p, 1);
	}
}

static const char *text_at(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text != NULL ? text : "";
}

void figures_objectives(const char *json, size_t len, bool several_clusters,
			struct buf *out)
{
	struct prom p = {.out = out, .several_clusters = several_clusters};
	json_t *list = json_loadb(json, len, 0, NULL), *v;
	size_t i;

	prom_family(&p, KEPT, "gauge", KEPT_HELP);
	json_array_foreach(list, i, v)
	{
		const struct prom_labels l = {.group = text_at(v, "group"),
					      .cluster = text_at(v, "cluster"),
					      .topic = text_at(v, "topic"),
					      .partition = -1};

		if (!json_is_real(json_object_get(v, "kept")))
			continue;
		prom_series(&p, &l);
		prom_real(&p, json_real_value(json_object_get(v, "kept")));
	}
	json_decref(list);
}

static void write_counts(const struct board_views *views, struct wall started,
			 struct buf *out)
{
	static const enum verdict shown[] = {VERDICT_OK, VERDICT_WARN, VERDICT_ERR,
					     VERDICT_NODATA};
	int64_t count[VERDICT_NODATA + 1] = {0};

	for (size_t i = 0; i < views->n; i++)
		count[views->v[i]->status] += is_topic(views, i);
	buf_addstr(out, "# HELP " TOPICS " " TOPICS_HELP "\n# TYPE " TOPICS " gauge\n");
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		buf_printf(out, TOPICS "{status=\"%s\"} %lld\n", verdict_name(shown[i]),
			   (long long)count[shown[i]]);
	buf_printf(out,
		   "# HELP " BUILD " " BUILD_HELP "\n# TYPE " BUILD " gauge\n" BUILD
		   "{version=\"%s\"} 1\n# HELP " STARTED " " STARTED_HELP
		   "\n# TYPE " STARTED " gauge\n" STARTED " %.3f\n",
		   MMLAG_VERSION, (double)started.ms / 1000);
}

void figures_write(const struct board_views *views, bool several_clusters,
		   struct wall started, struct wall now, struct buf *out)
{
	struct prom p = {.out = out, .several_clusters = several_clusters};

	write_topics(&p, views, now);
	write_nodata(&p, views);
	write_unread(&p, views);
	write_partitions(&p, views);
	write_counts(views, started, out);
}

/* ---- the reference ---- */

static void row(struct buf *out, const char *family, const char *labels,
		const char *type, const char *help)
{
	buf_printf(out, "| `%s` | %s | %s | %s |\n", family, labels, type, help);
}

/* state="firing",severity="info" → state, severity */
static void label_names(const char *labels, char *out, size_t size)
{
	size_t len = 0;

	*out = '\0';
	while (*labels != '\0' && len < size) {
		size_t name = strcspn(labels, "=");

		len += (size_t)snprintf(out + len, size - len, "%s%.*s",
					len > 0 ? ", " : "", (int)name, labels);
		labels += strcspn(labels, ",");
		labels += *labels == ',';
	}
}

static void process_rows(struct buf *out)
{
	const char *before = "";

	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct metric_info *i = &metric_info[m];
		char label[64];

		if (strcmp(i->family, before) == 0)
			continue;
		before = i->family;
		label_names(i->labels, label, sizeof(label));
		row(out, i->family, label, i->type, i->help);
	}
}

void figures_reference(struct buf *out)
{
	buf_addstr(out, "| metric | labels | type | what |\n|---|---|---|---|\n");
	for (size_t i = 0; i < ARRAY_LEN(of_topics); i++)
		row(out, of_topics[i].family, "consumergroup, topic", "gauge",
		    of_topics[i].help);
	row(out, NODATA, "consumergroup, reason, topic", "gauge", NODATA_HELP);
	row(out, UNREAD, "consumergroup, reason, topic", "gauge", UNREAD_HELP);
	row(out, KEPT, "consumergroup, topic", "gauge", KEPT_HELP);
	for (size_t i = 0; i < ARRAY_LEN(of_partitions); i++)
		row(out, of_partitions[i].family, "consumergroup, partition, topic",
		    "gauge", of_partitions[i].help);
	row(out, TOPICS, "status", "gauge", TOPICS_HELP);
	row(out, BUILD, "version", "gauge", BUILD_HELP);
	row(out, STARTED, "", "gauge", STARTED_HELP);
	process_rows(out);
}
