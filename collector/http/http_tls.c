/* SPDX-License-Identifier: MIT
 * http_tls: whom to believe. A pinned authority is learnt by one handshake without
 * verification, over which nothing is sent: the certificate whose SHA-256 is the pin is
 * taken out of the presented chain. From then on it is the only anchor of the usual
 * verification, name check included. */
#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
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
	if (h->has_pin && read_pin(o->ca_fingerprint, h->pin, err) != 0)
		return ERR_PERMANENT;
	return client_certificate(h, o, err);
}

void http_tls_setup(const struct http *h, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, h->insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, h->insecure ? 0L : 2L);
	if (h->anchor != NULL) {
		struct curl_blob blob = {h->anchor, strlen(h->anchor), CURL_BLOB_COPY};

		curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	} else if (h->ca_file != NULL) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, h->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (h->cert_path != NULL) {
		curl_easy_setopt(easy, CURLOPT_SSLCERT, h->cert_path);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, h->key_path);
	}
}

/* Is this PEM text the pinned certificate? *authority tells whether it may sign. */
static bool is_pinned(const struct http *h, const char *pem, bool *authority)
{
	unsigned char digest[HASH_SHA256_LEN], *der = NULL;
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	int len = x != NULL ? i2d_X509(x, &der) : -1;
	bool same = false;

	if (len > 0) {
		hash_sha256(der, (size_t)len, digest);
		same = memcmp(digest, h->pin, sizeof(digest)) == 0;
		*authority = X509_check_ca(x) > 0;
	}
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
	return same;
}

int http_tls_learn(struct http *h, CURL *easy, const char *origin, struct err *err)
{
	static const char field[] = "Cert:";
	struct curl_certinfo *chain = NULL;
	bool authority = false;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK ||
	    chain == NULL)
		return err_set_code(err, ERR_RETRY, HTTP_TLS,
				    "%s: presented no certificate", origin);
	for (int i = 0; i < chain->num_of_certs; i++)
		for (struct curl_slist *s = chain->certinfo[i]; s != NULL;
		     s = s->next) {
			const char *pem = s->data + strlen(field);

			if (strncmp(s->data, field, strlen(field)) != 0 ||
			    !is_pinned(h, pem, &authority))
				continue;
			if (!authority)
				return err_set_code(err, ERR_PERMANENT, HTTP_TLS,
						    "%s: ca_fingerprint is that of the "
						    "server's own certificate; give "
						    "that of its authority, or name "
						    "the certificate in ca_file",
						    origin);
			h->anchor = mem_strdup(pem);
			return 0;
		}
	return err_set_code(
		err, ERR_PERMANENT, HTTP_TLS,
		"%s: none of the %d certificates it presents has ca_fingerprint; the "
		"authority's certificate must be in the chain, or be named in ca_file",
		origin, chain->num_of_certs);
}
