/* SPDX-License-Identifier: MIT
 * target: what a request asks for: path and query of its URI, taken apart and decoded.
 * Pure. */
#ifndef MMLAG_SERVE_TARGET_INT_H
#define MMLAG_SERVE_TARGET_INT_H

#include <stddef.h>

#define TARGET_SEGMENTS 12
#define TARGET_QUERY 16

struct target {
	char *path; /* decoded as a whole, for showing */
	char *segment[TARGET_SEGMENTS];
	size_t n;
	struct {
		char *name, *value;
	} query[TARGET_QUERY];
	size_t n_query;
	char *text; /* what the segments and the query point into */
};

/* Take a URI apart. An escaped '/' belongs to its segment. Returns 0, or -1 when it
 * does not begin with '/', has a broken escape, a NUL, or too many parts; target_fini
 * is legal in both cases.
 * @thread any */
int target_parse(struct target *t, const char *uri);
void target_fini(struct target *t);

/* The first value of this name; NULL when it is not there.  @thread any */
const char *target_query(const struct target *t, const char *name);

#endif
