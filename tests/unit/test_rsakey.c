/* SPDX-License-Identifier: MIT
 * RSA keys read out of OpenSSH's own format, and key files of all kinds recognised. The
 * keys are made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/keyfile_int.h"
#include "ssh/rsakey_int.h"

static EVP_PKEY *rsa, *ed25519;
static char dir[] = "/tmp/mmlag-rsakey-XXXXXX";

static struct span span_of(const struct buf *b)
{
	return (struct span){(unsigned char *)buf_str(b), b->len};
}

static struct span text_span(const char *s)
{
	return (struct span){(const unsigned char *)s, strlen(s)};
}

static void add_mpint(struct buf *b, const char *which)
{
	unsigned char bytes[600] = {0};
	BIGNUM *bn = NULL;
	int n;

	assert_int_equal(EVP_PKEY_get_bn_param(rsa, which, &bn), 1);
	n = BN_bn2bin(bn, bytes + 1);
	if (bytes[1] & 0x80)
		wire_add_string(b, bytes, (size_t)n + 1);
	else
		wire_add_string(b, bytes + 1, (size_t)n);
	BN_clear_free(bn);
}

/* The private part of an openssh-key-v1 file, as the format's description has it. */
static void make_private(struct buf *b, const char *type)
{
	static const char *const parts[] = {OSSL_PKEY_PARAM_RSA_N,
					    OSSL_PKEY_PARAM_RSA_E,
					    OSSL_PKEY_PARAM_RSA_D,
					    OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
					    OSSL_PKEY_PARAM_RSA_FACTOR1,
					    OSSL_PKEY_PARAM_RSA_FACTOR2};

	wire_add_u32(b, 0x12345678);
	wire_add_u32(b, 0x12345678);
	wire_add_string(b, type, strlen(type));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		add_mpint(b, parts[i]);
	wire_add_string(b, "comment", 7);
	for (char c = 1; b->len % 8 != 0; c++)
		buf_addch(b, c);
}

/* A whole file. */
static void make_openssh(struct buf *out, const char *cipher, const char *type)
{
	struct buf raw = BUF_INIT(8192), part = BUF_INIT(8192), text = BUF_INIT(16384);

	buf_add(&raw, "openssh-key-v1", 15);
	wire_add_string(&raw, cipher, strlen(cipher));
	wire_add_string(&raw, "none", 4);
	wire_add_string(&raw, "", 0);
	wire_add_u32(&raw, 1);
	assert_int_equal(rsakey_blob(rsa, type, &part), 0);
	wire_add_string(&raw, part.data, part.len);
	buf_reset(&part);
	make_private(&part, type);
	wire_add_string(&raw, part.data, part.len);
	wire_base64(&text, raw.data, raw.len);
	buf_addstr(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t i = 0; i < text.len; i += 70)
		buf_printf(out, "%.70s\n", text.data + i);
	buf_addstr(out, "-----END OPENSSH PRIVATE KEY-----\n");
	buf_free(&raw);
	buf_free(&part);
	buf_free(&text);
}

static void a_key_of_openssh_is_the_same_key_to_openssl(void **state)
{
	struct buf part = BUF_INIT(8192), one = BUF_INIT(8192), two = BUF_INIT(8192);
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key;

	(void)state;
	make_private(&part, "ssh-rsa");
	key = rsakey_from_openssh(span_of(&part));
	assert_non_null(key);
	assert_int_equal(EVP_PKEY_eq(key, rsa), 1);
	ctx = EVP_PKEY_CTX_new(key, NULL);
	assert_int_equal(EVP_PKEY_check(ctx), 1); /* dmp1 and dmq1 too */
	assert_int_equal(rsakey_blob(key, "rsa-sha2-512", &one), 0);
	assert_int_equal(rsakey_blob(rsa, "rsa-sha2-512", &two), 0);
	assert_int_equal(one.len, two.len);
	assert_memory_equal(one.data, two.data, one.len);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	buf_free(&part);
	buf_free(&one);
	buf_free(&two);
}

static void the_blob_has_name_exponent_and_modulus(void **state)
{
	struct buf blob = BUF_INIT(8192);
	struct wire w;

	(void)state;
	assert_int_equal(rsakey_blob(rsa, "rsa-sha2-512", &blob), 0);
	w = (struct wire){(unsigned char *)blob.data, blob.len, false};
	assert_true(span_is(wire_string(&w), "rsa-sha2-512"));
	assert_int_equal(wire_string(&w).len, 3);   /* 65537 */
	assert_int_equal(wire_string(&w).len, 257); /* 2048 bits and a leading zero */
	assert_false(w.failed);
	assert_int_equal(w.left, 0);
	buf_free(&blob);
}

