/* SPDX-License-Identifier: MIT
 * elastic: see elastic.h. Before each bulk the index is looked at, because a server
 * that may create indices by itself would make a deleted one anew with a guessed
 * mapping. */
#include "elastic/elastic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "elastic/elastic_int.h"

#include "banned.h"

#define LOOK_MS 500           /* a look is good for so long: one a bulk */
#define LOOK_HIDDEN_MS 60000  /* where we may not look, so long */
#define MAPPING_MAX (1 << 20) /* bytes of mapping_file */
#define PATH_SIZE (3 * INDEX_NAME_MAX + 64)
#define ANSWER_BASE 65536
#define ANSWER_ITEM 1024
#define BULK_PATH "/_bulk?filter_path=errors,items.*._id,items.*.status,items.*.error"

static int load_mapping(struct elastic *e, struct err *err)
{
	const char *path = e->c->mapping_file;
	json_error_t where;
	json_t *root;

	buf_init(&e->mapping, MAPPING_MAX);
	if (path == NULL) {
		buf_addstr(&e->mapping, elastic_builtin_mapping);
		return 0;
	}
	if (file_read(path, &e->mapping, err) != 0)
		return err_wrap(err, "mapping_file");
	root = json_loadb(buf_str(&e->mapping), e->mapping.len, 0, &where);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, ERR_PERMANENT,
			       "mapping_file %s:%d:%d: not JSON: %s", path, where.line,
			       where.column, where.text);
	}
	json_decref(root);
	return 0;
}

static void add_nodes(struct elastic *e)
{
	e->n = e->c->hosts.n;
	e->at = e->n - 1; /* the first turn is the first node's */
	e->nodes = mem_calloc(e->n, sizeof(*e->nodes));
	for (size_t i = 0; i < e->n; i++) {
		const char *url = e->c->hosts.v[i];
		size_t len = strlen(url);

		while (len > 0 && url[len - 1] == '/')
			len--;
		e->nodes[i].url = mem_strndup(url, len);
	}
}

int elastic_open(struct elastic **out, const struct config_elastic *c,
		 struct wake *wake, struct err *err)
{
	struct elastic *e;
	struct http_options o = {
		.username = c->username,
		.password_file = c->password_file,
		.api_key_file = c->api_key_file,
		.client_cert_file = c->client_cert_file,
		.client_key_file = c->client_key_file,
		.ca_file = c->ca_file,
		.ca_fingerprint = c->ca_fingerprint,
		.insecure_skip_verify = c->insecure_skip_verify,
		.gzip = c->gzip,
		.timeout_ms = (long)c->timeout_ms,
	};
	int rc;

	if (c->hosts.n == 0)
		return err_set(err, ERR_PERMANENT, "elasticsearch: no hosts");
	e = mem_calloc(1, sizeof(*e));
	e->c = c;
	buf_init(&e->body, SIZE_MAX / 2);
	add_nodes(e);
	rc = load_mapping(e, err);
	if (rc == 0)
		rc = http_open(&e->http, &o, wake, err);
	if (rc != 0) {
		elastic_close(e);
		return err_wrap(err, "elasticsearch");
	}
	*out = e;
	return 0;
}

void elastic_close(struct elastic *e)
{
	if (e == NULL)
		return;
	http_close(e->http);
	for (size_t i = 0; i < e->n; i++)
		free(e->nodes[i].url);
	free(e->nodes);
	buf_free(&e->mapping);
	buf_free(&e->body);
	free(e);
}

int elastic_reread(struct elastic *e, struct err *err)
{
	return http_reread(e->http, err);
}

/* A failure to exchange anything: its code, an http_failure, becomes a bulk_trouble. */
static int not_exchanged(struct err *err)
{
	err->code = err->code == HTTP_TLS         ? TROUBLE_TLS
		    : err->code == HTTP_TOO_LARGE ? TROUBLE_ANSWER
						  : TROUBLE_UNREACHABLE;
	if (err->class != ERR_PERMANENT)
		err->class = ERR_RETRY;
	return err->class;
}

/* An answer that is in the way of knowing or creating an index. */
static int refused(const struct http_answer *a, const char *node, const char *doing,
		   struct err *err)
{
	char words[512];
	const char *advice = "", *type;
	json_t *root = answer_json(a);
	int kind;

