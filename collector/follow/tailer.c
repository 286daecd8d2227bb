/* SPDX-License-Identifier: MIT
 * tailer: see tailer.h. Where the store cannot take more, it stops reading (the session
 * is kept alive) and, after 30 s, lets the store drop its oldest. */
#include "follow/tailer.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "follow/hostlog.h"
#include "follow/stream.h"

#include "banned.h"

#define FORCE_AFTER_MS 30000
#define SAVE_MS 60000 /* between two times that windows are kept */
#define AGAIN_MS 100  /* while the store is full */

struct tailer {
	char name[64];
	struct wake wake;
	struct far *far; /* may be NULL */
	struct stream *stream;
	struct store *store;
	struct board *board; /* may be NULL */
	struct findings found;
	struct document *waiting; /* the store has no room for them yet */
	size_t n, cap;
	struct mono waiting_since;
	struct mono save_at;
	bool keeps;             /* main's, until the stop */
	struct records windows; /* kept at the end */
};

struct tailer *tailer_new(const struct plan_stream *p, struct store *store,
			  struct board *board)
{
	struct tailer *t = mem_calloc(1, sizeof(*t));
	const char *topic =
		p->topics[0]->name != NULL ? p->topics[0]->name : p->topics[0]->match;

	if (wake_init(&t->wake) != 0) {
		free(t);
		return NULL;
	}
	if (far_new(&t->far, p->topics[0], p->first_delay_ms) != 0) {
		wake_fini(&t->wake);
		free(t);
		return NULL;
	}
	if (p->n > 1)
		snprintf(t->name, sizeof(t->name), "t:%.40s+%zu", topic, p->n - 1);
	else
		snprintf(t->name, sizeof(t->name), "t:%.60s", topic);
	t->store = store;
	t->board = board;
	t->save_at = mono_add_ms(clock_mono(), SAVE_MS);
	t->stream = stream_new(p, &t->wake, t->far, p->first_delay_ms, board);
	return t;
}

void tailer_free(struct tailer *t)
{
	if (t == NULL)
		return;
	stream_close(t->stream);
	far_free(t->far);
	findings_fini(&t->found);
	for (size_t i = 0; i < t->n; i++)
		document_fini(&t->waiting[i]);
	free(t->waiting);
	records_fini(&t->windows);
	wake_fini(&t->wake);
	free(t);
}

void tailer_keep_windows(struct tailer *t)
{
	t->keeps = true;
}

void tailer_take_windows(struct tailer *t, struct records *to)
{
	records_take(to, &t->windows, false);
}

struct wake *tailer_wake(struct tailer *t)
{
	return &t->wake;
}

struct far *tailer_far(const struct tailer *t)
{
	return t->far;
}

const char *tailer_name(const struct tailer *t)
{
	return t->name;
}

static void tell_data(const struct finding *f)
{
	char lag[32] = "no lag known";

	if (f->totals.with_lag > 0)
		snprintf(lag, sizeof(lag), "lag %lld", (long long)f->totals.sum);
	log_info(f->name, "has data: %lld partition%s, %s", (long long)f->partitions,
		 f->partitions == 1 ? "" : "s", lag);
}

static void tell_state(const struct finding *f)
{
	switch (f->state) {
	case GROUP_EMPTY:
		log_warn(f->name,
			 "the group has no members: is MirrorMaker running? lag %lld",
			 (long long)f->totals.sum);
		break;
	case GROUP_REBALANCING:
		log_info(f->name, "the group rebalances");
		break;
	case GROUP_STABLE:
		log_info(f->name, "the group is stable");
		break;
	case GROUP_UNKNOWN:
		break;
	}
}

static void tell_status(const struct finding *f)
{
	const struct assessment *a = &f->assessment;

	if (a->status == VERDICT_OK)
		log_info(f->name, "OK: %s, lag %lld", a->rule,
			 (long long)f->totals.sum);
	else
		log_warn(f->name, "%s: partition %d: %s, lag %lld",
			 verdict_name(a->status), (int)a->worst, a->rule,
			 (long long)f->totals.sum);
}

