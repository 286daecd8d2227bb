/* SPDX-License-Identifier: MIT
 * stream: see stream.h. A topic is without data at once on a named failure, else after
 * the larger of its timeout and three intervals; it is then said at the change and once
 * a minute. */
#include "run/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/assess.h"
#include "source/source.h"

#include "banned.h"

#define GAP_REPEAT_MS 60000

struct slot { /* one topic */
	const struct config_topic *topic;
	struct origin origin;
	struct label *labels;
	struct assess *assess;
	struct mono last_data; /* or the beginning */
	bool seen;             /* has ever had data */
	struct gap gap;        /* REASON_NONE: has data, or nothing is known yet */
	struct wall gap_since;
	struct mono gap_repeat;   /* when to say it again */
	struct board_slot *board; /* NULL without a board */
	const struct view *shown; /* what stands there */
};

struct stream {
	struct source *source;
	struct slot *slots;
	size_t n;
	struct board *board; /* may be NULL */
	struct gap trouble; /* the last one told by the source since the last reading */
};

void findings_reset(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		document_fini(&f->v[i].document);
		history_point_fini(&f->v[i].point);
	}
	f->n = 0;
}

void findings_fini(struct findings *f)
{
	findings_reset(f);
	free(f->v);
	*f = (struct findings){NULL, 0, 0};
}

static struct finding *findings_add(struct findings *f, const struct config_topic *t)
{
	MEM_GROW(f->v, f->n, f->cap);
	f->v[f->n] = (struct finding){.topic = t};
	return &f->v[f->n++];
}

static void slot_init(struct slot *s, const struct config_topic *t, struct mono now)
{
	s->topic = t;
	s->assess = assess_new(&t->rules);
	s->last_data = now;
	s->labels = mem_calloc(t->label_count, sizeof(*s->labels));
	for (size_t i = 0; i < t->label_count; i++)
		s->labels[i] = (struct label){t->labels[i].name, t->labels[i].value};
	s->origin = (struct origin){.cluster = t->cluster,
				    .group = t->group,
				    .topic = t->name,
				    .host = t->host,
				    .labels = s->labels,
				    .label_count = t->label_count};
}

struct stream *stream_new(const struct config_topic *const *topics, size_t n,
			  struct wake *wake, int64_t first_delay_ms,
			  struct board *board)
{
	struct stream *s = mem_calloc(1, sizeof(*s));
	struct mono now = clock_mono();

	s->source = source_new(topics[0], wake, first_delay_ms);
	s->slots = mem_calloc(n, sizeof(*s->slots));
	s->n = n;
	s->board = board;
	for (size_t i = 0; i < n; i++) {
		slot_init(&s->slots[i], topics[i], now);
		if (board != NULL)
			s->slots[i].board = board_add(board);
	}
	return s;
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	source_close(s->source);
	for (size_t i = 0; i < s->n; i++) {
		if (s->board != NULL)
			board_drop(s->board, s->slots[i].board);
		view_unref(s->slots[i].shown);
		assess_free(s->slots[i].assess);
		free(s->slots[i].labels);
	}
	free(s->slots);
	free(s);
}

/* A view of now, with the sample of the one before. */
static struct view *slot_view(const struct slot *s)
{
	const struct config_topic *t = s->topic;
	const struct view *old = s->shown;
	struct view *v = view_new();

	view_set_name(v, t->cluster, t->group, t->name, t->host, t->match);
	view_set_labels(v, s->labels, t->label_count);
	v->config = t;
	v->at = clock_wall();
	v->gap = s->gap;
	v->gap_since = s->gap_since;
	if (old != NULL)
		view_copy_sample(v, old);
	return v;
}

/* Publish `v`, with the status that follows from it. */
static void slot_show(struct stream *stream, struct slot *s, struct view *v)
{
	v->status =
		v->gap.reason != REASON_NONE ? VERDICT_NODATA : v->assessment.status;
	v->status_since = s->shown != NULL && s->shown->status == v->status
				  ? s->shown->status_since
				  : v->at;
	view_unref(s->shown);
	s->shown = view_ref(v);
	board_publish(stream->board, s->board, v);
}

static void slot_show_sample(struct stream *stream, struct slot *s,
			     const struct sample *sample, const struct assessment *a,
			     const struct reading *r)
{
	struct view *v;

	if (stream->board == NULL)
		return;
	v = slot_view(s);
	view_set_sample(v, sample, r->taken_mono);
	v->assessment = *a;
	for (size_t i = 0; i < sample->n; i++)
		if (!assess_partition(s->assess, sample->rows[i].number,
				      &v->partitions[i]))
			v->partitions[i].number = sample->rows[i].number;
	slot_show(stream, s, v);
}

