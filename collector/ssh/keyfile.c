/* SPDX-License-Identifier: MIT */
#include "ssh/keyfile_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/rsakey_int.h"

#include "banned.h"

#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END "-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1" /* and its NUL */
#define KEY_MAX 65536

static void wipe(struct buf *b)
{
	mem_wipe(b->data, b->cap);
	buf_free(b);
}

void keyfile_fini(struct keyfile *k)
{
	wipe(&k->text);
	wipe(&k->passphrase);
	buf_free(&k->blob);
	EVP_PKEY_free(k->rsa_key);
	k->rsa_key = NULL;
}

static int no_good(struct err *err, const char *path, const char *why)
{
	return err_set_code(err, ERR_PERMANENT, REASON_SSH_AUTH, "key %s %s", path,
			    why);
}

static int no_passphrase(struct err *err, const char *path)
{
	return no_good(err, path, "is encrypted: set passphrase_file");
}

/* What the callback of OpenSSL is told, and tells. */
struct ask {
	const struct buf *passphrase;
	bool asked;
};

static int give_passphrase(char *out, int size, int writing, void *arg)
{
	struct ask *a = arg;

	(void)writing;
	a->asked = true;
	if (a->passphrase->len == 0 || a->passphrase->len > (size_t)size)
		return -1;
	memcpy(out, a->passphrase->data, a->passphrase->len);
	return (int)a->passphrase->len;
}

static int open_pem(struct keyfile *k, struct err *err)
{
	struct ask ask = {&k->passphrase, false};
	BIO *bio = BIO_new_mem_buf(k->text.data, (int)k->text.len);
	EVP_PKEY *key = NULL;

	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &ask);
	BIO_free(bio);
	ERR_clear_error();
	k->encrypted = ask.asked;
	if (key == NULL && ask.asked && k->passphrase.len == 0)
		return no_passphrase(err, k->path);
	if (key == NULL && ask.asked)
		return no_good(
			err, k->path,
			"cannot be decrypted: passphrase_file is not its passphrase");
	if (key == NULL)
		return no_good(err, k->path,
			       "is damaged, or of a kind that OpenSSL cannot "
			       "read");
	k->rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	if (k->rsa && rsakey_blob(key, "ssh-rsa", &k->blob) == 0)
		k->rsa_key = key;
	else
		EVP_PKEY_free(key);
	return 0;
}

/* The base64 between the two lines. */
static int unpack_openssh(const struct keyfile *k, struct buf *raw)
{
	const char *begin =
		strstr(buf_str(&k->text), OPENSSH_BEGIN) + strlen(OPENSSH_BEGIN);
	const char *end = strstr(begin, OPENSSH_END);
	struct buf packed = BUF_INIT(KEY_MAX);
	int rc;

	/* Reserved at once: a buffer that grows leaves copies behind. */
	buf_reserve(&packed, k->text.len);
	buf_reserve(raw, k->text.len);
	for (const char *p = begin; end != NULL && p < end; p++)
		if (strchr(" \t\r\n", *p) == NULL)
			buf_addch(&packed, *p);
	rc = wire_unbase64(buf_str(&packed), packed.len, raw);
	wipe(&packed);
	return rc;
}

static int parse_openssh(struct keyfile *k, const struct buf *raw)
{
	struct wire w = {(const unsigned char *)raw->data, raw->len, false};
	struct span magic = wire_bytes(&w, sizeof(OPENSSH_MAGIC));
	struct span cipher, blob, secret, type;
	struct wire inner;

	if (magic.len == 0 || memcmp(magic.p, OPENSSH_MAGIC, magic.len) != 0)
		return -1;
	cipher = wire_string(&w);
	wire_string(&w); /* key derivation */
	wire_string(&w); /* and its options */
	if (wire_u32(&w) != 1)
		return -1;
	blob = wire_string(&w);
	secret = wire_string(&w);
	inner = (struct wire){blob.p, blob.len, false};
	type = wire_string(&inner);
	if (w.failed || inner.failed || buf_add(&k->blob, blob.p, blob.len) != 0)
		return -1;
	snprintf(k->cipher, sizeof(k->cipher), "%.*s", (int)cipher.len,
		 (const char *)cipher.p);
	k->encrypted = !span_is(cipher, "none");
	k->rsa = span_is(type, "ssh-rsa");
	if (k->rsa && !k->encrypted)
		k->rsa_key = rsakey_from_openssh(secret);
	return k->rsa && !k->encrypted && k->rsa_key == NULL ? -1 : 0;
}

