/* SPDX-License-Identifier: MIT
 * view: all that is known of one topic at one moment, as a value that is never changed
 * once it stands on the board. Made by the topic's tailer, read by everybody else. */
#ifndef MMLAG_BOARD_VIEW_H
#define MMLAG_BOARD_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "document/document.h"
#include "lag/assess.h"
#include "lag/reason.h"
#include "lag/sample.h"

struct config_topic;

/* What a view speaks of. Strings are never NULL. */
struct view_name {
	char *cluster, *group, *topic, *host;
	char *match; /* of a pattern that found nothing: `topic` is "" then */
	struct label *labels;
	size_t label_count;
};

struct view {
	atomic_uint refs;                  /* board's own */
	const struct config_topic *config; /* borrowed: outlives the board */
	const void *stream; /* an identity: topics of one share a remote command */
	struct view_name name;
	struct wall at; /* when this was said */

	/* the last sample; n == 0 and sample.taken 0 before the first one */
	struct sample sample;
	struct mono sample_seen; /* when it came, by our clock */
	struct lag_totals totals;
	struct assessment assessment;
	struct partition_state *partitions; /* one for each of sample.rows, in order */
	int64_t mono_to_wall_ms;            /* add it to the times of commits */

	/* REASON_NONE: has data, or nothing is known yet */
	struct gap gap;
	struct wall gap_since;

	/* VERDICT_NODATA while there is a gap; the same as the topic's status */
	enum verdict status;
	struct wall status_since;
};

/* A view to be filled in and published; owned by the caller.  @thread any */
struct view *view_new(void);

/* Share and let go; the last one frees. NULL is legal.  @thread any */
const struct view *view_ref(const struct view *v);
void view_unref(const struct view *v);

/* Copy the strings.  @thread any */
void view_set_name(struct view *v, const char *cluster, const char *group,
		   const char *topic, const char *host, const char *match);
void view_set_labels(struct view *v, const struct label *labels, size_t n);

/* Take a deep copy of a sample that came at `seen`, with its totals and room for what
 * is known of its partitions.  @thread any */
void view_set_sample(struct view *v, const struct sample *s, struct mono seen);

/* The same, and the judgement of it, from an older view.  @thread any */
void view_copy_sample(struct view *v, const struct view *from);

#endif
