/* SPDX-License-Identifier: MIT
 * ends: see ends.h. Sorted by topic and partition once, looked up by halving. */
#include "lag/ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/sample.h"
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
	char trouble[ENDS_TROUBLE_MAX];
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

static bool tells_failure(struct span line)
{
	return text_find(line, "Error") != NULL || text_find(line, "Exception") != NULL;
}

/* The first sentence that names a failure, else the last one that says anything. */
static void note_words(struct ends *e, struct span line, bool *named)
{
	bool failure = tells_failure(line);

	if (line.n == 0 || *named || (text_begins(line, "at ") && !failure))
		return;
	*named = failure;
	snprintf(e->trouble, sizeof(e->trouble), "%.*s", (int)line.n, line.p);
}

struct ends *ends_read(const char *out, size_t len, int exit_code)
{
	struct ends *e = mem_calloc(1, sizeof(*e));
	struct span rest = {out, len}, line;
	bool named = false;

	while (text_line(&rest, &line)) {
		line = text_trim(line);
		if (!take_line(e, line))
			note_words(e, line, &named);
	}
	if (e->n > 0) {
		qsort(e->v, e->n, sizeof(*e->v), by_place);
		e->trouble[0] = '\0';
	} else if (exit_code == 124) {
		snprintf(e->trouble, sizeof(e->trouble), "no answer within its time");
	} else if (e->trouble[0] == '\0') {
		snprintf(e->trouble, sizeof(e->trouble),
			 "no offsets were printed (exit code %d)", exit_code);
	}
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

bool ends_sum(const struct ends *e, const char *topic, int64_t *sum,
	      int32_t *partitions)
{
	size_t first = first_of(e, topic);

	*sum = 0;
	*partitions = 0;
	for (size_t i = first; i < e->n && strcmp(e->v[i].topic, topic) == 0; i++) {
		const struct end *end = &e->v[i];

		if (end->offset < 0)
			return false;
		if (i > first && end->partition == end[-1].partition) {
			if (end->offset != end[-1].offset)
				return false;
			continue;
		}
		if (__builtin_add_overflow(*sum, end->offset, sum))
			return false;
		++*partitions;
	}
	return *partitions > 0;
}

const char *ends_trouble(const struct ends *e)
{
	return e->trouble;
}
