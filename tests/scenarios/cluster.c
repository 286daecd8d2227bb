/* SPDX-License-Identifier: MIT */
#include "scenarios/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "document/document.h"
#include "http/http.h"
#include "scenarios/receivers.h"
#include "scenarios/words.h"
#include "scenarios/world.h"

#include "banned.h"

#define ANSWER_MAX (64 << 10)
#define USUAL_MS 20

enum mood {
	UP,
	DOWN,        /* nothing listens */
	REPLY,       /* `status` and `body` to every bulk */
	REPLY_ALL,   /* the same, to every request */
	ITEMS,       /* `status` and `type` for every item */
	GARBAGE,     /* stores, answers what is no JSON */
	SHORT,       /* stores, answers with one item less */
	LOSE_ANSWER, /* stores, and the connection breaks */
	BREAK,       /* the connection breaks, nothing is stored */
};

static const char *const moods[] = {"up",        "down",        "reply",
				    "reply-all", "items",       "garbage",
				    "short",     "lose-answer", "break"};

static struct {
	enum mood mood;
	int times; /* requests that the mood lasts, -1: for good */
	int status;
	char *text; /* body of a reply, or type of items */
	int64_t latency_ms, retry_after_s;
	size_t limit; /* bytes of a bulk body, 0: none */
	struct condition poison, reject;
	int reject_status;
	char *reject_type;
	char *dead_node; /* part of its URL */
	bool no_auto_create;
	json_t *indices; /* name → {"uuid", "mappings" or null} */
	json_t *ids;     /* "index id" → true */
	struct cluster_document *documents;
	size_t count, cap;
	int64_t made; /* indices, for their uuids */
	struct cluster_figures figures;
} es = {.latency_ms = USUAL_MS, .retry_after_s = -1};

struct http {
	long timeout_ms;
	const struct wake *wake;
};

static void forget_index(const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < es.count; i++) {
		struct cluster_document *d = &es.documents[i];

		if (strcmp(d->index, name) != 0) {
			es.documents[kept++] = *d;
			continue;
		}
		char *key = mem_printf("%s %s", d->index, d->id);

		json_object_del(es.ids, key);
		free(key);
		free(d->index);
		free(d->id);
		json_decref(d->source);
	}
	es.count = kept;
	json_object_del(es.indices, name); /* may own `name` */
}

static void begin(void)
{
	if (es.indices == NULL) {
		es.indices = json_object();
		es.ids = json_object();
	}
}

static void add_index(const char *name, json_t *mappings)
{
	char uuid[32];

	snprintf(uuid, sizeof(uuid), "uuid%018lld", (long long)++es.made);
	json_object_set_new(es.indices, name,
			    json_pack("{s:s, s:O?}", "uuid", uuid, "mappings",
				      mappings));
	world_event("es: index %s made %s", name,
		    mappings != NULL ? "with a mapping" : "by a bulk");
}

/* The words of a scenario */

static int set_mood(char **words, size_t n)
{
	size_t m = 0, used = 1;

	while (m < ARRAY_LEN(moods) && strcmp(words[0], moods[m]) != 0)
		m++;
	if (m == ARRAY_LEN(moods))
		return -1;
	if (m == UP) {
		es.latency_ms = USUAL_MS;
		es.retry_after_s = -1;
		es.limit = 0;
		es.no_auto_create = false;
		condition_fini(&es.poison);
		condition_fini(&es.reject);
		free(es.dead_node);
		es.dead_node = NULL;
		free(es.reject_type);
		es.reject_type = NULL;
	}
	es.mood = (enum mood)m;
	es.times = -1;
	free(es.text);
	es.text = NULL;
	if (m == REPLY || m == REPLY_ALL || m == ITEMS) {
		if (n < 2)
			return -1;
		es.status = (int)words_number(words[1]);
		used = 2;
		if (n > 2 && strcmp(words[2], "for") != 0) {
			es.text = mem_strdup(words[2]);
			used = 3;
		}
	}
	if (used == n)
		return 0;
	if (used + 2 != n || strcmp(words[used], "for") != 0)
		return -1;
	es.times = (int)words_number(words[used + 1]);
	return es.times > 0 ? 0 : -1;
}

