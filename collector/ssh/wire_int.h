/* SPDX-License-Identifier: MIT
 * wire: the encoding of SSH: big-endian numbers and strings with their length in front.
 * Reading never passes the end; the first failure sticks. */
#ifndef MMLAG_SSH_WIRE_INT_H
#define MMLAG_SSH_WIRE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct wire {
	const unsigned char *p;
	size_t left;
	bool failed;
};

/* A piece of somebody else's bytes. */
struct span {
	const unsigned char *p;
	size_t len;
};

/* The next `n` bytes, or an empty span and `failed`.  @thread any */
struct span wire_bytes(struct wire *w, size_t n);
uint32_t wire_u32(struct wire *w);
struct span wire_string(struct wire *w);

/* Is it this text?  @thread any */
bool span_is(struct span s, const char *text);

/* @thread any */
void wire_add_u32(struct buf *b, uint32_t v);
void wire_add_string(struct buf *b, const void *p, size_t n);

/* Base64 in the form of public keys, with padding; appended to `out`.  @thread any */
void wire_base64(struct buf *out, const void *p, size_t n);

/* The reverse, of `n` characters with padding. Returns 0, or -1 when they are something
 * else or do not fit.  @thread any */
int wire_unbase64(const char *text, size_t n, struct buf *out);

#define FINGERPRINT_TEXT 64

/* "SHA256:…" of a public key's blob, as ssh-keygen -l prints it.  @thread any */
void wire_fingerprint(const void *blob, size_t n, char out[FINGERPRINT_TEXT]);

#endif
