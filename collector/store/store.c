/* SPDX-License-Identifier: MIT
 * store: see store.h. What other threads touch stands under one lock, which covers
 * memory only: staging, verdicts, one request slot, a copy of the state. The pair of
 * databases, and the batch on its way to them, belong to the store's thread. */
#include "store/store.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "ask_int.h"
#include "history_int.h"
#include "pair_int.h"

#include "banned.h"

#define COMMIT_BYTES (1 << 20) /* staged: do not wait for STORE_COMMIT_MS */
#define BATCH_BYTES (4 << 20)  /* in one transaction */
#define STAGED_OVERHEAD 128    /* of a document, beside its JSON */
#define EVENTS_MAX (8 << 20)   /* bytes of history on its way to the thread */

/* Documents in order; their ids are counted up from first_id. */
struct queue {
	struct document *docs; /* [head, head + n) are in use */
	size_t head, n, cap;
	int64_t bytes; /* with overhead */
	int64_t first_id;
};

struct settled {
	int64_t row;
	enum bulk_verdict verdict;
	int status;
	char *type, *reason; /* NULL unless rejected */
};

struct settled_list {
	struct settled *v;
	size_t n, cap;
};

struct request {
	enum { NOTHING, ASKED, ANSWERED } state;
	struct wake *asker;
	enum store_range range;
	size_t max_n, max_bytes;
	struct store_batch batch;
};

/* Questions in the order in which they came. */
struct asked {
	struct store_question *q;
	int64_t number;
};

struct asked_list {
	struct asked *v;
	size_t n, cap;
};

struct store {
	struct wake wake;
	int64_t staging_bytes, commit_bytes;

	pthread_mutex_t lock; /* a leaf */
	struct queue staged;
	struct { /* the batch under way, until its outcome is published */
		int64_t n, first_id, bytes;
	} committing;
	struct mono due; /* when the next group commit is */
	struct settled_list settled;
	struct records records;
	struct history_events events;
	struct asked_list asked;
	int64_t asked_last; /* number */
	int64_t answering;  /* number of the question in hand, 0 none or cancelled */
	struct request take;
	int64_t boundary;
	struct store_status durable; /* without what is staged or in the batch */

	/* the store's thread's own */
	struct pair pair;
	struct queue batch;
	struct ask ask;
	int64_t ask_number;
};

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

/* Is the thread to be woken? The lock is held. */
static bool set_due(struct store *s, int64_t ms)
{
	struct mono due = mono_add_ms(clock_mono(), ms);

	if (!mono_before(due, s->due))
		return false;
	s->due = due;
	return true;
}

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
		wake = set_due(s, STORE_COMMIT_MS);
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
		wake = set_due(s, STORE_COMMIT_MS);
	pthread_mutex_unlock(&s->lock);
	if (wake)
		wake_signal(&s->wake);
}

void store_put(struct store *s, enum store_kind kind, const char *key,
	       const void *bytes, size_t len)
{
	bool wake;

	pthread_mutex_lock(&s->lock);
	records_put(&s->records, kind, key, bytes, len);
	wake = set_due(s, STORE_COMMIT_MS);
	pthread_mutex_unlock(&s->lock);
	if (wake)
		wake_signal(&s->wake);
}

void store_each(struct store *s, enum store_kind kind, store_record *each, void *arg)
{
	struct records found = {.v = NULL};

	pthread_mutex_lock(&s->lock);
	pair_put(&s->pair, &s->records);
	pthread_mutex_unlock(&s->lock);
	pair_records(&s->pair, kind, &found);
	records_each(&found, kind, each, arg);
	records_fini(&found);
}

/* The parts with NUL between them. */
static char *event_name(const struct store_topic *of, size_t *len)
{
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	buf_addstr(&b, of->cluster == NULL ? "" : of->cluster);
	buf_addch(&b, '\0');
	buf_addstr(&b, of->group == NULL ? "" : of->group);
	buf_addch(&b, '\0');
	buf_addstr(&b, of->topic == NULL ? "" : of->topic);
	*len = b.len;
	return buf_take(&b);
}

/* Takes over the event. While the disk stands still there is no room for ever. */
static void add_event(struct store *s, struct history_event e)
{
	int64_t bytes =
		(int64_t)(sizeof(e) + e.len + e.point.n * sizeof(*e.point.lags) +
			  (e.gap == NULL ? 0 : sizeof(*e.gap)));
	bool wake = false;

	pthread_mutex_lock(&s->lock);
	if (s->events.bytes + bytes <= EVENTS_MAX) {
		MEM_GROW(s->events.v, s->events.n, s->events.cap);
		s->events.v[s->events.n++] = e;
		s->events.bytes += bytes;
		e = (struct history_event){.name = NULL};
		wake = set_due(s, STORE_COMMIT_MS);
	}
	pthread_mutex_unlock(&s->lock);
	history_event_fini(&e);
	if (wake)
		wake_signal(&s->wake);
}

