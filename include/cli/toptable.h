/* SPDX-License-Identifier: MIT
 * toptable: what `mmlag top` knows and shows, as values: answers of the daemon in, keys
 * in, lines of a screen out. No terminal and no network here. */
#ifndef MMLAG_CLI_TOPTABLE_H
#define MMLAG_CLI_TOPTABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"

#define TOP_FILTER_MAX 128
#define TOP_UNKNOWN INT64_MIN /* a number that the daemon does not know */

struct top_topic {
	char *cluster, *group, *topic,
		*host; /* topic: the pattern where none was found */
	char *label;   /* the topic, with its cluster or group where others have its
			* name: "dc1/orders", "orders (group)" */
	char *status, *rule, *reason, *message;
	int64_t lag, lag_max, time_lag_ms, sample_at, gap_since, status_since;
	int64_t partitions;
	double produced, consumed; /* NAN when unknown */
};

struct top_partition {
	char *status, *rule;
	int64_t number, lag, time_lag_ms, committed, end;
};

enum top_sort {
	TOP_BY_STATUS,
	TOP_BY_NAME,
	TOP_BY_LAG,
	TOP_BY_TIME,
	TOP_BY_RATE,
	TOP_SORTS
};

struct top_table {
	struct top_topic *topics;
	size_t n;
	size_t *shown; /* indices into topics, filtered and sorted */
	size_t n_shown;
	enum top_sort sort;
	bool backwards; /* the other way round */

	size_t cursor, first; /* in `shown`: the marked line, the first in sight */
	char *marked;         /* id of the marked topic, to stay on it; or NULL */
	char filter[TOP_FILTER_MAX];
	bool typing, help;

	/* one topic's partitions, when it was opened */
	bool open;
	char *open_cluster, *open_group, *open_topic;
	struct top_topic *detail; /* one, or NULL before the first answer */
	struct top_partition *parts;
	size_t n_parts, first_part;

	size_t page;       /* lines in the last rendering, for Page Up and Down */
	char trouble[512]; /* why there is no fresh answer; "" when there is */
	struct wall trouble_since;
};

/* Keys beside characters. */
enum top_key {
	KEY_NONE = -1,
	KEY_ENTER = '\r',
	KEY_ESC = 27,
	KEY_UP = 1000,
	KEY_DOWN,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_HOME,
	KEY_END,
	KEY_BACKSPACE,
	KEY_REDRAW = 12, /* Ctrl-L */
};

/* What a key asks of the command. */
enum top_wish { TOP_STAY, TOP_QUIT, TOP_ASK, TOP_RENEW };

/* An empty one is all zeros.  @thread main */
void top_fini(struct top_table *t);

/* Take in an answer of /api/v1/topics, or of /api/v1/topics/T; the mark stays on its
 * topic. What is missing or of another kind counts as unknown.  @thread main */
void top_take_topics(struct top_table *t, const json_t *answer);
void top_take_topic(struct top_table *t, const json_t *answer);

/* @thread main */
enum top_wish top_press(struct top_table *t, int key);

/* What to ask of the daemon next, as a path.  @thread main */
void top_target(const struct top_table *t, struct buf *out);

/* Append exactly `height` lines, parted by newlines, none wider than `width` columns.
 * @thread main */
void top_render(struct top_table *t, size_t width, size_t height, bool colour,
		struct wall now, struct buf *out);

#endif
