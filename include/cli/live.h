/* SPDX-License-Identifier: MIT
 * live: the frame around a command that watches a running daemon until a signal ends
 * it: locale, signals, libcurl, and the line to the daemon. */
#ifndef MMLAG_CLI_LIVE_H
#define MMLAG_CLI_LIVE_H

#include <stdbool.h>

#include "base/wake.h"
#include "cli/feed.h"

struct live {
	const char *command;    /* "top"; for what is said on stderr */
	bool screen;            /* it has one: signals of the window count */
	const char *path, *url; /* as feed_open takes them */
	struct http_options http;
};

/* Put up the frame, call `run` in it, and take it down. Returns what `run` did, or the
 * exit code of a frame that could not be put up (said on stderr).
 * @thread main; blocks as `run` does */
int live_run(const struct live *l,
	     int (*run)(void *arg, struct feed *feed, struct wake *wake), void *arg);

#endif