void store_history_add(struct store *s, const struct store_topic *of,
		       const struct history_point *p)
{
	struct history_event e = {.point = *p};

	e.name = event_name(of, &e.len);
	e.point.lags = mem_calloc(p->n, sizeof(*p->lags));
	if (p->n > 0)
		memcpy(e.point.lags, p->lags, p->n * sizeof(*p->lags));
	add_event(s, e);
}

void store_history_gap(struct store *s, const struct store_topic *of, struct wall from,
		       const struct gap *gap)
{
	struct history_event e = {.gap = mem_calloc(1, sizeof(*e.gap))};

	e.name = event_name(of, &e.len);
	e.gap->from = from;
	snprintf(e.gap->reason, sizeof(e.gap->reason), "%s", reason_name(gap->reason));
	snprintf(e.gap->message, sizeof(e.gap->message), "%s", gap->message);
	add_event(s, e);
}

int64_t store_ask(struct store *s, struct store_question *q)
{
	int64_t number;

	pthread_mutex_lock(&s->lock);
	number = ++s->asked_last;
	MEM_GROW(s->asked.v, s->asked.n, s->asked.cap);
	s->asked.v[s->asked.n++] = (struct asked){q, number};
	pthread_mutex_unlock(&s->lock);
	wake_signal(&s->wake);
	return number;
}

bool store_cancel(struct store *s, int64_t number)
{
	struct store_question *gone = NULL;
	bool cancelled;

	pthread_mutex_lock(&s->lock);
	cancelled = number != 0 && s->answering == number;
	if (cancelled)
		s->answering = 0; /* freed by the thread when it has finished */
	for (size_t i = 0; i < s->asked.n && !cancelled; i++) {
		if (s->asked.v[i].number != number)
			continue;
		cancelled = true;
		gone = s->asked.v[i].q;
		s->asked.n--;
		memmove(&s->asked.v[i], &s->asked.v[i + 1],
			(s->asked.n - i) * sizeof(*s->asked.v));
	}
	pthread_mutex_unlock(&s->lock);
	store_question_free(gone);
	return cancelled;
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
	s->due = s->staged.n > 0 ? clock_mono() : MONO_NEVER;
}

/* The lock is held. */
static void grab_question(struct store *s)
{
	struct asked_list *l = &s->asked;

	if (l->n == 0)
		return;
	s->ask.q = l->v[0].q;
	s->ask_number = s->answering = l->v[0].number;
	l->n--;
	memmove(&l->v[0], &l->v[1], l->n * sizeof(*l->v));
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
		grab_question(s);
	if (w.commit || s->ask.q != NULL) { /* an answer has what was told before */
		w.events = s->events;
		s->events = (struct history_events){.v = NULL};
	}
	w.boundary = s->boundary;
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

/* A slice of the question in hand. Returns whether there is more to do. */
static bool answer_question(struct store *s)
{
	struct store_question *q = s->ask.q;
	bool over, wanted, more;

	if (q == NULL)
		return false;
	over = ask_step(&s->ask, &s->pair);
	pthread_mutex_lock(&s->lock);
	wanted = s->answering == s->ask_number;
	if (over)
		s->answering = 0;
	/* What was put into the queue anew has ids of its own. */
	if (s->staged.first_id < s->pair.next_id)
		s->staged.first_id = s->pair.next_id;
	if (q->kind == STORE_IMPORT) /* old ones, however large their ids */
		s->boundary = s->staged.first_id + (int64_t)s->staged.n - 1;
	/* a changed boundary is seen to in the next step */
	more = !over || s->asked.n > 0 || q->kind == STORE_IMPORT;
	pthread_mutex_unlock(&s->lock);
	if (over && wanted)
		q->done(q);
	else if (over)
		store_question_free(q);
	return more;
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
	asked = answer_question(s);
	until = pair_tend(&s->pair);
	due = publish(s);
	if (asked)
		return STEP_NOW;
	if (wake_stopping(&s->wake) && w.commit)
		return due.ns == MONO_NEVER.ns ? STEP_DONE : STEP_NOW;
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

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	wake_stop(&s->wake);
	while (!store_step(s).done)
		;
	pair_close(&s->pair);
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
