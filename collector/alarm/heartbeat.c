/* SPDX-License-Identifier: MIT */
#include "alarm/heartbeat.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "http/http.h"

#include "banned.h"

#define ABOUT "heartbeat"
#define OLD_MS INT64_C(300000)
#define TIMEOUT_MS 10000
#define URL_MAX 8192

struct heartbeat {
	struct wake wake;
	const struct config *config;
	struct store *store;
	struct board *board;
	struct http *http;
	struct mono next;
	int64_t taken; /* documents that Elasticsearch had taken at the last look */
	const char *trouble; /* what the log was told; NULL: all is well */
};

int heartbeat_new(struct heartbeat **out, const struct config *c, struct store *store,
		  struct board *board, struct err *err)
{
	const struct http_options o = {.timeout_ms = TIMEOUT_MS};
	struct heartbeat *h = mem_calloc(1, sizeof(*h));

	h->config = c;
	h->store = store;
	h->board = board;
	if (wake_init(&h->wake) != 0) {
		free(h);
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	}
	if (http_open(&h->http, &o, &h->wake, err) != 0) {
		wake_fini(&h->wake);
		free(h);
		return err->class;
	}
	h->next = mono_add_ms(clock_mono(), c->heartbeat.interval_ms);
	*out = h;
	return 0;
}

void heartbeat_free(struct heartbeat *h)
{
	if (h == NULL)
		return;
	http_close(h->http);
	wake_fini(&h->wake);
	free(h);
}

struct wake *heartbeat_wake(struct heartbeat *h)
{
	return &h->wake;
}

static bool is_fresh(const struct view *v, struct mono now)
{
	int64_t bound = v->config != NULL ? 3 * v->config->interval_ms : 0;

	if (bound < OLD_MS)
		bound = OLD_MS;
	return v->sample.taken.ms != 0 && mono_diff_ms(now, v->sample_seen) < bound;
}

static bool samples(const struct heartbeat *h)
{
	struct board_views views = board_look(h->board);
	struct mono now = clock_mono();
	bool fresh = false;

	for (size_t i = 0; i < views.n && !fresh; i++)
		fresh = is_fresh(views.v[i], now);
	board_views_fini(&views);
	return fresh;
}

static bool ships(struct heartbeat *h)
{
	int64_t taken =
		metrics_get(METRIC_DOC_INDEXED) + metrics_get(METRIC_DOC_DUPLICATE);
	bool more = taken > h->taken;
	struct store_status s;

	h->taken = taken;
	if (!h->config->elastic.set || more)
		return true;
	store_status(h->store, &s);
	return s.documents == 0 || clock_wall().ms - s.oldest.ms < OLD_MS;
}

/* NULL, or why not. */
static const char *call(struct heartbeat *h, struct err *err)
{
	struct buf url = BUF_INIT(URL_MAX);
	struct http_request r = {.method = "GET"};
	struct http_answer a = {.status = 0};
	const char *why = NULL;

	if (file_read_secret(h->config->heartbeat.url_file, &url, err) != 0) {
		buf_free(&url);
		return "its file cannot be read";
	}
	while (url.len > 0 && strchr(" \t\r\n", url.data[url.len - 1]) != NULL)
		url.data[--url.len] = '\0';
	r.url = buf_str(&url);
	if (http_exchange(h->http, &r, &a, err) != 0)
		why = "its URL does not answer";
	else if (a.status < 200 || a.status > 299)
		why = "its URL answers with an error";
	if (why != NULL && a.status != 0)
		(void)err_set(err, ERR_RETRY, "status %d", a.status);
	if (why == NULL)
		metrics_add(METRIC_HEARTBEATS, 1);
	http_answer_fini(&a);
	mem_wipe(url.data, url.len);
	buf_free(&url);
	return why;
}

/* Say what changes. */
static void tell(struct heartbeat *h, const char *trouble, const struct err *err)
{
	if (trouble != NULL && (h->trouble == NULL || strcmp(trouble, h->trouble) != 0))
		log_warn(ABOUT, "not given: %s%s%s", trouble,
			 *err->text != '\0' ? ": " : "", err->text);
	if (trouble == NULL && h->trouble != NULL)
		log_info(ABOUT, "given again");
	h->trouble = trouble;
}

struct step heartbeat_step(void *self)
{
	struct heartbeat *h = self;
	struct err err = ERR_INIT;
	const char *trouble;
	bool sampling, shipping;

	if (wake_stopping(&h->wake))
		return STEP_DONE;
	if (mono_before(clock_mono(), h->next))
		return STEP_UNTIL(h->next);
	h->next = mono_add_ms(h->next, h->config->heartbeat.interval_ms);
	if (mono_before(h->next, clock_mono())) /* late: no burst */
		h->next = mono_add_ms(clock_mono(), h->config->heartbeat.interval_ms);
	sampling = samples(h);
	shipping = ships(h);
	trouble = !sampling   ? "no topic has a fresh sample"
		  : !shipping ? "documents wait, and Elasticsearch takes none"
			      : call(h, &err);
	if (!wake_stopping(&h->wake))
		tell(h, trouble, &err);
	return STEP_UNTIL(h->next);
}
