/* SPDX-License-Identifier: MIT
 * page: one look at another program's metrics page, for one group. */
#ifndef MMLAG_SOURCE_PAGE_H
#define MMLAG_SOURCE_PAGE_H

#include "http/http.h"
#include "lag/exporter.h"

/* err.code of page_read, beside the class. */
enum page_failure {
	PAGE_UNREACHABLE = 1, /* no whole answer came */
	PAGE_REFUSED,         /* another status than 200 */
	PAGE_DENIED,          /* the same, for want of credentials */
	PAGE_GARBAGE,         /* what came is no metrics page, or not all of it */
	PAGE_STOPPED,         /* the thread was told to stop */
};

/* Read the page, at most EXPORTER_PAGE_MAX bytes of it. Returns 0 and what it holds of
 * `group` (the caller ends it with exporter_free), else *out is NULL and the text says
 * what came instead.
 * @thread the owner's of `h`; blocks for at most the timeout (0: that of `h`) */
NODISCARD int page_read(struct http *h, const char *url, const char *group,
			long timeout_ms, struct exporter **out, struct err *err);

#endif
