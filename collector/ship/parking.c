/* SPDX-License-Identifier: MIT
 * parking: see parking.h. */
#include "ship/parking.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/mem.h"

#include "banned.h"

#define AGAIN_MS 1000
#define SLOW_MS 30000
#define CAP_MS 60000
#define FORGET_MS 600000 /* released, and dropped by a limit of the store's */

void parking_fini(struct parking *p)
{
	free(p->v);
	*p = (struct parking){NULL, 0, 0, 0};
}

size_t parking_waiting(const struct parking *p)
{
	return p->n - p->released;
}

bool parking_has_room(const struct parking *p, size_t n)
{
	return n <= PARKING_MAX && p->n <= PARKING_MAX - n;
}

/* The place of the first entry whose row is not less. */
static size_t place(const struct parking *p, int64_t row)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->v[middle].row < row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct parking_row *find(const struct parking *p, int64_t row)
{
	size_t at = place(p, row);

	return at < p->n && p->v[at].row == row ? &p->v[at] : NULL;
}

bool parking_knows(const struct parking *p, int64_t row)
{
	return find(p, row) != NULL;
}

static struct parking_row *insert(struct parking *p, int64_t row)
{
	size_t at = place(p, row);

	assert(p->n < PARKING_MAX);
	MEM_GROW(p->v, p->n, p->cap);
	memmove(&p->v[at + 1], &p->v[at], (p->n - at) * sizeof(*p->v));
	p->n++;
	p->v[at] = (struct parking_row){.row = row};
	return &p->v[at];
}

static void drop(struct parking *p, struct parking_row *r)
{
	p->released -= r->released;
	p->n--;
	memmove(r, r + 1, (size_t)(p->v + p->n - r) * sizeof(*r));
}

void parking_add(struct parking *p, int64_t row, const struct bulk_item *v,
		 int64_t wish_ms, struct mono now)
{
	struct parking_row *r = find(p, row);
	struct backoff b = {.cap_ms = CAP_MS};
	int64_t ms;

	if (r == NULL)
		r = insert(p, row);
	p->released -= r->released;
	r->released = false;
	r->status = (short)v->status;
	b.first_ms = v->pace == PACE_SLOW ? SLOW_MS : AGAIN_MS;
	b.failures = r->attempts;
	ms = backoff_next(&b);
	if (r->attempts < SHRT_MAX)
		r->attempts++;
	r->due = mono_add_ms(now, wish_ms > ms ? wish_ms : ms);
}

bool parking_forget(struct parking *p, int64_t row)
{
	struct parking_row *r = find(p, row);

	if (r == NULL)
		return false;
	drop(p, r);
	return true;
}

static void sweep(struct parking *p, struct mono now)
{
	for (size_t i = p->n; p->released > 0 && i-- > 0;)
		if (p->v[i].released && mono_diff_ms(now, p->v[i].due) > FORGET_MS)
			drop(p, &p->v[i]);
}

static int by_due(const void *a, const void *b)
{
	const struct parking_row *const *x = a, *const *y = b;

	return ((*x)->due.ns > (*y)->due.ns) - ((*x)->due.ns < (*y)->due.ns);
}

static struct bulk_item verdict_of(const struct parking_row *r)
{
	return (struct bulk_item){.verdict = BULK_RETRY, .status = r->status};
}

size_t parking_release(struct parking *p, struct mono now, size_t max, int64_t *rows,
		       struct bulk_item *verdicts)
{
	struct parking_row **due;
	size_t n = 0;

	sweep(p, now);
	max = max > p->released ? max - p->released : 0;
	if (max == 0 || parking_waiting(p) == 0)
		return 0;
	due = mem_calloc(p->n, sizeof(struct parking_row *));
	for (size_t i = 0; i < p->n; i++)
		if (!p->v[i].released && !mono_before(now, p->v[i].due))
			due[n++] = &p->v[i];
	qsort(due, n, sizeof(struct parking_row *), by_due);
	if (n > max)
		n = max;
	for (size_t i = 0; i < n; i++) {
		due[i]->released = true;
		rows[i] = due[i]->row;
		verdicts[i] = verdict_of(due[i]);
	}
	p->released += n;
	free(due);
	return n;
}

bool parking_take(struct parking *p, int64_t *row, struct bulk_item *verdict)
{
	while (p->n > 0) {
		struct parking_row r = p->v[--p->n];

		p->released -= r.released;
		if (r.released)
			continue;
		*row = r.row;
		*verdict = verdict_of(&r);
		return true;
	}
	return false;
}
