/* SPDX-License-Identifier: MIT */
#include "cli/feed.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/options.h"

#include "banned.h"

#define LOOK_MS 5000
#define CHANGE_MS 600000 /* a large import */
#define ANSWER_MAX ((size_t)64 << 20)

struct feed {
	struct http *http;
	char *base;            /* without a final '/' */
	char *socket;          /* NULL with a URL */
	const char *otherwise; /* what else to do where no daemon answers */
	int64_t ahead_ms;      /* the daemon's clock, of ours */
};

static char *trimmed(const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return mem_strndup(url, n);
}

static void to_socket(struct feed *f, const char *state_dir)
{
	f->socket = mem_printf("%s/control.sock", state_dir);
	f->base = mem_strdup("http://localhost");
}

/* Fills in the socket of the configuration; returns 0 or an exit code. */
static int find_socket(struct feed *f, const char *path)
{
	struct config *c = options_read(path);

	if (c == NULL)
		return EXIT_CONFIG;
	to_socket(f, c->state_dir);
	f->otherwise = ", or name another with --url";
	config_unref(c);
	return 0;
}

int feed_open(struct feed **out, const char *command, const char *path, const char *url,
	      const struct http_options *o, struct wake *wake)
{
	struct feed *f = mem_calloc(1, sizeof(*f));
	struct http_options options = *o;
	struct err err = ERR_INIT;
	int rc = options_http(command, o);

	if (rc == OPTIONS_GO_ON && url != NULL)
		rc = options_url(command, "--url", url);
	if (rc == OPTIONS_GO_ON)
		rc = url == NULL ? find_socket(f, path) : 0;
	if (url != NULL)
		f->base = trimmed(url);
	options.unix_socket = f->socket;
	options.timeout_ms = options.connect_timeout_ms = LOOK_MS;
	if (rc == 0 && http_open(&f->http, &options, wake, &err) != 0) {
		fprintf(stderr, "mmlag %s: %s\n", command, err.text);
		rc = EXIT_CONFIG;
	}
	if (rc != 0) {
		feed_close(f);
		return rc;
	}
	*out = f;
	return 0;
}

void feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	http_close(f->http);
	free(f->base);
	free(f->socket);
	free(f);
}

struct wall feed_now(const struct feed *f)
{
	return (struct wall){clock_wall().ms + f->ahead_ms};
}

/* Date has whole seconds: the middle of one is meant. */
static void read_clock(struct feed *f, struct wall date)
{
	int64_t off = date.ms + 500 - feed_now(f).ms;

	if (date.ms > 0 && (off > 1000 || off < -1000))
		f->ahead_ms += off;
}

/* In place of libcurl's words about a socket file: what it means, and what to do. */
static int no_daemon(const struct feed *f, struct err *err)
{
	int trouble = access(f->socket, R_OK | W_OK) == 0 ? 0 : errno;
	const char *otherwise = f->otherwise == NULL ? "" : f->otherwise;

	if (trouble == EACCES || trouble == EPERM)
		return err_set_code(err, ERR_PERMANENT, HTTP_NOT_SENT,
				    "%s belongs to another user: run this as the one "
				    "that mmlag runs as%s",
				    f->socket, otherwise);
	return err_set_code(err, ERR_AGAIN, HTTP_NOT_SENT,
			    "no mmlag is running here (nothing answers on %s): start "
			    "it with 'mmlag run'%s",
			    f->socket, otherwise);
}

/* What an answer that is no 2xx says. */
static int refused(const struct feed *f, const struct http_answer *a, struct err *err)
{
	json_t *o = json_loadb(buf_str(&a->body), a->body.len, 0, NULL);
	const char *words = json_string_value(json_object_get(o, "error"));

	if (f->socket != NULL)
		err_set(err, ERR_REJECT, "the daemon says: %s (%d)",
			words != NULL ? words : "no words", a->status);
	else if (a->status == 401 || a->status == 403)
		err_set(err, ERR_PERMANENT,
			"%s (HTTP %d; --token-file FILE gives a token)",
			words != NULL ? words : "not allowed", a->status);
	else
		err_set(err, ERR_REJECT, "%s: %s (HTTP %d)", f->base,
			words != NULL ? words : "this is not mmlag's listener",
			a->status);
	json_decref(o);
	return err->class;
}

int feed_ask(struct feed *f, const char *target, const char *body, struct buf *answer,
	     struct err *err)
{
	char *url = mem_printf("%s%s", f->base, target);
	struct http_request r = {.method = body == NULL ? "GET" : "POST",
				 .url = url,
				 .content_type =
					 body == NULL ? NULL : "application/json",
				 .body = body,
				 .body_len = body == NULL ? 0 : strlen(body),
				 .timeout_ms = body == NULL ? 0 : CHANGE_MS,
				 .answer_max = ANSWER_MAX};
	struct http_answer a;
	int rc = http_exchange(f->http, &r, &a, err);

	read_clock(f, a.date);
	if (rc != 0 && f->socket != NULL && err->code == HTTP_NOT_SENT)
		rc = no_daemon(f, err);
	else if (rc == 0 && (a.status < 200 || a.status > 299))
		rc = refused(f, &a, err);
	else if (rc == 0 && buf_add(answer, buf_str(&a.body), a.body.len) != 0)
		rc = err_set(err, ERR_RETRY, "the answer to %s is too large", target);
	http_answer_fini(&a);
	free(url);
	if (rc != 0)
		utf8_plain(err->text);
	return rc;
}

int feed_get(struct feed *f, const char *target, json_t **out, struct err *err)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	int rc = feed_ask(f, target, NULL, &answer, err);

	if (rc == 0) {
		*out = json_loadb(buf_str(&answer), answer.len, 0, NULL);
		if (!json_is_object(*out)) {
			json_decref(*out);
			rc = err_set(
				err, ERR_REJECT,
				"the answer is no JSON: is this mmlag's listener?");
		}
	}
	buf_free(&answer);
	return rc;
}

int feed_once(const char *state_dir, const char *target, const char *body,
	      struct buf *answer, struct err *err)
{
	struct http_options o = {.timeout_ms = LOOK_MS, .connect_timeout_ms = LOOK_MS};
	struct feed f = {.http = NULL};
	int rc = http_global_init(err);

	if (rc != 0)
		return rc;
	to_socket(&f, state_dir);
	o.unix_socket = f.socket;
	rc = http_open(&f.http, &o, NULL, err);
	if (rc == 0)
		rc = feed_ask(&f, target, body, answer, err);
	http_close(f.http);
	free(f.base);
	free(f.socket);
	http_global_fini();
	return rc;
}

void feed_escape(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		if (isalnum((unsigned char)*s) || strchr("-._~", *s) != NULL)
			buf_addch(out, *s);
		else
			buf_printf(out, "%%%02X", (unsigned char)*s);
}
