/* SPDX-License-Identifier: MIT
 * tailer: see tailer.h. Where the store cannot take more, it stops reading (the session
 * is kept alive) and, after 30 s, lets the store drop its oldest. */
#include "run/tailer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "run/stream.h"

#include "banned.h"

#define FORCE_AFTER_MS 30000
#define AGAIN_MS 100 /* while the store is full */

struct tailer {
	char name[64];
	struct wake wake;
	struct stream *stream;
	struct store *store;
	struct board *board; /* may be NULL */
	struct findings found;
	struct document *waiting; /* the store has no room for them yet */
	size_t n, cap;
	struct mono waiting_since;
};

struct tailer *tailer_new(const struct plan_stream *p, struct store *store,
			  struct board *board)
{
	struct tailer *t = mem_calloc(1, sizeof(*t));
	const char *topic = p->topics[0]->name;

	if (wake_init(&t->wake) != 0) {
		free(t);
		return NULL;
	}
	if (p->n > 1)
		snprintf(t->name, sizeof(t->name), "t:%.40s+%zu", topic, p->n - 1);
	else
		snprintf(t->name, sizeof(t->name), "t:%.60s", topic);
	t->store = store;
	t->board = board;
	t->stream = stream_new(p->topics, p->n, &t->wake, p->first_delay_ms, board);
	return t;
}

void tailer_free(struct tailer *t)
{
	if (t == NULL)
		return;
	stream_close(t->stream);
	findings_fini(&t->found);
	for (size_t i = 0; i < t->n; i++)
		document_fini(&t->waiting[i]);
	free(t->waiting);
	wake_fini(&t->wake);
	free(t);
}

struct wake *tailer_wake(struct tailer *t)
{
	return &t->wake;
}

const char *tailer_name(const struct tailer *t)
{
	return t->name;
}

/* Only changes are worth a line. */
static void tell(const struct finding *f)
{
	const struct config_topic *t = f->topic;

	if (!f->changed)
		return;
	if (f->is_gap)
		log_warn(t->name, "no data: %s: %s", reason_name(f->gap.reason),
			 f->gap.message);
	else if (f->totals.with_lag == 0)
		log_info(t->name, "has data: %lld partitions, no lag known",
			 (long long)f->partitions);
	else
		log_info(t->name, "has data: %lld partitions, lag %lld",
			 (long long)f->partitions, (long long)f->totals.sum);
}

static void remember(struct tailer *t, const struct finding *f)
{
	const struct store_topic of = {f->topic->cluster, f->topic->group,
				       f->topic->name};

	if (f->is_gap)
		store_history_gap(t->store, &of, f->document.t, &f->gap);
	else
		store_history_add(t->store, &of, &f->point);
}

static void collect(struct tailer *t)
{
	for (size_t i = 0; i < t->found.n; i++) {
		tell(&t->found.v[i]);
		remember(t, &t->found.v[i]);
		if (t->board != NULL)
			board_document(t->board, t->found.v[i].document.json,
				       t->found.v[i].document.len);
		MEM_GROW(t->waiting, t->n, t->cap);
		t->waiting[t->n++] = t->found.v[i].document;
		t->found.v[i].document = (struct document){.json = NULL};
		metrics_add(METRIC_SAMPLES, 1);
	}
	findings_reset(&t->found);
}

static bool hand_over(struct tailer *t, struct mono now)
{
	bool force;

	if (t->n == 0)
		return true;
	force = t->waiting_since.ns != 0 &&
		mono_diff_ms(now, t->waiting_since) >= FORCE_AFTER_MS;
	if (store_append(t->store, t->waiting, t->n, force) != 0) {
		if (t->waiting_since.ns == 0)
			t->waiting_since = now;
		return false;
	}
	t->waiting_since.ns = 0;
	t->n = 0;
	return true;
}

struct step tailer_step(void *self)
{
	struct tailer *t = self;
	struct step next;
	bool room;

	if (wake_stopping(&t->wake)) {
		stream_close(t->stream);
		t->stream = NULL;
		if (t->n > 0 && store_append(t->store, t->waiting, t->n, true) == 0)
			t->n = 0;
		return STEP_DONE;
	}
	room = hand_over(t, clock_mono());
	next = stream_step(t->stream, room, &t->found);
	collect(t);
	if (!hand_over(t, clock_mono())) {
		next.fd = -1; /* what it has is not wanted yet */
		next.until = mono_min(next.until, mono_add_ms(clock_mono(), AGAIN_MS));
	}
	return next;
}
