/* SPDX-License-Identifier: MIT
 * content: the bytes of an answer, made once and shared by all who ask for them; all
 * within the listener's thread, so the count needs no atomics. Further: what the
 * headers about caching and compression say. */
#ifndef MMLAG_SERVE_CONTENT_INT_H
#define MMLAG_SERVE_CONTENT_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define CONTENT_MAX (256 << 20)

struct content {
	unsigned refs;
	unsigned char *data, *gzip; /* gzip: NULL before it was asked for */
	size_t len, gzip_len;
	char etag[24];
};

/* Take the bytes out of `from`; the caller's reference.  @thread http */
struct content *content_take(struct buf *from);
struct content *content_ref(struct content *c);
void content_unref(struct content *c); /* NULL is legal */

/* Compress, once. False where that is not worth it.  @thread http */
bool content_compress(struct content *c);

/* Does an If-None-Match header name this ETag?  @thread any */
bool content_is_known(const char *if_none_match, const char *etag);

/* Does an Accept-Encoding header allow gzip? NULL does not.  @thread any */
bool content_accepts_gzip(const char *accept_encoding);

#endif
