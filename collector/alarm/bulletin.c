/* SPDX-License-Identifier: MIT */
#include "alarm/bulletin.h"

#include <stdlib.h>

#include "base/mem.h"

#include "banned.h"

struct bulletin *bulletin_new(size_t n)
{
	struct bulletin *b = mem_calloc(1, sizeof(*b));

	atomic_init(&b->refs, 1);
	b->v = mem_calloc(n + 1, sizeof(*b->v));
	return b;
}

struct bulletin *bulletin_ref(struct bulletin *b)
{
	if (b != NULL)
		atomic_fetch_add(&b->refs, 1);
	return b;
}

void bulletin_unref(struct bulletin *b)
{
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	for (size_t i = 0; i < b->n; i++)
		alert_fini(&b->v[i].alert);
	free(b->v);
	free(b);
}
