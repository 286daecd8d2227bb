/* SPDX-License-Identifier: MIT
 * hash: SHA-256 for names that must never collide (libcrypto does it), FNV-1a for
 * tables. */
#ifndef MMLAG_BASE_HASH_H
#define MMLAG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_SHA256_LEN 32

/* @thread any */
void hash_sha256(const void *data, size_t len, unsigned char out[HASH_SHA256_LEN]);

/* 64-bit FNV-1a, continued from `seed` (0 begins anew).  @thread any */
uint64_t hash_fnv64(const void *data, size_t len, uint64_t seed);

/* Lower-case hexadecimal of `n` bytes and a NUL: 2n + 1 characters.  @thread any */
void hash_hex(const unsigned char *bytes, size_t n, char *out);

#endif
