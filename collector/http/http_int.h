/* SPDX-License-Identifier: MIT
 * http_int: what the parts of http/ share: the client (http.c), packed bodies
 * (http_pack.c), credentials (http_auth.c), TLS options and the pinned authority
 * (http_tls.c), the mapper of libcurl's errors (http_error.c). */
#ifndef MMLAG_HTTP_INT_H
#define MMLAG_HTTP_INT_H

#include <curl/curl.h>

#include "base/hash.h"
#include "http/http.h"

#define HTTP_ORIGIN_MAX 256

/* Why a presented chain is not that of the pinned authority. */
enum pin_fault { PIN_GOOD, PIN_ABSENT, PIN_NO_AUTHORITY };

struct http {
	/* copies of the options; NULL for what is not used */
	char *username, *password_file, *api_key_file, *token_file;
	char *cert_path, *key_path, *ca_file, *unix_socket;
	bool insecure, gzip, has_pin;
	unsigned char pin[HASH_SHA256_LEN];
	enum pin_fault pin_fault; /* of the last handshake */
	int presented;            /* certificates, in it */
	long timeout_ms, connect_timeout_ms;

	char *authorization; /* the whole header line, a secret; NULL for none */
	CURLM *multi;        /* keeps the connections */
	CURL *easy;
	struct wake *wake;
	int wake_edges; /* an epoll that reports each signal of `wake` once; -1 */
};

/* gzip at level 1: five times the speed of level 6 for a few per cent of size. Returns
 * -1 when there is no memory; the body then goes plain. The caller frees `out`. */
NODISCARD int http_pack(const char *data, size_t len, struct buf *out);

/* A packed body that arrives piece by piece. */
struct unpack;

enum unpacked {
	UNPACKED_GOOD,
	UNPACKED_NOT,     /* it is not what its headers say */
	UNPACKED_REFUSED, /* `give` did not want it */
};

/* For the value of Content-Encoding, "" for none: *out is NULL where nothing is packed.
 * Returns 0, or -1 for what was not asked for. The caller frees it. */
NODISCARD int http_unpack_new(struct unpack **out, const char *encoding);
void http_unpack_free(struct unpack *u); /* NULL is legal */

/* Unpack a piece, and give away what it holds. */
NODISCARD enum unpacked
http_unpack_feed(struct unpack *u, const char *data, size_t len,
		 bool (*give)(void *arg, const char *data, size_t len), void *arg);

/* Did it come to its own end? What is empty has none. */
bool http_unpack_whole(const struct unpack *u);

/* Make the Authorization header of the credentials, NULL in *out for none. The caller
 * frees it with http_auth_free. */
NODISCARD int http_auth_make(const struct http *h, char **out, struct err *err);
void http_auth_free(char *header);

/* Take over and check the TLS options. */
NODISCARD int http_tls_open(struct http *h, const struct http_options *o,
			    struct err *err);

/* Set the options of verification and of the client certificate. `h` is used until the
 * transfer has ended. */
void http_tls_setup(struct http *h, CURL *easy);

/* What is wrong with the presented chain, where h->pin_fault tells that something is.
 */
int http_tls_pin_error(const struct http *h, const char *origin, struct err *err);

/* Scheme, host and port of `url`: all of it that is shown, since paths, queries and
 * user names may be secrets. */
void http_origin(const char *url, char out[HTTP_ORIGIN_MAX]);

/* What went wrong, in words, with what to do. `detail` is libcurl's error buffer. */
int http_error_map(CURL *easy, CURLcode code, const char *detail, const char *origin,
		   struct err *err);

#endif
