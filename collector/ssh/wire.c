/* SPDX-License-Identifier: MIT */
#include "ssh/wire_int.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/hash.h"

#include "banned.h"

struct span wire_bytes(struct wire *w, size_t n)
{
	struct span s = {w->p, n};

	if (w->failed || n > w->left) {
		w->failed = true;
		return (struct span){(const unsigned char *)"", 0};
	}
	w->p += n;
	w->left -= n;
	return s;
}

uint32_t wire_u32(struct wire *w)
{
	struct span s = wire_bytes(w, 4);

	if (s.len != 4)
		return 0;
	return (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 |
	       s.p[3];
}

struct span wire_string(struct wire *w)
{
	uint32_t n = wire_u32(w);

	return wire_bytes(w, n);
}

bool span_is(struct span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.p, text, s.len) == 0;
}

void wire_add_u32(struct buf *b, uint32_t v)
{
	unsigned char n[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
			      (unsigned char)(v >> 8), (unsigned char)v};

	buf_add(b, n, sizeof(n));
}

void wire_add_string(struct buf *b, const void *p, size_t n)
{
	wire_add_u32(b, (uint32_t)n);
	buf_add(b, p, n);
}

void wire_base64(struct buf *out, const void *p, size_t n)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < n; i += 3) {
		unsigned char four[5];

		EVP_EncodeBlock(four, bytes + i, n - i < 3 ? (int)(n - i) : 3);
		buf_add(out, four, 4);
	}
}

int wire_unbase64(const char *text, size_t n, struct buf *out)
{
	if (n == 0 || n % 4 != 0)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		unsigned char three[3];
		size_t pad = 0;

		if (i + 4 == n)
			pad = (text[n - 1] == '=') +
			      (text[n - 1] == '=' && text[n - 2] == '=');
		if (memchr(text + i, '=', 4 - pad) != NULL ||
		    EVP_DecodeBlock(three, (const unsigned char *)text + i, 4) != 3 ||
		    buf_add(out, three, 3 - pad) != 0)
			return -1;
	}
	return 0;
}

void wire_fingerprint(const void *blob, size_t n, char out[FINGERPRINT_TEXT])
{
	unsigned char digest[HASH_SHA256_LEN];
	struct buf text = BUF_INIT(FINGERPRINT_TEXT);

	hash_sha256(blob, n, digest);
	wire_base64(&text, digest, sizeof(digest));
	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.data[--text.len] = '\0';
	snprintf(out, FINGERPRINT_TEXT, "SHA256:%s", buf_str(&text));
	buf_free(&text);
}
