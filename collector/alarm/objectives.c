/* SPDX-License-Identifier: MIT */
#include "alarm/objectives.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "config/config.h"

#include "banned.h"

struct objectives_entry { /* a topic */
	char *key;
	struct objective objective;
	const struct view *view; /* of the last look that saw it; a reference */
	uint64_t look;           /* that one */
	bool known, within;      /* at that look */
	bool dirty;
};

static void restore_one(void *arg, const char *key, const void *bytes, size_t len)
{
	struct objectives *o = arg;
	struct objectives_entry e = {.key = mem_strdup(key)};

	/* One of another span is begun anew when the topic is seen; one that cannot be
	 * read is empty, and goes with those that nobody asks for. */
	objective_read(&e.objective, bytes, len);
	MEM_GROW(o->v, o->n, o->cap);
	o->v[o->n++] = e;
}

void objectives_restore(struct objectives *o, struct store *store)
{
	store_each(store, STORE_OBJECTIVE, restore_one, o);
}

static void entry_fini(struct objectives_entry *e)
{
	view_unref(e->view);
	free(e->key);
}

void objectives_fini(struct objectives *o)
{
	for (size_t i = 0; i < o->n; i++)
		entry_fini(&o->v[i]);
	free(o->v);
	*o = (struct objectives){NULL, 0, 0, 0};
}

static struct objectives_entry *entry_of(struct objectives *o, const struct view *v)
{
	char *key =
		mem_printf("%s\n%s\n%s", v->name.cluster, v->name.group, v->name.topic);
	struct objective fresh;
	size_t i = 0;

	objective_init(&fresh, v->config->objective.over_ms);
	while (i < o->n && strcmp(o->v[i].key, key) != 0)
		i++;
	if (i < o->n) {
		free(key);
	} else {
		MEM_GROW(o->v, o->n, o->cap);
		o->v[o->n++] =
			(struct objectives_entry){.key = key, .objective = fresh};
	}
	if (o->v[i].objective.piece_ms != fresh.piece_ms)
		o->v[i].objective = fresh;
	return &o->v[i];
}

void objectives_look(struct objectives *o, const struct board_views *views,
		     int64_t from_ms, int64_t to_ms, condition_each *each, void *arg)
{
	o->look++;
	for (size_t i = 0; i < views->n; i++) {
		const struct view *v = views->v[i];
		struct objectives_entry *e;

		if (v->config == NULL || !v->config->objective.set)
			continue;
		e = entry_of(o, v);
		if (e->known && e->look + 1 == o->look) {
			objective_add(&e->objective, e->within, from_ms, to_ms);
			e->dirty = true;
		}
		e->look = o->look;
		e->known = v->sample.taken.ms != 0 && v->gap.reason == REASON_NONE &&
			   v->totals.with_lag > 0;
		e->within = e->known && v->totals.max <= v->config->objective.lag_max;
		view_unref(e->view);
		e->view = view_ref(v);
		condition_objective(v, objective_sums(&e->objective, to_ms), each, arg);
	}
}

static void show_one(const struct objectives_entry *e, int64_t now_ms, struct jsonw *w)
{
	const struct config_topic *t = e->view->config;
	struct objective_sums sums = objective_sums(&e->objective, now_ms);
	int64_t total = sums.within_ms + sums.beyond_ms;

	jsonw_object(w);
	jsonw_key_str(w, "cluster", e->view->name.cluster);
	jsonw_key_str(w, "group", e->view->name.group);
	jsonw_key_str(w, "topic", e->view->name.topic);
	jsonw_key_int(w, "lag_max", t->objective.lag_max);
	jsonw_key(w, "share");
	jsonw_real(w, t->objective.share, 8);
	jsonw_key_int(w, "over_ms", t->objective.over_ms);
	jsonw_key(w, "kept");
	jsonw_real(w, total > 0 ? (double)sums.within_ms / (double)total : NAN, 8);
	jsonw_key_int(w, "beyond_ms", sums.beyond_ms);
	jsonw_end(w);
}

void objectives_show(const struct objectives *o, int64_t now_ms, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_array(&w);
	for (size_t i = 0; i < o->n; i++)
		if (o->v[i].view != NULL && o->v[i].look == o->look)
			show_one(&o->v[i], now_ms, &w);
	jsonw_end(&w);
}

/* A topic that nobody follows any more is remembered as long as it would count if it
 * came back: for its span. */
static void forget(struct objectives *o, struct store *store, int64_t now_ms)
{
	size_t kept = 0;

	for (size_t i = 0; i < o->n; i++) {
		struct objectives_entry *e = &o->v[i];
		struct objective_sums sums = objective_sums(&e->objective, now_ms);

		if (e->look == o->look || sums.within_ms + sums.beyond_ms > 0) {
			o->v[kept++] = *e;
			continue;
		}
		store_put(store, STORE_OBJECTIVE, e->key, NULL, 0);
		entry_fini(e);
	}
	o->n = kept;
}

void objectives_save(struct objectives *o, struct store *store, int64_t now_ms)
{
	struct buf text = BUF_INIT(1 << 16);

	forget(o, store, now_ms);
	for (size_t i = 0; i < o->n; i++) {
		struct objectives_entry *e = &o->v[i];

		if (!e->dirty)
			continue;
		buf_reset(&text);
		objective_write(&e->objective, &text);
		store_put(store, STORE_OBJECTIVE, e->key, text.data, text.len);
		e->dirty = false;
	}
	buf_free(&text);
}
