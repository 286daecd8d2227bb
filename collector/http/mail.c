/* SPDX-License-Identifier: MIT */
#include "http/mail.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/http_int.h"

#include "banned.h"

#define CONNECT_TIMEOUT_MS 10000L

struct reader {
	const char *p;
	size_t left;
};

static size_t give(char *to, size_t size, size_t n, void *arg)
{
	struct reader *r = arg;
	size_t len = size * n < r->left ? size * n : r->left;

	memcpy(to, r->p, len);
	r->p += len;
	r->left -= len;
	return len;
}

static int progress(void *wake, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return wake != NULL && wake_stopping(wake);
}

static char *url_of(const char *server)
{
	return strstr(server, "://") != NULL ? mem_strdup(server)
					     : mem_printf("smtp://%s", server);
}

static struct curl_slist *addresses(const struct mail *m)
{
	struct curl_slist *list = NULL;

	for (size_t i = 0; i < m->to_count; i++) {
		struct curl_slist *more = curl_slist_append(list, m->to[i]);

		if (more != NULL)
			list = more;
	}
	return list;
}

static void setup(CURL *easy, const struct mail *m, const char *url,
		  struct curl_slist *to, struct reader *r, struct wake *wake,
		  char *detail)
{
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, m->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, detail);
	curl_easy_setopt(easy, CURLOPT_USE_SSL,
			 m->password != NULL ? (long)CURLUSESSL_ALL
					     : (long)CURLUSESSL_TRY);
	if (m->password != NULL) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, m->username);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, m->password);
	}
	if (m->text != NULL) {
		curl_easy_setopt(easy, CURLOPT_MAIL_FROM, m->from);
		curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
		curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
		curl_easy_setopt(easy, CURLOPT_READDATA, r);
	} else {
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "NOOP");
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	/* A resolver that hangs is left behind, not waited for. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, wake);
}

int mail_send(const struct mail *m, struct wake *wake, struct err *err)
{
	struct reader r = {m->text, m->len};
	char detail[CURL_ERROR_SIZE] = "", origin[HTTP_ORIGIN_MAX];
	char *url = url_of(m->server);
	struct curl_slist *to = addresses(m);
	CURL *easy = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;
	long answer = 0;
	int rc = 0;

	http_origin(url, origin);
	if (easy != NULL) {
		setup(easy, m, url, to, &r, wake, detail);
		code = curl_easy_perform(easy);
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer);
	}
	if (code == CURLE_ABORTED_BY_CALLBACK)
		rc = err_set_code(err, ERR_RETRY, HTTP_STOPPED, "%s: stopped", origin);
	else if (code != CURLE_OK)
		rc = err_set(err,
			     answer >= 550 && answer < 560 ? ERR_REJECT : ERR_RETRY,
			     "%s: %s%s%s", origin, curl_easy_strerror(code),
			     *detail != '\0' ? ": " : "", detail);
	curl_easy_cleanup(easy);
	curl_slist_free_all(to);
	free(url);
	return rc;
}
