/* SPDX-License-Identifier: MIT
 * ask: questions to the store. The request is suspended; the store's thread puts the
 * answered question into an inbox and wakes us; the next step finishes the request. So
 * nobody else waits for the disk. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/door_int.h"
#include "serve/serve_int.h"

#include "banned.h"

struct serve_asked {
	struct serve *serve;
	struct request *request; /* NULL: nobody waits any more */
	struct store_question *question;
	int64_t number;
	serve_finish *finish;
	struct serve_asked *next_open;  /* of those that are not answered yet */
	struct serve_asked *next_inbox; /* of those that are */
};

/* Called by the store's thread. Woken under the lock: who takes it out of the inbox may
 * free us as soon as the lock is let go. */
static void done(struct store_question *q)
{
	struct serve_asked *a = q->arg;
	struct serve *s = a->serve;

	pthread_mutex_lock(&s->inbox_lock);
	a->next_inbox = s->inbox;
	s->inbox = a;
	wake_signal(&s->wake);
	pthread_mutex_unlock(&s->inbox_lock);
}

struct store_question *ask_new(struct serve *s, enum store_question_kind kind)
{
	struct serve_asked *a = mem_calloc(1, sizeof(*a));

	a->serve = s;
	a->question = store_question_new(kind, done, a);
	return a->question;
}

void ask_cancel_new(struct store_question *q)
{
	free(q->arg);
	store_question_free(q);
}

void ask_store(struct serve *s, struct request *r, struct store_question *q,
	       serve_finish *finish)
{
	struct serve_asked *a = q->arg;

	a->request = r;
	a->finish = finish;
	a->next_open = s->open;
	s->open = a;
	r->waiting = true;
	a->number = store_ask(s->parts.store, q);
}

static void unlink_open(struct serve *s, const struct serve_asked *a)
{
	struct serve_asked **p = &s->open;

	while (*p != a)
		p = &(*p)->next_open;
	*p = a->next_open;
}

static struct serve_asked *empty_inbox(struct serve *s)
{
	struct serve_asked *first;

	pthread_mutex_lock(&s->inbox_lock);
	first = s->inbox;
	s->inbox = NULL;
	pthread_mutex_unlock(&s->inbox_lock);
	return first;
}

void ask_finish(struct serve *s)
{
	struct serve_asked *next;

	for (struct serve_asked *a = empty_inbox(s); a != NULL; a = next) {
		next = a->next_inbox;
		unlink_open(s, a);
		a->finish(s, a->request, a->question);
		door_resume(a->request);
		ask_cancel_new(a->question);
	}
}

void ask_give_up(struct serve *s)
{
	struct serve_asked *next;

	for (struct serve_asked *a = s->open; a != NULL; a = next) {
		next = a->next_open;
		if (!store_cancel(s->parts.store, a->number))
			continue; /* it is in the inbox, or at this moment on its way */
		unlink_open(s, a);
		reply_error(&a->request->reply, MHD_HTTP_SERVICE_UNAVAILABLE,
			    "mmlag is stopping");
		door_resume(a->request);
		free(a);
	}
	while (s->open != NULL)
		ask_finish(s);
}