int cluster_command(char **words, size_t n)
{
	begin();
	if (n == 0)
		return -1;
	if (n == 2 && strcmp(words[0], "slow") == 0)
		es.latency_ms = words_duration(words[1]);
	else if (n == 2 && strcmp(words[0], "retry-after") == 0)
		es.retry_after_s = words_duration(words[1]) / 1000;
	else if (n == 2 && strcmp(words[0], "limit") == 0)
		es.limit = (size_t)words_number(words[1]);
	else if (n == 2 && strcmp(words[0], "poison") == 0)
		return condition_read(&es.poison, words[1]);
	else if (n == 4 && strcmp(words[0], "reject") == 0) {
		es.reject_status = (int)words_number(words[1]);
		free(es.reject_type);
		es.reject_type = mem_strdup(words[2]);
		return condition_read(&es.reject, words[3]);
	} else if (n == 2 && strcmp(words[0], "delete") == 0)
		forget_index(words[1]);
	else if (n == 2 && strcmp(words[0], "node-down") == 0) {
		free(es.dead_node);
		es.dead_node = mem_strdup(words[1]);
	} else if (n == 1 && strcmp(words[0], "no-auto-create") == 0)
		es.no_auto_create = true;
	else
		return set_mood(words, n);
	return es.latency_ms < 0 ? -1 : 0;
}

/* The mood of one more request. */
static enum mood next_mood(void)
{
	enum mood m = es.mood;

	if (es.times > 0 && --es.times == 0)
		es.mood = UP;
	return m;
}

size_t cluster_count(void)
{
	return es.count;
}

const struct cluster_document *cluster_at(size_t i)
{
	return &es.documents[i];
}

int cluster_index_kind(const char *index)
{
	const json_t *i = json_object_get(es.indices, index);

	if (i == NULL)
		return -1;
	return json_is_object(json_object_get(i, "mappings"));
}

struct cluster_figures cluster_figures(void)
{
	return es.figures;
}

/* _bulk */

/* What a shipper must never do: an id or a document out of shape. */
static void inspect(const char *id, const json_t *source, struct wall *t)
{
	const char *stamp = json_string_value(json_object_get(source, "@timestamp"));
	size_t digits = strspn(id, "0123456789");

	if (stamp == NULL || wall_parse(stamp, t) != 0)
		world_complain("a document without a good @timestamp: %s", id);
	if (strlen(id) != DOCUMENT_ID_LEN || digits != 13 || id[13] != '-' ||
	    strspn(id + 14, "0123456789abcdef") != 32)
		world_complain("a bad _id: %s", id);
	else if (strtoll(id, NULL, 10) != t->ms)
		world_complain("_id %s is not of the time %s", id, stamp);
	if (json_string_value(json_object_get(source, "status")) == NULL &&
	    json_string_value(json_object_get(source, "event")) == NULL)
		world_complain("a document without status or event: %s", id);
}

struct item {
	int status;
	const char *type;
};

static struct item store_one(const char *index, const char *id, json_t *source)
{
	struct wall t = {0};
	char *key;

	inspect(id, source, &t);
	if (json_object_get(es.indices, index) == NULL) {
		if (es.no_auto_create)
			return (struct item){404, "index_not_found_exception"};
		add_index(index, NULL);
	}
	if (condition_holds(&es.reject, source))
		return (struct item){es.reject_status, es.reject_type};
	key = mem_printf("%s %s", index, id);
	if (json_object_get(es.ids, key) != NULL) {
		free(key);
		return (struct item){409, "version_conflict_engine_exception"};
	}
	json_object_set_new(es.ids, key, json_true());
	free(key);
	MEM_GROW(es.documents, es.count, es.cap);
	es.documents[es.count++] =
		(struct cluster_document){mem_strdup(index), mem_strdup(id),
					  json_incref(source), t};
	return (struct item){201, NULL};
}

static void put_item(struct buf *out, const char *index, const char *id, struct item i)
{
	buf_printf(out, "%s{\"create\":{\"_index\":\"%s\",\"_id\":\"%s\",\"status\":%d",
		   out->data[out->len - 1] == '[' ? "" : ",", index, id, i.status);
	if (i.type != NULL)
		buf_printf(
			out,
			",\"error\":{\"type\":\"%s\",\"reason\":\"so it was written\"}",
			i.type);
	buf_addstr(out, "}}");
}

/* The next line of the body as JSON; NULL with a complaint when it is none. */
static json_t *next_line(const char **p, const char *end)
{
	const char *nl = memchr(*p, '\n', (size_t)(end - *p));
	json_t *v;

	if (nl == NULL) {
		world_complain("a bulk body that does not end with a newline");
		*p = end;
		return NULL;
	}
	v = json_loadb(*p, (size_t)(nl - *p), 0, NULL);
	if (!json_is_object(v))
		world_complain("a bulk line that is no JSON object: %.80s", *p);
	*p = nl + 1;
	return v;
}