	type = json_string_value(
		json_object_get(json_object_get(root, "error"), "type"));
	kind = (int)bulk_trouble_of(a->status, type != NULL ? type : "");
	json_decref(root);
	answer_words(a, words, sizeof(words));
	if (a->status == 401)
		advice = "; check username and password_file, or api_key_file";
	else if (a->status == 403)
		advice = "; grant create_index on it, or create it yourself from "
			 "mappings/mapping.json";
	else if (a->status >= 300 && a->status <= 399)
		advice = "; redirected: put the address of the cluster itself under "
			 "hosts";
	return err_set_code(err,
			    a->status == 429 || a->status == 408 || a->status >= 500
				    ? ERR_RETRY
				    : ERR_PERMANENT,
			    kind, "%s: %s: %s%s", node, doing, words, advice);
}

enum presence { PRESENT, ABSENT, HIDDEN };

static int look(struct elastic *e, const char *name, struct mono now,
		enum presence *out, struct err *err)
{
	char path[PATH_SIZE], doing[INDEX_NAME_MAX + 32];
	struct call call = {.method = "HEAD", .path = path};
	const char *node = "";
	struct http_answer a;
	int rc;

	index_path(name, "", path, sizeof(path));
	rc = pool_ask(e, &call, now, &a, &node, err);
	if (rc != 0) {
		http_answer_fini(&a);
		return not_exchanged(err);
	}
	if (a.status >= 200 && a.status <= 299) {
		*out = PRESENT;
	} else if (a.status == 404) {
		*out = ABSENT;
	} else if (a.status == 403 || a.status == 405) {
		*out = HIDDEN;
	} else {
		snprintf(doing, sizeof(doing), "looking at index %s", name);
		rc = refused(&a, node, doing, err);
	}
	http_answer_fini(&a);
	return rc;
}

/* A refusal to create that says: it is there, or the first document will make it from a
 * template of the operator's. */
static bool stands_already(const struct http_answer *a)
{
	json_t *root = answer_json(a);
	const json_t *error = json_object_get(root, "error");
	const char *type = json_string_value(json_object_get(error, "type"));
	const char *reason = json_string_value(json_object_get(error, "reason"));
	bool yes =
		a->status == 400 &&
		((type != NULL && strstr(type, "already_exists_exception") != NULL) ||
		 (reason != NULL && (strstr(reason, "already exists as") != NULL ||
				     strstr(reason, "creates data streams") != NULL)));

	json_decref(root);
	return yes;
}

/* A 404 to the look proves nothing while the cluster recovers, so the create may meet
 * an index that is there; and another creator may be faster. Both are as good. Where we
 * may not look (`hidden`) a refusal to create is no news either. */
static int create(struct elastic *e, const char *name, bool hidden, struct mono now,
		  struct err *err)
{
	char path[PATH_SIZE], doing[INDEX_NAME_MAX + 32];
	struct call call = {.method = "PUT",
			    .path = path,
			    .body = e->mapping.data,
			    .len = e->mapping.len};
	const char *node = "";
	struct http_answer a;
	int rc;

	index_path(name, "", path, sizeof(path));
	rc = pool_ask(e, &call, now, &a, &node, err);
	if (rc != 0) {
		rc = not_exchanged(err);
	} else if ((a.status < 200 || a.status > 299) && !stands_already(&a) &&
		   !(hidden && (a.status == 403 || a.status == 405))) {
		snprintf(doing, sizeof(doing), "creating index %s", name);
		rc = refused(&a, node, doing, err);
	}
	http_answer_fini(&a);
	return rc;
}

static struct known *find_known(struct elastic *e, const char *name)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (strcmp(e->known[i].name, name) == 0)
			return &e->known[i];
	return NULL;
}

static int prepare_index(struct elastic *e, const char *name, struct mono now,
			 struct err *err)
{
	struct known *k = find_known(e, name);
	enum presence p = PRESENT;
	int rc;

