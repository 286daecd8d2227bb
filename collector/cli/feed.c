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

#define TIMEOUT_MS 5000
#define ANSWER_MAX ((size_t)64 << 20)

struct feed {
	struct http *http;
	char *base;   /* without a final '/' */
	char *socket; /* NULL with a URL */
};

static char *trimmed(const char *url)
{
	size_t n = strlen(url);

	while (n > 0 && url[n - 1] == '/')
		n--;
	return mem_strndup(url, n);
}

/* Fills in the socket of the configuration; returns 0 or an exit code. */
static int find_socket(struct feed *f, const char *path)
{
	struct config *c = options_read(path);

	if (c == NULL)
		return EXIT_CONFIG;
	f->socket = mem_printf("%s/control.sock", c->state_dir);
	f->base = mem_strdup("http://localhost");
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
	options.timeout_ms = options.connect_timeout_ms = TIMEOUT_MS;
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

/* In place of libcurl's words about a socket file: what it means, and what to do. */
static int no_daemon(const struct feed *f, struct err *err)
{
	int trouble = access(f->socket, R_OK | W_OK) == 0 ? 0 : errno;

	if (trouble == EACCES || trouble == EPERM)
		return err_set_code(
			err, ERR_PERMANENT, HTTP_NOT_SENT,
			"%s belongs to somebody else: run this as the user "
			"that mmlag runs as, or ask its listener with --url",
			f->socket);
	return err_set_code(
		err, ERR_RETRY, HTTP_NOT_SENT,
		"no mmlag is running here (nothing answers on %s): start it "
		"with 'mmlag run', or name another with --url",
		f->socket);
}

/* What an answer that is no 200 says. */
static int refused(const struct http_answer *a, struct err *err)
{
	json_t *o = json_loadb(buf_str(&a->body), a->body.len, 0, NULL);
	const char *words = json_string_value(json_object_get(o, "error"));

	if (a->status == 401 || a->status == 403)
		err_set(err, ERR_PERMANENT,
			"%s (HTTP %d; --token-file FILE gives a token)",
			words != NULL ? words : "not allowed", a->status);
	else
		err_set(err, ERR_REJECT, "%s (HTTP %d)",
			words != NULL ? words : "this is not mmlag's listener",
			a->status);
	json_decref(o);
	return err->class;
}

int feed_get(struct feed *f, const char *target, json_t **out, struct err *err)
{
	char *url = mem_printf("%s%s", f->base, target);
	struct http_request r = {.method = "GET", .url = url, .answer_max = ANSWER_MAX};
	struct http_answer a;
	int rc = http_exchange(f->http, &r, &a, err);

	if (rc != 0 && f->socket != NULL && err->code == HTTP_NOT_SENT)
		rc = no_daemon(f, err);
	if (rc == 0 && a.status != 200)
		rc = refused(&a, err);
	if (rc == 0) {
		*out = json_loadb(buf_str(&a.body), a.body.len, 0, NULL);
		if (!json_is_object(*out)) {
			json_decref(*out);
			rc = err_set(
				err, ERR_REJECT,
				"the answer is no JSON: is this mmlag's listener?");
		}
	}
	http_answer_fini(&a);
	free(url);
	if (rc != 0)
		utf8_plain(err->text);
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
