/* SPDX-License-Identifier: MIT */
#include "ssh/rsakey_int.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "base/mem.h"

#include "banned.h"

#define DER_MAX 32768

static void add_der_header(struct buf *b, unsigned char tag, size_t n)
{
	unsigned char h[5] = {tag, 0x83, (unsigned char)(n >> 16),
			      (unsigned char)(n >> 8), (unsigned char)n};

	buf_add(b, h, sizeof(h));
}

/* An mpint of SSH has the bytes of an INTEGER of DER. */
static void add_integer(struct buf *b, struct span mpint)
{
	add_der_header(b, 2, mpint.len);
	buf_add(b, mpint.p, mpint.len);
}

/* d mod (prime - 1), which OpenSSH leaves out. */
static int add_exponent(struct buf *b, struct span d, struct span prime)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *dn = BN_bin2bn(d.p, (int)d.len, NULL);
	BIGNUM *pn = BN_bin2bn(prime.p, (int)prime.len, NULL);
	unsigned char bytes[DER_MAX / 8];
	int rc = -1, n;

	if (ctx == NULL || dn == NULL || pn == NULL || BN_is_zero(pn) ||
	    BN_num_bytes(dn) >= (int)sizeof(bytes))
		goto out;
	BN_set_flags(dn, BN_FLG_CONSTTIME);
	if (BN_sub_word(pn, 1) != 1 || BN_is_zero(pn) || BN_mod(dn, dn, pn, ctx) != 1)
		goto out;
	bytes[0] = 0; /* a leading zero: positive, whatever comes */
	n = BN_bn2bin(dn, bytes + 1);
	add_integer(b, bytes[1] & 0x80 ? (struct span){bytes, (size_t)n + 1}
				       : (struct span){bytes + 1, (size_t)n});
	mem_wipe(bytes, sizeof(bytes));
	rc = 0;
out:
	BN_clear_free(dn);
	BN_clear_free(pn);
	BN_CTX_free(ctx);
	return rc;
}

/* The numbers in the order of PKCS#1. */
static EVP_PKEY *make_key(struct span n, struct span e, struct span d, struct span p,
			  struct span q, struct span iqmp)
{
	struct buf body = BUF_INIT(DER_MAX), der = BUF_INIT(DER_MAX + 16);
	const struct span version = {(const unsigned char *)"", 1};
	const struct span *const before[] = {&version, &n, &e, &d, &p, &q};
	EVP_PKEY *key = NULL;

	/* Reserved at once: a buffer that grows leaves copies behind. */
	if (buf_reserve(&body, DER_MAX) != 0 || buf_reserve(&der, DER_MAX) != 0)
		goto out;
	for (size_t i = 0; i < ARRAY_LEN(before); i++)
		add_integer(&body, *before[i]);
	if (add_exponent(&body, d, p) == 0 && add_exponent(&body, d, q) == 0) {
		add_integer(&body, iqmp);
		add_der_header(&der, 0x30, body.len);
		buf_add(&der, body.data, body.len);
		if (!body.failed && !der.failed) {
			const unsigned char *at = (const unsigned char *)der.data;

			key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, (long)der.len);
		}
	}
out:
	mem_wipe(body.data, body.cap);
	mem_wipe(der.data, der.cap);
	buf_free(&body);
	buf_free(&der);
	return key;
}

EVP_PKEY *rsakey_from_openssh(struct span private_part)
{
	struct wire w = {private_part.p, private_part.len, false};
	uint32_t check = wire_u32(&w);
	struct span n, e, d, iqmp, p, q;

	if (check != wire_u32(&w) || !span_is(wire_string(&w), "ssh-rsa"))
		return NULL;
	n = wire_string(&w);
	e = wire_string(&w);
	d = wire_string(&w);
	iqmp = wire_string(&w);
	p = wire_string(&w);
	q = wire_string(&w);
	if (w.failed || n.len < 64 || e.len == 0 || d.len == 0 || iqmp.len == 0 ||
	    p.len == 0 || q.len == 0)
		return NULL;
	return make_key(n, e, d, p, q, iqmp);
}

static int add_number(const EVP_PKEY *key, const char *which, struct buf *out)
{
	BIGNUM *bn = NULL;
	unsigned char bytes[4096];
	int n, rc = -1;

	if (EVP_PKEY_get_bn_param(key, which, &bn) != 1)
		return -1;
	if (BN_num_bytes(bn) > 0 && BN_num_bytes(bn) < (int)sizeof(bytes)) {
		bytes[0] = 0;
		n = BN_bn2bin(bn, bytes + 1);
		if (bytes[1] & 0x80)
			wire_add_string(out, bytes, (size_t)n + 1);
		else
			wire_add_string(out, bytes + 1, (size_t)n);
		rc = 0;
	}
	BN_free(bn);
	return rc;
}

int rsakey_blob(const EVP_PKEY *key, const char *name, struct buf *out)
{
	wire_add_string(out, name, strlen(name));
	if (add_number(key, OSSL_PKEY_PARAM_RSA_E, out) != 0 ||
	    add_number(key, OSSL_PKEY_PARAM_RSA_N, out) != 0)
		return -1;
	return out->failed ? -1 : 0;
}

int rsakey_sign(EVP_PKEY *key, struct span algorithm, struct span data, struct buf *out)
{
	const EVP_MD *digest = span_is(algorithm, "rsa-sha2-512")   ? EVP_sha512()
			       : span_is(algorithm, "rsa-sha2-256") ? EVP_sha256()
								    : NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 0;
	int rc = -1;

	if (ctx != NULL && digest != NULL &&
	    EVP_DigestSignInit(ctx, NULL, digest, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, NULL, &n, data.p, data.len) == 1 &&
	    buf_reserve(out, n) == 0 &&
	    EVP_DigestSign(ctx, (unsigned char *)out->data + out->len, &n, data.p,
			   data.len) == 1) {
		out->len += n;
		out->data[out->len] = '\0';
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	return rc;
}
