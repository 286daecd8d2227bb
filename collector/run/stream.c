/* SPDX-License-Identifier: MIT
 * stream: see stream.h. A topic is without data at once on a named failure, else after
 * the larger of its timeout and three intervals; it is then said at the change and once
 * a minute. */
#include "run/stream.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/assess.h"
#include "lag/delivery.h"
#include "lag/window.h"
#include "run/pattern.h"
#include "source/source.h"
#include "source/target.h"
#include "store/record.h"

#include "banned.h"

#define GAP_REPEAT_MS 60000
#define FORGET_RUNS 10 /* and FORGET_MS: how long a found topic may be away */
#define FORGET_MS 600000
#define WINDOW_MAX (16u << 20)

struct slot { /* one topic, or one pattern while it has none */
	const struct config_topic *topic;
	char *name;               /* of a topic; NULL for a pattern */
	char *key;                /* under which its window is kept */
	struct follower *finder;  /* the pattern that found it or is it, or NULL */
	struct mono absent_since; /* of a found topic that is away; 0: it is there */
	struct origin origin;
	struct label *labels;
	struct assess *assess;
	struct delivery *delivery; /* NULL without a target */
	char *there;               /* the topic's name over there */
	struct mono last_data;     /* or the beginning */
	bool seen;                 /* has ever had data */
	struct gap gap;            /* REASON_NONE: has data, or nothing is known yet */
	struct wall gap_since;
	struct mono gap_repeat; /* when to say it again */
	enum group_state state; /* of the last sample */
	enum verdict status;
	struct board_slot *board; /* NULL without a board */
	const struct view *shown; /* what stands there */
};

/* A pattern and what it has found. */
struct follower {
	struct pattern *pattern;
	struct slot *own;
	struct slot **found; /* in order of name */
	size_t n, cap;
	bool full; /* told that there are too many */
};

struct stream {
	struct source *source;
	struct slot **slots;
	size_t n, cap;
	struct follower **followers;
	size_t n_followers, cap_followers;
	struct board *board; /* may be NULL */
	struct gap trouble; /* the last one told by the source since the last reading */
	bool target_failed; /* told that the target does not answer */
	struct records windows; /* kept for topics that a pattern may yet find */
};

