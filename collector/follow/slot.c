/* SPDX-License-Identifier: MIT
 * slot: see slot_int.h. A topic is without data at once on a named failure, else after
 * the larger of its timeout and three intervals; it is then said at the change and once
 * a minute. */
#include "follow/slot_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "document/document.h"
#include "lag/assess.h"
#include "lag/delivery.h"
#include "lag/window.h"
#include "source/target.h"

#include "banned.h"

#define GAP_REPEAT_MS 60000

struct slot {
	const struct config_topic *topic;
	char *name; /* of a topic; NULL for a pattern */
	char *key;  /* under which its window is kept */
	struct origin origin;
	struct label *labels;
	struct assess *assess;
	char *there;              /* the topic's name at the target; NULL without one */
	bool told_target;         /* that the target does not have it, or not whole */
	struct mono last_data;    /* or the beginning */
	struct mono absent_since; /* no row in the readings; 0: it is there */
	bool seen;                /* has ever had data */
	struct gap gap;           /* REASON_NONE: has data, or nothing is known yet */
	struct window_word word;  /* the last one; at first that of the life before */
	struct mono gap_repeat;   /* when to say it again */
	enum group_state state;   /* of the last sample */
	enum verdict status;
	const void *stream;       /* an identity */
	struct board *board;      /* may be NULL */
	struct board_slot *place; /* on the board; NULL while nothing is shown */
	const struct view *shown; /* what stands there */
};

/* Names of topics have no line feed in them. */
static char *key_of(const struct config_topic *t, const char *name)
{
	return mem_printf("%s\n%s\n%s", t->cluster == NULL ? "" : t->cluster,
			  t->group == NULL ? "" : t->group, name == NULL ? "" : name);
}

struct slot *slot_new(const struct config_topic *t, const char *name,
		      struct board *board, const void *stream)
{
	struct slot *s = mem_calloc(1, sizeof(*s));

	s->topic = t;
	s->name = mem_strdup(name);
	s->key = key_of(t, name);
	s->board = board;
	s->stream = stream;
	s->assess = assess_new(&t->rules);
	if (t->target.set && name != NULL)
		s->there = target_name(&t->target, name);
	s->last_data = clock_mono();
	s->labels = mem_calloc(t->label_count, sizeof(*s->labels));
	for (size_t i = 0; i < t->label_count; i++)
		s->labels[i] = (struct label){t->labels[i].name, t->labels[i].value};
	s->origin = (struct origin){.cluster = t->cluster,
				    .group = t->group,
				    .topic = s->name,
				    .host = t->host,
				    .match = name == NULL ? t->match : NULL,
				    .labels = s->labels,
				    .label_count = t->label_count};
	return s;
}

static void hide(struct slot *s)
{
	if (s->place != NULL)
		board_drop(s->board, s->place);
	s->place = NULL;
	view_unref(s->shown);
	s->shown = NULL;
}

void slot_free(struct slot *s)
{
	if (s == NULL)
		return;
	hide(s);
	assess_free(s->assess);
	free(s->there);
	free(s->labels);
	free(s->name);
	free(s->key);
	free(s);
}

const char *slot_name(const struct slot *s)
{
	return s->name;
}

void slot_rest(struct slot *s)
{
	s->gap.reason = REASON_NONE;
	s->word.since.ms = 0;
	s->last_data = clock_mono();
	hide(s);
}

bool slot_is_away(const struct slot *s, struct mono now, int64_t ms)
{
	return s->absent_since.ns != 0 && mono_diff_ms(now, s->absent_since) >= ms;
}

const char *slot_key(const struct slot *s)
{
	return s->key;
}

void slot_save(const struct slot *s, struct buf *out)
{
	if (s->name != NULL)
		window_save(s->assess, &s->word, s->key, clock_mono(), clock_wall(),
			    out);
}

bool slot_restore(struct slot *s, const void *bytes, size_t len)
{
	int rc = window_restore(s->assess, &s->word, s->key, bytes, len, clock_mono(),
				clock_wall());

	return rc == 0 || s->word.since.ms != 0;
}

static void say(struct slot *s, enum verdict status)
{
	if (s->word.since.ms == 0 || s->word.status != status)
		s->word = (struct window_word){status, clock_wall()};
}

