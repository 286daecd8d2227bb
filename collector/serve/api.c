/* SPDX-License-Identifier: MIT
 * api: JSON of what is no topic, and of one topic, which the store's history belongs
 * to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "serve/serve_int.h"

#include "banned.h"

#define SECTION_MAX (8 << 20)
#define NEWEST 10 /* documents without `after` */

static void send_json(struct request *r, struct buf *body)
{
	buf_addch(body, '\n');
	reply_set(&r->reply, MHD_HTTP_OK, TYPE_JSON, body);
}

/* A section of the board as a value; `otherwise` when nothing was told. */
static void write_section(struct serve *s, struct jsonw *w, const char *key,
			  enum board_section which, const char *otherwise)
{
	struct buf told = BUF_INIT(SECTION_MAX);

	board_told(s->parts.board, which, &told);
	jsonw_key(w, key);
	if (told.len == 0 || strcmp(buf_str(&told), "null") == 0)
		jsonw_raw(w, otherwise, strlen(otherwise));
	else
		jsonw_raw(w, buf_str(&told), told.len);
	buf_free(&told);
}

void api_alerts(struct serve *s, struct request *r)
{
	struct buf body = BUF_INIT(CONTENT_MAX);
	struct jsonw w = jsonw_start(&body);

	jsonw_object(&w);
	write_section(s, &w, "alerts", BOARD_ALERTS, "[]");
	write_section(s, &w, "silences", BOARD_SILENCES, "[]");
	jsonw_end(&w);
	send_json(r, &body);
}

/* ---- status ---- */

static void write_counts(struct jsonw *w, const struct board_views *views)
{
	static const struct {
		const char *key;
		enum verdict v;
	} each[] = {{"ok", VERDICT_OK},
		    {"warn", VERDICT_WARN},
		    {"err", VERDICT_ERR},
		    {"nodata", VERDICT_NODATA}};
	int64_t count[VERDICT_NODATA + 1] = {0};

	for (size_t i = 0; i < views->n; i++)
		count[views->v[i]->status]++;
	jsonw_key(w, "topics");
	jsonw_object(w);
	jsonw_key_int(w, "total", (int64_t)views->n);
	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		jsonw_key_int(w, each[i].key, count[each[i].v]);
	jsonw_end(w);
}

static int by_host(const void *a, const void *b)
{
	const struct view *x = *(const struct view *const *)a;
	const struct view *y = *(const struct view *const *)b;

	return strcmp(x->name.host, y->name.host);
}

static int by_host_and_stream(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)(*(const struct view *const *)a)->stream;
	uintptr_t y = (uintptr_t)(*(const struct view *const *)b)->stream;
	int d = by_host(a, b);

	return d != 0 ? d : (x > y) - (x < y);
}

/* A topic that is heard of, if only that it is not there, is so over an open session.
 */
static bool is_connected(const struct view *v)
{
	return v->status != VERDICT_NODATA ||
	       (v->gap.reason != REASON_NONE && !reason_is_host(v->gap.reason));
}

/* Each stream that is read over SSH has a session of its own. */
static void write_sessions(struct jsonw *w, const struct view **v, size_t n)
{
	int64_t sessions = 0, open = 0;

	for (size_t i = 0, end; i < n; i = end) {
		bool connected = false;

		for (end = i; end < n && v[end]->stream == v[i]->stream; end++)
			connected |= is_connected(v[end]);
		if (v[i]->config == NULL || v[i]->config->source != SOURCE_SSH)
			continue;
		sessions++;
		open += connected;
	}
	jsonw_key_int(w, "sessions", sessions);
	jsonw_key_int(w, "sessions_open", open);
}

