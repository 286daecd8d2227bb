/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "serve/serve_int.h"

#include "banned.h"

void reply_set(struct reply *r, unsigned status, const char *type, struct buf *body)
{
	if (body->failed) {
		buf_free(body);
		reply_error(r, MHD_HTTP_INTERNAL_SERVER_ERROR,
			    "the answer is larger than %d MiB", CONTENT_MAX >> 20);
		return;
	}
	content_unref(r->content);
	r->status = status;
	r->type = type;
	r->content = content_take(body);
}

void reply_error(struct reply *r, unsigned status, const char *fmt, ...)
{
	struct buf body = BUF_INIT(4096);
	struct jsonw w = jsonw_start(&body);
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	jsonw_object(&w);
	jsonw_key_str(&w, "error", text);
	jsonw_end(&w);
	reply_set(r, status, TYPE_JSON, &body);
}

void reply_fini(struct reply *r)
{
	content_unref(r->content);
	*r = (struct reply){.status = 0};
}
