/* SPDX-License-Identifier: MIT */
#include "base/hash.h"

#include <openssl/sha.h>

#include "banned.h"

void hash_sha256(const void *data, size_t len, unsigned char out[HASH_SHA256_LEN])
{
	SHA256(data, len, out);
}

uint64_t hash_fnv64(const void *data, size_t len, uint64_t seed)
{
	const unsigned char *p = data;
	uint64_t h = seed != 0 ? seed : 0xcbf29ce484222325U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * 0x100000001b3U;
	return h;
}

void hash_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = hex[bytes[i] >> 4];
		*out++ = hex[bytes[i] & 15];
	}
	*out = '\0';
}
