/* SPDX-License-Identifier: MIT
 * standing: see standing.h. */
#include "ship/standing.h"

#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/metrics.h"

#include "banned.h"

#define ABOUT "elasticsearch"

static const char *const kinds[TROUBLE_KINDS] = {
	[TROUBLE_UNREACHABLE] = "unreachable",
	[TROUBLE_TLS] = "tls",
	[TROUBLE_CREDENTIALS] = "credentials",
	[TROUBLE_BLOCKED] = "blocked",
	[TROUBLE_OVERLOADED] = "overloaded",
	[TROUBLE_SERVER] = "server",
	[TROUBLE_INDEX] = "index",
	[TROUBLE_ANSWER] = "answer",
	[TROUBLE_REFUSED] = "refused",
};

void standing_init(struct standing *s, struct board *board)
{
	*s = (struct standing){.board = board};
	standing_tell(s);
}

static void show_kinds(const struct standing *s)
{
	for (int k = TROUBLE_UNREACHABLE; k < TROUBLE_KINDS; k++) {
		bool on = (s->whole.on && (int)s->whole.kind == k) ||
			  (s->part.on && (int)s->part.kind == k);

		metrics_set((enum metric)(METRIC_TROUBLE_UNREACHABLE + k -
					  TROUBLE_UNREACHABLE),
			    on);
	}
}

/* The words of one kind of trouble differ from node to node, and are no news. */
static bool note(struct standing_trouble *t, enum bulk_pace pace, const struct err *why)
{
	enum bulk_trouble kind = why->code > TROUBLE_NONE && why->code < TROUBLE_KINDS
					 ? (enum bulk_trouble)why->code
					 : TROUBLE_REFUSED;
	bool news = !t->on || pace != t->pace || kind != t->kind;

	if (!t->on)
		t->since = clock_wall();
	if (news)
		snprintf(t->text, sizeof(t->text), "%.*s",
			 (int)utf8_cut(why->text, strlen(why->text),
				       sizeof(t->text) - 1),
			 why->text);
	t->on = true;
	t->pace = pace;
	t->kind = kind;
	return news;
}

bool standing_refused(struct standing *s, enum bulk_pace pace, const struct err *why)
{
	bool news = note(&s->whole, pace, why);

	if (news)
		log_warn(ABOUT, "%s; documents wait in the spool, next try %s",
			 why->text, pace == PACE_SLOW ? "in 30 s" : "soon");
	show_kinds(s);
	return news;
}

bool standing_partly(struct standing *s, enum bulk_pace pace, const struct err *why,
		     size_t n, size_t of)
{
	bool news = note(&s->part, pace, why);

	if (news)
		log_warn(ABOUT,
			 "%zu of %zu documents are to be sent again, and wait apart: "
			 "%s",
			 n, of, why->text);
	show_kinds(s);
	return news;
}

void standing_stuck(struct standing *s)
{
	s->nothing_goes = true;
}

void standing_accepted(struct standing *s)
{
	if (s->whole.on)
		log_info(ABOUT, "takes documents again");
	else if (s->last_success.ms == 0)
		log_info(ABOUT, "takes documents");
	s->whole.on = false;
	s->nothing_goes = false;
	s->last_success = clock_wall();
	metrics_set(METRIC_BULK_SUCCESS_MS, s->last_success.ms);
	show_kinds(s);
}

void standing_parked(struct standing *s, size_t n)
{
	s->parked = n;
	metrics_set(METRIC_BULK_PARKED, (int64_t)n);
	if (n > 0 || !s->part.on)
		return;
	log_info(ABOUT, "no document waits apart any more");
	s->part.on = false;
	s->nothing_goes = false;
	show_kinds(s);
}

static void key_time(struct jsonw *w, const char *key, bool known, struct wall t)
{
	jsonw_key(w, key);
	if (known)
		jsonw_int(w, t.ms);
	else
		jsonw_null(w);
}

void standing_tell(const struct standing *s)
{
	const struct standing_trouble *t = s->whole.on ? &s->whole : &s->part;
	struct buf out = BUF_INIT(4096);
	struct jsonw w = jsonw_start(&out);

	if (s->board == NULL)
		return;
	jsonw_object(&w);
	jsonw_key(&w, "configured");
	jsonw_bool(&w, true);
	jsonw_key(&w, "ok");
	jsonw_bool(&w, !s->whole.on && !s->nothing_goes);
	jsonw_key_str(&w, "trouble", t->on ? t->text : NULL);
	jsonw_key_str(&w, "kind", t->on ? kinds[t->kind] : NULL);
	key_time(&w, "since", t->on, t->since);
	jsonw_key_str(&w, "pace",
		      !t->on                 ? NULL
		      : t->pace == PACE_SLOW ? "slow"
					     : "backoff");
	key_time(&w, "last_success", s->last_success.ms != 0, s->last_success);
	jsonw_key_int(&w, "parked", (int64_t)s->parked);
	jsonw_end(&w);
	if (!out.failed)
		board_tell(s->board, BOARD_SHIPPER, buf_str(&out), out.len);
	buf_free(&out);
}

void standing_without_server(struct board *b)
{
	static const char none[] =
		"{\"configured\":false,\"ok\":true,\"trouble\":null,\"kind\":null,"
		"\"since\":null,\"pace\":null,\"last_success\":null,\"parked\":0}";

	board_tell(b, BOARD_SHIPPER, none, strlen(none));
}