	if (k != NULL &&
	    mono_diff_ms(now, k->looked) < (k->hidden ? LOOK_HIDDEN_MS : LOOK_MS))
		return 0;
	rc = look(e, name, now, &p, err);
	if (rc == 0 && p != PRESENT)
		rc = create(e, name, p == HIDDEN, now, err);
	if (rc != 0)
		return rc;
	if (k == NULL) {
		k = &e->known[e->known_next];
		e->known_next = (e->known_next + 1) % KNOWN_MAX;
		snprintf(k->name, sizeof(k->name), "%s", name);
	}
	k->looked = now;
	k->hidden = p == HIDDEN;
	return 0;
}

static int name_index(const struct elastic *e, struct wall t, char name[INDEX_NAME_MAX],
		      struct err *err)
{
	if (bulk_index_name(e->c->index, t, name, INDEX_NAME_MAX) == 0)
		return 0;
	return err_set_code(err, ERR_PERMANENT, TROUBLE_INDEX,
			    "elasticsearch.index is longer than %d bytes",
			    INDEX_NAME_MAX - 1);
}

int elastic_prepare(struct elastic *e, struct wall t, struct mono now, struct err *err)
{
	char name[INDEX_NAME_MAX];
	int rc = name_index(e, t, name, err);

	return rc != 0 ? rc : prepare_index(e, name, now, err);
}

/* Body of the request; a batch may need indices of several dates. */
static int build(struct elastic *e, const struct document *d, size_t n, struct mono now,
		 struct err *err)
{
	char name[INDEX_NAME_MAX], last[INDEX_NAME_MAX] = "";

	buf_reset(&e->body);
	for (size_t i = 0; i < n; i++) {
		int rc = name_index(e, d[i].t, name, err);

		if (rc == 0 && strcmp(name, last) != 0)
			rc = prepare_index(e, name, now, err);
		if (rc != 0)
			return rc;
		memcpy(last, name, sizeof(last));
		if (bulk_add(&e->body, name, d[i].id, d[i].json, d[i].len) != 0)
			return err_set(err, ERR_RETRY,
				       "out of memory for a bulk request");
	}
	return 0;
}

/* After a document found its index gone, the next look comes at once. */
static void forget_if_gone(struct elastic *e, enum bulk_whole whole,
			   const struct bulk_item *v, size_t n)
{
	bool gone = whole == WHOLE_BOOTSTRAP;

	for (size_t i = 0; whole == WHOLE_ITEMS && i < n; i++)
		gone |= v[i].verdict == BULK_RETRY && v[i].pace == PACE_BOOTSTRAP;
	if (gone)
		memset(e->known, 0, sizeof(e->known));
}

enum bulk_whole elastic_bulk(struct elastic *e, const struct document *documents,
			     size_t n, struct bulk_item *verdicts,
			     int64_t *retry_after_ms, struct mono now, struct err *err)
{
	struct call call = {.method = "POST",
			    .path = BULK_PATH,
			    .type = "application/x-ndjson",
			    .answer_max = ANSWER_BASE + n * ANSWER_ITEM};
	enum bulk_whole whole = WHOLE_AGAIN;
	const char *node = "";
	struct http_answer a;

	*retry_after_ms = -1;
	if (n == 0)
		return WHOLE_ITEMS; /* an empty body would be refused */
	pool_turn(e);
	if (build(e, documents, n, now, err) != 0)
		return err->class == ERR_PERMANENT ? WHOLE_SLOW : WHOLE_AGAIN;
	call.body = e->body.data;
	call.len = e->body.len;
	call.answer_max += e->body.len; /* some refusals repeat the document */
	metrics_add(METRIC_BULK_BYTES, (int64_t)e->body.len);
	if (pool_ask(e, &call, now, &a, &node, err) != 0) {
		if (not_exchanged(err) == ERR_PERMANENT)
			whole = WHOLE_SLOW;
	} else {
		whole = bulk_read(a.status, a.body.data, a.body.len, documents,
				  verdicts, n, err);
		if (err->class != ERR_OK)
			err_wrap(err, "%s", node);
		if (a.retry_after_s >= 0)
			*retry_after_ms = (int64_t)a.retry_after_s * 1000;
		forget_if_gone(e, whole, verdicts, n);
	}
	http_answer_fini(&a);
	return whole;
}
