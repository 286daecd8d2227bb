/* SPDX-License-Identifier: MIT
 * topics: views as JSON, as docs/api.md tells. */
#include <math.h>
#include <string.h>

#include "base/jsonw.h"
#include "serve/serve_int.h"

#include "banned.h"

static void int_if(struct jsonw *w, const char *key, bool known, int64_t v)
{
	jsonw_key(w, key);
	if (known)
		jsonw_int(w, v);
	else
		jsonw_null(w);
}

static void real(struct jsonw *w, const char *key, double v, int decimals)
{
	jsonw_key(w, key);
	jsonw_real(w, v, decimals);
}

static void str_if(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key_str(w, key, s != NULL && *s != '\0' ? s : NULL);
}

static void write_name(struct jsonw *w, const struct view_name *n)
{
	jsonw_key_str(w, "cluster", n->cluster);
	jsonw_key_str(w, "group", n->group);
	str_if(w, "topic", n->topic);
	str_if(w, "match", n->match);
	str_if(w, "host", n->host);
	jsonw_key(w, "labels");
	jsonw_object(w);
	for (size_t i = 0; i < n->label_count; i++)
		jsonw_key_str(w, n->labels[i].name, n->labels[i].value);
	jsonw_end(w);
}

static void write_sample(struct jsonw *w, const struct view *v)
{
	const struct sample *s = &v->sample;
	bool any = v->partitions != NULL, lag = any && v->totals.with_lag > 0;

	int_if(w, "sample_at", any, s->taken.ms);
	int_if(w, "interval_ms", v->config != NULL,
	       v->config != NULL ? v->config->interval_ms : 0);
	int_if(w, "sample_ms", any && s->sample_ms >= 0, s->sample_ms);
	int_if(w, "lag_sum", lag, v->totals.sum);
	int_if(w, "lag_max", lag, v->totals.max);
	int_if(w, "lag_max_partition", lag, v->totals.max_partition);
	int_if(w, "partitions", any, (int64_t)s->n);
	int_if(w, "expected_partitions", v->config != NULL && v->config->partitions > 0,
	       v->config != NULL ? v->config->partitions : 0);
	int_if(w, "members", any && s->members >= 0, s->members);
	jsonw_key_str(w, "group_state", group_state_name(s->state));
}

/* The mirror's other side; null without one. */
static void write_target(struct jsonw *w, const struct delivered *d)
{
	bool failed = d->gap.reason != REASON_NONE;

	jsonw_key(w, "target");
	if (!d->asked) {
		jsonw_null(w);
		return;
	}
	jsonw_object(w);
	int_if(w, "end_sum", d->known, d->end);
	real(w, "delivered_per_sec", d->known ? d->per_sec : NAN, 3);
	int_if(w, "undelivered", d->known && d->missing >= 0, d->missing);
	jsonw_key_str(w, "reason", failed ? reason_name(d->gap.reason) : NULL);
	jsonw_key_str(w, "message", failed ? d->gap.message : NULL);
	jsonw_end(w);
}

static void write_assessment(struct jsonw *w, const struct assessment *a)
{
	int_if(w, "time_lag_ms", a->time_lag_ms >= 0, a->time_lag_ms);
	jsonw_key_str(w, "time_lag_kind", timelag_kind_name(a->time_lag_kind));
	real(w, "produced_per_sec", a->produced_per_sec, 3);
	real(w, "consumed_per_sec", a->consumed_per_sec, 3);
	int_if(w, "drain_ms", a->drain_ms >= 0, a->drain_ms);
	write_target(w, &a->delivered);
}

static void write_gap(struct jsonw *w, const struct view *v)
{
	bool gap = v->gap.reason != REASON_NONE;

	jsonw_key_str(w, "reason", gap ? reason_name(v->gap.reason) : NULL);
	jsonw_key_str(w, "message", gap ? v->gap.message : NULL);
	int_if(w, "gap_since", gap, v->gap_since.ms);
}

