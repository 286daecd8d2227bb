/* SPDX-License-Identifier: MIT
 * pool: the nodes. Batches go round, each with all its requests to one node; a node
 * that cannot be reached is left alone for 1 s, doubling to 60 s. No sniffing: the
 * hosts are those of the configuration. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "elastic/elastic_int.h"

#include "banned.h"

#define DEAD_FIRST_MS 1000
#define DEAD_CAP_MS 60000

static void mark_dead(struct node *n, struct mono now)
{
	int64_t ms = DEAD_FIRST_MS;

	for (int i = 0; i < n->failures && ms < DEAD_CAP_MS; i++)
		ms *= 2;
	n->failures++;
	n->dead_until = mono_add_ms(now, ms < DEAD_CAP_MS ? ms : DEAD_CAP_MS);
}

static bool lives(const struct node *n, struct mono now)
{
	return n->failures == 0 || !mono_before(now, n->dead_until);
}

void pool_turn(struct elastic *e)
{
	e->at = (e->at + 1) % e->n;
}

/* The living one whose turn it is, which keeps it; or NULL. */
static struct node *next_living(struct elastic *e, struct mono now)
{
	for (size_t i = 0; i < e->n; i++) {
		size_t at = (e->at + i) % e->n;

		if (lives(&e->nodes[at], now)) {
			e->at = at;
			return &e->nodes[at];
		}
	}
	return NULL;
}

static struct node *due_first(struct elastic *e)
{
	struct node *best = &e->nodes[0];

	for (size_t i = 1; i < e->n; i++)
		if (mono_before(e->nodes[i].dead_until, best->dead_until))
			best = &e->nodes[i];
	return best;
}

int pool_ask_node(struct elastic *e, struct node *n, const struct call *c,
		  struct mono now, struct http_answer *a, struct err *err)
{
	char *url = mem_printf("%s%s", n->url, c->path);
	struct mono began = clock_mono();
	struct http_request r = {
		.method = c->method,
		.url = url,
		.content_type = c->type != NULL   ? c->type
				: c->body != NULL ? "application/json"
						  : NULL,
		.body = c->body,
		.body_len = c->len,
		.timeout_ms = e->timeout_ms,
		.answer_max = c->answer_max,
	};
	int rc = http_exchange(e->http, &r, a, err);

	free(url);
	if (rc == 0)
		n->failures = 0;
	else if (err->code != HTTP_STOPPED && err->code != HTTP_TOO_LARGE)
		/* its rest begins when the wait is over */
		mark_dead(n, mono_add_ms(now, mono_diff_ms(clock_mono(), began)));
	return rc;
}

int pool_ask(struct elastic *e, const struct call *c, struct mono now,
	     struct http_answer *a, const char **node, struct err *err)
{
	struct node *n = next_living(e, now);

	if (n == NULL)
		n = due_first(e);
	for (;;) {
		int rc = pool_ask_node(e, n, c, now, a, err);

		*node = n->url;
		if (rc == 0 || (err->code != HTTP_NOT_SENT && err->code != HTTP_TLS))
			return rc;
		/* Nothing was sent: another node may have it at once. */
		n = next_living(e, now);
		if (n == NULL)
			return rc;
		http_answer_fini(a);
	}
}

json_t *answer_json(const struct http_answer *a)
{
	return a->body.len == 0
		       ? NULL
		       : json_loadb(a->body.data, a->body.len, JSON_ALLOW_NUL, NULL);
}

void answer_words(const struct http_answer *a, char *out, size_t size)
{
	json_t *root = answer_json(a);
	const json_t *error = json_object_get(root, "error");
	const char *type = json_string_value(json_object_get(error, "type"));
	const char *reason =
		json_is_string(error)
			? json_string_value(error)
			: json_string_value(json_object_get(error, "reason"));

	snprintf(out, size, "%d%s%s%s%.300s", a->status, type != NULL ? " " : "",
		 type != NULL ? type : "", reason != NULL ? ": " : "",
		 reason != NULL ? reason : "");
	json_decref(root);
}

void index_path(const char *name, const char *rest, char *out, size_t size)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	size_t used = 0;

	out[used++] = '/';
	for (; *name != '\0' && used + 4 < size; name++) {
		if (strchr(plain, *name) != NULL)
			out[used++] = *name;
		else
			used += (size_t)snprintf(out + used, size - used, "%%%02X",
						 (unsigned char)*name);
	}
	snprintf(out + used, size - used, "%s", rest);
}