void findings_reset(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		document_fini(&f->v[i].document);
		free(f->v[i].name);
		free(f->v[i].notice);
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

static struct finding *findings_add(struct findings *f, const struct slot *s)
{
	if (f->n == f->cap) { /* from one on: a thousand streams have one topic each */
		f->cap = f->cap == 0 ? 1 : f->cap * 2;
		f->v = mem_realloc(f->v, f->cap, sizeof(*f->v));
	}
	f->v[f->n] =
		(struct finding){.topic = s->topic,
				 .name = mem_strdup(s->name != NULL ? s->name
								    : s->topic->match)};
	return &f->v[f->n++];
}

/* Names of topics have no line feed in them. */
static char *key_of(const struct config_topic *t, const char *name)
{
	return mem_printf("%s\n%s\n%s", t->cluster == NULL ? "" : t->cluster,
			  t->group == NULL ? "" : t->group, name == NULL ? "" : name);
}

/* `name` is NULL for a pattern. */
static struct slot *slot_add(struct stream *stream, const struct config_topic *t,
			     const char *name, struct follower *finder)
{
	struct slot *s = mem_calloc(1, sizeof(*s));

	s->topic = t;
	s->name = mem_strdup(name);
	s->key = key_of(t, name);
	s->finder = finder;
	s->assess = assess_new(&t->rules);
	if (t->target.set && name != NULL) {
		s->delivery = mem_calloc(1, sizeof(*s->delivery));
		s->there = target_name(&t->target, name);
	}
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
	MEM_GROW(stream->slots, stream->n, stream->cap);
	stream->slots[stream->n++] = s;
	return s;
}

static void slot_hide(const struct stream *stream, struct slot *s)
{
	if (s->board != NULL)
		board_drop(stream->board, s->board);
	s->board = NULL;
	view_unref(s->shown);
	s->shown = NULL;
}

static void slot_free(const struct stream *stream, struct slot *s)
{
	slot_hide(stream, s);
	assess_free(s->assess);
	free(s->delivery);
	free(s->there);
	free(s->labels);
	free(s->name);
	free(s->key);
	free(s);
}

static void add_entry(struct stream *s, const struct config *c,
		      const struct config_topic *t)
{
	struct follower *f;

	if (t->target.set)
		source_aim(s->source, t, t->name);
	if (t->match == NULL) {
		slot_add(s, t, t->name, NULL);
		return;
	}
	f = mem_calloc(1, sizeof(*f));
	f->pattern = pattern_new(c, t);
	f->own = slot_add(s, t, NULL, f);
	MEM_GROW(s->followers, s->n_followers, s->cap_followers);
	s->followers[s->n_followers++] = f;
}

struct stream *stream_new(const struct plan_stream *p, struct wake *wake,
			  int64_t first_delay_ms, struct board *board)
{
	struct stream *s = mem_calloc(1, sizeof(*s));

	s->source = source_new(p->topics[0], wake, first_delay_ms);
	s->board = board;
	for (size_t i = 0; i < p->n; i++)
		add_entry(s, p->config, p->topics[i]);
	return s;
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	source_close(s->source);
	for (size_t i = 0; i < s->n; i++)
		slot_free(s, s->slots[i]);
	for (size_t i = 0; i < s->n_followers; i++) {
		pattern_free(s->followers[i]->pattern);
		free(s->followers[i]->found);
		free(s->followers[i]);
	}
	free(s->followers);
	free(s->slots);
	records_fini(&s->windows);
	free(s);
}

/* What is kept over a restart */

void stream_save(struct stream *s, stream_put *put, void *arg)
{
	struct buf window = BUF_INIT(WINDOW_MAX);

	for (size_t i = 0; i < s->n; i++) {
		struct slot *slot = s->slots[i];

		if (slot->name == NULL)
			continue;
		window_save(slot->assess, slot->key, clock_mono(), clock_wall(),
			    &window);
		if (window.len > 0 && !window.failed)
			put(arg, slot->key, window.data, window.len);
		buf_reset(&window);
	}
	buf_free(&window);
}

/* A topic that a pattern may find in this stream. */
static bool may_be_found(const struct stream *s, const char *key)
{
	const char *topic = strrchr(key, '\n');

	for (size_t i = 0; topic != NULL && i < s->n_followers; i++) {
		const struct follower *f = s->followers[i];

		if (strncmp(key, f->own->key, strlen(f->own->key)) == 0 &&
		    pattern_takes(f->pattern, topic + 1))
			return true;
	}
	return false;
}

bool stream_restore(struct stream *s, const char *key, const void *bytes, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->slots[i]->name != NULL && strcmp(s->slots[i]->key, key) == 0)
			return window_restore(s->slots[i]->assess, key, bytes, len,
					      clock_mono(), clock_wall()) == 0;
	if (!may_be_found(s, key))
		return false;
	records_put(&s->windows, STORE_WINDOW, key, bytes, len);
	return true;
}

static void take_up(void *arg, const char *key, const void *bytes, size_t len)
{
	struct slot *s = arg;

	if (strcmp(s->key, key) == 0 &&
	    window_restore(s->assess, key, bytes, len, clock_mono(), clock_wall()) != 0)
		return; /* it has grown too old */
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
	if (s->board == NULL)
		s->board = board_add(stream->board);
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
	f = findings_add(out, s);
	f->is_gap = true;
	f->changed = changed;
	f->gap = *g;
	snprintf(key, sizeof(key), "%s %lld", reason_name(g->reason), (long long)t.ms);
	document_gap(&json, &s->origin, g, t, s->gap_since);
	f->document = document_make(t, &s->origin, "gap", key, &json);
	if (stream->board != NULL)
		slot_show(stream, s, slot_view(s));
}

