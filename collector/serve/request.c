/* SPDX-License-Identifier: MIT */
#include "serve/request_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/metrics.h"

#include "banned.h"

struct request *request_new(struct door *d, const char *uri)
{
	struct request *r = mem_calloc(1, sizeof(*r));

	r->door = d;
	r->uri = mem_strdup(uri);
	r->bad_target = target_parse(&r->target, uri) != 0;
	buf_init(&r->body, SERVE_BODY_MAX);
	return r;
}

void request_free(struct request *r)
{
	if (r == NULL)
		return;
	target_fini(&r->target);
	free(r->uri);
	buf_free(&r->body);
	reply_fini(&r->reply);
	free(r);
}

static const char *header(const struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static bool is_get(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

/* A page of another site that makes a browser send something. */
static bool is_foreign(const struct request *r, const struct caller *c)
{
	const char *origin = header(r, MHD_HTTP_HEADER_ORIGIN);

	return r->post && origin != NULL && !guard_same_origin(origin, c->host);
}

static bool is_json(const struct request *r)
{
	const char *type = header(r, MHD_HTTP_HEADER_CONTENT_TYPE);

	return type != NULL && strncasecmp(type, TYPE_JSON, strlen(TYPE_JSON)) == 0;
}

static bool is_too_long(const struct request *r)
{
	const char *length = header(r, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return length != NULL && strtoull(length, NULL, 10) > SERVE_BODY_MAX;
}

static void refuse_token(struct serve *s, struct reply *reply, const char *what)
{
	if (s->guard.config->token_file == NULL) {
		reply_error(reply, MHD_HTTP_FORBIDDEN,
			    "%s needs a token, and none is configured: name a "
			    "token_file under http:, or use control.sock",
			    what);
		return;
	}
	reply_error(reply, MHD_HTTP_UNAUTHORIZED,
		    "%s needs the token of http.token_file: send it as "
		    "Authorization: Bearer TOKEN",
		    what);
	reply->ask_for_token = true;
}

void request_begin(struct serve *s, struct request *r, const struct caller *c,
		   const char *method)
{
	r->post = strcmp(method, MHD_HTTP_METHOD_POST) == 0;
	if (r->bad_target)
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "the path or its query is not understood");
	else if (c->nameless)
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "HTTP/1.1 wants a Host header (RFC 9112, section 3.2)");
	else if (!guard_host(&s->guard, c))
		reply_error(&r->reply, MHD_HTTP_FORBIDDEN,
			    "this Host is not ours: add it to `names` under http:");
	else if (!r->post && !is_get(method)) {
		reply_error(&r->reply, MHD_HTTP_METHOD_NOT_ALLOWED,
			    "only GET, HEAD and POST are spoken");
		r->reply.allow = route_changes(&r->target) ? "POST" : "GET, HEAD";
	} else if (!route_is_open(&r->target) && !guard_reads(&s->guard, c))
		refuse_token(s, &r->reply, "reading from elsewhere");
	else if (is_foreign(r, c))
		reply_error(&r->reply, MHD_HTTP_FORBIDDEN,
			    "a page of another site may not ask for this");
	else if (is_too_long(r))
		reply_error(&r->reply, MHD_HTTP_CONTENT_TOO_LARGE,
			    "a body has at most %d bytes", SERVE_BODY_MAX);
	if (r->reply.content != NULL)
		metrics_add(METRIC_HTTP_REFUSED, 1);
}

void request_add(struct request *r, const char *data, size_t n)
{
	if (!r->body.failed)
		(void)buf_add(&r->body, data, n);
}

void request_answer(struct serve *s, struct request *r, const struct caller *c)
{
	bool change = r->post && route_changes(&r->target); /* else 404 or 405 */

	if (r->body.failed)
		reply_error(&r->reply, MHD_HTTP_CONTENT_TOO_LARGE,
			    "a body has at most %d bytes", SERVE_BODY_MAX);
	else if (change && !guard_changes(&s->guard, c))
		refuse_token(s, &r->reply, "a change");
	else if (change && !is_json(r))
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "send JSON, with Content-Type: " TYPE_JSON);
	else
		route_answer(s, r);
}