static void signatures_hold_under_their_own_hash_only(void **state)
{
	static const struct {
		const char *name;
		const EVP_MD *(*hash)(void);
	} algorithms[] = {{"rsa-sha2-512", EVP_sha512}, {"rsa-sha2-256", EVP_sha256}};
	struct span data = text_span("what is to be signed");

	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < 2; j++) {
			struct buf sig = BUF_INIT(1000);
			EVP_MD_CTX *ctx = EVP_MD_CTX_new();

			assert_int_equal(rsakey_sign(rsa, text_span(algorithms[i].name),
						     data, &sig),
					 0);
			assert_int_equal(EVP_DigestVerifyInit(ctx, NULL,
							      algorithms[j].hash(),
							      NULL, rsa),
					 1);
			assert_int_equal(EVP_DigestVerify(ctx,
							  (unsigned char *)sig.data,
							  sig.len, data.p,
							  data.len) == 1,
					 i == j);
			EVP_MD_CTX_free(ctx);
			buf_free(&sig);
		}
}

static void there_is_no_signature_with_sha1(void **state)
{
	struct buf sig = BUF_INIT(1000);

	(void)state;
	assert_int_equal(rsakey_sign(rsa, text_span("ssh-rsa"), text_span("x"), &sig),
			 -1);
	assert_int_equal(sig.len, 0);
}

static uint64_t seed = 99;

static unsigned next_random(unsigned bound)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % bound;
}

static void damaged_bytes_give_no_key_and_no_harm(void **state)
{
	struct buf part = BUF_INIT(8192);
	size_t used;

	(void)state;
	make_private(&part, "ssh-rsa");
	used = part.len - 11 - 8; /* without comment and padding */
	for (size_t n = 0; n < used; n += 13) {
		char *cut = mem_calloc(n + 1, 1); /* its end is watched by ASan */

		memcpy(cut, part.data, n);
		assert_null(
			rsakey_from_openssh((struct span){(unsigned char *)cut, n}));
		free(cut);
	}
	for (int i = 0; i < 200; i++) {
		size_t at = next_random((unsigned)part.len);
		char old = part.data[at];

		part.data[at] = (char)(old ^ (1 << next_random(8)));
		EVP_PKEY_free(rsakey_from_openssh(span_of(&part)));
		part.data[at] = old;
	}
	buf_free(&part);
}

/* Files */

static char *put(const char *name, const char *text, size_t len)
{
	char *path = mem_printf("%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
	return path;
}

static void make_pem(struct buf *out, EVP_PKEY *key, bool traditional, const char *pass)
{
	const EVP_CIPHER *cipher = pass != NULL ? EVP_aes_128_cbc() : NULL;
	const unsigned char *p = (const unsigned char *)pass;
	int n = pass != NULL ? (int)strlen(pass) : 0, rc;
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	rc = traditional ? PEM_write_bio_PrivateKey_traditional(bio, key, cipher, p, n,
								NULL, NULL)
			 : PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, pass, n,
							 NULL, NULL);
	assert_int_equal(rc, 1);
	len = BIO_get_mem_data(bio, &data);
	buf_add(out, data, (size_t)len);
	BIO_free(bio);
}

enum { OPENSSH, PKCS1, PKCS8 };

static const struct {
	const char *label;
	int format;
	bool is_rsa;
	const char *written_with, *read_with;
	const char *words; /* of the error, NULL for none */
} files[] = {
	{"openssh", OPENSSH, true, NULL, NULL, NULL},
	{"pkcs1", PKCS1, true, NULL, NULL, NULL},
	{"pkcs1, a passphrase it does not need", PKCS1, true, NULL, "x", NULL},
	{"pkcs1 encrypted", PKCS1, true, "secret", "secret", NULL},
	{"pkcs1 wrong", PKCS1, true, "secret", "wrong", "is not its passphrase"},
	{"pkcs1 without", PKCS1, true, "secret", NULL, "set passphrase_file"},
	{"pkcs8", PKCS8, true, NULL, NULL, NULL},
	{"pkcs8 encrypted", PKCS8, true, "secret", "secret", NULL},
	{"pkcs8 wrong", PKCS8, true, "secret", "wrong", "is not its passphrase"},
	{"pkcs8 without", PKCS8, true, "secret", NULL, "set passphrase_file"},
	{"pkcs8 ed25519", PKCS8, false, NULL, NULL, NULL},
	{"pkcs8 ed25519 encrypted", PKCS8, false, "secret", "secret", NULL},
	{"pkcs8 ed25519 wrong", PKCS8, false, "secret", "x", "is not its passphrase"},
};

static void key_files_are_recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf text = BUF_INIT(65536);
		struct err err = ERR_INIT;
		char *path, *passphrase = NULL;
		struct keyfile k;
		int rc;

		if (files[i].format == OPENSSH)
			make_openssh(&text, "none", "ssh-rsa");
		else
			make_pem(&text, files[i].is_rsa ? rsa : ed25519,
				 files[i].format == PKCS1, files[i].written_with);
		path = put("key", text.data, text.len);
		if (files[i].read_with != NULL)
			passphrase = put("passphrase", files[i].read_with,
					 strlen(files[i].read_with));
		rc = keyfile_open(&k, path, passphrase, &err);
		if (files[i].words != NULL) {
			if (rc != ERR_PERMANENT || err.code != REASON_SSH_AUTH ||
			    strstr(err.text, files[i].words) == NULL)
				fail_msg("%s: %s", files[i].label, err.text);
		} else if (rc != 0) {
			fail_msg("%s: %s", files[i].label, err.text);
		} else {
			assert_int_equal(k.rsa, files[i].is_rsa);
			assert_int_equal(k.encrypted, files[i].written_with != NULL);
			assert_int_equal(k.openssh, files[i].format == OPENSSH);
			if (k.rsa)
				assert_int_equal(EVP_PKEY_eq(k.rsa_key, rsa), 1);
			keyfile_fini(&k);
		}
		buf_free(&text);
		free(path);
		free(passphrase);
	}
}

