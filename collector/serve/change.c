/* SPDX-License-Identifier: MIT
 * change: what a POST does. */
#include <string.h>
#include <jansson.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "document/silence.h"
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

/* ---- silences ---- */

/* Hand it to the alarm; the pages see it there within about a second. */
static void ask_alarm(struct serve *s, struct request *r, const struct silence *silence)
{
	struct buf json = BUF_INIT(SERVE_BODY_MAX * 8), out = BUF_INIT(4096);
	struct jsonw w = jsonw_start(&out);

	silence_write(&json, silence);
	if (board_ask(s->parts.board, BOARD_ASK_SILENCE, buf_str(&json), json.len) !=
	    0) {
		reply_error(&r->reply, MHD_HTTP_SERVICE_UNAVAILABLE,
			    "too many silences wait already; try again in a second");
	} else {
		jsonw_object(&w);
		jsonw_key_str(&w, "id", silence->id);
		jsonw_end(&w);
		buf_addch(&out, '\n');
		reply_set(&r->reply, MHD_HTTP_OK, TYPE_JSON, &out);
	}
	buf_free(&json);
}

void change_silences(struct serve *s, struct request *r)
{
	struct silence silence = {.id = NULL};
	struct err err = ERR_INIT;
	unsigned char bytes[8];

	if (silence_read(buf_str(&r->body), r->body.len, clock_wall(), &silence,
			 &err) != 0) {
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST, "%s", err.text);
		return;
	}
	if (silence.id == NULL) {
		random_bytes(bytes, sizeof(bytes));
		silence.id = mem_calloc(1, 2 * sizeof(bytes) + 1);
		hash_hex(bytes, sizeof(bytes), silence.id);
	}
	ask_alarm(s, r, &silence);
	silence_fini(&silence);
}

/* ---- the spool ---- */

/* "ids" or "all" into the question. False when neither is right. */
static bool which_rows(const json_t *body, struct store_question *q)
{
	const json_t *ids = json_object_get(body, "ids");

	q->all = json_is_true(json_object_get(body, "all"));
	if (q->all)
		return ids == NULL;
	if (!json_is_array(ids))
		return false;
	q->ids = mem_calloc(json_array_size(ids) + 1, sizeof(*q->ids));
	q->n = json_array_size(ids);
	for (size_t i = 0; i < q->n; i++) {
		if (!json_is_integer(json_array_get(ids, i)))
			return false;
		q->ids[i] = json_integer_value(json_array_get(ids, i));
	}
	return true;
}

static void change_rows(struct serve *s, struct request *r,
			enum store_question_kind kind)
{
	struct store_question *q = ask_new(s, kind);
	json_t *body = body_of(r);

	if (body == NULL) {
		ask_cancel_new(q);
		return;
	}
	q->dead = !json_is_false(json_object_get(body, "dead"));
	if (which_rows(body, q)) {
		ask_store(s, r, q, api_finish_rows);
	} else {
		ask_cancel_new(q);
		reply_error(&r->reply, MHD_HTTP_BAD_REQUEST,
			    "say which: {\"ids\":[1,2]} or {\"all\":true}");
	}
	json_decref(body);
}

void change_spool_retry(struct serve *s, struct request *r)
{
	change_rows(s, r, STORE_RETRY);
}

void change_spool_drop(struct serve *s, struct request *r)
{
	change_rows(s, r, STORE_DROP);
}

void change_spool_import(struct serve *s, struct request *r)
{
	json_t *body = body_of(r);
	const char *file = json_string_value(json_object_get(body, "file"));
	struct store_question *q;

	if (body == NULL)
		return;
	if (file == NULL) {
		reply_error(
			&r->reply, MHD_HTTP_BAD_REQUEST,
			"say which: {\"file\":NAME}, a name in the state directory");
	} else {
		q = ask_new(s, STORE_IMPORT);
		q->file = mem_strdup(file);
		ask_store(s, r, q, api_finish_rows);
	}
	json_decref(body);
}
