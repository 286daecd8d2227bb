/* SPDX-License-Identifier: MIT
 * crew: see crew.h. Whether a stream is the same in two configurations is asked of what
 * `mmlag export config` prints of its topics: there is nothing else to be compared, and
 * no key can be forgotten. */
#include "follow/crew.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/actor.h"
#include "follow/plan.h"
#include "config/printed.h"
#include "follow/tailer.h"

#include "banned.h"

struct mark { /* of a stream: equal ones are the same */
	unsigned char bytes[HASH_SHA256_LEN];
};

struct hand {
	struct mark mark;
	struct config *config; /* a reference */
	struct plan_stream stream;
	struct tailer *tailer;
	struct actor actor, far_actor; /* the latter where there is a far side */
	bool stays;
};

struct crew {
	struct store *store;
	struct board *board;
	struct hand **v;
	size_t n, cap;
};

/* Marks */

/* What the printed form does not tell of a topic. */
static json_t *unprinted(const struct config_topic *t)
{
	return json_pack("[b,b,b]", t->port_explicit, t->known_hosts_explicit,
			 t->host_key_explicit);
}

/* A pattern follows what no other entry names. */
static void add_rivals(const struct config *c, const struct config_topic *t,
		       json_t *what)
{
	for (size_t i = 0; t->match != NULL && i < c->topic_count; i++) {
		const struct config_topic *other = &c->topics[i];

		json_array_append_new(what, json_pack("[s?,s?,s?,s?]", other->cluster,
						      other->group, other->name,
						      other->match));
	}
}

static struct mark mark_of(const struct plan_stream *p, const json_t *topics)
{
	json_t *what = json_array();
	struct mark m;
	char *text;

	for (size_t i = 0; i < p->n; i++) {
		size_t at = (size_t)(p->topics[i] - p->config->topics);

		json_array_append(what, json_array_get(topics, at));
		json_array_append_new(what, unprinted(p->topics[i]));
		add_rivals(p->config, p->topics[i], what);
	}
	text = json_dumps(what, JSON_COMPACT | JSON_SORT_KEYS);
	hash_sha256(text, text != NULL ? strlen(text) : 0, m.bytes);
	free(text);
	json_decref(what);
	return m;
}

static struct hand *find(const struct crew *w, const struct mark *m)
{
	for (size_t i = 0; i < w->n; i++)
		if (memcmp(&w->v[i]->mark, m, sizeof(*m)) == 0)
			return w->v[i];
	return NULL;
}

/* Begin and end */

struct crew *crew_new(struct store *store, struct board *board)
{
	struct crew *w = mem_calloc(1, sizeof(*w));

	w->store = store;
	w->board = board;
	return w;
}

void crew_free(struct crew *w)
{
	if (w == NULL)
		return;
	crew_end_others(w, NULL, NULL);
	free(w->v);
	free(w);
}

size_t crew_size(const struct crew *w)
{
	return w->n;
}

static void mark_those_who_stay(struct crew *w, const struct config *c)
{
	struct plan plan = plan_make(c, PLAN_AS_CONFIGURED);
	json_t *topics = printed(c, "topics");

	for (size_t i = 0; i < plan.n; i++) {
		struct mark m = mark_of(&plan.streams[i], topics);
		struct hand *h = find(w, &m);

		if (h != NULL)
			h->stays = true;
	}
	json_decref(topics);
	plan_free(&plan);
}

static void hand_free(struct hand *h)
{
	tailer_free(h->tailer);
	free(h->stream.topics);
	config_unref(h->config);
	free(h);
}

void crew_end_others(struct crew *w, const struct config *c, struct records *windows)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		w->v[i]->stays = false;
	if (c != NULL)
		mark_those_who_stay(w, c);
	for (size_t i = 0; i < w->n; i++) {
		struct hand *h = w->v[i];

		if (h->stays)
			continue;
		if (windows != NULL)
			tailer_keep_windows(h->tailer);
		wake_stop(tailer_wake(h->tailer));
		if (tailer_far(h->tailer) != NULL)
			wake_stop(far_wake(tailer_far(h->tailer)));
	}
	for (size_t i = 0; i < w->n; i++) {
		struct hand *h = w->v[i];

		if (h->stays) {
			w->v[kept++] = h;
			continue;
		}
		actor_join(&h->actor);
		actor_join(&h->far_actor);
		if (windows != NULL)
			tailer_take_windows(h->tailer, windows);
		hand_free(h);
	}
	w->n = kept;
}

/* Takes over what the plan holds of the stream. */
static int add(struct crew *w, struct plan_stream *p, struct config *c, struct mark m,
	       struct err *err)
{
	struct hand *h = mem_calloc(1, sizeof(*h));

	h->mark = m;
	h->config = config_ref(c);
	h->stream = *p;
	p->topics = NULL;
	h->tailer = tailer_new(&h->stream, w->store, w->board);
	if (h->tailer == NULL) {
		hand_free(h);
		return err_set_errno(err, ERR_RETRY, errno,
				     "no descriptor is left (ulimit -n)");
	}
	MEM_GROW(w->v, w->n, w->cap);
	w->v[w->n++] = h;
	return 0;
}

static int add_missing(struct crew *w, struct config *c, struct err *err)
{
	struct plan plan = plan_make(c, PLAN_AS_CONFIGURED);
	json_t *topics = printed(c, "topics");
	size_t there = w->n;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < plan.n; i++) {
		struct mark m = mark_of(&plan.streams[i], topics);

		if (there == 0 || find(w, &m) == NULL)
			rc = add(w, &plan.streams[i], c, m, err);
	}
	json_decref(topics);
	plan_free(&plan);
	return rc;
}

/* Those from number `from` on. */
static void restore(struct crew *w, size_t from, const struct records *windows)
{
	struct tailer **new = mem_calloc(w->n - from + 1, sizeof(struct tailer *));

	for (size_t i = from; i < w->n; i++)
		new[i - from] = w->v[i]->tailer;
	tailers_restore(new, w->n - from, w->store, windows);
	free(new);
}

static int hand_start(struct hand *h, struct err *err)
{
	struct far *far = tailer_far(h->tailer);

	if (far != NULL && actor_start(&h->far_actor, "target", far_step, far,
				       far_wake(far), NULL, err) != 0)
		return err->class;
	return actor_start(&h->actor, tailer_name(h->tailer), tailer_step, h->tailer,
			   tailer_wake(h->tailer), NULL, err);
}

int crew_begin(struct crew *w, struct config *c, struct records *windows,
	       struct err *err)
{
	size_t from = w->n;

	if (add_missing(w, c, err) != 0)
		return err->class;
	restore(w, from, windows);
	records_fini(windows);
	for (size_t i = from; i < w->n; i++)
		if (hand_start(w->v[i], err) != 0)
			return err->class;
	return 0;
}
