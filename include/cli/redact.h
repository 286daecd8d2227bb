/* SPDX-License-Identifier: MIT
 * redact: text for others' eyes, with what is secret in it taken out: the secrets that
 * are known, to the letter, and what looks like one: user and password of a URL and
 * what follows its '?', what stands behind "password=", "Authorization:", "Bearer" and
 * the like. It rather takes too much than too little. */
#ifndef MMLAG_CLI_REDACT_H
#define MMLAG_CLI_REDACT_H

#include <stddef.h>

#include "base/buf.h"

#define REDACTED "[redacted]"

/* Known secrets; an empty one is all zeros. */
struct redact {
	char **secrets; /* owned, wiped at the end */
	size_t n, cap;
};

/* Take note of a secret, as it is and as it stands in JSON. One of several lines (a key
 * file) is known by each of its lines. What has fewer than REDACT_MIN bytes is not
 * noted: it would be found everywhere.  @thread main */
#define REDACT_MIN 4
void redact_know(struct redact *r, const char *secret);

/* Append `text`, line by line, without what is secret and without control
 * characters other than newline.  @thread main */
void redact_add(const struct redact *r, const char *text, struct buf *out);

void redact_fini(struct redact *r);

#endif
