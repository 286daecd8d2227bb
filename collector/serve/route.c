/* SPDX-License-Identifier: MIT
 * route: which path is answered by what. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "serve/serve_int.h"

#include "banned.h"

typedef unsigned cached_answer(const struct scene *, struct buf *, const char **type);

struct route {
	const char *path;      /* '*' is any segment, "**" all that follow */
	bool post, open;       /* open: no token is asked for */
	cached_answer *cached; /* depends on the board's version and the URI only */
	void (*run)(struct serve *, struct request *);
};

static void text(struct request *r, unsigned status, const char *words)
{
	struct buf body = BUF_INIT(256);

	buf_addstr(&body, words);
	reply_set(&r->reply, status, TYPE_TEXT, &body);
}

/* ---- health ---- */

/* Whether Elasticsearch is up changes nothing here, but can be read. */
static void health(struct serve *s, struct request *r, bool ready)
{
	struct buf body = BUF_INIT(CONTENT_MAX);
	struct jsonw w = jsonw_start(&body);
	struct buf shipper = BUF_INIT(1 << 16);

	board_told(s->parts.board, BOARD_SHIPPER, &shipper);
	jsonw_object(&w);
	jsonw_key_str(&w, "status", ready ? "ok" : "starting");
	jsonw_key(&w, "elasticsearch");
	jsonw_raw(&w, buf_str(&shipper), shipper.len);
	jsonw_end(&w);
	buf_addch(&body, '\n');
	buf_free(&shipper);
	reply_set(&r->reply, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
		  TYPE_JSON, &body);
}

static void healthy(struct serve *s, struct request *r)
{
	health(s, r, true);
}

static void ready(struct serve *s, struct request *r)
{
	health(s, r, atomic_load(&s->ready));
}

static void burrow_good(struct serve *s, struct request *r)
{
	(void)s;
	text(r, MHD_HTTP_OK, "GOOD");
}

static void burrow_ready(struct serve *s, struct request *r)
{
	if (atomic_load(&s->ready))
		text(r, MHD_HTTP_OK, "READY");
	else
		text(r, MHD_HTTP_SERVICE_UNAVAILABLE, "STARTING");
}

/* ---- answers that are made once for each version of the board ---- */

static struct cached *find_cached(struct serve *s, const char *uri)
{
	for (size_t i = 0; i < SERVE_CACHED; i++)
		if (s->cached[i].uri != NULL && strcmp(s->cached[i].uri, uri) == 0)
			return &s->cached[i];
	return NULL;
}

static struct cached *make_cached(struct serve *s, const char *uri)
{
	struct cached *c = &s->cached[s->next_cached++ % SERVE_CACHED];

	free(c->uri);
	content_unref(c->content);
	*c = (struct cached){.uri = mem_strdup(uri)};
	return c;
}

static void fill_cached(struct serve *s, struct cached *c, const struct target *t,
			cached_answer *answer)
{
	struct board_views views = board_look(s->parts.board);
	const struct scene scene = {s, &views, t};
	struct buf body = BUF_INIT(CONTENT_MAX);
	struct reply reply = {.status = 0};
	const char *type = TYPE_JSON;
	unsigned status = answer(&scene, &body, &type);

	reply_set(&reply, status, type, &body);
	content_unref(c->content);
	c->content = content_ref(reply.content);
	c->status = reply.status;
	c->type = reply.type;
	c->version = views.version;
	reply_fini(&reply);
	board_views_fini(&views);
}

static struct cached *cached(struct serve *s, const char *uri, const struct target *t,
			     cached_answer *answer)
{
	struct cached *c = find_cached(s, uri);

	if (c == NULL)
		c = make_cached(s, uri);
	if (c->content == NULL || c->version != board_version(s->parts.board))
		fill_cached(s, c, t, answer);
	return c;
}

static void answer_cached(struct serve *s, struct request *r, cached_answer *answer)
{
	const struct cached *c = cached(s, r->uri, &r->target, answer);

	r->reply.status = c->status;
	r->reply.type = c->type;
	r->reply.content = content_ref(c->content);
}

/* ---- metrics ---- */

static unsigned kafka_families(const struct scene *scene, struct buf *out,
			       const char **type)
{
	exporter_write(scene->views, scene->serve->several_clusters, out);
	*type = TYPE_METRICS;
	return MHD_HTTP_OK;
}

