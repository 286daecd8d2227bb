/* SPDX-License-Identifier: MIT */
#include "source/page.h"

#include "source/scrape_int.h"

#include "banned.h"

#define WORDS_SIZE 121 /* of a refusal */

struct taking {
	struct exporter *exporter;
	struct err err;
};

static int take(void *arg, const char *data, size_t len)
{
	struct taking *t = arg;

	return exporter_feed(t->exporter, data, len, &t->err);
}

/* What the far end says instead of the page. */
static int refused(const char *url, const struct http_answer *a, struct err *err)
{
	bool denied = a->status == 401 || a->status == 403;
	char words[WORDS_SIZE];

	http_answer_words(a, words, sizeof(words));
	return err_set_code(err, ERR_RETRY, denied ? PAGE_DENIED : PAGE_REFUSED,
			    "%s answers %d%s%s%s", url, a->status,
			    *words != '\0' ? ": " : "", words,
			    a->status == 404 ? "; pages often end in /metrics" : "");
}

static int get(struct http *h, const struct http_request *r, struct taking *t,
	       struct http_answer *a, struct err *err)
{
	int rc = http_exchange(h, r, a, err);

	if (rc != 0 && err->code == HTTP_REFUSED)
		return err_set_code(err, ERR_RETRY, PAGE_GARBAGE, "%s: %s", r->url,
				    t->err.text);
	if (rc != 0) {
		err->code = err->code == HTTP_STOPPED ? PAGE_STOPPED : PAGE_UNREACHABLE;
		return rc;
	}
	if (a->status != 200)
		return refused(r->url, a, err);
	if (exporter_end(t->exporter, a->delimited, &t->err) != 0)
		return err_set_code(err, ERR_RETRY, PAGE_GARBAGE, "%s: %s", r->url,
				    t->err.text);
	return 0;
}

int page_read(struct http *h, const char *url, const char *group, long timeout_ms,
	      struct exporter **out, struct err *err)
{
	struct taking t = {exporter_new(group), ERR_INIT};
	const struct http_request r = {.method = "GET",
				       .url = url,
				       .timeout_ms = timeout_ms,
				       .answer_max = EXPORTER_PAGE_MAX,
				       .take = take,
				       .take_arg = &t};
	struct http_answer a;
	int rc = get(h, &r, &t, &a, err);

	http_answer_fini(&a);
	if (rc != 0) {
		exporter_free(t.exporter);
		t.exporter = NULL;
	}
	*out = t.exporter;
	return rc;
}

struct table *scrape_page(struct http *h, const struct config_topic *t, struct gap *gap,
			  int *class)
{
	struct exporter *x;
	struct table *table;
	struct err err = ERR_INIT;

	*class = page_read(h, t->url, t->group, (long)t->timeout_ms, &x, &err);
	if (*class != 0) {
		gap_set(gap, REASON_SOURCE_ERROR, "%s", err.text);
		*class = err.code == PAGE_STOPPED  ? ERR_AGAIN
			 : err.code == PAGE_DENIED ? ERR_REJECT
						   : ERR_RETRY;
		return NULL;
	}
	table = exporter_table(x, t->cluster);
	exporter_free(x);
	return table;
}
