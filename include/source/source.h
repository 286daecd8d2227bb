/* SPDX-License-Identifier: MIT
 * source: where readings come from: the CLI over SSH, another program's metrics page,
 * or a query of Prometheus. One source serves one stream: a topic, or all topics that
 * share a remote command or a page. It opens its session by itself, and again after a
 * failure, with backoff. Never logs. */
#ifndef MMLAG_SOURCE_SOURCE_H
#define MMLAG_SOURCE_SOURCE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/wake.h"
#include "config/config.h"
#include "lag/ends.h"
#include "lag/reason.h"
#include "lag/sample.h"
#include "lag/table.h"

#define SOURCE_KEY_MAX 128
#define SOURCE_LINES_A_SECOND 100 /* taken in for long from `format: line` */

/* One look at the group: either a table with the rows of many topics, or the sample of
 * the stream's only topic. */
struct reading {
	struct table *table;  /* owned, or NULL: */
	struct sample sample; /* owned, when table is NULL */
	struct ends *ends;    /* owned: of the mirror's target; NULL: not asked. All
			       * there is of a source of source_new_ends */
	struct wall taken;
	struct mono taken_mono;   /* the monotonic time that belongs to `taken`; never
				   * goes   back from reading to reading */
	int64_t sample_ms;        /* how long the run took, -1 unknown */
	bool flooded;             /* of `format: line`: the command gives more than
				   * SOURCE_LINES_A_SECOND, and is held back */
	char key[SOURCE_KEY_MAX]; /* names this reading in document ids */
};

/* End the table or the sample, and the ends.  @thread the owner's */
void reading_fini(struct reading *r);

enum source_event {
	SOURCE_WAIT,    /* nothing now: wait for `next` */
	SOURCE_READING, /* `reading` is filled in and the caller's; call again */
	SOURCE_GAP,     /* there will be no data for now: `gap` says why; call again */
};

struct source;

/* `t` is the stream's first topic: it says where and how, and is borrowed. `wake` is
 * the owner's. The first run begins `first_delay_ms` after the session is up. Nothing
 * is opened yet.
 * @thread any; each belongs to one */
struct source *source_new(const struct config_topic *t, struct wake *wake,
			  int64_t first_delay_ms);

/* One that looks at the mirror's other side alone, from the host of `t` (follow/plan.h
 * works out a topic that says so).
 * @thread any; each belongs to one */
struct source *source_new_ends(const struct config_topic *t, struct wake *wake,
			       int64_t first_delay_ms);

/* The mirror's target, which the stream's first topic names, is to be asked for this
 * topic too; NULL: for all that there are. Before the first step.
 * @thread the owner's */
void source_aim(struct source *s, const struct config_topic *t, const char *name);

/* End the remote command, close the session. At most 500 ms. NULL is legal.
 * @thread tailer */
void source_close(struct source *s);

/* One turn. With `read_more` false no further output is taken in (the reader is not
 * keeping up) while the session is kept alive. May block in opening a session.
 * @thread tailer */
enum source_event source_step(struct source *s, struct mono now, bool read_more,
			      struct reading *reading, struct gap *gap,
			      struct step *next);

/* How many cores the host says it has; 0 unknown.  @thread tailer */
int source_cores(const struct source *s);

#endif
