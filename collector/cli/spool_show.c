/* SPDX-License-Identifier: MIT
 * spool_show: see spool_int.h. */
#include "cli/spool_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/size.h"
#include "cli/feed.h"
#include "cli/spool.h"
#include "store/reader.h"

#include "banned.h"

static void put_status(const struct store_status *st, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_int(&w, "documents", st->documents);
	jsonw_key_int(&w, "bytes", st->bytes);
	jsonw_key_int(&w, "backlog", st->backlog);
	jsonw_key(&w, "oldest");
	if (st->oldest.ms != 0)
		jsonw_int(&w, st->oldest.ms);
	else
		jsonw_null(&w);
	jsonw_key_int(&w, "dead", st->dead);
	jsonw_key_int(&w, "dead_bytes", st->dead_bytes);
	jsonw_key(&w, "degraded");
	jsonw_bool(&w, st->degraded);
	jsonw_key_str(&w, "trouble", *st->trouble != '\0' ? st->trouble : NULL);
	jsonw_key_str(&w, "set_aside", *st->set_aside != '\0' ? st->set_aside : NULL);
	jsonw_end(&w);
}

json_t *spool_live_status(const char *dir)
{
	struct buf answer = BUF_INIT(SPOOL_ANSWER_MAX);
	struct err err = ERR_INIT;
	json_t *tree = NULL, *spool, *elastic;

	if (feed_once(dir, "/api/v1/status", NULL, &answer, &err) == 0)
		tree = json_loadb(buf_str(&answer), answer.len, 0, NULL);
	spool = json_incref(json_object_get(tree, "spool"));
	elastic = json_object_get(tree, "elasticsearch");
	if (spool != NULL && elastic != NULL &&
	    json_object_set(spool, "elasticsearch", elastic) != 0) {
		json_decref(spool);
		spool = NULL;
	}
	json_decref(tree);
	buf_free(&answer);
	return spool;
}

json_t *spool_file_status(const char *dir, struct err *err)
{
	struct buf text = BUF_INIT(SPOOL_ANSWER_MAX);
	struct store_status st;
	json_t *tree = NULL;

	if (reader_status(dir, &st, err) == 0) {
		put_status(&st, &text);
		tree = json_loadb(buf_str(&text), text.len, 0, NULL);
	}
	buf_free(&text);
	return tree;
}

static int64_t number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* A string for a terminal, freed by the caller. */
static char *plain(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	char *copy = mem_strdup(s == NULL ? "" : s);

	utf8_plain(copy);
	return copy;
}

/* Why documents are held up, and since when. */
static void print_shipping(const json_t *elastic)
{
	char *trouble = plain(elastic, "trouble"), since[WALL_TEXT];
	int64_t parked = number(elastic, "parked");

	wall_format((struct wall){number(elastic, "since")}, since);
	if (*trouble != '\0')
		printf("%s       since %s: %s\n",
		       json_is_true(json_object_get(elastic, "ok")) ? "refused"
								    : "held up",
		       since, trouble);
	if (parked > 0)
		printf("wait apart    %" PRId64 " documents, the others are taken\n",
		       parked);
	free(trouble);
}

void spool_print_status(const json_t *st)
{
	char bytes[SIZE_TEXT], dead_bytes[SIZE_TEXT], since[WALL_TEXT];
	char *trouble = plain(st, "trouble"), *aside = plain(st, "set_aside");
	int64_t oldest = number(st, "oldest");

	size_text(number(st, "bytes"), bytes);
	size_text(number(st, "dead_bytes"), dead_bytes);
	wall_format((struct wall){oldest}, since);
	printf("waiting       %" PRId64 " documents, %s%s%s\n", number(st, "documents"),
	       bytes, oldest != 0 ? ", the oldest of " : "", oldest != 0 ? since : "");
	printf("dead letters  %" PRId64 " documents, %s%s\n", number(st, "dead"),
	       dead_bytes,
	       number(st, "dead") > 0 ? " ('mmlag spool dead' tells why)" : "");
	print_shipping(json_object_get(st, "elasticsearch"));
	if (*trouble != '\0')
		printf("trouble       %s\n", trouble);
	if (*aside != '\0')
		printf("set aside     %s ('mmlag spool import' takes it in)\n", aside);
	free(trouble);
	free(aside);
}

static void print_row(const json_t *row, bool dead)
{
	char at[WALL_TEXT];
	char *topic = plain(row, "topic");

	wall_format((struct wall){number(row, "at")}, at);
	printf("%12" PRId64 "  %s  %8" PRId64 "  ", number(row, "id"), at,
	       number(row, "bytes"));
	if (dead) {
		char *type = plain(row, "type"), *reason = plain(row, "reason");

		printf("%6" PRId64 "  %s  %s: %s\n", number(row, "status"), topic, type,
		       reason);
		free(type);
		free(reason);
	} else {
		printf("%s\n", topic);
	}
	free(topic);
}

void spool_print_rows(const struct buf *answer, bool dead)
{
	json_t *tree = json_loadb(buf_str(answer), answer->len, 0, NULL);
	const json_t *rows = json_object_get(tree, "rows");

	if (json_array_size(rows) == 0)
		printf("%s\n", dead ? "no dead letters" : "nothing waits");
	else
		printf("%12s  %-24s  %8s  %s%s\n", "ID", dead ? "REFUSED" : "TIME",
		       "BYTES", dead ? "STATUS  " : "",
		       dead ? "TOPIC  REASON" : "TOPIC");
	for (size_t i = 0; i < json_array_size(rows); i++)
		print_row(json_array_get(rows, i), dead);
	json_decref(tree);
}
