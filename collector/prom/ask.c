/* SPDX-License-Identifier: MIT */
#include "prom/ask.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/compiler.h"

#include "banned.h"

#define URL_MAX_LEN (1u << 20)
#define ANSWER_BYTES (64u << 20)
#define WORDS_SIZE 201 /* of an answer that is not Prometheus' */

static void add_escaped(struct buf *b, const char *text)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-._~";

	for (; *text != '\0'; text++) {
		if (strchr(plain, *text) != NULL)
			buf_addch(b, *text);
		else
			buf_printf(b, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

static void add_time(struct buf *b, const char *name, double value)
{
	if (!isnan(value))
		buf_printf(b, "&%s=%.3f", name, value);
}

static void write_url(struct buf *b, const struct prom_query *q)
{
	size_t n = strlen(q->url);

	while (n > 0 && q->url[n - 1] == '/')
		n--;
	buf_add(b, q->url, n);
	buf_printf(b, "/api/v1/query%s?query=", q->range ? "_range" : "");
	add_escaped(b, q->query);
	if (q->range) {
		add_time(b, "start", q->start);
		add_time(b, "end", q->end);
		add_time(b, "step", q->step);
	} else {
		add_time(b, "time", q->at);
	}
}

/* Its own words, where the answer has such; else how it begins. */
static int refusal(const struct prom_query *q, const struct http_answer *a,
		   struct err *err)
{
	struct prom_answer none;
	struct err words = ERR_INIT;
	int code = a->status == 401 || a->status == 403 ? PROM_DENIED : PROM_REFUSED;

	if (a->body.len > 0 && a->body.data[0] == '{' &&
	    prom_answer_read(a->body.data, a->body.len, &none, &words) == 0)
		prom_answer_fini(&none);
	if (a->body.len > 0 && a->body.data[0] != '{')
		http_answer_words(a, words.text, WORDS_SIZE);
	return err_set_code(err, ERR_REJECT, code, "%s answers %d%s%s", q->url,
			    a->status, *words.text != '\0' ? ": " : "", words.text);
}

int prom_ask(struct http *h, const struct prom_query *q, struct prom_answer *out,
	     struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX_LEN);
	struct http_request r = {.method = "GET", .answer_max = ANSWER_BYTES};
	struct http_answer a;
	int rc;

	*out = (struct prom_answer){NULL, 0, NULL};
	write_url(&url, q);
	r.url = buf_str(&url);
	rc = http_exchange(h, &r, &a, err);
	if (rc != 0)
		err->code = err->code == HTTP_STOPPED ? PROM_STOPPED : PROM_NO_ANSWER;
	else if (a.status / 100 != 2)
		rc = refusal(q, &a, err);
	else if ((rc = prom_answer_read(buf_str(&a.body), a.body.len, out, err)) != 0) {
		err_wrap(err, "%s", q->url);
		err->code = PROM_REFUSED;
	}
	http_answer_fini(&a);
	buf_free(&url);
	return rc;
}
