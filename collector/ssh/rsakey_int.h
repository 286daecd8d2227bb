/* SPDX-License-Identifier: MIT
 * rsakey: RSA keys beside libssh2, whose versions before 1.11 sign with SHA-1 only. The
 * key is read by OpenSSL, or here out of OpenSSH's own format, and signs with SHA-2. */
#ifndef MMLAG_SSH_RSAKEY_INT_H
#define MMLAG_SSH_RSAKEY_INT_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "ssh/wire_int.h"

/* The private part of an openssh-key-v1 file that is not encrypted ("check" numbers
 * first). Returns the key, to be freed with EVP_PKEY_free, or NULL when the bytes hold
 * no RSA key.  @thread any */
EVP_PKEY *rsakey_from_openssh(struct span private_part);

/* Append the public blob, with `name` in the place of the type's name.
 * Returns 0, or -1.  @thread any */
int rsakey_blob(const EVP_PKEY *key, const char *name, struct buf *out);

/* Append the raw signature of `data` under "rsa-sha2-512" or "rsa-sha2-256". Returns 0,
 * or -1 (another algorithm included).  @thread any */
int rsakey_sign(EVP_PKEY *key, struct span algorithm, struct span data,
		struct buf *out);

#endif