static void metrics(struct serve *s, struct request *r)
{
	const struct cached *kafka = cached(s, "exporter", &r->target, kafka_families);
	struct board_views views = board_look(s->parts.board);
	struct buf body = BUF_INIT(CONTENT_MAX), objectives = BUF_INIT(CONTENT_MAX);

	(void)buf_reserve(&body, kafka->content->len + (64 << 10));
	buf_add(&body, kafka->content->data, kafka->content->len);
	figures_write(&views, s->several_clusters, s->parts.started, clock_wall(),
		      &body);
	board_told(s->parts.board, BOARD_OBJECTIVES, &objectives);
	figures_objectives(buf_str(&objectives), objectives.len, s->several_clusters,
			   &body);
	buf_free(&objectives);
	metrics_write(&body);
	board_views_fini(&views);
	reply_set(&r->reply, MHD_HTTP_OK, TYPE_METRICS, &body);
}

/* ---- Burrow's level of the log ---- */

static void burrow_level(struct serve *s, struct request *r)
{
	struct buf body = BUF_INIT(4096);

	burrow_loglevel(s, &r->target, &body);
	reply_set(&r->reply, MHD_HTTP_OK, TYPE_JSON, &body);
}

/* ---- the table ---- */

static const struct route routes[] = {
	{"/-/healthy", .open = true, .run = healthy},
	{"/-/ready", .open = true, .run = ready},
	{"/metrics", .run = metrics},
	{"/burrow/admin", .run = burrow_good},
	{"/burrow/admin/ready", .run = burrow_ready},
	{"/v3/admin/loglevel", .run = burrow_level},
	{"/v3/**", .cached = burrow_answer},
	{"/api/v1/topics", .cached = topics_answer},
	{"/api/v1/topics/*", .run = api_topic},
	{"/api/v1/alerts", .run = api_alerts},
	{"/api/v1/status", .run = api_status},
	{"/api/v1/documents", .run = api_documents},
	{"/api/v1/spool", .run = api_spool},
	{"/api/v1/silences", .post = true, .run = change_silences},
	{"/api/v1/spool/retry", .post = true, .run = change_spool_retry},
	{"/api/v1/spool/drop", .post = true, .run = change_spool_drop},
	{"/api/v1/spool/import", .post = true, .run = change_spool_import},
	{"/api/v1/loglevel", .post = true, .run = change_loglevel},
};

/* Does the pattern's part at `p` (behind its '/') stand for this segment? */
static bool same(const char *p, size_t n, const char *segment)
{
	return (n == 1 && *p == '*') ||
	       (strlen(segment) == n && memcmp(segment, p, n) == 0);
}

static bool leads_to(const struct route *route, const struct target *t)
{
	const char *p = route->path;
	size_t i = 0;

	for (; *p == '/'; i++) {
		size_t n = strcspn(++p, "/");

		if (n == 2 && memcmp(p, "**", 2) == 0)
			return true;
		if (i == t->n || !same(p, n, t->segment[i]))
			return false;
		p += n;
	}
	return i == t->n;
}

static const struct route *find(const struct target *t)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++)
		if (leads_to(&routes[i], t))
			return &routes[i];
	return NULL;
}

static const struct page_file *find_file(const struct target *t)
{
	for (size_t i = 0; t->n <= 1 && i < serve_page_file_count; i++)
		if (strcmp(serve_page_files[i].path, t->path) == 0)
			return &serve_page_files[i];
	return NULL;
}

bool route_is_open(const struct target *t)
{
	const struct route *route = find(t);

	return route != NULL && route->open;
}

bool route_changes(const struct target *t)
{
	const struct route *route = find(t);

	return route != NULL && route->post;
}

static void refuse_method(struct request *r, const char *allow)
{
	reply_error(&r->reply, MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes %s only",
		    allow);
	r->reply.allow = allow;
}

void route_answer(struct serve *s, struct request *r)
{
	const struct route *route = find(&r->target);
	const struct page_file *file = find_file(&r->target);

	if (route == NULL && file == NULL)
		reply_error(&r->reply, MHD_HTTP_NOT_FOUND, "there is no such page");
	else if (r->post != (route != NULL && route->post))
		refuse_method(r, r->post ? "GET, HEAD" : "POST");
	else if (route == NULL) {
		r->reply.status = MHD_HTTP_OK;
		r->reply.type = file->type;
		r->reply.file = file;
	} else if (route->cached != NULL)
		answer_cached(s, r, route->cached);
	else
		route->run(s, r);
}
