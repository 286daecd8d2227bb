/* SPDX-License-Identifier: MIT
 * board: see board.h. The slots stand in a list in no order; readers sort what they
 * got. */
#include "board/board.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#include "banned.h"

struct board_slot {
	const struct view *view; /* NULL before the first */
	size_t at;               /* its place in the list */
};

struct place {
	struct board_slot *slot;
};

struct line {
	char *json;
	size_t len;
};

struct mailbox { /* oldest first */
	struct line v[BOARD_ASKED_MAX];
	size_t n;
};

struct board {
	pthread_mutex_t lock; /* protects all below but the version's readers */
	_Atomic uint64_t version;
	struct place *places;
	size_t n, cap;
	struct buf sections[BOARD_SECTIONS];
	struct mailbox asked[BOARD_REQUESTS];
	struct line *lines; /* a ring: `first` is the oldest of `kept` */
	size_t first, kept, bytes;
	uint64_t last; /* number of the newest line */
};

#define LINES_MAX 4096 /* a document has some 300 bytes */
#define SECTION_MAX (8 << 20)

struct board *board_new(void)
{
	struct board *b = mem_calloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	atomic_init(&b->version, 1);
	for (int i = 0; i < BOARD_SECTIONS; i++)
		buf_init(&b->sections[i], SECTION_MAX);
	b->lines = mem_calloc(LINES_MAX, sizeof(*b->lines));
	return b;
}

