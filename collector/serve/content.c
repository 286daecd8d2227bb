/* SPDX-License-Identifier: MIT */
#include "serve/content_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/hash.h"
#include "base/mem.h"

#include "banned.h"

#define COMPRESS_FROM 1024 /* bytes; one packet is one packet */
#define GZIP_BITS (15 + 16)

struct content *content_take(struct buf *from)
{
	struct content *c = mem_calloc(1, sizeof(*c));

	c->refs = 1;
	c->len = from->len;
	c->data = (unsigned char *)buf_take(from);
	/* weak: the same for the plain and the compressed bytes */
	snprintf(c->etag, sizeof(c->etag), "W/\"%016llx\"",
		 (unsigned long long)hash_fnv64(c->data, c->len, 0));
	return c;
}

struct content *content_ref(struct content *c)
{
	c->refs++;
	return c;
}

void content_unref(struct content *c)
{
	if (c == NULL || --c->refs > 0)
		return;
	free(c->data);
	free(c->gzip);
	free(c);
}

bool content_compress(struct content *c)
{
	z_stream z = {.next_in = c->data, .avail_in = (uInt)c->len};
	size_t bound;

	if (c->gzip != NULL || c->len < COMPRESS_FROM)
		return c->gzip != NULL;
	if (deflateInit2(&z, 1, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&z, c->len);
	c->gzip = mem_calloc(1, bound);
	z.next_out = c->gzip;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
		free(c->gzip);
		c->gzip = NULL;
	}
	c->gzip_len = z.total_out;
	deflateEnd(&z);
	return c->gzip != NULL;
}

bool content_is_known(const char *if_none_match, const char *etag)
{
	const char *opaque = strchr(etag, '"');

	if (if_none_match == NULL || opaque == NULL)
		return false;
	return strcmp(if_none_match, "*") == 0 || strstr(if_none_match, opaque) != NULL;
}

bool content_accepts_gzip(const char *p)
{
	while (p != NULL && *p != '\0') {
		size_t n, name;
		const char *q;

		p += strspn(p, " \t");
		n = strcspn(p, ",");
		name = strcspn(p, "; \t,");
		if (name == 4 && strncasecmp(p, "gzip", 4) == 0) {
			q = memmem(p, n, "q=", 2);
			return q == NULL || strtod(q + 2, NULL) > 0;
		}
		p += n;
		p += *p == ',';
	}
	return false;
}