/* A view of now, with the sample of the one before. */
static struct view *slot_view(const struct slot *s)
{
	const struct config_topic *t = s->topic;
	const struct view *old = s->shown;
	struct view *v = view_new();

	view_set_name(v, t->cluster, t->group, s->name, t->host, s->origin.match);
	view_set_labels(v, s->labels, t->label_count);
	v->config = t;
	v->stream = s->stream;
	v->at = clock_wall();
	v->gap = s->gap;
	v->gap_since = s->word.since;
	if (old != NULL)
		view_copy_sample(v, old);
	return v;
}

/* Publish `v`, with the last word. */
static void slot_show(struct slot *s, struct view *v)
{
	v->status = s->word.status;
	v->status_since = s->word.since;
	view_unref(s->shown);
	s->shown = view_ref(v);
	if (s->place == NULL)
		s->place = board_add(s->board);
	board_publish(s->board, s->place, v);
}

static void slot_show_sample(struct slot *s, const struct sample *sample,
			     const struct assessment *a, const struct reading *r)
{
	struct view *v;

	if (s->board == NULL)
		return;
	v = slot_view(s);
	view_set_sample(v, sample, r->taken_mono);
	v->assessment = *a;
	for (size_t i = 0; i < sample->n; i++)
		if (!assess_partition(s->assess, sample->rows[i].number,
				      &v->partitions[i]))
			v->partitions[i].number = sample->rows[i].number;
	slot_show(s, v);
}

/* Say that the topic is without data, where that is new or a minute old. */
void slot_gap(struct slot *s, const struct gap *g, struct mono now,
	      struct findings *out)
{
	bool changed = s->gap.reason != g->reason;
	struct wall t = clock_wall();
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct finding *f;
	char key[96];

	if (!changed && mono_before(now, s->gap_repeat))
		return;
	say(s, VERDICT_NODATA);
	s->gap = *g;
	s->gap_repeat = mono_add_ms(now, GAP_REPEAT_MS);
	f = findings_add(out, s->topic, s->name);
	f->is_gap = true;
	f->changed = changed;
	f->gap = *g;
	snprintf(key, sizeof(key), "%s %lld", reason_name(g->reason), (long long)t.ms);
	document_gap(&json, &s->origin, g, t, s->word.since);
	f->document = document_make(t, &s->origin, "gap", key, &json);
	if (s->board != NULL)
		slot_show(s, slot_view(s));
}

/* Told when it changes, unless the whole look failed, which is the stream's to tell. */
static void tell_target(struct slot *s, const struct gap *gap, bool whole,
			struct findings *out)
{
	const char *server = s->topic->target.bootstrap_server;
	bool failed = gap->reason != REASON_NONE;

	if (whole || failed == s->told_target)
		return;
	s->told_target = failed;
	findings_add(out, s->topic, s->name)->notice =
		failed ? mem_printf(
				 "what arrives at the target %s is not known: %s: %s",
				 server, reason_name(gap->reason), gap->message)
		       : mem_printf("the target %s has '%s' now", server, s->there);
}

/* Sums of both sides at a reading; REASON_NONE, or why there are none. */
static enum reason look_at_both(const struct slot *s, const struct sample *sample,
				const struct ends *ends, struct delivery_look *look,
				struct gap *gap)
{
	*look = (struct delivery_look){.committed = 0};
	if (ends_sum(ends, s->there, &look->end, &look->end_rows, gap) != REASON_NONE)
		return gap->reason;
	for (size_t i = 0; i < sample->n; i++) {
		if (!sample->rows[i].has_committed)
			continue;
		look->committed_rows++;
		if (__builtin_add_overflow(look->committed, sample->rows[i].committed,
					   &look->committed))
			return gap_set(gap, REASON_BAD_OUTPUT,
				       "the committed offsets cannot be right");
	}
	return REASON_NONE;
}

/* What is known of the other side at this reading. */
static struct delivered slot_delivered(struct slot *s, const struct sample *sample,
				       const struct reading *r,
				       const struct other_side *other,
				       struct findings *out)
{
	struct delivered d = {.asked = s->there != NULL,
			      .gap = other->gap,
			      .per_sec = NAN,
			      .missing = -1};
	struct delivery_look look;