/* One host: its topics are v[0] to v[n - 1], in order of their streams. */
static void write_host(struct jsonw *w, const struct view **v, size_t n)
{
	const struct view *lost = NULL; /* for a reason of the host, since longest */
	int64_t with_data = 0;

	for (size_t i = 0; i < n; i++) {
		with_data += v[i]->status != VERDICT_NODATA;
		if (reason_is_host(v[i]->gap.reason) &&
		    (lost == NULL || v[i]->gap_since.ms < lost->gap_since.ms))
			lost = v[i];
	}
	jsonw_object(w);
	jsonw_key_str(w, "host", v[0]->name.host);
	jsonw_key_int(w, "topics", (int64_t)n);
	jsonw_key_int(w, "with_data", with_data);
	write_sessions(w, v, n);
	jsonw_key_str(w, "reason", lost != NULL ? reason_name(lost->gap.reason) : NULL);
	jsonw_key_str(w, "message", lost != NULL ? lost->gap.message : NULL);
	jsonw_key(w, "since");
	if (lost != NULL)
		jsonw_int(w, lost->gap_since.ms);
	else
		jsonw_null(w);
	jsonw_end(w);
}

static void write_hosts(struct jsonw *w, const struct board_views *views)
{
	const struct view **v = mem_calloc(views->n + 1, sizeof(struct view *));

	memcpy(v, views->v, views->n * sizeof(struct view *));
	if (views->n > 1)
		qsort(v, views->n, sizeof(struct view *), by_host_and_stream);
	jsonw_key(w, "hosts");
	jsonw_array(w);
	for (size_t i = 0, end; i < views->n; i = end) {
		for (end = i + 1; end < views->n && by_host(&v[i], &v[end]) == 0;)
			end++;
		if (*v[i]->name.host != '\0')
			write_host(w, v + i, end - i);
	}
	jsonw_end(w);
	free(v);
}

static void write_spool(struct serve *s, struct jsonw *w)
{
	struct store_status st = {0};

	if (s->parts.store != NULL)
		store_status(s->parts.store, &st);
	jsonw_key(w, "spool");
	jsonw_object(w);
	jsonw_key_int(w, "documents", st.documents);
	jsonw_key_int(w, "bytes", st.bytes);
	jsonw_key_int(w, "backlog", st.backlog);
	jsonw_key(w, "oldest");
	if (st.oldest.ms > 0)
		jsonw_int(w, st.oldest.ms);
	else
		jsonw_null(w);
	jsonw_key_int(w, "dead", st.dead);
	jsonw_key_int(w, "dead_bytes", st.dead_bytes);
	jsonw_key(w, "degraded");
	jsonw_bool(w, st.degraded);
	jsonw_key_str(w, "trouble", *st.trouble != '\0' ? st.trouble : NULL);
	jsonw_key_str(w, "set_aside", *st.set_aside != '\0' ? st.set_aside : NULL);
	jsonw_end(w);
}

void api_status(struct serve *s, struct request *r)
{
	struct board_views views = board_look(s->parts.board);
	struct buf body = BUF_INIT(CONTENT_MAX);
	struct jsonw w = jsonw_start(&body);

	jsonw_object(&w);
	jsonw_key_str(&w, "version", MMLAG_VERSION);
	jsonw_key_int(&w, "started", s->parts.started.ms);
	write_counts(&w, &views);
	write_hosts(&w, &views);
	write_spool(s, &w);
	write_section(s, &w, "elasticsearch", BOARD_SHIPPER,
		      s->parts.config->elastic.set
			      ? "{\"configured\":true,\"ok\":null,\"trouble\":null,"
				"\"since\":null,\"pace\":null,\"last_success\":null}"
			      : "{\"configured\":false,\"ok\":null,\"trouble\":null,"
				"\"since\":null,\"pace\":null,\"last_success\":null}");
	write_section(s, &w, "receivers", BOARD_RECEIVERS, "[]");
	write_section(s, &w, "brokers", BOARD_BROKERS, "[]");
	write_section(s, &w, "objectives", BOARD_OBJECTIVES, "[]");
	jsonw_end(&w);
	board_views_fini(&views);
	send_json(r, &body);
}

