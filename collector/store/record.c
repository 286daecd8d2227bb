/* SPDX-License-Identifier: MIT
 * record: see record.h. */
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

static int64_t cost(const struct record *r)
{
	return (int64_t)(strlen(r->key) + r->len);
}

static void end(struct record *r)
{
	free(r->key);
	free(r->bytes);
}

void records_fini(struct records *r)
{
	for (size_t i = 0; i < r->n; i++)
		end(&r->v[i]);
	free(r->v);
	*r = (struct records){.v = NULL};
}

static int compare(enum store_kind kind, const char *key, const struct record *r)
{
	if (kind != r->kind)
		return kind < r->kind ? -1 : 1;
	return strcmp(key, r->key);
}

/* The place of a record, or where it belongs. */
static size_t place(const struct records *r, enum store_kind kind, const char *key)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(kind, key, &r->v[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Put other bytes under the same key; takes over what `new` holds. */
static void replace(struct records *r, struct record *there, struct record *new)
{
	r->bytes += (int64_t) new->len - (int64_t)there->len;
	free(there->bytes);
	there->bytes = new->bytes;
	there->len = new->len;
	free(new->key);
}

/* Takes over what `new` holds. */
static void insert(struct records *r, struct record new, bool older)
{
	size_t at = place(r, new.kind, new.key);

	if (at == r->n || compare(new.kind, new.key, &r->v[at]) != 0) {
		MEM_GROW(r->v, r->n, r->cap);
		memmove(&r->v[at + 1], &r->v[at], (r->n - at) * sizeof(*r->v));
		r->n++;
		r->v[at] = new;
		r->bytes += cost(&new);
	} else if (older) {
		end(&new);
	} else {
		replace(r, &r->v[at], &new);
	}
}

void records_put(struct records *r, enum store_kind kind, const char *key,
		 const void *bytes, size_t len)
{
	struct record new = {.kind = kind, .key = mem_strdup(key)};

	if (bytes != NULL) {
		new.bytes = mem_calloc(len + 1, 1); /* never NULL, however short */
		memcpy(new.bytes, bytes, len);
		new.len = len;
	}
	insert(r, new, false);
}

void records_take(struct records *to, struct records *from, bool older)
{
	for (size_t i = 0; i < from->n; i++)
		insert(to, from->v[i], older);
	free(from->v);
	*from = (struct records){.v = NULL};
}

void records_drop(struct records *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		r->bytes -= cost(&r->v[i]);
		end(&r->v[i]);
	}
	r->n -= n;
	if (n > 0)
		memmove(r->v, r->v + n, r->n * sizeof(*r->v));
}

void records_each(const struct records *r, enum store_kind kind, store_record *each,
		  void *arg)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->v[i].kind == kind && r->v[i].bytes != NULL)
			each(arg, r->v[i].key, r->v[i].bytes, r->v[i].len);
}