	if (s->there == NULL || other->ends == NULL)
		return d;
	look_at_both(s, sample, other->ends, &look, &d.gap);
	tell_target(s, &d.gap, other->gap.reason != REASON_NONE, out);
	if (d.gap.reason != REASON_NONE)
		return d;
	return assess_deliver(s->assess, &look,
			      other->looks_apart * s->topic->interval_ms,
			      r->taken_mono);
}

static void slot_sample(struct slot *s, const struct sample *sample,
			const struct reading *r, const struct other_side *other,
			struct mono now, struct findings *out)
{
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct assessment a;
	struct finding *f;

	assess_feed(s->assess, sample, r->taken_mono);
	a = assess_look(s->assess, r->taken_mono);
	a.delivered = slot_delivered(s, sample, r, other, out);
	f = findings_add(out, s->topic, s->name);
	f->changed = s->gap.reason != REASON_NONE || !s->seen;
	f->partitions = (int64_t)sample->n;
	f->totals = sample_totals(sample);
	f->state = sample->state;
	f->assessment = a;
	f->state_changed = sample->state != s->state && sample->state != GROUP_UNKNOWN;
	f->status_changed = a.status != s->status;
	if (f->state_changed)
		s->state = sample->state;
	s->status = a.status;
	say(s, a.status);
	f->point = history_point_of(sample, &a);
	s->gap.reason = REASON_NONE;
	s->seen = true;
	s->last_data = now; /* a host's clock that was set back is no silence */
	document_sample(&json, &s->origin, sample, &a);
	f->document = document_make(sample->taken, &s->origin, "sample", r->key, &json);
	slot_show_sample(s, sample, &a, r);
}

static void count_topic(void *n, const char *group, const char *topic)
{
	(void)group;
	(void)topic;
	++*(size_t *)n;
}

/* Why a pattern has nothing, in a table that was read. */
static void nothing_found(const struct slot *s, const struct table *t, struct gap *gap)
{
	struct sample none = SAMPLE_INIT;
	size_t n = 0;

	/* What else is wrong with the table stands before that. */
	if (table_sample(t, s->topic->group, "", &none, gap) == REASON_TOPIC_ABSENT) {
		table_each(t, count_topic, &n);
		gap_set(gap, REASON_TOPIC_ABSENT,
			"none of the %zu topics of the group matches '%s', or other "
			"entries follow those that do",
			n, s->topic->match);
	}
	sample_fini(&none);
}

void slot_reading(struct slot *s, const struct reading *r,
		  const struct other_side *other, struct mono now, struct findings *out)
{
	struct sample sample = SAMPLE_INIT;
	struct gap gap = {.reason = REASON_NONE};

	if (r->table == NULL)
		sample = sample_copy(&r->sample);
	else if (s->name == NULL)
		nothing_found(s, r->table, &gap);
	else
		(void)table_sample(r->table, s->topic->group, s->name, &sample, &gap);
	if (gap.reason == REASON_TOPIC_ABSENT && s->absent_since.ns == 0)
		s->absent_since = now;
	if (gap.reason != REASON_NONE) {
		slot_gap(s, &gap, now, out);
		return;
	}
	s->absent_since.ns = 0;
	sample.taken = r->taken;
	sample.sample_ms = r->sample_ms;
	slot_sample(s, &sample, r, other, now, out);
	sample_fini(&sample);
}

/* When this topic would count as silent. */
static struct mono slot_deadline(const struct slot *s)
{
	int64_t three = 3 * s->topic->interval_ms;

	return mono_add_ms(s->last_data,
			   s->topic->timeout_ms > three ? s->topic->timeout_ms : three);
}

struct mono slot_tick(struct slot *s, const struct gap *trouble, struct mono now,
		      struct findings *out)
{
	struct gap gap = s->gap;

	if (gap.reason == REASON_NONE && mono_before(now, slot_deadline(s)))
		return slot_deadline(s);
	if (gap.reason == REASON_NONE)
		gap = *trouble;
	if (gap.reason == REASON_NONE)
		gap_set(&gap, REASON_CLI_TIMEOUT,
			"no sample for %lld s, and no word why: a run of the command "
			"takes longer than that, or never ends",
			(long long)(mono_diff_ms(now, s->last_data) / 1000));
	slot_gap(s, &gap, now, out);
	return s->gap_repeat;
}
