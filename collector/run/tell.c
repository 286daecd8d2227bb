/* SPDX-License-Identifier: MIT
 * tell: see tell.h. */
#include "run/tell.h"

#include <string.h>

#include "base/jsonw.h"

#include "banned.h"

#define SPOOL_TEXT_MAX 8192

static const char *text_or_null(const char *s)
{
	return *s != '\0' ? s : NULL;
}

void tell_spool(struct board *b, const struct store_status *s)
{
	struct buf out = BUF_INIT(SPOOL_TEXT_MAX);
	struct jsonw w = jsonw_start(&out);

	jsonw_object(&w);
	jsonw_key_int(&w, "documents", s->documents);
	jsonw_key_int(&w, "bytes", s->bytes);
	jsonw_key_int(&w, "backlog", s->backlog);
	jsonw_key(&w, "oldest");
	if (s->documents > 0)
		jsonw_int(&w, s->oldest.ms);
	else
		jsonw_null(&w);
	jsonw_key_int(&w, "dead", s->dead);
	jsonw_key_int(&w, "dead_bytes", s->dead_bytes);
	jsonw_key(&w, "degraded");
	jsonw_bool(&w, s->degraded);
	jsonw_key_str(&w, "trouble", text_or_null(s->trouble));
	jsonw_key_str(&w, "set_aside", text_or_null(s->set_aside));
	jsonw_end(&w);
	if (!out.failed)
		board_tell(b, BOARD_SPOOL, buf_str(&out), out.len);
	buf_free(&out);
}

void tell_no_elastic(struct board *b)
{
	static const char none[] =
		"{\"configured\":false,\"ok\":true,\"trouble\":null,\"kind\":null,"
		"\"since\":null,\"pace\":null,\"last_success\":null,\"parked\":0}";

	board_tell(b, BOARD_SHIPPER, none, strlen(none));
}
