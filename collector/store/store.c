/* SPDX-License-Identifier: MIT
 * store: see store.h. What other threads touch stands under one lock, which covers
 * memory only: staging, verdicts, one request slot, a copy of the state. The pair of
 * databases, and the batch on its way to them, belong to the store's thread. */
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "store_int.h"

#include "banned.h"

#define COMMIT_BYTES (1 << 20) /* staged: do not wait for STORE_COMMIT_MS */
#define BATCH_BYTES (4 << 20)  /* in one transaction */
#define STAGED_OVERHEAD 128    /* of a document, beside its JSON */

/* Queues */

static int64_t cost(const struct document *d)
{
	return (int64_t)d->len + STAGED_OVERHEAD;
}

static void queue_push(struct queue *q, struct document *d)
{
	if (q->head > 0 && q->head + q->n == q->cap) {
		memmove(q->docs, q->docs + q->head, q->n * sizeof(*q->docs));
		q->head = 0;
	}
	MEM_GROW(q->docs, q->head + q->n, q->cap);
	q->bytes += cost(d);
	q->docs[q->head + q->n++] = *d;
	*d = (struct document){.topic = NULL};
}

/* The caller owns the document then. */
static struct document queue_shift(struct queue *q)
{
	struct document d = q->docs[q->head++];

	q->n--;
	q->first_id++;
	q->bytes -= cost(&d);
	if (q->n == 0)
		q->head = 0;
	return d;
}

static void queue_clear(struct queue *q)
{
	while (q->n > 0) {
		struct document d = queue_shift(q);

		document_fini(&d);
	}
}

static void settled_free(struct settled_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].type);
		free(l->v[i].reason);
	}
	free(l->v);
	*l = (struct settled_list){NULL, 0, 0};
}

/* What any thread may call */

int store_append(struct store *s, struct document *docs, size_t n, bool force)
{
	int64_t bytes = 0, dropped = 0, used;
	bool wake = false;

	for (size_t i = 0; i < n; i++)
		bytes += cost(&docs[i]);
	pthread_mutex_lock(&s->lock);
	used = s->staged.bytes + s->committing.bytes;
	if (!force && used > 0 && used + bytes > s->staging_bytes) {
		pthread_mutex_unlock(&s->lock);
		return ERR_AGAIN;
	}
	for (; s->staged.n > 0 && used + bytes > s->staging_bytes; dropped++) {
		struct document d = queue_shift(&s->staged);

		used -= cost(&d);
		document_fini(&d);
	}
	for (size_t i = 0; i < n; i++)
		queue_push(&s->staged, &docs[i]);
	if (n > 0)
		wake = store_set_due(s, STORE_COMMIT_MS);
	if (s->staged.bytes >= s->commit_bytes &&
	    s->staged.bytes - bytes < s->commit_bytes) {
		s->due = clock_mono();
		wake = true;
	}
	pthread_mutex_unlock(&s->lock);
	if (dropped > 0)
		metrics_add(METRIC_DOC_EVICTED, dropped);
	if (wake)
		wake_signal(&s->wake);
	return 0;
}

void store_settle(struct store *s, const int64_t *rows,
		  const struct bulk_item *verdicts, size_t n)
{
	bool wake = false;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < n; i++) {
		const struct bulk_item *v = &verdicts[i];
		bool dead = v->verdict == BULK_REJECT;

		MEM_GROW(s->settled.v, s->settled.n, s->settled.cap);
		s->settled.v[s->settled.n++] =
			(struct settled){rows[i], v->verdict, v->status,
					 dead ? mem_strdup(v->type) : NULL,
					 dead ? mem_strdup(v->reason) : NULL};
	}
	if (n > 0)
		wake = store_set_due(s, STORE_COMMIT_MS);
	pthread_mutex_unlock(&s->lock);
	if (wake)
		wake_signal(&s->wake);
}

void store_take_ask(struct store *s, struct wake *asker, enum store_range range,
		    size_t max_n, size_t max_bytes)
{
	pthread_mutex_lock(&s->lock);
	assert(s->take.state == NOTHING);
	s->take.state = ASKED;
	s->take.asker = asker;
	s->take.range = range;
	s->take.max_n = max_n;
	s->take.max_bytes = max_bytes;
	pthread_mutex_unlock(&s->lock);
	wake_signal(&s->wake);
}