/* What is known of the other side at this reading. */
static struct delivered slot_delivered(struct slot *s, const struct sample *sample,
				       const struct reading *r)
{
	struct delivered none = {.asked = s->delivery != NULL,
				 .per_sec = NAN,
				 .missing = -1};
	struct delivery_look look = {.committed = 0};

	if (s->delivery == NULL || r->ends == NULL ||
	    !ends_sum(r->ends, s->there, &look.end, &look.end_rows))
		return none;
	for (size_t i = 0; i < sample->n; i++) {
		if (!sample->rows[i].has_committed)
			continue;
		look.committed_rows++;
		if (__builtin_add_overflow(look.committed, sample->rows[i].committed,
					   &look.committed))
			return none;
	}
	delivery_feed(s->delivery, &look, s->topic->interval_ms, r->taken_mono);
	return delivery_state(s->delivery);
}

static void slot_sample(struct stream *stream, struct slot *s,
			const struct sample *sample, const struct reading *r,
			struct mono now, struct findings *out)
{
	struct buf json = BUF_INIT(DOCUMENT_MAX);
	struct assessment a;
	struct finding *f = findings_add(out, s);

	assess_feed(s->assess, sample, r->taken_mono);
	a = assess_look(s->assess, r->taken_mono);
	a.delivered = slot_delivered(s, sample, r);
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
	f->point = history_point_of(sample, &a);
	s->gap.reason = REASON_NONE;
	s->seen = true;
	s->last_data = now; /* a host's clock that was set back is no silence */
	document_sample(&json, &s->origin, sample, &a);
	f->document = document_make(sample->taken, &s->origin, "sample", r->key, &json);
	slot_show_sample(stream, s, sample, &a, r);
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

static void slot_reading(struct stream *stream, struct slot *s, struct reading *r,
			 struct mono now, struct findings *out)
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
		slot_gap(stream, s, &gap, now, out);
		return;
	}
	s->absent_since.ns = 0;
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

/* A pattern that has found something does not speak for itself. */
static bool is_active(const struct slot *s)
{
	return s->name != NULL || s->finder->n == 0;
}

/* Time passes: what is silent for too long is a gap, and a gap is repeated. Returns
 * when to look at this one again. */
static struct mono slot_tick(struct stream *s, struct slot *slot, struct mono now,
			     struct findings *out)
{
	struct gap gap = slot->gap;

	if (gap.reason == REASON_NONE && mono_before(now, slot_deadline(slot)))
		return slot_deadline(slot);
	if (gap.reason == REASON_NONE)
		gap = s->trouble;
	if (gap.reason == REASON_NONE)
		gap_set(&gap, REASON_CLI_TIMEOUT,
			"no sample for %lld s, and no word why: a run of the command "
			"takes longer than that, or never ends",
			(long long)(mono_diff_ms(now, slot->last_data) / 1000));
	slot_gap(s, slot, &gap, now, out);
	return slot->gap_repeat;
}

static struct mono tick(struct stream *s, struct mono now, struct findings *out)
{
	struct mono next = MONO_NEVER;

	for (size_t i = 0; i < s->n; i++)
		if (is_active(s->slots[i]))
			next = mono_min(next, slot_tick(s, s->slots[i], now, out));
	return next;
}

/* Patterns */

/* The place of a name among what a pattern has found, or where it belongs. */
static size_t place_of(const struct follower *f, const char *name, bool *there)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, f->found[middle]->name);

		if (order == 0) {
			*there = true;
			return middle;
		}
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*there = false;
	return low;
}

/* It speaks for itself from now on, or not any longer. */
static void follower_changed(struct stream *s, struct follower *f)
{
	struct slot *own = f->own;

	own->gap.reason = REASON_NONE;
	own->last_data = clock_mono();
	if (f->n > 0)
		slot_hide(s, own);
}

static void follow(struct stream *s, struct follower *f, const char *topic,
		   struct findings *out)
{
	bool there;
	size_t at = place_of(f, topic, &there);

	if (there || !pattern_takes(f->pattern, topic))
		return;
	if (f->n == STREAM_FOUND_MAX) {
		if (!f->full)
			findings_add(out, f->own)->notice = mem_printf(
				"matches more than %d topics; the others are not "
				"followed",
				STREAM_FOUND_MAX);
		f->full = true;
		return;
	}
	MEM_GROW(f->found, f->n, f->cap);
	memmove(&f->found[at + 1], &f->found[at], (f->n - at) * sizeof(struct slot *));
	f->found[at] = slot_add(s, f->own->topic, topic, f);
	records_each(&s->windows, STORE_WINDOW, take_up, f->found[at]);
	if (f->n++ == 0)
		follower_changed(s, f);
}

