/* SPDX-License-Identifier: MIT
 * flight: see flight_int.h. */
#include "flight_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

void flights_fini(struct flights *f)
{
	free(f->v);
	*f = (struct flights){NULL, 0, 0};
}

/* The place of the first entry with an id of at least `id`. */
static size_t place(const struct flights *f, int64_t id)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->v[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void flights_add(struct flights *f, int64_t id, int64_t bytes, struct share *of)
{
	size_t at = place(f, id);

	MEM_GROW(f->v, f->n, f->cap);
	memmove(&f->v[at + 1], &f->v[at], (f->n - at) * sizeof(*f->v));
	f->v[at] = (struct flight){.id = id, .bytes = bytes, .of = of};
	f->n++;
}

struct flight *flights_find(struct flights *f, int64_t id)
{
	size_t at = place(f, id);

	if (at == f->n || f->v[at].id != id || f->v[at].marked || f->v[at].released)
		return NULL;
	return &f->v[at];
}

void flights_mark_through(struct flights *f, int64_t id)
{
	for (size_t i = 0; i < f->n && f->v[i].id <= id; i++)
		f->v[i].marked = true;
}

void flights_doubt(struct flights *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].doubted = f->v[i].marked;
}

void flights_stood(struct flights *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->v[i].marked |= f->v[i].doubted;
}

void flights_sweep(struct flights *f, bool gone)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (f->v[i].released || (gone && f->v[i].marked))
			continue;
		f->v[kept] = f->v[i];
		f->v[kept].doubted &= !gone;
		f->v[kept++].marked = false;
	}
	f->n = kept;
}