/* Say that the topic is without data, where that is new or a minute old. */
static void slot_gap(struct stream *stream, struct slot *s, const struct gap *g,
		     struct mono now, struct findings *out)
{
	bool changed = s->gap.reason != g->reason;
	struct wall t = clock_wall();
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct finding *f;
	char key[96];

	if (!changed && mono_before(now, s->gap_repeat))
		return;
	if (s->gap.reason == REASON_NONE)
		s->gap_since = t;
	s->gap = *g;
	s->gap_repeat = mono_add_ms(now, GAP_REPEAT_MS);
	f = findings_add(out, s->topic);
	f->is_gap = true;
	f->changed = changed;
	f->gap = *g;
	snprintf(key, sizeof(key), "%s %lld", reason_name(g->reason), (long long)t.ms);
	document_gap(&json, &s->origin, g, t, s->gap_since);
	f->document = document_make(t, &s->origin, "gap", key, &json);
	if (stream->board != NULL)
		slot_show(stream, s, slot_view(s));
}

static void slot_sample(struct stream *stream, struct slot *s,
			const struct sample *sample, const struct reading *r,
			struct mono now, struct findings *out)
{
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct assessment a;
	struct finding *f = findings_add(out, s->topic);

	assess_feed(s->assess, sample, r->taken_mono);
	a = assess_look(s->assess, r->taken_mono);
	f->changed = s->gap.reason != REASON_NONE || !s->seen;
	f->partitions = (int64_t)sample->n;
	f->totals = sample_totals(sample);
	f->point = history_point_of(sample, &a);
	s->gap.reason = REASON_NONE;
	s->seen = true;
	s->last_data = now; /* a host's clock that was set back is no silence */
	document_sample(&json, &s->origin, sample, &a);
	f->document = document_make(sample->taken, &s->origin, "sample", r->key, &json);
	slot_show_sample(stream, s, sample, &a, r);
}

static void slot_reading(struct stream *stream, struct slot *s, struct reading *r,
			 struct mono now, struct findings *out)
{
	struct sample sample = SAMPLE_INIT;
	struct gap gap;

	if (r->table != NULL) {
		if (table_sample(r->table, s->topic->group, s->topic->name, &sample,
				 &gap) != REASON_NONE) {
			slot_gap(stream, s, &gap, now, out);
			return;
		}
	} else {
		sample = sample_copy(&r->sample);
	}
	sample.taken = r->taken;
	sample.sample_ms = r->sample_ms;
	slot_sample(stream, s, &sample, r, now, out);
	sample_fini(&sample);
}

/* When this topic would count as silent. */
static struct mono slot_deadline(const struct slot *s)
{
	int64_t three = 3 * s->topic->interval_ms;

	return mono_add_ms(s->last_data,
			   s->topic->timeout_ms > three ? s->topic->timeout_ms : three);
}

/* Time passes: what is silent for too long is a gap, and a gap is repeated. Returns
 * when to look again. */
static struct mono tick(struct stream *s, struct mono now, struct findings *out)
{
	struct mono next = MONO_NEVER;

	for (size_t i = 0; i < s->n; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->gap.reason != REASON_NONE) {
			struct gap again = slot->gap;

			slot_gap(s, slot, &again, now, out);
			next = mono_min(next, slot->gap_repeat);
		} else if (!mono_before(now, slot_deadline(slot))) {
			struct gap gap = s->trouble;

			if (gap.reason == REASON_NONE)
				gap_set(&gap, REASON_CLI_TIMEOUT,
					"no sample for %lld s, and no reason known",
					(long long)(mono_diff_ms(now, slot->last_data) /
						    1000));
			slot_gap(s, slot, &gap, now, out);
			next = mono_min(next, slot->gap_repeat);
		} else {
			next = mono_min(next, slot_deadline(slot));
		}
	}
	return next;
}

struct step stream_step(struct stream *s, bool read_more, struct findings *out)
{
	struct mono now = clock_mono();
	struct reading reading;
	struct step next;
	struct gap gap;

	switch (source_step(s->source, now, read_more, &reading, &gap, &next)) {
	case SOURCE_READING:
		s->trouble.reason = REASON_NONE;
		for (size_t i = 0; i < s->n; i++)
			slot_reading(s, &s->slots[i], &reading, now, out);
		reading_fini(&reading);
		return STEP_NOW;
	case SOURCE_GAP:
		s->trouble = gap;
		now = clock_mono();
		for (size_t i = 0; i < s->n; i++)
			slot_gap(s, &s->slots[i], &gap, now, out);
		return STEP_NOW;
	case SOURCE_WAIT:
		break;
	}
	next.until = mono_min(next.until, tick(s, clock_mono(), out));
	return next;
}
