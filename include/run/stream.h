/* SPDX-License-Identifier: MIT
 * stream: one source and the topics that it serves; turns readings into documents,
 * judges them, and says what is missing. Steps without a thread of its own: the tailer
 * (run) and the commands `once` and `check` drive it. Never logs, never stores. */
#ifndef MMLAG_RUN_STREAM_H
#define MMLAG_RUN_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "document/document.h"
#include "lag/history.h"
#include "lag/reason.h"
#include "lag/sample.h"

/* One thing that a stream found about one topic. */
struct finding {
	const struct config_topic *topic;
	bool is_gap;
	bool changed; /* has data since now, or lacks it since now, or another reason */
	struct gap gap;     /* why, where is_gap */
	int64_t partitions; /* of a sample: number of rows */
	struct lag_totals totals;
	struct history_point point; /* of a sample */
	struct document document;   /* to be taken over by the caller */
};

/* What one step found; grows as needed, owned by the caller. */
struct findings {
	struct finding *v;
	size_t n, cap;
};

/* End the documents that were not taken over and the points, forget all. findings_reset
 * keeps the memory.  @thread the owner's */
void findings_reset(struct findings *f);
void findings_fini(struct findings *f);

struct stream;

/* `topics` (n of them, sharing a source) are borrowed from a configuration that must
 * outlive the stream, `wake` is the owner's. What is found is shown on `board` too,
 * which may be NULL.
 * @thread any; each belongs to one */
struct stream *stream_new(const struct config_topic *const *topics, size_t n,
			  struct wake *wake, int64_t first_delay_ms,
			  struct board *board);
void stream_close(struct stream *s); /* NULL is legal */

/* One turn: may append to `out`. With `read_more` false nothing new is read.
 * @thread tailer, or a command; may block in opening a session */
struct step stream_step(struct stream *s, bool read_more, struct findings *out);

#endif
