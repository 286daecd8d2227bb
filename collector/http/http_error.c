/* SPDX-License-Identifier: MIT
 * http_error: libcurl's errors as ours: was anything sent, is it for an operator, and
 * what to do. */
#include <openssl/x509_vfy.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "http/http_int.h"

#include "banned.h"

void http_origin(const char *url, char out[HTTP_ORIGIN_MAX])
{
	const char *sep = strstr(url, "://");
	const char *host = sep != NULL ? sep + 3 : url;
	size_t len = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', len);

	if (at != NULL) {
		len -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	snprintf(out, HTTP_ORIGIN_MAX, "%.*s%.*s",
		 sep != NULL ? (int)(sep + 3 - url) : 0, url,
		 len < HTTP_ORIGIN_MAX ? (int)len : HTTP_ORIGIN_MAX, host);
}

/* What helps against a certificate that was not believed. */
static const char *certificate_advice(CURL *easy, const char *detail)
{
	long result = X509_V_OK;

	if (strstr(detail, "subject name") != NULL ||
	    strstr(detail, "host name") != NULL)
		return "call the server by a name that stands in its certificate";
	if (curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result) != CURLE_OK)
		return "see ca_file and ca_fingerprint";
	switch (result) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "renew the server's certificate, or look at this host's clock";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "look at this host's clock";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return "name the authority that signed it: its certificate in ca_file, "
		       "or the SHA-256 of that in ca_fingerprint";
	default:
		return "see ca_file and ca_fingerprint";
	}
}

static const char *advice(CURL *easy, CURLcode code, const char *detail)
{
	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return "check the name and the resolver";
	case CURLE_COULDNT_RESOLVE_PROXY:
		return "check http_proxy and https_proxy in the environment";
	case CURLE_COULDNT_CONNECT:
		return "is the server up, the port right, and no firewall between?";
	case CURLE_OPERATION_TIMEDOUT:
		return "is the server overloaded, or a firewall between?";
	case CURLE_PEER_FAILED_VERIFICATION:
		return certificate_advice(easy, detail);
	case CURLE_SSL_CACERT_BADFILE:
		return "ca_file must hold certificates in PEM form";
	case CURLE_SSL_CERTPROBLEM:
		return "check client_cert_file and client_key_file";
	case CURLE_SSL_CONNECT_ERROR:
		return strstr(detail, "wrong version number") != NULL
			       ? "this port speaks plain HTTP: use http://"
			       : "is this port for TLS?";
	case CURLE_GOT_NOTHING:
	case CURLE_UNSUPPORTED_PROTOCOL: /* no HTTP came back */
		return "is this port for TLS: use https://?";
	case CURLE_LOGIN_DENIED:
		return "put user and password into username and password_file";
	default:
		return strstr(detail, "certificate required") != NULL
			       ? "the server wants client_cert_file and client_key_file"
			       : "";
	}
}

static bool is_tls(CURLcode code, const char *detail)
{
	switch ((int)code) {
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_ISSUER_ERROR:
		return true;
	default:
		return strstr(detail, "certificate required") != NULL;
	}
}

static bool is_permanent(CURLcode code)
{
	switch ((int)code) {
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return true;
	default:
		return false;
	}
}

/* "Failed to connect to HOST port N after 3 ms: Couldn't connect to server" tells the
 * same thing twice and not why: whom it tried, which may be a proxy, and the system's
 * reason in `room`. Returns what to say. */
static const char *reason_of_connect(CURL *easy, const char *detail, char *room,
				     size_t size)
{
	static const char tried[] = "Failed to connect to ";
	const char *whom = detail + strlen(tried);
	const char *after = strstr(detail, " after ");
	long number = 0;

	if (strncmp(detail, tried, strlen(tried)) != 0 || after == NULL ||
	    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number) != CURLE_OK ||
	    number == 0)
		return detail;
	errno = (int)number;
	snprintf(room, size, "cannot connect to %.*s: %m", (int)(after - whom), whom);
	return room;
}

int http_error_map(CURL *easy, CURLcode code, const char *detail, const char *origin,
		   struct err *err)
{
	enum http_failure failure = HTTP_UNKNOWN;
	curl_off_t sending = 0;
	char room[CURL_ERROR_SIZE];
	const char *hint;

	if (*detail == '\0')
		detail = curl_easy_strerror(code);
	hint = advice(easy, code, detail);
	if (code == CURLE_COULDNT_CONNECT)
		detail = reason_of_connect(easy, detail, room, sizeof(room));
	if (is_tls(code, detail))
		failure = HTTP_TLS;
	else if (curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sending) ==
			 CURLE_OK &&
		 sending == 0)
		failure = HTTP_NOT_SENT;
	return err_set_code(err, is_permanent(code) ? ERR_PERMANENT : ERR_RETRY,
			    (int)failure, "%s: %s%s%s", origin, detail,
			    *hint != '\0' ? "; " : "", hint);
}

void http_answer_words(const struct http_answer *a, char *out, size_t size)
{
	struct buf line = BUF_INIT(size + 4); /* so that the cut sees what it cuts */
	bool gap = false;

	for (const char *p = buf_str(&a->body); *p != '\0' && !line.failed; p++) {
		if (strchr(" \t\r\n", *p) != NULL) {
			gap = line.len > 0;
			continue;
		}
		if (gap)
			buf_addch(&line, ' ');
		buf_addch(&line, *p);
		gap = false;
	}
	snprintf(out, size, "%.*s", (int)utf8_cut(buf_str(&line), line.len, size - 1),
		 buf_str(&line));
	buf_free(&line);
}
