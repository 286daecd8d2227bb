/* SPDX-License-Identifier: MIT
 * keyfile: a private key file as found on disk: which format, which type, whether it is
 * encrypted, and, for RSA, the key. Everything secret is wiped by keyfile_fini. */
#ifndef MMLAG_SSH_KEYFILE_INT_H
#define MMLAG_SSH_KEYFILE_INT_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/err.h"
#include "ssh/wire_int.h"

struct keyfile {
	const char *path; /* as configured; borrowed */
	struct buf text;
	bool openssh; /* "BEGIN OPENSSH PRIVATE KEY"; else one that OpenSSL reads */
	bool encrypted;
	bool rsa;
	char cipher[32];   /* openssh: what it is encrypted with */
	EVP_PKEY *rsa_key; /* NULL for other types, and for encrypted openssh */
	struct buf blob;   /* the public key, for openssh and RSA; else empty */
	struct buf passphrase;
};

/* Read and recognise. `passphrase_file` may be NULL. ERR_PERMANENT with reason ssh_auth
 * says what is wrong with the file or the passphrase; the passphrase of an encrypted
 * openssh file is not tried here.
 * @thread any */
NODISCARD int keyfile_open(struct keyfile *k, const char *path,
			   const char *passphrase_file, struct err *err);
void keyfile_fini(struct keyfile *k);

/* The public key in the file that `path` names, which is ".pub" of a key file or a
 * public key itself; appended to `out`. Returns 0, or -1 when there is none.
 * @thread any */
int keyfile_public(const char *path, struct buf *out);

#endif
