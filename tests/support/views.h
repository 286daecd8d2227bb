/* SPDX-License-Identifier: MIT
 * views: makes what a tailer would show on the board, out of a line of text. */
#ifndef MMLAG_TESTS_VIEWS_H
#define MMLAG_TESTS_VIEWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "board/board.h"
#include "config/config.h"

#define VIEWS_AT INT64_C(1795220000000)

/* A topic's configuration as far as the pages look at it; lives as long as the test. */
static struct config_topic views_topic = {.interval_ms = 10000};

/* "committed:end:lag …" by partition from 0, '-' for what is not known, 'x' for no row.
 * NULL or "" is no sample. */
static inline struct view *views_make(const char *cluster, const char *group,
				      const char *topic, const char *rows)
{
	struct view *v = view_new();
	struct sample s = SAMPLE_INIT;
	int number = 0;

	view_set_name(v, cluster, group, topic, "mm1", NULL);
	v->config = &views_topic;
	v->at = v->status_since = (struct wall){VIEWS_AT};
	if (rows == NULL || *rows == '\0')
		return v;
	s.taken.ms = VIEWS_AT;
	s.sample_ms = 2310;
	s.members = 2;
	s.state = GROUP_STABLE;
	s.rows = mem_calloc(strlen(rows), sizeof(*s.rows));
	for (const char *p = rows; *p != '\0'; number++) {
		struct partition *row = &s.rows[s.n];
		int64_t *to[] = {&row->committed, &row->end, &row->lag};
		bool *has[] = {&row->has_committed, &row->has_end, &row->has_lag};
		size_t len = strcspn(p, " ");

		if (*p != 'x') {
			const char *q = p;

			row->number = number;
			for (int i = 0; i < 3; i++) {
				*has[i] = *q != '-' || (q[1] >= '0' && q[1] <= '9');
				*to[i] = *has[i] ? strtoll(q, NULL, 10) : 0;
				q += strcspn(q, ": ") + 1;
			}
			s.n++;
		}
		p += len;
		p += strspn(p, " ");
	}
	view_set_sample(v, &s, (struct mono){5000 * INT64_C(1000000)});
	for (size_t i = 0; i < s.n; i++)
		v->partitions[i].number = s.rows[i].number;
	sample_fini(&s);
	return v;
}

static inline void views_lost(struct view *v, enum reason reason)
{
	gap_set(&v->gap, reason, "the \"cable\" was cut");
	v->gap_since.ms = VIEWS_AT + 1000;
	v->status = VERDICT_NODATA;
}

/* Put it on the board, for as long as the board stands. */
static inline struct board_slot *views_show(struct board *b, struct view *v)
{
	struct board_slot *slot = board_add(b);

	board_publish(b, slot, v);
	return slot;
}

#endif
