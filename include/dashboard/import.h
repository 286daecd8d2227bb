/* SPDX-License-Identifier: MIT
 * import: the request that puts saved objects into Kibana or OpenSearch Dashboards, and
 * what its answer means. Pure. The status of an answer says little: a half success is
 * 200, a page to log in may be too, and a success may be one of nothing; what the body
 * counts decides. */
#ifndef MMLAG_DASHBOARD_IMPORT_H
#define MMLAG_DASHBOARD_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define IMPORT_ANSWER_MAX (4u << 20) /* bytes */

/* Append the form with the objects as its one file; *content_type is the caller's to
 * free.  @thread any */
void import_form(const char *objects, size_t len, struct buf *out, char **content_type);

/* Read the answer to `sent` objects. Appends lines for the reader, one for each object
 * that was not taken and a last one that sums up, where the server counts. Returns 0
 * when everything was taken, by the server's own count too; ERR_REJECT when some was
 * not or the file was refused, ERR_PERMANENT when somebody has to act first (log in,
 * another URL), ERR_RETRY when the server is not ready; `err` says it in one line.
 * @thread any */
NODISCARD int import_read(int status, const char *body, size_t len, size_t sent,
			  struct buf *lines, struct err *err);

#endif
