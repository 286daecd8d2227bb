/* SPDX-License-Identifier: MIT
 * document: see document.h. The order of the fields is that of the README, so that a
 * line can be read by eye: what, the partitions, where, the sums, the verdict. */
#include "document/document.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define ID_MS_MAX INT64_C(9999999999999) /* 13 digits: until the year 2286 */
#define RATE_DECIMALS 3

static const char *text(const char *s)
{
	return s == NULL ? "" : s;
}

void document_fini(struct document *d)
{
	free(d->topic);
	free(d->json);
	*d = (struct document){.topic = NULL};
}

/* Append a string and the NUL behind it, which separates it from the next. */
static void add_part(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s) + 1);
}

/* The subject of a document: two patterns of one group that find nothing in the same
 * millisecond are two documents, so the pattern stands in for the missing topic. */
static const char *subject(const struct origin *o)
{
	return *text(o->topic) != '\0' ? o->topic : text(o->match);
}

void document_id(char out[DOCUMENT_ID_LEN + 1], struct wall t, const struct origin *o,
		 const char *kind, const char *key)
{
	unsigned char digest[HASH_SHA256_LEN];
	char hex[33];
	int64_t ms = t.ms < 0 ? 0 : t.ms > ID_MS_MAX ? ID_MS_MAX : t.ms;
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	add_part(&b, text(o->cluster));
	add_part(&b, text(o->group));
	add_part(&b, subject(o));
	add_part(&b, text(kind));
	buf_addstr(&b, text(key));
	hash_sha256(b.data, b.len, digest);
	buf_free(&b);
	hash_hex(digest, 16, hex);
	snprintf(out, DOCUMENT_ID_LEN + 1, "%013" PRId64 "-%s", ms, hex);
}

static void put_time(struct jsonw *w, const char *key, struct wall t)
{
	char stamp[WALL_TEXT];

	wall_format(t, stamp);
	jsonw_key_str(w, key, stamp);
}

static void put_text(struct jsonw *w, const char *key, const char *value)
{
	if (*text(value) != '\0')
		jsonw_key_str(w, key, value);
}

/* A number that is -1 when it is not known. */
static void put_known(struct jsonw *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	if (v < 0)
		jsonw_null(w);
	else
		jsonw_int(w, v);
}

static void put_rate(struct jsonw *w, const char *key, double v)
{
	jsonw_key(w, key);
	jsonw_real(w, v, RATE_DECIMALS);
}

static void put_place(struct jsonw *w, const struct origin *o)
{
	jsonw_key_str(w, "cluster", o->cluster == NULL ? "default" : o->cluster);
	put_text(w, "group", o->group);
	put_text(w, "host", o->host);
}

static void put_labels(struct jsonw *w, const struct origin *o)
{
	if (o->label_count == 0)
		return;
	jsonw_key(w, "labels");
	jsonw_object(w);
	for (size_t i = 0; i < o->label_count; i++)
		jsonw_key_str(w, o->labels[i].name, text(o->labels[i].value));
	jsonw_end(w);
}

static void put_partitions(struct jsonw *w, const struct sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char key[16];

		snprintf(key, sizeof(key), "p%" PRId32, s->rows[i].number);
		jsonw_key(w, key);
		if (s->rows[i].has_lag)
			jsonw_int(w, s->rows[i].lag);
		else
			jsonw_null(w);
	}
}

static void put_totals(struct jsonw *w, const struct sample *s)
{
	struct lag_totals t = sample_totals(s);

	if (t.with_lag > 0) {
		jsonw_key_int(w, "lag_sum", t.sum);
		jsonw_key_int(w, "lag_max", t.max);
		jsonw_key_int(w, "lag_max_partition", t.max_partition);
	} else {
		jsonw_key_str(w, "lag_sum", NULL);
		jsonw_key_str(w, "lag_max", NULL);
		jsonw_key_str(w, "lag_max_partition", NULL);
	}
	jsonw_key_int(w, "partitions", (int64_t)s->n);
}

static void put_delivered(struct jsonw *w, const struct delivered *d)
{
	if (!d->asked)
		return;
	put_known(w, "target_end_sum", d->known ? d->end : -1);
	put_rate(w, "delivered_per_sec", d->known ? d->per_sec : NAN);
	put_known(w, "undelivered", d->known ? d->missing : -1);
	if (d->gap.reason != REASON_NONE)
		jsonw_key_str(w, "target_reason", reason_name(d->gap.reason));
}

static void put_assessment(struct jsonw *w, const struct assessment *a)
{
	static const struct assessment unknown = ASSESSMENT_INIT;

	if (a == NULL)
		a = &unknown;
	jsonw_key_str(w, "status", verdict_name(a->status));
	put_known(w, "time_lag_ms", a->time_lag_ms);
	jsonw_key_str(w, "time_lag_kind", timelag_kind_name(a->time_lag_kind));
	put_rate(w, "produced_per_sec", a->produced_per_sec);
	put_rate(w, "consumed_per_sec", a->consumed_per_sec);
	put_known(w, "drain_ms", a->drain_ms);
	put_delivered(w, &a->delivered);
}

void document_sample(struct buf *out, const struct origin *o, const struct sample *s,
		     const struct assessment *a)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	put_time(&w, "@timestamp", s->taken);
	put_text(&w, "topic", o->topic);
	put_partitions(&w, s);
	put_place(&w, o);
	put_totals(&w, s);
	if (s->members >= 0)
		jsonw_key_int(&w, "members", s->members);
	jsonw_key_str(&w, "group_state", group_state_name(s->state));
	put_assessment(&w, a);
	if (s->sample_ms >= 0)
		jsonw_key_int(&w, "sample_ms", s->sample_ms);
	put_labels(&w, o);
	jsonw_end(&w);
}

void document_gap(struct buf *out, const struct origin *o, const struct gap *g,
		  struct wall now, struct wall since)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	put_time(&w, "@timestamp", now);
	if (*text(o->topic) != '\0')
		jsonw_key_str(&w, "topic", o->topic);
	else
		put_text(&w, "match", o->match);
	put_place(&w, o);
	jsonw_key_str(&w, "status", verdict_name(VERDICT_NODATA));
	jsonw_key_str(&w, "reason", reason_name(g->reason));
	jsonw_key_str(&w, "message", g->message);
	put_time(&w, "since", since);
	put_labels(&w, o);
	jsonw_end(&w);
}

struct document document_make(struct wall t, const struct origin *o, const char *kind,
			      const char *key, struct buf *json)
{
	struct document d = {.t = t,
			     .topic = mem_strdup(text(o->topic)),
			     .len = json->len};

	document_id(d.id, t, o, kind, key);
	d.json = buf_take(json);
	return d;
}