static bool is_poisoned(const struct http_request *r)
{
	const char *p = r->body, *end = p + r->body_len;
	bool found = false;

	while (p < end) {
		json_t *v = next_line(&p, end);

		found = found || condition_holds(&es.poison, v);
		json_decref(v);
	}
	return found;
}

/* Do what the body says. With a refusal nothing is stored and every item is answered
 * with it. SHORT leaves out the last item's answer. Returns how many items there were.
 */
static int64_t bulk_items(const struct http_request *r, enum mood mood, struct buf *out,
			  struct cluster_figures *f)
{
	const struct item refusal = {es.status, es.text};
	const char *p = r->body, *end = p + r->body_len;
	int64_t n = 0;

	for (; p < end; n++) {
		json_t *action = next_line(&p, end), *source = next_line(&p, end);
		json_t *create = json_object_get(action, "create");
		const char *index =
			json_string_value(json_object_get(create, "_index"));
		const char *id = json_string_value(json_object_get(create, "_id"));

		if (index == NULL || id == NULL || *index == '\0' ||
		    json_object_size(action) != 1) {
			world_complain("a bulk action without create, _index or _id");
		} else {
			struct item i =
				mood == ITEMS ? refusal : store_one(index, id, source);

			f->stored += i.status == 201;
			f->conflicts += i.status == 409;
			f->refused += i.status == 400;
			if (mood != SHORT || p < end)
				put_item(out, index, id, i);
		}
		json_decref(action);
		json_decref(source);
	}
	return n;
}

static int bulk(const struct http_request *r, enum mood mood, struct buf *out)
{
	struct cluster_figures f = {0};
	int64_t n;

	if (r->body_len == 0)
		world_complain("an empty bulk");
	if (r->content_type == NULL ||
	    strcmp(r->content_type, "application/x-ndjson") != 0)
		world_complain(
			"a bulk of another content type than application/x-ndjson");
	es.figures.bulks++;
	if (es.limit > 0 && r->body_len > es.limit)
		return 413;
	if (es.poison.field != NULL && is_poisoned(r)) {
		buf_addstr(out, "{\"error\":{\"type\":\"illegal_argument_exception\","
				"\"reason\":\"Malformed action/metadata line\"},"
				"\"status\":400}");
		return 400;
	}
	buf_addstr(out, "{\"took\":1,\"errors\":true,\"items\":[");
	n = bulk_items(r, mood, out, &f);
	buf_addstr(out, "]}");
	if (n > es.figures.largest_bulk)
		es.figures.largest_bulk = n;
	if (mood != UP && mood != ITEMS)
		return 200;
	es.figures.stored += f.stored;
	es.figures.conflicts += f.conflicts;
	es.figures.refused += f.refused;
	return 200;
}

/* Everything else */

static int about_index(const char *method, const char *name,
		       const struct http_request *r, struct buf *out)
{
	json_t *index = json_object_get(es.indices, name), *body, *mappings;
	char *text;

	if (strcmp(method, "PUT") == 0) {
		body = json_loadb(r->body, r->body_len, 0, NULL);
		mappings = json_object_get(body, "mappings");
		if (!json_is_object(mappings))
			world_complain("an index created without a mapping");
		if (index == NULL)
			add_index(name, mappings);
		json_decref(body);
		buf_printf(out,
			   index == NULL
				   ? "{\"acknowledged\":true,\"index\":\"%s\"}"
				   : "{\"error\":{\"type\":\"resource_already_exists_"
				     "exception\",\"reason\":\"index "
				     "%s\"},\"status\":400}",
			   name);
		return index == NULL ? 200 : 400;
	}
	if (index == NULL) {
		buf_printf(out,
			   "{\"error\":{\"type\":\"index_not_found_exception\","
			   "\"reason\":\"no such index [%s]\"},\"status\":404}",
			   name);
		return 404;
	}
	mappings = json_object_get(index, "mappings");
	text = mappings != NULL ? json_dumps(mappings, 0) : NULL;
	buf_printf(out,
		   "{\"%s\":{\"aliases\":{},\"mappings\":%s,\"settings\":{\"index\":{"
		   "\"uuid\":\"%s\",\"provided_name\":\"%s\"}}}}",
		   name, text != NULL ? text : "{}",
		   json_string_value(json_object_get(index, "uuid")), name);
	free(text);
	return 200;
}

static int serve(const struct http_request *r, enum mood mood, struct buf *out)
{
	const char *path = strstr(r->url, "://");
	char name[256];

	path = path != NULL ? strchr(path + 3, '/') : NULL;
	if (path == NULL)
		path = "/";
	if (strstr(path, "_bulk") != NULL)
		return bulk(r, mood, out);
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(path + 1, "/?"), path + 1);
	if (*name == '\0') {
		buf_addstr(out, "{\"name\":\"es1\",\"version\":{\"number\":\"8.15.0\"},"
				"\"tagline\":\"You Know, for Search\"}");
		return 200;
	}
	if (*name == '_') {
		buf_addstr(out, "{}");
		return 404;
	}
	return about_index(r->method, name, r, out);
}