static int open_openssh(struct keyfile *k, struct err *err)
{
	struct buf raw = BUF_INIT(KEY_MAX);
	int rc = unpack_openssh(k, &raw);

	k->openssh = true;
	if (rc == 0)
		rc = parse_openssh(k, &raw);
	wipe(&raw);
	ERR_clear_error();
	if (rc != 0)
		return no_good(err, k->path, "is damaged: no openssh-key-v1 in it");
	if (k->encrypted && k->passphrase.len == 0)
		return no_passphrase(err, k->path);
	return 0;
}

static int recognise(struct keyfile *k, struct err *err)
{
	const char *text = buf_str(&k->text);

	if (strstr(text, OPENSSH_BEGIN " ") != NULL)
		return no_good(err, k->path, "has blanks at the ends of its lines");
	if (strstr(text, OPENSSH_BEGIN) != NULL)
		return open_openssh(k, err);
	if (strstr(text, "PRIVATE KEY-----") != NULL)
		return open_pem(k, err);
	if (strncmp(text, "PuTTY-User-Key-File", 19) == 0)
		return no_good(err, k->path,
			       "is PuTTY's: convert it (puttygen KEY -O "
			       "private-openssh -o NEW)");
	if (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "ecdsa-", 6) == 0)
		return no_good(err, k->path, "is a public key: give the private one");
	return no_good(err, k->path, "is no private key (no PEM in it)");
}

int keyfile_open(struct keyfile *k, const char *path, const char *passphrase_file,
		 struct err *err)
{
	int rc;

	memset(k, 0, sizeof(*k));
	k->path = path;
	buf_init(&k->text, KEY_MAX);
	buf_init(&k->blob, KEY_MAX);
	buf_init(&k->passphrase, KEY_MAX);
	rc = file_read_secret(path, &k->text, err);
	if (rc == 0 && passphrase_file != NULL) {
		rc = file_read_secret(passphrase_file, &k->passphrase, err);
		if (rc != 0)
			err_wrap(err, "passphrase of key %s", path);
	} else if (rc != 0) {
		err_wrap(err, "key");
	}
	if (rc != 0) {
		err->code = REASON_SSH_AUTH;
		err->class = ERR_PERMANENT;
	} else {
		buf_addch(&k->text, '\n'); /* one was cut, and PEM wants it */
		rc = recognise(k, err);
	}
	if (rc != 0) {
		keyfile_fini(k);
		return ERR_PERMANENT;
	}
	return 0;
}

static int read_public(const char *path, struct buf *out)
{
	struct buf text = BUF_INIT(KEY_MAX);
	int rc = -1;

	if (file_read(path, &text, NULL) == 0 &&
	    strncmp(buf_str(&text), "-----", 5) != 0) {
		const char *key = buf_str(&text) + strcspn(buf_str(&text), " ");

		key += strspn(key, " ");
		rc = wire_unbase64(key, strcspn(key, " \r\n"), out);
	}
	wipe(&text);
	return rc;
}

int keyfile_public(const char *path, struct buf *out)
{
	char *beside = mem_printf("%s.pub", path);
	int rc = read_public(path, out);

	if (rc != 0) {
		buf_reset(out);
		rc = read_public(beside, out);
	}
	free(beside);
	return rc;
}
