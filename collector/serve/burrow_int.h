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

/* Close the body: 200. The body of a refusal: 404.  @thread any */
unsigned burrow_end(struct burrow *b);
unsigned burrow_not_found(struct burrow *b, const char *message);

/* A topic of this cluster that has had a sample: others Burrow would not know.
 * @thread any */
bool burrow_knows(const struct view *v, const char *cluster);

/* GET /v3/config; returns the status.  @thread any */
unsigned burrow_config(struct burrow *b);

/* A group's commits, and its status, with `all` its partitions or with those that are
 * not OK; return the status.  @thread any */
unsigned burrow_consumer(struct burrow *b, const char *cluster, const char *group);
unsigned burrow_status(struct burrow *b, const char *cluster, const char *group,
		       bool all);

#endif
