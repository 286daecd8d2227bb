/* SPDX-License-Identifier: MIT
 * store_beside: what the store keeps beside documents, and the questions that it
 * answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store_int.h"

#include "banned.h"

#define EVENTS_MAX (8 << 20) /* bytes of history on its way to the thread */

bool store_set_due(struct store *s, int64_t ms)
{
	struct mono due = mono_add_ms(clock_mono(), ms);

	if (!mono_before(due, s->due))
		return false;
	s->due = due;
	return true;
}

void store_put(struct store *s, enum store_kind kind, const char *key,
	       const void *bytes, size_t len)
{
	bool wake;

	pthread_mutex_lock(&s->lock);
	records_put(&s->records, kind, key, bytes, len);
	wake = store_set_due(s, STORE_COMMIT_MS);
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
		wake = store_set_due(s, STORE_COMMIT_MS);
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

void store_grab_question(struct store *s)
{
	struct asked_list *l = &s->asked;

	if (l->n == 0)
		return;
	s->ask.q = l->v[0].q;
	s->ask_number = s->answering = l->v[0].number;
	l->n--;
	memmove(&l->v[0], &l->v[1], l->n * sizeof(*l->v));
}

bool store_answer_question(struct store *s)
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
