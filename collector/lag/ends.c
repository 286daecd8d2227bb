/* SPDX-License-Identifier: MIT
 * ends: see ends.h. Sorted by topic and partition once, looked up by halving. */
#include "lag/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/sample.h"
#include "lag/table_int.h"
#include "lag/text_int.h"

#include "banned.h"

struct end {
	char *topic;
	int32_t partition;
	int64_t offset; /* -1: the tool gave none */
};

struct ends {
	struct end *v;
	size_t n, cap;
	struct gap gap;     /* of the look as a whole */
	struct gap trouble; /* what failed in it: why something may be missing */
};

/* The part of `rest` before the first colon; false when there is none. */
static bool part(struct span *rest, struct span *out)
{
	const char *colon = rest->n > 0 ? memchr(rest->p, ':', rest->n) : NULL;

	if (colon == NULL)
		return false;
	*out = (struct span){rest->p, (size_t)(colon - rest->p)};
	rest->n -= out->n + 1;
	rest->p = colon + 1;
	return true;
}

/* Take in a line of the form that is meant; false for any other. */
static bool take_line(struct ends *e, struct span line)
{
	struct span topic, partition, offset = line;
	int64_t number, end = -1;

	if (!part(&offset, &topic) || !part(&offset, &partition) ||
	    !topic_name_valid(topic.p, topic.n))
		return false;
	number = text_digits(partition, PARTITION_NUMBER_MAX);
	if (number < 0)
		return false;
	if (offset.n > 0) {
		end = text_digits(offset, INT64_MAX);
		if (end < 0)
			return false;
	}
	MEM_GROW(e->v, e->n, e->cap);
	e->v[e->n++] =
		(struct end){mem_strndup(topic.p, topic.n), (int32_t)number, end};
	return true;
}

static int by_place(const void *a, const void *b)
{
	const struct end *x = a, *y = b;
	int order = strcmp(x->topic, y->topic);

	return order != 0
		       ? order
		       : (x->partition > y->partition) - (x->partition < y->partition);
}

/* The old tool's words and the new one's for a topic that is not there. */
static bool tells_absence(struct span line)
{
	return text_find(line, "Could not match any topic") != NULL ||
	       (text_find(line, "opic ") != NULL &&
		text_find(line, " does not exist") != NULL);
}

/* Why a look gave nothing, or not all. */
static void explain(struct ends *e, const char *out, size_t len, int exit_code,
		    bool absent)
{
	struct cli_output run = {.err = out, .err_len = len, .exit_code = exit_code};

	if (exit_code != 124 && absent)
		gap_set(&e->trouble, REASON_TOPIC_ABSENT,
			"the target has no topic of that name; check `target.topic`");
	else if (table_explain_tool(&run, &e->trouble) == REASON_NONE)
		gap_set(&e->trouble, REASON_BAD_OUTPUT,
			"no offsets were printed (exit code %d)", exit_code);
}

struct ends *ends_read(const char *out, size_t len, int exit_code)
{
	struct ends *e = mem_calloc(1, sizeof(*e));
	struct span rest = {out, len}, line;
	bool absent = false;

	while (text_line(&rest, &line)) {
		line = text_trim(line);
		if (!take_line(e, line))
			absent |= tells_absence(line);
	}
	if (e->n > 0)
		qsort(e->v, e->n, sizeof(*e->v), by_place);
	if (e->n == 0 || exit_code > 0)
		explain(e, out, len, exit_code, absent);
	if (e->n == 0)
		e->gap = e->trouble;
	return e;
}

void ends_free(struct ends *e)
{
	if (e == NULL)
		return;
	for (size_t i = 0; i < e->n; i++)
		free(e->v[i].topic);
	free(e->v);
	free(e);
}

static enum reason doubted(struct gap *gap, const char *topic, int32_t partition)
{
	return gap_set(gap, REASON_BAD_OUTPUT,
		       "the offsets of partition %d of '%s' cannot be right",
		       (int)partition, topic);
}

/* Where the topic's partitions begin, or would. */
static size_t first_of(const struct ends *e, const char *topic)
{
	size_t low = 0, high = e->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(e->v[middle].topic, topic) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum reason ends_sum(const struct ends *e, const char *topic, int64_t *sum,
		     int32_t *partitions, struct gap *gap)
{
	size_t first = first_of(e, topic);

	*sum = 0;
	*partitions = 0;
	*gap = e->gap;
	if (gap->reason != REASON_NONE)
		return gap->reason;
	for (size_t i = first; i < e->n && strcmp(e->v[i].topic, topic) == 0; i++) {
		const struct end *end = &e->v[i];

		if (end->offset < 0)
			return gap_set(gap, REASON_NO_OFFSETS,
				       "partition %d of '%s' has no end offset: has it "
				       "a leader?",
				       (int)end->partition, topic);
		if (i > first && end->partition == end[-1].partition) {
			if (end->offset != end[-1].offset)
				return doubted(gap, topic, end->partition);
			continue;
		}
		if (__builtin_add_overflow(*sum, end->offset, sum))
			return doubted(gap, topic, end->partition);
		++*partitions;
	}
	if (*partitions > 0)
		return REASON_NONE;
	*gap = e->trouble;
	if (gap->reason == REASON_NONE)
		gap_set(gap, REASON_TOPIC_ABSENT,
			"the target has no topic '%s'; check `target.topic`", topic);
	return gap->reason;
}

const struct gap *ends_gap(const struct ends *e)
{
	return &e->gap;
}
