/* SPDX-License-Identifier: MIT
 * stream: one source and the topics that it serves; turns readings into documents,
 * judges them, and says what is missing. Steps without a thread of its own: the tailer
 * (run) and the commands `once` and `check` drive it. Never logs, never stores. */
#ifndef MMLAG_FOLLOW_STREAM_H
#define MMLAG_FOLLOW_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "follow/far.h"
#include "follow/finding.h"
#include "follow/plan.h"

struct stream;

/* A pattern follows at most so many topics. */
#define STREAM_FOUND_MAX 10000

/* The plan and its configuration must outlive the stream, `wake` is the owner's, and so
 * is `far` (follow/far.h), which may be NULL and has not stepped yet. What is found is
 * shown on `board` too, which may be NULL.
 * A pattern's topics are those rows of the group's output that are its to follow
 * (follow/pattern.h). One that vanishes has gaps topic_absent until it was away for ten
 * intervals and ten minutes, and is dropped then, with a notice. A pattern without a
 * topic has gaps of its own.
 * @thread any; each belongs to one */
struct stream *stream_new(const struct plan_stream *p, struct wake *wake,
			  struct far *far, int64_t first_delay_ms, struct board *board);
void stream_close(struct stream *s); /* NULL is legal */

/* Hand what is known of each topic over time to `put`, with a key of the topic: to be
 * kept over a restart.  @thread the owner's */
typedef void stream_put(void *arg, const char *key, const void *bytes, size_t len);
void stream_save(struct stream *s, stream_put *put, void *arg);

/* Take up what was kept under `key`, now or, for a pattern, when the topic is found.
 * False when no topic of this stream is meant, or the bytes are of no use any more.
 * @thread the owner's, before the first step */
bool stream_restore(struct stream *s, const char *key, const void *bytes, size_t len);

/* One turn: may append to `out`. With `read_more` false nothing new is read.
 * @thread tailer, or a command; may block in opening a session */
struct step stream_step(struct stream *s, bool read_more, struct findings *out);

/* How many cores the host has; 0 unknown.  @thread the owner's */
int stream_cores(const struct stream *s);

/* Say that nothing came: the driver's time is up. A gap for each topic that is not
 * known to have none for the same reason.  @thread the owner's */
void stream_fail(struct stream *s, const struct gap *g, struct findings *out);

#endif
