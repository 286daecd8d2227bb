/* SPDX-License-Identifier: MIT */
#include "lag/objective.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define VERSION 1
#define PIECE_MAX (INT64_C(1) << 40) /* longer than any span may be */

void objective_init(struct objective *o, int64_t over_ms)
{
	*o = (struct objective){.piece_ms = over_ms / (OBJECTIVE_PIECES - 1)};
	if (o->piece_ms < 1)
		o->piece_ms = 1;
}

static struct objective_piece *piece(struct objective *o, int64_t number)
{
	struct objective_piece *p = &o->v[number % OBJECTIVE_PIECES];

	if (p->number != number)
		*p = (struct objective_piece){.number = number};
	return p;
}

void objective_add(struct objective *o, bool within, int64_t from_ms, int64_t to_ms)
{
	int64_t span = o->piece_ms * OBJECTIVE_PIECES;

	if (from_ms < to_ms - span)
		from_ms = to_ms - span;
	while (from_ms >= 0 && from_ms < to_ms) {
		int64_t number = from_ms / o->piece_ms;
		int64_t end = (number + 1) * o->piece_ms;
		struct objective_piece *p = piece(o, number);

		if (end > to_ms)
			end = to_ms;
		if (within)
			p->within_ms += end - from_ms;
		else
			p->beyond_ms += end - from_ms;
		from_ms = end;
	}
}

struct objective_sums objective_sums(const struct objective *o, int64_t now_ms)
{
	int64_t newest = now_ms / o->piece_ms;
	struct objective_sums s = {0, 0};

	for (size_t i = 0; i < OBJECTIVE_PIECES; i++) {
		const struct objective_piece *p = &o->v[i];

		if (p->number > newest || p->number <= newest - OBJECTIVE_PIECES)
			continue;
		s.within_ms += p->within_ms;
		s.beyond_ms += p->beyond_ms;
	}
	return s;
}

void objective_write(const struct objective *o, struct buf *out)
{
	(void)buf_printf(out, "%d %" PRId64, VERSION, o->piece_ms);
	for (size_t i = 0; i < OBJECTIVE_PIECES; i++)
		if (o->v[i].within_ms + o->v[i].beyond_ms > 0)
			(void)buf_printf(out, " %" PRId64 " %" PRId64 " %" PRId64,
					 o->v[i].number, o->v[i].within_ms,
					 o->v[i].beyond_ms);
}

/* The next number, not negative; false when there is none. */
static bool next_number(char **p, int64_t *out)
{
	char *end;
	long long v = strtoll(*p, &end, 10);

	if (end == *p || v < 0)
		return false;
	*p = end;
	*out = v;
	return true;
}

bool objective_read(struct objective *o, const char *text, size_t len)
{
	char *copy = mem_strndup(text, len), *p = copy;
	int64_t version, piece_ms = 0, number, within, beyond;
	bool ok = next_number(&p, &version) && version == VERSION &&
		  next_number(&p, &piece_ms) && piece_ms >= 1 && piece_ms <= PIECE_MAX;

	objective_init(o, 0);
	if (ok)
		o->piece_ms = piece_ms;
	while (ok && next_number(&p, &number)) {
		ok = next_number(&p, &within) && next_number(&p, &beyond) &&
		     within <= piece_ms && beyond <= piece_ms - within;
		if (ok)
			*piece(o, number) =
				(struct objective_piece){number, within, beyond};
	}
	ok = ok && *p == '\0';
	if (!ok)
		objective_init(o, 0);
	free(copy);
	return ok;
}
