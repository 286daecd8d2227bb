/* SPDX-License-Identifier: MIT
 * feed: a command's line to the daemon: <state_dir>/control.sock of the configuration,
 * or the URL that was given. */
#ifndef MMLAG_CLI_FEED_H
#define MMLAG_CLI_FEED_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wake.h"
#include "http/http.h"

struct feed;

/* Open a feed; nothing is asked yet. With `url` NULL the configuration at `path` tells
 * the socket. `wake` may be NULL, else wake_stop ends a running question. What is wrong
 * is said on stderr in the name of `command`. Returns 0, or an exit code.
 * @thread main */
NODISCARD int feed_open(struct feed **out, const char *command, const char *path,
			const char *url, const struct http_options *o,
			struct wake *wake);
void feed_close(struct feed *f); /* NULL is legal */

/* Send and wait: a GET, or with `body` (JSON) a POST. `answer` gets the body of a 2xx;
 * any other status is an error with the daemon's own words. ERR_AGAIN: no daemon
 * listens on the socket, nothing was sent; the error says so, and what to do. The text
 * is clean for a terminal.
 * @thread main; blocks for at most 5 s, with a body 10 min */
NODISCARD int feed_ask(struct feed *f, const char *target, const char *body,
		       struct buf *answer, struct err *err);

/* GET `target` ("/api/v1/…"), as feed_ask does. Returns 0 with a JSON object that the
 * caller lets go of.
 * @thread main; blocks for at most 5 s */
NODISCARD int feed_get(struct feed *f, const char *target, json_t **out,
		       struct err *err);

/* The time by the daemon's clock, as far as its answers told: what it shows is as old
 * there, whatever the clock here says. By whole seconds, so a difference of less than
 * one is not heeded.
 * @thread main */
struct wall feed_now(const struct feed *f);

/* One question to the daemon that works in `state_dir`: open, feed_ask, close. libcurl
 * is made ready and let go here.
 * @thread main; blocks as feed_ask */
NODISCARD int feed_once(const char *state_dir, const char *target, const char *body,
			struct buf *answer, struct err *err);

/* Append `s` as one part of a path or a query.  @thread main */
void feed_escape(struct buf *out, const char *s);

/* The options and their help, for the tables of the commands. */
#define FEED_HELP                                                                               \
	"  -c, --config FILE     tells the socket of the daemon; default " OPTIONS_DEFAULT_FILE \
	"\n"                                                                                    \
	"      --url URL         ask this one instead (http://host:9308)\n"

#endif