bool store_take_get(struct store *s, struct store_batch *out)
{
	bool answered;

	pthread_mutex_lock(&s->lock);
	answered = s->take.state == ANSWERED;
	if (answered) {
		*out = s->take.batch;
		s->take = (struct request){.state = NOTHING};
	}
	pthread_mutex_unlock(&s->lock);
	return answered;
}

void store_take_cancel(struct store *s)
{
	struct store_batch b;

	pthread_mutex_lock(&s->lock);
	b = s->take.batch;
	s->take = (struct request){.state = NOTHING};
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < b.n; i++)
		store_settle(s, &b.rows[i], &(struct bulk_item){.verdict = BULK_RETRY},
			     1);
	store_batch_fini(&b);
}

void store_mark_backlog(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->boundary = s->staged.first_id + (int64_t)s->staged.n - 1;
	s->durable.backlog = s->durable.documents;
	pthread_mutex_unlock(&s->lock);
}

/* How many of the documents from `first_id` on are backlog; the lock is held. */
static int64_t backlog_of(const struct store *s, int64_t first_id, int64_t n)
{
	int64_t count = s->boundary - first_id + 1;

	return count < 0 ? 0 : count > n ? n : count;
}

void store_status(struct store *s, struct store_status *out)
{
	int64_t n, staged;

	pthread_mutex_lock(&s->lock);
	*out = s->durable;
	staged = (int64_t)s->staged.n;
	n = staged + s->committing.n;
	out->documents += n;
	out->bytes += s->staged.bytes + s->committing.bytes - n * STAGED_OVERHEAD;
	out->backlog += backlog_of(s, s->staged.first_id, staged) +
			backlog_of(s, s->committing.first_id, s->committing.n);
	if (out->oldest.ms == 0 && s->committing.n > 0)
		out->oldest = s->committing.oldest;
	if (out->oldest.ms == 0 && staged > 0)
		out->oldest = s->staged.docs[s->staged.head].t;
	pthread_mutex_unlock(&s->lock);
}

struct wake *store_wake(struct store *s)
{
	return &s->wake;
}

/* The store's thread */

/* What a step found to do. */
struct work {
	bool commit;
	bool all; /* nothing stayed in staging */
	int64_t boundary;
	struct settled_list settled;
	struct records records;
	struct history_events events;
	struct request take;
};

/* Move a batch out of staging. The lock is held. */
static void grab_batch(struct store *s)
{
	/* Ids in a file that turned up late may be ahead of ours. */
	if (s->staged.first_id < s->pair.next_id)
		s->staged.first_id = s->pair.next_id;
	s->batch.first_id = s->staged.first_id;
	while (s->staged.n > 0 && s->batch.bytes < BATCH_BYTES) {
		struct document d = queue_shift(&s->staged);

		queue_push(&s->batch, &d);
	}
	s->committing.n = (int64_t)s->batch.n;
	s->committing.first_id = s->batch.first_id;
	s->committing.bytes = s->batch.bytes;
	s->committing.oldest =
		s->batch.n > 0 ? s->batch.docs[s->batch.head].t : (struct wall){0};
	s->due = s->staged.n > 0 ? clock_mono() : MONO_NEVER;
}

static struct work grab(struct store *s)
{
	struct work w = {.commit = wake_stopping(&s->wake)};

	pthread_mutex_lock(&s->lock);
	w.commit |= !mono_before(clock_mono(), s->due);
	w.settled = s->settled;
	s->settled = (struct settled_list){NULL, 0, 0};
	if (s->take.state == ASKED)
		w.take = s->take;
	if (w.commit) {
		grab_batch(s);
		w.records = s->records;
		s->records = (struct records){.v = NULL};
	}
	if (s->ask.q == NULL)
		store_grab_question(s);
	if (w.commit || s->ask.q != NULL) { /* an answer has what was told before */
		w.events = s->events;
		s->events = (struct history_events){.v = NULL};
	}
	w.boundary = s->boundary;
	w.all = s->staged.n == 0;
	pthread_mutex_unlock(&s->lock);
	return w;
}