void board_free(struct board *b)
{
	if (b == NULL)
		return;
	for (int i = 0; i < BOARD_SECTIONS; i++)
		buf_free(&b->sections[i]);
	for (int i = 0; i < BOARD_REQUESTS; i++)
		for (size_t k = 0; k < b->asked[i].n; k++)
			free(b->asked[i].v[k].json);
	for (size_t i = 0; i < b->kept; i++)
		free(b->lines[(b->first + i) % LINES_MAX].json);
	free(b->lines);
	free(b->places);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static void changed(struct board *b)
{
	atomic_fetch_add(&b->version, 1);
}

struct board_slot *board_add(struct board *b)
{
	struct board_slot *slot = mem_calloc(1, sizeof(*slot));

	pthread_mutex_lock(&b->lock);
	MEM_GROW(b->places, b->n, b->cap);
	slot->at = b->n;
	b->places[b->n++].slot = slot;
	pthread_mutex_unlock(&b->lock);
	return slot;
}

void board_drop(struct board *b, struct board_slot *slot)
{
	if (slot == NULL)
		return;
	pthread_mutex_lock(&b->lock);
	b->places[slot->at] = b->places[--b->n];
	b->places[slot->at].slot->at = slot->at;
	changed(b);
	pthread_mutex_unlock(&b->lock);
	view_unref(slot->view);
	free(slot);
}

void board_publish(struct board *b, struct board_slot *slot, struct view *v)
{
	const struct view *old;

	pthread_mutex_lock(&b->lock);
	old = slot->view;
	slot->view = v;
	changed(b);
	pthread_mutex_unlock(&b->lock);
	view_unref(old);
}

uint64_t board_version(const struct board *b)
{
	return atomic_load(&((struct board *)(uintptr_t)b)->version);
}

static int by_name(const void *a, const void *b)
{
	const struct view_name *x = &(*(const struct view *const *)a)->name;
	const struct view_name *y = &(*(const struct view *const *)b)->name;
	int c = strcmp(x->cluster, y->cluster);

	if (c == 0)
		c = strcmp(x->group, y->group);
	if (c == 0)
		c = strcmp(x->topic, y->topic);
	return c != 0 ? c : strcmp(x->match, y->match);
}

struct board_views board_look(struct board *b)
{
	struct board_views w = {NULL, 0, 0};

	pthread_mutex_lock(&b->lock);
	w.version = atomic_load(&b->version);
	w.v = mem_calloc(b->n + 1, sizeof(struct view *));
	for (size_t i = 0; i < b->n; i++)
		if (b->places[i].slot->view != NULL)
			w.v[w.n++] = view_ref(b->places[i].slot->view);
	pthread_mutex_unlock(&b->lock);
	qsort(w.v, w.n, sizeof(struct view *), by_name);
	return w;
}

void board_views_fini(struct board_views *w)
{
	for (size_t i = 0; i < w->n; i++)
		view_unref(w->v[i]);
	free(w->v);
	*w = (struct board_views){NULL, 0, 0};
}

void board_tell(struct board *b, enum board_section s, const char *json, size_t len)
{
	struct buf *to = &b->sections[s];

	pthread_mutex_lock(&b->lock);
	if (to->len != len || (len > 0 && memcmp(to->data, json, len) != 0)) {
		buf_reset(to);
		(void)buf_add(to, json, len);
		if (to->failed) /* half a section is no JSON */
			buf_reset(to);
		changed(b);
	}
	pthread_mutex_unlock(&b->lock);
}

void board_told(struct board *b, enum board_section s, struct buf *out)
{
	const struct buf *from = &b->sections[s];

	pthread_mutex_lock(&b->lock);
	if (from->len > 0)
		(void)buf_add(out, from->data, from->len);
	else
		(void)buf_addstr(out, "null");
	pthread_mutex_unlock(&b->lock);
}

int board_ask(struct board *b, enum board_request kind, const char *json, size_t len)
{
	struct mailbox *m = &b->asked[kind];
	char *copy = mem_strndup(json, len);
	int rc = ERR_AGAIN;

	pthread_mutex_lock(&b->lock);
	if (m->n < BOARD_ASKED_MAX) {
		m->v[m->n++] = (struct line){copy, len};
		copy = NULL;
		changed(b);
		rc = 0;
	}
	pthread_mutex_unlock(&b->lock);
	free(copy);
	return rc;
}

bool board_asked(struct board *b, enum board_request kind, struct buf *out)
{
	struct mailbox *m = &b->asked[kind];
	struct line oldest = {NULL, 0};

	pthread_mutex_lock(&b->lock);
	if (m->n > 0) {
		oldest = m->v[0];
		m->n--;
		memmove(m->v, m->v + 1, m->n * sizeof(*m->v));
	}
	pthread_mutex_unlock(&b->lock);
	if (oldest.json == NULL)
		return false;
	(void)buf_add(out, oldest.json, oldest.len);
	free(oldest.json);
	return true;
}

void board_document(struct board *b, const char *json, size_t len)
{
	char *copy;

	if (len > BOARD_DOCUMENT_BYTES)
		return;
	copy = mem_strndup(json, len);
	pthread_mutex_lock(&b->lock);
	while (b->kept == LINES_MAX ||
	       (b->kept > 0 && b->bytes + len > BOARD_DOCUMENT_BYTES)) {
		b->bytes -= b->lines[b->first].len;
		free(b->lines[b->first].json);
		b->first = (b->first + 1) % LINES_MAX;
		b->kept--;
	}
	b->lines[(b->first + b->kept++) % LINES_MAX] = (struct line){copy, len};
	b->bytes += len;
	b->last++;
	pthread_mutex_unlock(&b->lock);
}

uint64_t board_documents(struct board *b, uint64_t after, size_t max, struct buf *out)
{
	uint64_t oldest, number;
	size_t added = 0;

	pthread_mutex_lock(&b->lock);
	oldest = b->last - b->kept + 1;
	number =
		after > b->last ? 1 : after + 1; /* another life's numbers begin anew */
	if (number < oldest)
		number = oldest;
	for (; number <= b->last; number++) {
		const struct line *l =
			&b->lines[(b->first + (size_t)(number - oldest)) % LINES_MAX];

		if (added + l->len + 1 > max && added > 0)
			break;
		(void)buf_add(out, l->json, l->len);
		(void)buf_addch(out, '\n');
		added += l->len + 1;
	}
	pthread_mutex_unlock(&b->lock);
	return number - 1;
}
