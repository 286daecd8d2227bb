/* SPDX-License-Identifier: MIT
 * http_pack: bodies packed and unpacked. libcurl would unpack too, but takes half a
 * packed body for a whole one where the announced length is that of the half: the
 * numbers in it would be believed. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/mem.h"
#include "http/http_int.h"

#include "banned.h"

#define PIECE 16384

int http_pack(const char *data, size_t len, struct buf *out)
{
	z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)len};
	int rc = -1;

	if (len > UINT32_MAX / 2 ||
	    deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -1;
	buf_init(out, deflateBound(&z, (uLong)len));
	if (buf_reserve(out, out->max) == 0) {
		z.next_out = (Bytef *)out->data;
		z.avail_out = (uInt)out->max;
		if (deflate(&z, Z_FINISH) == Z_STREAM_END) {
			out->len = z.total_out;
			rc = 0;
		}
	}
	deflateEnd(&z);
	if (rc != 0)
		buf_free(out);
	return rc;
}

struct unpack {
	z_stream z;
	bool begun; /* some of it came, */
	bool ended; /* and it is whole: the check sum was right */
};

int http_unpack_new(struct unpack **out, const char *encoding)
{
	bool gzip = strcasecmp(encoding, "gzip") == 0 ||
		    strcasecmp(encoding, "x-gzip") == 0;

	*out = NULL;
	if (*encoding == '\0' || strcasecmp(encoding, "identity") == 0)
		return 0;
	if (!gzip && strcasecmp(encoding, "deflate") != 0)
		return -1;
	*out = mem_calloc(1, sizeof(**out));
	if (inflateInit2(&(*out)->z, gzip ? 15 + 16 : 15) == Z_OK)
		return 0;
	free(*out);
	*out = NULL;
	return -1;
}

void http_unpack_free(struct unpack *u)
{
	if (u == NULL)
		return;
	inflateEnd(&u->z);
	free(u);
}

/* What zlib makes of the input, until it wants more. */
static int piece(struct unpack *u, char *room, size_t *n)
{
	int rc;

	if (u->ended && inflateReset(&u->z) != Z_OK)
		return -1; /* another member follows */
	u->ended = false;
	u->z.next_out = (Bytef *)room;
	u->z.avail_out = PIECE;
	rc = inflate(&u->z, Z_NO_FLUSH);
	*n = PIECE - u->z.avail_out;
	u->ended = rc == Z_STREAM_END;
	return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0 : -1;
}

enum unpacked http_unpack_feed(struct unpack *u, const char *data, size_t len,
			       bool (*give)(void *arg, const char *data, size_t len),
			       void *arg)
{
	char room[PIECE];
	size_t n;

	u->begun = true;
	u->z.next_in = (Bytef *)data;
	u->z.avail_in = (uInt)len; /* libcurl's pieces are small */
	do {
		if (piece(u, room, &n) != 0)
			return UNPACKED_NOT;
		if (n > 0 && !give(arg, room, n))
			return UNPACKED_REFUSED;
	} while (u->z.avail_in > 0 || (n == PIECE && !u->ended));
	return UNPACKED_GOOD;
}

bool http_unpack_whole(const struct unpack *u)
{
	return u->ended || !u->begun;
}
