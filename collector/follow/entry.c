/* SPDX-License-Identifier: MIT
 * entry: see entry_int.h. */
#include "follow/entry_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "follow/pattern.h"
#include "follow/stream.h"

#include "banned.h"

#define FORGET_RUNS 10 /* and FORGET_MS: how long a found topic may be away */
#define FORGET_MS 600000

struct entry {
	const struct config_topic *topic;
	struct board *board;
	struct pattern *pattern; /* NULL: one topic, and nothing is ever found */
	const void *stream;      /* an identity, for the slots */
	struct slot *own;
	struct slot **found; /* in order of name */
	size_t n, cap;
	bool full; /* told that there are too many */
};

struct entry *entry_new(const struct config *c, const struct config_topic *t,
			struct board *board, const void *stream)
{
	struct entry *e = mem_calloc(1, sizeof(*e));

	e->topic = t;
	e->board = board;
	e->stream = stream;
	if (t->match != NULL)
		e->pattern = pattern_new(c, t);
	e->own = slot_new(t, t->name, board, stream);
	return e;
}

void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++)
		slot_free(e->found[i]);
	free(e->found);
	slot_free(e->own);
	pattern_free(e->pattern);
	free(e);
}

const struct config_topic *entry_topic(const struct entry *e)
{
	return e->topic;
}

struct slots entry_slots(struct entry *e)
{
	return e->n > 0 ? (struct slots){e->found, e->n} : (struct slots){&e->own, 1};
}

/* The place of a name among what was found, or where it belongs. */
static size_t place_of(const struct entry *e, const char *name, bool *there)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, slot_name(e->found[middle]));

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

static bool is_mine(const struct entry *e, const char *group, const char *topic)
{
	const char *wanted = e->topic->group;

	return e->pattern != NULL &&
	       (wanted == NULL || *group == '\0' || strcmp(wanted, group) == 0) &&
	       pattern_takes(e->pattern, topic);
}

struct slot *entry_find(struct entry *e, const char *group, const char *topic,
			struct findings *out)
{
	bool there;
	size_t at = place_of(e, topic, &there);

	if (there || !is_mine(e, group, topic))
		return NULL;
	if (e->n == STREAM_FOUND_MAX) {
		if (!e->full)
			findings_add(out, e->topic, NULL)->notice = mem_printf(
				"matches more than %d topics; the others are not "
				"followed",
				STREAM_FOUND_MAX);
		e->full = true;
		return NULL;
	}
	MEM_GROW(e->found, e->n, e->cap);
	memmove(&e->found[at + 1], &e->found[at], (e->n - at) * sizeof(struct slot *));
	e->found[at] = slot_new(e->topic, topic, e->board, e->stream);
	if (e->n++ == 0)
		slot_rest(e->own);
	return e->found[at];
}

void entry_forget(struct entry *e, struct mono now, struct findings *out)
{
	int64_t runs = FORGET_RUNS * e->topic->interval_ms;
	int64_t away = runs > FORGET_MS ? runs : FORGET_MS;
	size_t kept = 0;

	for (size_t i = 0; i < e->n; i++) {
		struct slot *s = e->found[i];

		if (!slot_is_away(s, now, away)) {
			e->found[kept++] = s;
			continue;
		}
		findings_add(out, e->topic, slot_name(s))->notice = mem_printf(
			"no longer followed: the group has not had it for %lld min",
			(long long)(away / 60000));
		slot_free(s);
		e->full = false;
	}
	if (kept == 0 && e->n > 0)
		slot_rest(e->own);
	e->n = kept;
}

bool entry_may_find(const struct entry *e, const char *key)
{
	const char *topic = strrchr(key, '\n');
	const char *own = slot_key(e->own);

	return e->pattern != NULL && topic != NULL &&
	       strncmp(key, own, strlen(own)) == 0 &&
	       pattern_takes(e->pattern, topic + 1);
}
