/* SPDX-License-Identifier: MIT
 * stream: see stream.h. Drives the source and hands what it says to the slots of its
 * entries (entry_int.h, slot_int.h). */
#include "follow/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "follow/entry_int.h"
#include "source/source.h"
#include "store/record.h"

#include "banned.h"

#define WINDOW_MAX (16u << 20)

struct stream {
	struct source *source;
	struct far *far; /* asks the target from another host; may be NULL */
	struct entry **entries;
	size_t n;
	struct gap trouble; /* the last one told by the source since the last reading */
	struct gap target;  /* why the target tells nothing, by its last look */
	bool flooded;       /* told that its lines are held back */
	struct records windows; /* kept for topics that a pattern may yet find */
};

static void aim(struct stream *s, const struct config_topic *t)
{
	if (s->far != NULL)
		far_aim(s->far, t, t->name);
	else if (t->target.set)
		source_aim(s->source, t, t->name);
}

struct stream *stream_new(const struct plan_stream *p, struct wake *wake,
			  struct far *far, int64_t first_delay_ms, struct board *board)
{
	struct stream *s = mem_calloc(1, sizeof(*s));

	s->far = far;
	s->source = source_new(p->topics[0], wake, first_delay_ms);
	s->entries = mem_calloc(p->n, sizeof(struct entry *));
	for (; s->n < p->n; s->n++) {
		const struct config_topic *t = p->topics[s->n];

		aim(s, t);
		s->entries[s->n] = entry_new(p->config, t, board, s);
	}
	return s;
}

void stream_close(struct stream *s)
{
	if (s == NULL)
		return;
	source_close(s->source);
	for (size_t i = 0; i < s->n; i++)
		entry_free(s->entries[i]);
	free(s->entries);
	records_fini(&s->windows);
	free(s);
}

/* What is done with each slot that speaks. */
typedef void visit_slot(struct slot *slot, void *arg);

static void each_slot(struct stream *s, visit_slot *visit, void *arg)
{
	for (size_t i = 0; i < s->n; i++) {
		struct slots slots = entry_slots(s->entries[i]);

		for (size_t k = 0; k < slots.n; k++)
			visit(slots.v[k], arg);
	}
}

/* What is kept over a restart */

struct saving {
	stream_put *put;
	void *arg;
	struct buf window;
};

static void save(struct slot *slot, void *arg)
{
	struct saving *v = arg;

	buf_reset(&v->window);
	slot_save(slot, &v->window);
	if (v->window.len > 0 && !v->window.failed)
		v->put(v->arg, slot_key(slot), v->window.data, v->window.len);
}

void stream_save(struct stream *s, stream_put *put, void *arg)
{
	struct saving v = {put, arg, BUF_INIT(WINDOW_MAX)};

	each_slot(s, save, &v);
	buf_free(&v.window);
}

/* A window and whose it is. */
struct kept {
	const char *key;
	const void *bytes;
	size_t len;
	bool known, taken; /* a slot has this key, and could use the window */
};

static void restore(struct slot *slot, void *arg)
{
	struct kept *k = arg;

	if (slot_name(slot) == NULL || strcmp(slot_key(slot), k->key) != 0)
		return;
	k->known = true;
	k->taken = slot_restore(slot, k->bytes, k->len);
}

bool stream_restore(struct stream *s, const char *key, const void *bytes, size_t len)
{
	struct kept k = {.key = key, .bytes = bytes, .len = len};

	each_slot(s, restore, &k);
	if (k.known)
		return k.taken;
	for (size_t i = 0; i < s->n; i++)
		if (entry_may_find(s->entries[i], key)) {
			records_put(&s->windows, STORE_WINDOW, key, bytes, len);
			return true;
		}
	return false;
}

/* A topic that was found takes up the window of its last life. */
static void take_up(void *arg, const char *key, const void *bytes, size_t len)
{
	struct kept k = {.key = key, .bytes = bytes, .len = len};

	restore(arg, &k);
}

/* Readings, failures, time */

struct moment {
	struct stream *stream;
	struct mono now;
	struct findings *out;
	const struct reading *reading;
	struct other_side other;
	struct gap gap;
	struct mono next;
};