/* ---- documents ---- */

/* A whole number, or -1. */
static int64_t number_of(const char *text)
{
	char *end;
	unsigned long long n;

	if (text == NULL || *text < '0' || *text > '9')
		return -1;
	n = strtoull(text, &end, 10);
	return *end == '\0' && n <= INT64_MAX ? (int64_t)n : -1;
}

/* Members that a line must have, as JSON; an empty one is had by all. */
struct wanted {
	struct buf topic, cluster;
};

/* Quotation marks inside of strings are escaped, so the text of a member is found as a
 * member only. */
static bool has_member(const char *line, size_t n, const struct buf *member)
{
	return member->len == 0 || memmem(line, n, member->data, member->len) != NULL;
}

static bool is_of(const char *line, size_t n, const struct wanted *wanted)
{
	return has_member(line, n, &wanted->topic) &&
	       has_member(line, n, &wanted->cluster);
}

/* Of the lines those that are wanted; of these the last `max`. */
static void write_lines(struct jsonw *w, const struct buf *lines,
			const struct wanted *wanted, size_t max)
{
	const char *p = buf_str(lines), *next;
	size_t skip = 0, n = 0;

	for (const char *q = p; *q != '\0'; q += strcspn(q, "\n") + 1)
		n += is_of(q, strcspn(q, "\n"), wanted);
	skip = n > max ? n - max : 0;
	jsonw_array(w);
	for (; *p != '\0'; p = next) {
		size_t len = strcspn(p, "\n");

		next = p + len + 1;
		if (!is_of(p, len, wanted))
			continue;
		if (skip > 0)
			skip--;
		else
			jsonw_raw(w, p, len);
	}
	jsonw_end(w);
}

static void want(struct buf *member, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_printf(member, "\"%s\":", key);
	jsonw_quote(member, value, strlen(value));
}

void api_documents(struct serve *s, struct request *r)
{
	const char *from = target_query(&r->target, "after");
	int64_t after = from != NULL ? number_of(from) : 0;
	struct buf lines = BUF_INIT(2 * BOARD_DOCUMENT_BYTES);
	struct wanted wanted = {BUF_INIT(8192), BUF_INIT(8192)};
	struct buf body = BUF_INIT(CONTENT_MAX);
	struct jsonw w = jsonw_start(&body);

	if (after < 0) {
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "after is the \"next\" of an earlier answer, a number");
		return;
	}
	want(&wanted.topic, "topic", target_query(&r->target, "topic"));
	want(&wanted.cluster, "cluster", target_query(&r->target, "cluster"));
	jsonw_object(&w);
	jsonw_key_int(&w, "next",
		      (int64_t)board_documents(s->parts.board, (uint64_t)after,
					       2 * BOARD_DOCUMENT_BYTES, &lines));
	jsonw_key(&w, "documents");
	write_lines(&w, &lines, &wanted, from != NULL ? SIZE_MAX : NEWEST);
	jsonw_end(&w);
	buf_free(&lines);
	buf_free(&wanted.topic);
	buf_free(&wanted.cluster);
	send_json(r, &body);
}

/* ---- what the store is asked for ---- */

#define HOUR_MS 3600000
#define ROWS 100 /* of the spool, without `limit` */
#define ROWS_MAX 1000

static void send_topic(struct serve *s, struct request *r, const char *history,
		       size_t len)
{
	struct board_views views = board_look(s->parts.board);
	const struct view *v = topic_find(&views, &r->target);
	struct buf body = BUF_INIT(CONTENT_MAX);

	if (v == NULL) {
		reply_error(&r->reply, MHD_HTTP_NOT_FOUND,
			    "no such topic is followed, or nothing is known of it yet");
	} else {
		topic_write(v, history, len, &body);
		reply_set(&r->reply, MHD_HTTP_OK, TYPE_JSON, &body);
	}
	board_views_fini(&views);
}

