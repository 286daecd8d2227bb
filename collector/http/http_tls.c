/* SPDX-License-Identifier: MIT
 * http_tls: whom to believe. A pinned authority must be in the presented chain, where
 * its SHA-256 tells it; in that very handshake it is the only anchor of the usual
 * verification, name check included. */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "http/http_int.h"

#include "banned.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_pin(const char *text, unsigned char out[HASH_SHA256_LEN],
		    struct err *err)
{
	size_t digits = 0;

	for (const char *p = text; *p != '\0'; p++) {
		int d = hex_digit(*p);

		if (*p == ':')
			continue;
		if (d < 0 || digits == 2 * HASH_SHA256_LEN)
			goto bad;
		out[digits / 2] =
			(unsigned char)(digits % 2 == 0 ? d << 4 : out[digits / 2] | d);
		digits++;
	}
	if (digits == 2 * HASH_SHA256_LEN)
		return 0;
bad:
	return err_set(
		err, ERR_PERMANENT,
		"ca_fingerprint %s: not 64 hex digits (openssl x509 -in CA.crt -noout "
		"-fingerprint -sha256)",
		text);
}

/* The pin is checked inside OpenSSL's handshake, so it must be OpenSSL's. */
static int check_backend(struct err *err)
{
	const char *tls = curl_version_info(CURLVERSION_NOW)->ssl_version;

	if (tls != NULL && strncmp(tls, "OpenSSL/", 8) == 0)
		return 0;
	return err_set(err, ERR_PERMANENT,
		       "ca_fingerprint needs a libcurl with OpenSSL, this one has %s; "
		       "use ca_file",
		       tls != NULL ? tls : "no TLS");
}

static int client_certificate(struct http *h, const struct http_options *o,
			      struct err *err)
{
	const char *cert = o->client_cert_file, *key = o->client_key_file;

	if (cert == NULL || *cert == '\0') {
		if (key == NULL || *key == '\0')
			return 0;
		return err_set(
			err, ERR_PERMANENT,
			"client_key_file goes with client_cert_file, which is missing");
	}
	if (key == NULL || *key == '\0')
		key = cert;
	if (file_secret_path(cert, &h->cert_path, err) != 0 ||
	    file_secret_path(key, &h->key_path, err) != 0 ||
	    file_check_secret(key, err) != 0)
		return err_wrap(err, "client certificate");
	if (access(h->cert_path, R_OK) != 0)
		return err_set(err, ERR_PERMANENT,
			       "client_cert_file %s: cannot be read", h->cert_path);
	return 0;
}

int http_tls_open(struct http *h, const struct http_options *o, struct err *err)
{
	h->insecure = o->insecure_skip_verify;
	if (o->ca_file != NULL && *o->ca_file != '\0') {
		h->ca_file = mem_strdup(o->ca_file);
		if (access(h->ca_file, R_OK) != 0)
			return err_set(err, ERR_PERMANENT, "ca_file %s: cannot be read",
				       h->ca_file);
	}
	h->has_pin = o->ca_fingerprint != NULL && *o->ca_fingerprint != '\0';
	if (h->has_pin &&
	    (read_pin(o->ca_fingerprint, h->pin, err) != 0 || check_backend(err) != 0))
		return ERR_PERMANENT;
	return client_certificate(h, o, err);
}

/* The presented certificate whose SHA-256 is the pin; NULL when none has it. */
static X509 *find_pinned(const struct http *h, STACK_OF(X509) * chain)
{
	unsigned char digest[HASH_SHA256_LEN];

	for (int i = 0; i < sk_X509_num(chain); i++) {
		X509 *x = sk_X509_value(chain, i);

		if (X509_digest(x, EVP_sha256(), digest, NULL) == 1 &&
		    memcmp(digest, h->pin, sizeof(digest)) == 0)
			return x;
	}
	return NULL;
}

/* In place of OpenSSL's verification: the same, with the pinned authority as the only
 * anchor. Names are libcurl's affair, after the handshake. */
static int verify_pinned(X509_STORE_CTX *ctx, void *arg)
{
	struct http *h = arg;
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(ctx), *anchors;
	X509 *pinned = find_pinned(h, chain);
	int ok = 0;

	h->presented = sk_X509_num(chain);
	h->pin_fault = pinned == NULL               ? PIN_ABSENT
		       : X509_check_ca(pinned) <= 0 ? PIN_NO_AUTHORITY
						    : PIN_GOOD;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_APPLICATION_VERIFICATION);
	if (h->pin_fault != PIN_GOOD)
		return 0;
	anchors = sk_X509_new_null();
	if (anchors != NULL && sk_X509_push(anchors, pinned) > 0) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		X509_STORE_CTX_set0_trusted_stack(ctx, anchors);
		/* An authority below another one may be the pinned one. */
		X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
					    X509_V_FLAG_PARTIAL_CHAIN);
		ok = X509_verify_cert(ctx) > 0;
		X509_STORE_CTX_set0_trusted_stack(ctx, NULL);
	}
	sk_X509_free(anchors);
	return ok;
}

static CURLcode use_pin(CURL *easy, void *ssl_ctx, void *arg)
{
	(void)easy;
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify_pinned, arg);
	return CURLE_OK;
}

void http_tls_setup(struct http *h, CURL *easy)
{
	h->pin_fault = PIN_GOOD;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, h->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, h->insecure ? 0L : 2L);
	if (h->has_pin && !h->insecure) {
		/* Without authorities of its own libcurl believes nobody, should it
		 * ever not call us. */
		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, h);
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, use_pin);
	} else if (h->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (h->cert_path != NULL) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert_path);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key_path);
	}
}

int http_tls_pin_error(const struct http *h, const char *origin, struct err *err)
{
	if (h->pin_fault == PIN_NO_AUTHORITY)
		return err_set_code(
			err, ERR_PERMANENT, HTTP_TLS,
			"%s: ca_fingerprint is that of the server's own certificate; "
			"give that of its authority, or name the certificate in "
			"ca_file",
			origin);
	return err_set_code(
		err, ERR_PERMANENT, HTTP_TLS,
		"%s: none of the %d certificates it presents has ca_fingerprint; the "
		"authority's certificate must be in the chain, or be named in ca_file",
		origin, h->presented);
}