static int broken(struct err *err, enum http_failure how, const char *what)
{
	world_event("es: %s", what);
	return err_set_code(err, ERR_RETRY, (int)how, "%s", what);
}

/* http/http */

int http_global_init(struct err *err)
{
	(void)err;
	return 0;
}

void http_global_fini(void)
{
}

int http_open(struct http **out, const struct http_options *o, struct wake *wake,
	      struct err *err)
{
	(void)err;
	*out = mem_calloc(1, sizeof(**out));
	(*out)->timeout_ms = o->timeout_ms;
	(*out)->wake = wake;
	return 0;
}

void http_close(struct http *h)
{
	free(h);
}

int http_reread(struct http *h, struct err *err)
{
	(void)h;
	(void)err;
	return 0;
}

static bool is_bulk(const struct http_request *r)
{
	return strstr(r->url, "_bulk") != NULL;
}

/* Let the answer be what the mood makes of it. */
static int answer(const struct http_request *r, enum mood mood, struct http_answer *a,
		  struct err *err)
{
	struct buf full = BUF_INIT(256 << 20);
	size_t max = r->answer_max > 0 ? r->answer_max : ANSWER_MAX;
	int rc = 0;

	if (mood == REPLY_ALL || mood == REPLY) {
		a->status = es.status;
		buf_addstr(&full, es.text != NULL ? es.text : "{}");
	} else {
		a->status = serve(r, mood, &full);
	}
	if (mood == GARBAGE) {
		buf_reset(&full);
		buf_addstr(&full, "<html>welcome</html>");
	}
	world_event("es: %s %.*s: %d", r->method, (int)strcspn(r->url, "?"), r->url,
		    a->status);
	if (full.len > max)
		rc = broken(err, HTTP_TOO_LARGE, "the answer is too large");
	else if (strcmp(r->method, "HEAD") != 0)
		buf_add(&a->body, buf_str(&full), full.len);
	buf_free(&full);
	return rc;
}

int http_exchange(struct http *h, const struct http_request *r, struct http_answer *a,
		  struct err *err)
{
	long timeout = r->timeout_ms > 0 ? r->timeout_ms : h->timeout_ms;
	bool late = es.latency_ms >= timeout;
	enum mood mood;
	int rc;

	begin();
	*a = (struct http_answer){.status = 0, .retry_after_s = -1};
	buf_init(&a->body, r->answer_max > 0 ? r->answer_max : ANSWER_MAX);
	if (h->wake != NULL && wake_stopping(h->wake))
		return broken(err, HTTP_STOPPED, "told to stop");
	if (receivers_have(r->url))
		return receivers_exchange(r, a, timeout, err);
	es.figures.requests++;
	if (es.mood == DOWN ||
	    (es.dead_node != NULL && strstr(r->url, es.dead_node) != NULL)) {
		if (es.mood == DOWN)
			next_mood();
		world_charge(1);
		return broken(err, HTTP_NOT_SENT, "connection refused");
	}
	/* Only _bulk knows moods, but for one. */
	mood = is_bulk(r) || es.mood == REPLY_ALL ? next_mood() : UP;
	world_charge(late ? timeout : es.latency_ms);
	if (mood == BREAK)
		return broken(err, HTTP_UNKNOWN, "the connection broke");
	if (late && mood == UP)
		mood = LOSE_ANSWER;
	snprintf(a->content_type, sizeof(a->content_type), "application/json");
	rc = answer(r, mood, a, err);
	if (a->status == 429 || a->status == 503)
		a->retry_after_s = es.retry_after_s;
	if (rc == 0 && mood == LOSE_ANSWER) {
		buf_reset(&a->body);
		a->status = 0;
		return broken(err, HTTP_UNKNOWN,
			      "the connection broke before the answer");
	}
	return rc;
}

void http_answer_fini(struct http_answer *a)
{
	buf_free(&a->body);
}

void cluster_fini(void)
{
	char *up[] = {mem_strdup("up")};
	const char *name;
	void *tmp;
	json_t *v;

	begin();
	json_object_foreach_safe(es.indices, tmp, name, v) forget_index(name);
	(void)set_mood(up, 1);
	free(up[0]);
	free(es.documents);
	json_decref(es.indices);
	json_decref(es.ids);
}