/* A history that cannot be read hides nothing else. */
static void finish_topic(struct serve *s, struct request *r,
			 const struct store_question *q)
{
	if (q->err.class == ERR_REJECT)
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST, "%s", q->err.text);
	else if (q->err.class != ERR_OK)
		send_topic(s, r, "null", 4);
	else
		send_topic(s, r, buf_str(&q->answer), q->answer.len);
}

/* Milliseconds, RFC 3339, or a duration: so long before now; false for anything else.
 */
static bool time_of(const struct target *t, const char *key, struct wall otherwise,
		    struct wall *out)
{
	const char *text = target_query(t, key);
	struct err err = ERR_INIT;
	int64_t ago;

	*out = otherwise;
	if (text == NULL)
		return true;
	out->ms = number_of(text);
	if (out->ms >= 0 || wall_parse(text, out) == 0)
		return true;
	if (config_duration(text, &ago, &err) != 0)
		return false;
	out->ms = clock_wall().ms - ago;
	return true;
}

static struct store_question *history_of(struct serve *s, const struct view *v,
					 struct wall since, struct wall until)
{
	struct store_question *q = ask_new(s, STORE_ASK_HISTORY);

	q->cluster = mem_strdup(v->name.cluster);
	q->group = mem_strdup(v->name.group);
	q->topic = mem_strdup(v->name.topic);
	q->since = since;
	q->until = until;
	return q;
}

void api_topic(struct serve *s, struct request *r)
{
	struct board_views views = board_look(s->parts.board);
	const struct view *v = topic_find(&views, &r->target);
	struct wall now = clock_wall(), since, until;

	if (!time_of(&r->target, "until", now, &until) ||
	    !time_of(&r->target, "since", (struct wall){until.ms - HOUR_MS}, &since))
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "since and until are milliseconds since 1970, times like "
			    "2026-11-21T03:36:10Z, or so long ago: 90m");
	else if (v == NULL || s->parts.store == NULL)
		send_topic(s, r, "null", 4);
	else
		ask_store(s, r, history_of(s, v, since, until), finish_topic);
	board_views_fini(&views);
}

void api_finish_rows(struct serve *s, struct request *r, const struct store_question *q)
{
	struct buf body = BUF_INIT(CONTENT_MAX);

	(void)s;
	if (q->err.class != ERR_OK) {
		reply_error(&r->reply,
			    q->err.class == ERR_REJECT ? MHD_HTTP_BAD_REQUEST
						       : MHD_HTTP_SERVICE_UNAVAILABLE,
			    "%s", q->err.text);
		return;
	}
	buf_add(&body, q->answer.data, q->answer.len);
	send_json(r, &body);
}

/* The id of a row: a number that may be negative, never 0; 0 for what is none. */
static int64_t row_of(const char *text)
{
	int64_t n = number_of(*text == '-' ? text + 1 : text);

	return n <= 0 ? 0 : *text == '-' ? -n : n;
}

void api_spool(struct serve *s, struct request *r)
{
	const char *dead = target_query(&r->target, "dead");
	const char *limit = target_query(&r->target, "limit");
	const char *before = target_query(&r->target, "before");
	int64_t n = limit != NULL ? number_of(limit) : ROWS;
	struct store_question *q;

	if (n < 0 || (before != NULL && row_of(before) == 0) ||
	    (dead != NULL && strcmp(dead, "0") != 0 && strcmp(dead, "1") != 0)) {
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "dead is 0 or 1, limit a number of rows, before the id of "
			    "the last row that was seen");
		return;
	}
	q = ask_new(s, STORE_ASK_ROWS);
	q->dead = dead != NULL && *dead == '1';
	q->limit = n < ROWS_MAX ? n : ROWS_MAX;
	q->before = before != NULL ? row_of(before) : 0;
	ask_store(s, r, q, api_finish_rows);
}
