/* SPDX-License-Identifier: MIT
 * page: the lag of a group out of a metrics page (`source: exporter`). */
#include <string.h>

#include "lag/exporter.h"
#include "source/scrape_int.h"

#include "banned.h"

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
static void refused(const struct config_topic *t, const struct http_answer *a,
		    struct gap *gap)
{
	gap_set(gap, REASON_SOURCE_ERROR, "%s answers %d%s%.120s%s", t->url, a->status,
		a->body.len > 0 ? ": " : "", buf_str(&a->body),
		a->status == 404 ? "; pages often end in /metrics" : "");
}

static int get(struct http *h, const struct config_topic *t, struct taking *taking,
	       struct http_answer *a, struct gap *gap)
{
	const struct http_request r = {.method = "GET",
				       .url = t->url,
				       .timeout_ms = (long)t->timeout_ms,
				       .answer_max = EXPORTER_PAGE_MAX,
				       .take = take,
				       .take_arg = taking};
	struct err err = ERR_INIT;
	int rc = http_exchange(h, &r, a, &err);

	if (rc != 0 && err.code == HTTP_STOPPED)
		return ERR_AGAIN;
	if (rc != 0 && err.code == HTTP_REFUSED)
		gap_set(gap, REASON_SOURCE_ERROR, "%s: %s", t->url, taking->err.text);
	else if (rc != 0)
		gap_set(gap, REASON_SOURCE_ERROR, "%s", err.text);
	else if (a->status != 200)
		refused(t, a, gap);
	else if (exporter_end(taking->exporter, a->delimited, &taking->err) != 0)
		gap_set(gap, REASON_SOURCE_ERROR, "%s: %s", t->url, taking->err.text);
	else
		return 0;
	return a->status == 401 || a->status == 403 ? ERR_REJECT : ERR_RETRY;
}

struct table *scrape_page(struct http *h, const struct config_topic *t, struct gap *gap,
			  int *class)
{
	struct taking taking = {exporter_new(t->group), ERR_INIT};
	struct table *table = NULL;
	struct http_answer a;

	*class = get(h, t, &taking, &a, gap);
	if (*class == 0)
		table = exporter_table(taking.exporter, t->cluster);
	http_answer_fini(&a);
	exporter_free(taking.exporter);
	return table;
}