static void write_lag(struct jsonw *w, const struct partition *row)
{
	if (row->has_lag)
		jsonw_int(w, row->lag);
	else
		jsonw_null(w);
}

static void write_lags(struct jsonw *w, const struct view *v)
{
	jsonw_key(w, "lags");
	jsonw_array(w);
	for (size_t i = 0; i < v->sample.n; i++) {
		jsonw_array(w);
		jsonw_int(w, v->sample.rows[i].number);
		write_lag(w, &v->sample.rows[i]);
		jsonw_str(w, verdict_name(v->partitions[i].verdict));
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void write_topic(struct jsonw *w, const struct view *v)
{
	const struct assessment *a = &v->assessment;

	jsonw_object(w);
	write_name(w, &v->name);
	jsonw_key_str(w, "status", verdict_name(v->status));
	jsonw_key_str(w, "rule", a->rule);
	int_if(w, "worst_partition", a->worst >= 0, a->worst);
	jsonw_key_int(w, "status_since", v->status_since.ms);
	write_sample(w, v);
	write_assessment(w, a);
	write_gap(w, v);
	write_lags(w, v);
	jsonw_end(w);
}

unsigned topics_answer(const struct scene *scene, struct buf *out, const char **type)
{
	struct jsonw w = jsonw_start(out);

	*type = TYPE_JSON;
	jsonw_object(&w);
	jsonw_key(&w, "topics");
	jsonw_array(&w);
	for (size_t i = 0; i < scene->views->n; i++)
		write_topic(&w, scene->views->v[i]);
	jsonw_end(&w);
	jsonw_end(&w);
	buf_addch(out, '\n');
	return MHD_HTTP_OK;
}

static bool asked(const struct target *t, const char *key, const char *name)
{
	const char *value = target_query(t, key);

	return value == NULL || strcmp(value, name) == 0;
}

const struct view *topic_find(const struct board_views *views, const struct target *t)
{
	for (size_t i = 0; i < views->n; i++) {
		const struct view_name *n = &views->v[i]->name;

		if (*n->topic != '\0' && strcmp(n->topic, t->segment[t->n - 1]) == 0 &&
		    asked(t, "cluster", n->cluster) && asked(t, "group", n->group))
			return views->v[i];
	}
	return NULL;
}

static void write_partition(struct jsonw *w, const struct view *v, size_t i)
{
	const struct partition *row = &v->sample.rows[i];
	const struct partition_state *p = &v->partitions[i];

	jsonw_object(w);
	jsonw_key_int(w, "partition", row->number);
	int_if(w, "committed", row->has_committed, row->committed);
	int_if(w, "end", row->has_end, row->end);
	jsonw_key(w, "lag");
	write_lag(w, row);
	jsonw_key_str(w, "status", verdict_name(p->verdict));
	jsonw_key_str(w, "rule", rule_name(p->rule));
	real(w, "complete", p->complete, 3);
	int_if(w, "time_lag_ms", p->time_lag_ms >= 0, p->time_lag_ms);
	jsonw_key_str(w, "time_lag_kind", timelag_kind_name(p->time_lag_kind));
	jsonw_key(w, "has_member");
	if (v->sample.knows_members)
		jsonw_bool(w, row->member != 0);
	else
		jsonw_null(w);
	jsonw_key_int(w, "unchanged_ms", p->unchanged_ms);
	jsonw_end(w);
}

void topic_write(const struct view *v, const char *history, size_t history_len,
		 struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key(&w, "topic");
	write_topic(&w, v);
	jsonw_key(&w, "partitions");
	jsonw_array(&w);
	for (size_t i = 0; i < v->sample.n; i++)
		write_partition(&w, v, i);
	jsonw_end(&w);
	jsonw_key(&w, "history");
	jsonw_raw(&w, history, history_len);
	jsonw_end(&w);
	buf_addch(out, '\n');
}