/* Hand the answer over, unless the request was cancelled meanwhile. */
static void answer(struct store *s, struct work *w)
{
	struct store_batch b = {.rows = NULL};

	if (w->take.state != ASKED)
		return;
	pair_take(&s->pair, w->take.range, w->take.max_n, w->take.max_bytes, &b);
	pthread_mutex_lock(&s->lock);
	if (s->take.state == ASKED) {
		s->take.state = ANSWERED;
		s->take.batch = b;
		b = (struct store_batch){.rows = NULL};
		/* Under the lock, so that nobody ends the wake before it is used. */
		wake_signal(s->take.asker);
	}
	pthread_mutex_unlock(&s->lock);
	for (size_t i = 0; i < b.n; i++)
		pair_verdict(&s->pair, b.rows[i], BULK_RETRY, 0, NULL, NULL);
	store_batch_fini(&b);
}

/* Show the others what has become of their documents. Returns when staging is due. */
static struct mono publish(struct store *s)
{
	struct store_status now;
	struct mono due;

	pair_status(&s->pair, &now);
	pthread_mutex_lock(&s->lock);
	s->durable = now;
	s->committing.n = s->committing.bytes = 0;
	due = s->due;
	pthread_mutex_unlock(&s->lock);
	queue_clear(&s->batch);
	store_status(s, &now);
	metrics_set(METRIC_SPOOL_DOCUMENTS, now.documents);
	metrics_set(METRIC_SPOOL_BYTES, now.bytes);
	metrics_set(METRIC_SPOOL_OLDEST_MS, now.oldest.ms);
	metrics_set(METRIC_SPOOL_DEGRADED, now.degraded);
	metrics_set(METRIC_DEAD_LETTERS, now.dead);
	return due;
}

struct step store_step(struct store *s)
{
	struct work w = grab(s);
	struct mono until, due;
	bool asked;

	pair_set_boundary(&s->pair, w.boundary);
	for (size_t i = 0; i < w.settled.n; i++) {
		struct settled *v = &w.settled.v[i];

		pair_verdict(&s->pair, v->row, v->verdict, v->status, v->type,
			     v->reason);
		v->type = v->reason = NULL;
	}
	settled_free(&w.settled);
	pair_put(&s->pair, &w.records);
	pair_history(&s->pair, &w.events);
	if (w.commit)
		pair_commit(&s->pair, s->batch.docs, s->batch.n, s->batch.first_id);
	answer(s, &w);
	asked = store_answer_question(s);
	until = pair_tend(&s->pair);
	due = publish(s);
	if (asked)
		return STEP_NOW;
	if (wake_stopping(&s->wake) && w.commit)
		return w.all ? STEP_DONE : STEP_NOW; /* others may go on appending */
	return STEP_UNTIL(mono_min(until, due));
}

/* Begin and end */

int store_open(struct store **out, const char *dir, const struct store_limits *l,
	       struct err *err)
{
	struct store *s = mem_calloc(1, sizeof(*s));

	if (wake_init(&s->wake) != 0) {
		free(s);
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	}
	pthread_mutex_init(&s->lock, NULL);
	s->staging_bytes = l->staging_bytes;
	s->commit_bytes = COMMIT_BYTES < l->staging_bytes / 2 ? COMMIT_BYTES
							      : l->staging_bytes / 2;
	s->due = MONO_NEVER;
	pair_open(&s->pair, dir, l);
	s->staged.first_id = s->pair.next_id;
	s->boundary = s->pair.boundary;
	(void)publish(s);
	*out = s;
	return 0;
}

void store_close(struct store *s, struct store_end *end)
{
	struct store_end unused;

	if (s == NULL)
		return;
	wake_stop(&s->wake);
	while (!store_step(s).done)
		;
	pair_close(&s->pair, end != NULL ? end : &unused);
	queue_clear(&s->staged);
	free(s->staged.docs);
	free(s->batch.docs);
	settled_free(&s->settled);
	records_fini(&s->records);
	history_events_fini(&s->events);
	free(s->asked.v);
	store_batch_fini(&s->take.batch);
	pthread_mutex_destroy(&s->lock);
	wake_fini(&s->wake);
	free(s);
}
