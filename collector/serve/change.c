/* SPDX-License-Identifier: MIT
 * change: what a POST does. */
#include <string.h>
#include <jansson.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "serve/serve_int.h"

#include "banned.h"

/* The body as an object, to be let go with json_decref; NULL with a reply. */
static json_t *body_of(struct request *r)
{
	json_error_t e;
	json_t *body =
		json_loadb(buf_str(&r->body), r->body.len, JSON_REJECT_DUPLICATES, &e);

	if (json_is_object(body))
		return body;
	json_decref(body);
	reply_error(&r->reply, MHD_HTTP_BAD_REQUEST, "the body is no JSON object: %s",
		    body == NULL ? e.text : "it is another value");
	return NULL;
}

void change_loglevel(struct serve *s, struct request *r)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	json_t *body = body_of(r);
	const char *level;
	struct buf out = BUF_INIT(256);

	(void)s;
	if (body == NULL)
		return;
	level = json_string_value(json_object_get(body, "level"));
	for (size_t i = 0; level != NULL && i < ARRAY_LEN(names); i++) {
		if (strcmp(level, names[i]) != 0)
			continue;
		log_set_level((enum log_level)i);
		buf_printf(&out, "{\"level\":\"%s\"}\n", names[i]);
		reply_set(&r->reply, MHD_HTTP_OK, TYPE_JSON, &out);
	}
	json_decref(body);
	if (r->reply.content == NULL)
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "level is one of error, warn, info, debug");
}

void change_silences(struct serve *s, struct request *r)
{
	(void)s;
	reply_error(&r->reply, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "this version has no silences");
}

void change_spool_retry(struct serve *s, struct request *r)
{
	(void)s;
	reply_error(&r->reply, MHD_HTTP_SERVICE_UNAVAILABLE,
		    "this version cannot change the spool");
}

void change_spool_drop(struct serve *s, struct request *r)
{
	change_spool_retry(s, r);
}