static void
an_encrypted_openssh_file_tells_its_type_without_the_passphrase(void **state)
{
	struct buf text = BUF_INIT(65536);
	struct err err = ERR_INIT;
	struct keyfile k;
	char *path, *passphrase = put("passphrase", "x", 1);

	(void)state;
	make_openssh(&text, "aes256-ctr", "ssh-rsa");
	path = put("key", text.data, text.len);
	assert_int_equal(keyfile_open(&k, path, NULL, &err), ERR_PERMANENT);
	assert_non_null(strstr(err.text, "set passphrase_file"));
	assert_int_equal(keyfile_open(&k, path, passphrase, &err), 0);
	assert_true(k.rsa && k.encrypted && k.openssh);
	assert_null(k.rsa_key);
	assert_string_equal(k.cipher, "aes256-ctr");
	keyfile_fini(&k);
	buf_free(&text);
	free(path);
	free(passphrase);
}

static const struct {
	const char *text, *words;
} garbage[] = {
	{"x", "no PEM"},
	{"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
	 "damaged"},
	{"-----BEGIN OPENSSH PRIVATE KEY-----\n", "damaged"},
	{"-----BEGIN OPENSSH PRIVATE KEY-----\n-----END OPENSSH PRIVATE KEY-----",
	 "damaged"},
	{"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
	 "damaged"},
	{"ssh-ed25519 AAAA", "public key"},
	{"PuTTY-User-Key-File-2: ssh-rsa", "PuTTY"},
};

static void what_is_no_key_is_said_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		char *path = put("key", garbage[i].text, strlen(garbage[i].text));
		struct err err = ERR_INIT;
		struct keyfile k;

		assert_int_equal(keyfile_open(&k, path, NULL, &err), ERR_PERMANENT);
		assert_int_equal(err.code, REASON_SSH_AUTH);
		if (strstr(err.text, garbage[i].words) == NULL)
			fail_msg("%s", err.text);
		free(path);
	}
}

static void a_damaged_openssh_file_does_no_harm(void **state)
{
	struct buf text = BUF_INIT(65536);

	(void)state;
	make_openssh(&text, "none", "ssh-rsa");
	for (int i = 0; i < 300; i++) {
		size_t at = next_random((unsigned)text.len);
		char old = text.data[at], *path;
		struct err err = ERR_INIT;
		struct keyfile k;

		text.data[at] = "A/+=\n-z\0"[next_random(8)];
		path = put("key", text.data, text.len);
		if (keyfile_open(&k, path, NULL, &err) == 0)
			keyfile_fini(&k);
		else
			assert_int_equal(err.code, REASON_SSH_AUTH);
		text.data[at] = old;
		free(path);
	}
	buf_free(&text);
}

static void the_public_half_is_found_beside_the_key(void **state)
{
	struct buf blob = BUF_INIT(100);
	char *key = put("k", "-----BEGIN", 10),
	     *pub = put("k.pub", "ssh-x AAAA c\n", 13);

	(void)state;
	assert_int_equal(keyfile_public(key, &blob), 0);
	assert_int_equal(blob.len, 3);
	buf_reset(&blob);
	assert_int_equal(keyfile_public(pub, &blob), 0);
	assert_int_equal(blob.len, 3);
	unlink(pub);
	buf_reset(&blob);
	assert_int_equal(keyfile_public(key, &blob), -1);
	buf_free(&blob);
	free(key);
	free(pub);
}

static int make_keys(void **state)
{
	(void)state;
	rsa = EVP_RSA_gen(2048);
	ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return rsa != NULL && ed25519 != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static int drop_keys(void **state)
{
	static const char *const names[] = {"key", "passphrase", "k", "k.pub"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[100];

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(ed25519);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_openssh_is_the_same_key_to_openssl),
		cmocka_unit_test(the_blob_has_name_exponent_and_modulus),
		cmocka_unit_test(signatures_hold_under_their_own_hash_only),
		cmocka_unit_test(there_is_no_signature_with_sha1),
		cmocka_unit_test(damaged_bytes_give_no_key_and_no_harm),
		cmocka_unit_test(key_files_are_recognised),
		cmocka_unit_test(
			an_encrypted_openssh_file_tells_its_type_without_the_passphrase),
		cmocka_unit_test(what_is_no_key_is_said_so),
		cmocka_unit_test(a_damaged_openssh_file_does_no_harm),
		cmocka_unit_test(the_public_half_is_found_beside_the_key),
	};

	return cmocka_run_group_tests_name("rsakey", tests, make_keys, drop_keys);
}
