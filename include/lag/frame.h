/* SPDX-License-Identifier: MIT
 * frame: cuts the byte stream of a remote command into runs or lines, however the
 * network cut the bytes. Memory is bounded; what is too long is dropped up to the next
 * boundary and reported. Pure.
 *
 * The remote loop writes once how many cores the host has, "\n@mmlag K C CORES\n", and
 * for run number N of a session with nonce K (lower-case hex):
 *   "\n@mmlag K B N T\n"      begin, T = the host's clock in seconds
 *   … what the mirror's target said, and "\n@mmlag K A N C\n", its exit code: both
 *     only where it is asked
 *   … stdout of the command …
 *   "\n@mmlag K X N C\n"      exit code C
 *   "\n@mmlag K E N T\n"      end
 * The newline in front of a mark belongs to the mark: it ends a last row that has
 * none. T may have a fraction. */
#ifndef MMLAG_LAG_FRAME_H
#define MMLAG_LAG_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

enum frame_event {
	FRAME_MORE,   /* all input is consumed */
	FRAME_BEGIN,  /* a run has begun: the host is alive */
	FRAME_RUN,    /* a complete run, described in `run` */
	FRAME_BROKEN, /* a run was cut off or too long; why in `run.broken` */
};

struct frame_run {
	uint64_t number;
	int64_t begin_ms, end_ms; /* by the host's clock, since 1970; -1 unreadable */
	char begin_mark[40];      /* T of the begin mark as the host wrote it */
	int exit_code;
	const char *out; /* stdout of the run; lives until the next call */
	size_t out_len;
	bool aside;       /* the target was asked: */
	const char *said; /* what it said; lives as long as `out` */
	size_t said_len;
	int said_code;      /* its exit code, -1 unknown */
	const char *broken; /* FRAME_BROKEN only: a static sentence */
};

struct frame;

/* A decoder for a session with this nonce; a run's stdout may have `max` bytes.
 * @thread any; each decoder belongs to one */
struct frame *frame_new(const char *nonce, size_t max);
void frame_free(struct frame *f);

/* Consume from (*data, *len), advancing both, up to the next event. Bytes outside of a
 * run (a login shell's banner) are ignored; their last 4 KiB are kept for
 * frame_stray. A run's number must be larger than that of the run before.
 * @thread the owner's */
enum frame_event frame_next(struct frame *f, const char **data, size_t *len,
			    struct frame_run *run);

/* Text seen outside of runs, for an error message; "" when none. NUL bytes are blanks.
 * @thread the owner's */
const char *frame_stray(const struct frame *f);

/* How many cores the host says it has; 0 unknown.  @thread the owner's */
int frame_cores(const struct frame *f);

enum line_event { LINE_MORE, LINE_FULL, LINE_TOO_LONG };

struct lines;

/* A splitter into lines of at most `max` bytes.  @thread any; belongs to one */
struct lines *lines_new(size_t max);
void lines_free(struct lines *l);

/* As frame_next: LINE_FULL gives one line without its newline and without a carriage
 * return before it, living until the next call; LINE_TOO_LONG is told once, at the
 * newline that ends the over-long line.
 * @thread the owner's */
enum line_event lines_next(struct lines *l, const char **data, size_t *len,
			   const char **line, size_t *line_len);

#endif
