/* SPDX-License-Identifier: MIT */
#include "lag/line.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/text_int.h"

#include "banned.h"

struct reader {
	struct sample *out;
	size_t cap;
	bool quads; /* the first token was partition:current:end:lag */
};

static enum reason refuse(struct gap *gap, struct span token, const char *why)
{
	int n = token.n < 60 ? (int)token.n : 60;

	return gap_set(gap, REASON_BAD_OUTPUT,
		       "%s: '%.*s'; a line holds the lags of the partitions (12, -) or "
		       "partition:current:end:lag, separated by blanks",
		       why, n, token.p);
}

/* A number or '-'; anything else is no value of a line. */
static bool value_read(struct span s, int64_t *value, bool *has)
{
	enum number kind = text_number(s, value);

	*has = kind == NUMBER_OK;
	return kind == NUMBER_OK || kind == NUMBER_NONE;
}

static bool offset_read(struct span s, int64_t *value, bool *has)
{
	return value_read(s, value, has) && (!*has || *value >= 0);
}

/* partition:current:end:lag */
static bool quad_read(struct span token, struct partition *p)
{
	struct span part[4];
	int64_t number;

	for (size_t i = 0; i < 4; i++) {
		const char *colon = text_find(token, ":");
		size_t n = colon != NULL ? (size_t)(colon - token.p) : token.n;

		if ((colon == NULL) != (i == 3))
			return false;
		part[i] = (struct span){token.p, n};
		token.p += n + (i < 3);
		token.n -= n + (i < 3);
	}
	number = text_digits(part[0], PARTITION_NUMBER_MAX);
	p->number = (int32_t)number;
	return number >= 0 && offset_read(part[1], &p->committed, &p->has_committed) &&
	       offset_read(part[2], &p->end, &p->has_end) &&
	       value_read(part[3], &p->lag, &p->has_lag);
}

static enum reason token_read(struct reader *r, struct span token, struct gap *gap)
{
	struct partition p = {0};
	bool quad = text_find(token, ":") != NULL;

	if (r->out->n == 0)
		r->quads = quad;
	else if (r->quads != quad)
		return refuse(gap, token, "two kinds of values in one line");
	if (quad && !quad_read(token, &p))
		return refuse(gap, token, "this is no partition:current:end:lag");
	if (!quad && !value_read(token, &p.lag, &p.has_lag))
		return refuse(gap, token, "this is no lag");
	if (r->out->n > PARTITION_NUMBER_MAX)
		return refuse(gap, token, "too many values");
	if (!quad)
		p.number = (int32_t)r->out->n;
	MEM_GROW(r->out->rows, r->out->n, r->cap);
	r->out->rows[r->out->n++] = p;
	return REASON_NONE;
}

static int compare_rows(const void *va, const void *vb)
{
	const struct partition *a = va, *b = vb;

	return a->number == b->number ? 0 : a->number < b->number ? -1 : 1;
}

static enum reason check(struct reader *r, int partitions, struct gap *gap)
{
	struct sample *s = r->out;

	if (s->n == 0)
		return gap_set(
			gap, REASON_NO_OFFSETS,
			"the line is empty: the command found no lag of this topic; if it "
			"sends its stderr to /dev/null, look there");
	if (!r->quads && partitions > 0 && s->n != (size_t)partitions)
		return gap_set(
			gap, REASON_BAD_OUTPUT,
			"the line has %zu values, but `partitions` is %d; which is "
			"whose cannot be told%s",
			s->n, partitions,
			s->n > (size_t)partitions
				? " (a grep for the topic's name also finds names "
				  "that contain it)"
				: "");
	qsort(s->rows, s->n, sizeof(*s->rows), compare_rows);
	for (size_t i = 1; i < s->n; i++)
		if (s->rows[i].number == s->rows[i - 1].number)
			return gap_set(gap, REASON_BAD_OUTPUT,
				       "partition %d stands twice in the line",
				       (int)s->rows[i].number);
	return REASON_NONE;
}

enum reason line_read(const char *line, size_t len, int partitions, struct sample *out,
		      struct gap *gap)
{
	struct reader r = {.out = out};
	struct span rest = {line, len};
	enum reason why = REASON_NONE;
	struct span token;

	*out = (struct sample)SAMPLE_INIT;
	while (why == REASON_NONE && text_fields(rest, &token, 1) == 1) {
		why = token_read(&r, token, gap);
		rest.n -= (size_t)(token.p + token.n - rest.p);
		rest.p = token.p + token.n;
	}
	if (why == REASON_NONE)
		why = check(&r, partitions, gap);
	if (why != REASON_NONE)
		sample_fini(out);
	return why;
}