static void discover(void *arg, const char *group, const char *topic)
{
	struct moment *m = arg;

	for (size_t i = 0; i < m->stream->n; i++) {
		struct slot *found =
			entry_find(m->stream->entries[i], group, topic, m->out);

		if (found != NULL)
			records_each(&m->stream->windows, STORE_WINDOW, take_up, found);
	}
}

static void read_slot(struct slot *slot, void *arg)
{
	struct moment *m = arg;

	slot_reading(slot, m->reading, &m->other, m->now, m->out);
}

static void fail_slot(struct slot *slot, void *arg)
{
	struct moment *m = arg;

	slot_gap(slot, &m->gap, m->now, m->out);
}

static void tick_slot(struct slot *slot, void *arg)
{
	struct moment *m = arg;

	m->next =
		mono_min(m->next, slot_tick(slot, &m->stream->trouble, m->now, m->out));
}

/* Told when it changes, once for the stream: no topic is without data for it. */
static void tell_target(const struct stream *s, const struct gap *before,
			struct findings *out)
{
	const struct config_topic *first = entry_topic(s->entries[0]);
	bool failed = s->target.reason != REASON_NONE;

	if (failed == (before->reason != REASON_NONE))
		return;
	findings_add(out, first, first->name)->notice =
		failed ? mem_printf("the target %s does not tell its offsets: %s: %s",
				    first->target.bootstrap_server,
				    reason_name(s->target.reason), s->target.message)
		       : mem_printf("the target %s tells its offsets again",
				    first->target.bootstrap_server);
}

/* What is known of the other side at this reading. Our own loop leaves a target that
 * failed alone for a few runs: what it said stands until then. */
static void look_at_target(struct stream *s, struct moment *m)
{
	const struct gap before = s->target;

	m->other = (struct other_side){.ends = m->reading->ends, .looks_apart = 1};
	if (s->far != NULL) {
		m->other.ends = far_ends(s->far, m->reading->taken_mono, &s->target);
		m->other.looks_apart = 2;
	} else if (m->other.ends != NULL) {
		s->target = *ends_gap(m->other.ends);
	}
	m->other.gap = s->target;
	tell_target(s, &before, m->out);
}

/* A command that floods has one topic. */
static void look_at_flood(struct stream *s, const struct reading *r,
			  struct findings *out)
{
	const struct config_topic *first = entry_topic(s->entries[0]);

	if (r->flooded == s->flooded)
		return;
	s->flooded = r->flooded;
	findings_add(out, first, first->name)->notice = mem_printf(
		r->flooded ? "the command gives more than %d lines a second: it is "
			     "held back to that"
			   : "the command gives no more than %d lines a second again",
		SOURCE_LINES_A_SECOND);
}

static void take_reading(struct stream *s, struct moment *m)
{
	s->trouble.reason = REASON_NONE;
	look_at_flood(s, m->reading, m->out);
	look_at_target(s, m);
	if (m->reading->table != NULL)
		table_each(m->reading->table, discover, m);
	each_slot(s, read_slot, m);
	for (size_t i = 0; i < s->n; i++)
		entry_forget(s->entries[i], m->now, m->out);
}

void stream_fail(struct stream *s, const struct gap *g, struct findings *out)
{
	struct moment m = {.stream = s, .now = clock_mono(), .out = out, .gap = *g};

	each_slot(s, fail_slot, &m);
}

struct step stream_step(struct stream *s, bool read_more, struct findings *out)
{
	struct moment m = {.stream = s, .now = clock_mono(), .out = out};
	struct reading reading;
	struct step next;

	switch (source_step(s->source, m.now, read_more, &reading, &m.gap, &next)) {
	case SOURCE_READING:
		m.reading = &reading;
		take_reading(s, &m);
		reading_fini(&reading);
		return STEP_NOW;
	case SOURCE_GAP:
		s->trouble = m.gap;
		m.now = clock_mono();
		each_slot(s, fail_slot, &m);
		return STEP_NOW;
	case SOURCE_WAIT:
		break;
	}
	m.now = clock_mono();
	m.next = next.until;
	each_slot(s, tick_slot, &m);
	next.until = m.next;
	return next;
}

int stream_cores(const struct stream *s)
{
	return source_cores(s->source);
}