struct discovery {
	struct stream *stream;
	struct findings *out;
};

static void discover(void *arg, const char *group, const char *topic)
{
	struct discovery *d = arg;

	for (size_t i = 0; i < d->stream->n_followers; i++) {
		struct follower *f = d->stream->followers[i];
		const char *wanted = f->own->topic->group;

		if (wanted == NULL || *group == '\0' || strcmp(wanted, group) == 0)
			follow(d->stream, f, topic, d->out);
	}
}

static bool is_gone(const struct slot *s, struct mono now)
{
	int64_t away = FORGET_RUNS * s->topic->interval_ms;

	if (s->finder == NULL || s->name == NULL || s->absent_since.ns == 0)
		return false;
	return mono_diff_ms(now, s->absent_since) >=
	       (away > FORGET_MS ? away : FORGET_MS);
}

static void forget(struct stream *s, struct slot *gone, struct findings *out)
{
	struct follower *f = gone->finder;
	bool there;
	size_t at = place_of(f, gone->name, &there);

	findings_add(out, gone)->notice =
		mem_printf("no longer followed: the group has not had it for %lld min",
			   (long long)(FORGET_MS / 60000));
	memmove(&f->found[at], &f->found[at + 1],
		(f->n - at - 1) * sizeof(struct slot *));
	f->n--;
	f->full = false;
	slot_free(s, gone);
	if (f->n == 0)
		follower_changed(s, f);
}

/* Topics that were away for too long. */
static void forget_gone(struct stream *s, struct mono now, struct findings *out)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct slot *slot = s->slots[i];

		if (is_gone(slot, now))
			forget(s, slot, out);
		else
			s->slots[kept++] = slot;
	}
	s->n = kept;
}

/* Told when it changes, once for the stream: no topic is without data for it. */
static void look_at_target(struct stream *s, const struct reading *r,
			   struct findings *out)
{
	const struct slot *first = s->n > 0 ? s->slots[0] : NULL;
	bool failed = r->ends != NULL && *ends_trouble(r->ends) != '\0';

	if (r->ends == NULL || first == NULL || failed == s->target_failed)
		return;
	s->target_failed = failed;
	findings_add(out, first)->notice =
		failed ? mem_printf("the target %s does not tell its offsets: %s",
				    first->topic->target.bootstrap_server,
				    ends_trouble(r->ends))
		       : mem_printf("the target %s tells its offsets again",
				    first->topic->target.bootstrap_server);
}

static void take_reading(struct stream *s, struct reading *r, struct mono now,
			 struct findings *out)
{
	struct discovery d = {s, out};

	s->trouble.reason = REASON_NONE;
	look_at_target(s, r, out);
	if (r->table != NULL && s->n_followers > 0)
		table_each(r->table, discover, &d);
	for (size_t i = 0; i < s->n; i++)
		if (is_active(s->slots[i]))
			slot_reading(s, s->slots[i], r, now, out);
	forget_gone(s, now, out);
}

struct step stream_step(struct stream *s, bool read_more, struct findings *out)
{
	struct mono now = clock_mono();
	struct reading reading;
	struct step next;
	struct gap gap;

	switch (source_step(s->source, now, read_more, &reading, &gap, &next)) {
	case SOURCE_READING:
		take_reading(s, &reading, now, out);
		reading_fini(&reading);
		return STEP_NOW;
	case SOURCE_GAP:
		s->trouble = gap;
		now = clock_mono();
		for (size_t i = 0; i < s->n; i++)
			if (is_active(s->slots[i]))
				slot_gap(s, s->slots[i], &gap, now, out);
		return STEP_NOW;
	case SOURCE_WAIT:
		break;
	}
	next.until = mono_min(next.until, tick(s, clock_mono(), out));
	return next;
}
