/* SPDX-License-Identifier: MIT
 * http: one request, one bounded answer, through libcurl. Used by all that speak HTTP.
 * Never logs. Redirects are not followed, proxies come from the environment as curl
 * has it, all timeouts are set, no signals are used. */
#ifndef MMLAG_HTTP_HTTP_H
#define MMLAG_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"

/* err.code of http_exchange, beside the class. */
enum http_failure {
	HTTP_NOT_SENT = 1, /* refused, no route, no name: the peer saw nothing */
	HTTP_UNKNOWN,      /* broke after sending began: the outcome is unknown */
	HTTP_TLS,          /* certificate or handshake */
	HTTP_TOO_LARGE,    /* the answer passed its bound; outcome unknown */
	HTTP_STOPPED,      /* the thread was told to stop */
	HTTP_REFUSED,      /* the caller's `take` refused the answer */
};

/* How to speak to a peer. Strings are borrowed by http_open and copied; secrets are
 * files and are read at each http_open and http_reread. Empty or NULL: not used. */
struct http_options {
	const char *username, *password_file;
	const char *api_key_file; /* holds "id:key", its base64 form, or "essu_…" */
	const char *token_file;   /* Authorization: Bearer */
	const char *client_cert_file, *client_key_file;
	const char *ca_file;
	/* SHA-256 of a CA certificate in the presented chain, hex, ':' allowed: that
	 * one alone is believed then, whatever ca_file says; by a proxy that is spoken
	 * to over TLS it must be presented too. */
	const char *ca_fingerprint;
	/* path of a socket that is spoken to in place of the host of the URLs */
	const char *unix_socket;
	bool insecure_skip_verify;
	bool gzip;               /* compress request bodies above 1 KiB, level 1 */
	long timeout_ms;         /* whole exchange */
	long connect_timeout_ms; /* 0: 10 s */
};

#define HTTP_HEADERS_MAX 4
struct http_request {
	const char *method; /* "GET", "HEAD", "POST", "PUT", "DELETE" */
	const char *url;    /* whole, without user and password */
	const char *content_type;
	const char *headers[HTTP_HEADERS_MAX]; /* "Name: value"; ends with NULL */
	const char *body;
	size_t body_len;
	long timeout_ms;   /* 0: that of the options */
	size_t answer_max; /* bytes; 0: 64 KiB */
	/* Gets the body of a 2xx answer piece by piece, unpacked, instead of
	 * `answer`, whose body stays empty: at most answer_max bytes in all. Returns 0
	 * to go on; else the exchange ends as HTTP_REFUSED. NULL: not used. */
	int (*take)(void *arg, const char *data, size_t len);
	void *take_arg;
};

struct http_answer {
	int status;
	struct buf body; /* unpacked; owned by the answer */
	char content_type[128];
	bool delimited;     /* its end was announced, so it is known to be whole */
	long retry_after_s; /* of Retry-After, 0 to 3600; -1 for none */
	struct wall date;   /* of Date, whole seconds; 0 for none */
};

struct http;

/* libcurl's global state; once, before any thread.  @thread main */
NODISCARD int http_global_init(struct err *err);
void http_global_fini(void);

/* A client; belongs to one thread, keeps connections alive between requests. `wake`
 * may be NULL; else wake_stopping(wake) ends a running exchange. Fails on unreadable
 * or contradicting credentials.
 * @thread any */
NODISCARD int http_open(struct http **out, const struct http_options *o,
			struct wake *wake, struct err *err);
void http_close(struct http *h);

/* Read the credential files again (after a 401 or 403).  @thread the owner's */
NODISCARD int http_reread(struct http *h, struct err *err);

/* Send and wait. Any HTTP status is success (0); the caller ends `a` with
 * http_answer_fini in every case. On failure err.code is an http_failure and the text
 * names scheme, host and port (the rest of a URL may be secret) and says what to do.
 * @thread the owner's; blocks for at most the timeout */
NODISCARD int http_exchange(struct http *h, const struct http_request *r,
			    struct http_answer *a, struct err *err);

/* How the body begins, for the words of an error: on one line, white space as single
 * blanks, none at the end, cut at a whole UTF-8 sequence. Other control characters
 * stay.  @thread the owner's */
void http_answer_words(const struct http_answer *a, char *out, size_t size);

void http_answer_fini(struct http_answer *a);

#endif