/* A failure of the host is told by one of its topics, for all of them. */
static void tell_gap(const struct finding *f)
{
	char host[160];

	hostlog_name(f->topic, host, sizeof(host));
	if (!reason_is_host(f->gap.reason))
		log_warn(f->name, "no data: %s: %s", reason_name(f->gap.reason),
			 f->gap.message);
	else if (hostlog_down(f->topic, f->gap.reason))
		log_warn(host, "no data from this host: %s: %s",
			 reason_name(f->gap.reason), f->gap.message);
	else
		log_debug(f->name, "no data: %s: %s", reason_name(f->gap.reason),
			  f->gap.message);
}

static void tell_again(const struct finding *f)
{
	char host[160];

	if (!hostlog_up(f->topic))
		return;
	hostlog_name(f->topic, host, sizeof(host));
	log_info(host, "gives data again");
}

/* Only changes are worth a line. */
static void tell(const struct finding *f)
{
	if (f->notice != NULL) {
		log_warn(f->name, "%s", f->notice);
		return;
	}
	if (f->is_gap) {
		if (f->changed)
			tell_gap(f);
		return;
	}
	if (f->changed) {
		tell_again(f);
		tell_data(f);
	}
	if (f->state_changed)
		tell_state(f);
	if (f->status_changed)
		tell_status(f);
}

/* Of a pattern that found nothing there is no history. */
static void remember(struct tailer *t, const struct finding *f)
{
	const struct store_topic of = {f->topic->cluster, f->topic->group,
				       f->document.topic};

	if (*f->document.topic == '\0')
		return;
	if (f->is_gap)
		store_history_gap(t->store, &of, f->document.t, &f->gap);
	else
		store_history_add(t->store, &of, &f->point);
}

static void collect(struct tailer *t)
{
	for (size_t i = 0; i < t->found.n; i++) {
		tell(&t->found.v[i]);
		if (t->found.v[i].notice != NULL)
			continue;
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

bool tailer_restore(struct tailer *t, const char *key, const void *bytes, size_t len)
{
	return stream_restore(t->stream, key, bytes, len);
}

struct restoring {
	struct tailer *const *tailers;
	size_t n;
	struct store *store;
};

static void give_back(void *arg, const char *key, const void *bytes, size_t len)
{
	const struct restoring *r = arg;

	for (size_t i = 0; i < r->n; i++)
		if (tailer_restore(r->tailers[i], key, bytes, len))
			return;
	store_put(r->store, STORE_WINDOW, key, NULL, 0);
}

void tailers_restore(struct tailer *const *tailers, size_t n, struct store *store,
		     const struct records *windows)
{
	struct restoring r = {tailers, n, store};

	records_each(windows, STORE_WINDOW, give_back, &r);
}

static void put_window(void *arg, const char *key, const void *bytes, size_t len)
{
	struct tailer *t = arg;

	store_put(t->store, STORE_WINDOW, key, bytes, len);
}

static void keep_window(void *arg, const char *key, const void *bytes, size_t len)
{
	struct tailer *t = arg;

	records_put(&t->windows, STORE_WINDOW, key, bytes, len);
}

/* What is known over time survives the process, but for the last minute before a kill.
 */
static void save(struct tailer *t)
{
	stream_save(t->stream, put_window, t);
	t->save_at = mono_add_ms(clock_mono(), SAVE_MS);
}

struct step tailer_step(void *self)
{
	struct tailer *t = self;
	struct step next;
	bool room;

	if (wake_stopping(&t->wake)) {
		if (t->stream != NULL)
			save(t);
		if (t->stream != NULL && t->keeps)
			stream_save(t->stream, keep_window, t);
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
	if (!mono_before(clock_mono(), t->save_at))
		save(t);
	next.until = mono_min(next.until, t->save_at);
	return next;
}
