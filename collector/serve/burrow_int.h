/* SPDX-License-Identifier: MIT
 * burrow: what the parts of Burrow's API share. */
#ifndef MMLAG_SERVE_BURROW_INT_H
#define MMLAG_SERVE_BURROW_INT_H

#include "base/jsonw.h"
#include "serve/serve_int.h"

struct burrow {
	struct jsonw w;
	const struct serve *serve;
	const struct board_views *views;
	const struct target *target;
};

/* Open the body with its first members.  @thread any */
void burrow_begin(struct burrow *b, bool error, const char *message);

/* The member that tells what was asked.  @thread any */
void burrow_request(struct burrow *b);

/* GET /v3/config; returns the status.  @thread any */
unsigned burrow_config(struct burrow *b);

#endif
