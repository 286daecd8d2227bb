/* SPDX-License-Identifier: MIT
 * preflight: a look ahead, for `mmlag check` and before the first bulk: the nodes, what
 * they are, what we may do there, and whether the index takes our documents. Nothing is
 * changed but by elastic_fix_mapping with `apply`. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "elastic/elastic_int.h"

#include "banned.h"

#define PATH_SIZE (3 * INDEX_NAME_MAX + 128)
#define MAPPING_ANSWER_MAX (8 << 20)
#define FIELD_LIMIT_DEFAULT 1000
#define LIMIT_KEY "index.mapping.total_fields.limit"
#define BRIEF_MS 5000                  /* of each exchange at the start */
#define SHARD_DOCUMENTS_MAX 2147483519 /* Lucene's bound */

struct look_ahead {
	struct elastic *e;
	elastic_finding *each;
	void *arg;
	bool brief;                 /* at the start of the daemon */
	bool behind;                /* the index is an alias or a data stream */
	char index[INDEX_NAME_MAX]; /* of today */
};

static void say(const struct look_ahead *l, enum finding_level level,
		const char *subject, const char *fmt, ...) PRINTF_LIKE(4, 5);

static void say(const struct look_ahead *l, enum finding_level level,
		const char *subject, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	l->each(l->arg, level, subject, text);
}

/* What GET / told of a node that answered. */
static void say_product(const struct look_ahead *l, const char *node,
			const struct http_answer *a)
{
	json_t *root = answer_json(a);
	const json_t *version = json_object_get(root, "version");
	const char *number = json_string_value(json_object_get(version, "number"));
	const char *distribution =
		json_string_value(json_object_get(version, "distribution"));
	const char *tagline = json_string_value(json_object_get(root, "tagline"));

	if (number == NULL)
		say(l, FINDING_WARNING, node,
		    "answers, but does not say what it is (%d to GET /); mmlag goes on",
		    a->status);
	else if (distribution != NULL && strcmp(distribution, "opensearch") == 0)
		say(l, FINDING_OK, node, "OpenSearch %s", number);
	else if (tagline != NULL && strcmp(tagline, "You Know, for Search") == 0)
		say(l, number[1] == '.' && *number < '7' ? FINDING_WARNING : FINDING_OK,
		    node, "Elasticsearch %s", number);
	else
		say(l, FINDING_WARNING, node,
		    "neither Elasticsearch nor OpenSearch (version %s); mmlag goes on",
		    number);
	json_decref(root);
}

static void say_node(const struct look_ahead *l, const char *node,
		     const struct http_answer *a)
{
	char words[512];

	answer_words(a, words, sizeof(words));
	if (a->status == 401)
		say(l, FINDING_FAILURE, node,
		    "%s; check username and password_file, or api_key_file", words);
	else if (a->status == 403)
		say(l, FINDING_WARNING, node,
		    "its version may not be seen: the cluster privilege monitor is "
		    "missing");
	else if (a->status == 407 || (a->status >= 300 && a->status <= 399))
		say(l, FINDING_FAILURE, node,
		    "%s: a proxy or a redirection answers; put the address of the "
		    "cluster itself under hosts",
		    words);
	else if (a->status >= 500 || a->status == 429)
		say(l, FINDING_WARNING, node, "reachable, but not ready: %s", words);
	else
		say_product(l, node, a);
}

/* Every node; returns how many answered. One of several that is down is a warning. */
static size_t check_nodes(const struct look_ahead *l)
{
	struct elastic *e = l->e;
	struct call call = {.method = "GET", .path = "/"};
	struct err *errs = mem_calloc(e->n, sizeof(*errs));
	size_t living = 0;

	for (size_t i = 0; i < e->n; i++) {
		struct http_answer a;

		if (pool_ask_node(e, &e->nodes[i], &call, clock_mono(), &a, &errs[i]) ==
		    0) {
			say_node(l, e->nodes[i].url, &a);
			living++;
		}
		http_answer_fini(&a);
	}
	for (size_t i = 0; i < e->n; i++)
		if (errs[i].class != ERR_OK)
			say(l, living > 0 ? FINDING_WARNING : FINDING_FAILURE,
			    e->nodes[i].url, "%s", errs[i].text);
	free(errs);
	return living;
}

static const struct {
	const char *name;
	enum finding_level without;
	const char *use;
} privileges[] = {
	{"create_doc", FINDING_FAILURE, "without it nothing is stored"},
	{"view_index_metadata", FINDING_WARNING,
	 "without it mmlag cannot see whether the index and its mapping are there"},
	{"auto_configure", FINDING_WARNING,
	 "without it some servers do not map a partition that is new"},
	{"create_index", FINDING_WARNING,
	 "without it an absent index has to be created by hand"},
};

static void say_privileges(const struct look_ahead *l, const json_t *answer)
{
	const json_t *has = json_object_get(json_object_get(answer, "index"), l->index);
	size_t missing = 0;

	if (!json_is_object(has)) {
		say(l, FINDING_WARNING, "privileges",
		    "the answer does not tell of %s; is a proxy in the way?", l->index);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
		if (json_is_true(json_object_get(has, privileges[i].name)))
			continue;
		missing++;
		say(l, privileges[i].without, "privileges", "%s on %s is missing: %s",
		    privileges[i].name, l->index, privileges[i].use);
	}
	if (missing == 0)
		say(l, FINDING_OK, "privileges", "all that are needed on %s", l->index);
}

/* Elasticsearch tells every user what he may do. Where there is no such answer
 * (OpenSearch, security switched off) the bulk will tell. */
static void check_privileges(const struct look_ahead *l)
{
	const struct config_elastic *c = l->e->c;
	char *body;
	struct call call = {.method = "POST",
			    .path = "/_security/user/_has_privileges"};
	const char *node = "";
	struct http_answer a;
	struct err err = ERR_INIT;

	if (c->username == NULL && c->api_key_file == NULL &&
	    c->client_cert_file == NULL)
		return;
	body = mem_printf(
		"{\"index\":[{\"names\":[\"%s\"],\"privileges\":[\"create_doc\",\"view_"
		"index_metadata\",\"auto_configure\",\"create_index\"]}]}",
		l->index);
	call.body = body;
	call.len = strlen(body);
	if (pool_ask(l->e, &call, clock_mono(), &a, &node, &err) != 0) {
		if (!l->brief)
			say(l, FINDING_FAILURE, "privileges", "%s", err.text);
	} else if (a.status == 200) {
		json_t *root = answer_json(&a);

		say_privileges(l, root);
		json_decref(root);
	} else if (a.status != 401) { /* which the nodes have said */
		say(l, FINDING_WARNING, "privileges",
		    "cannot be asked for here (%d); needed on %s: create_doc, "
		    "create_index, view_index_metadata",
		    a.status, l->index);
	}
	http_answer_fini(&a);
	free(body);
}

/* The newest mapping behind our index name. Returns 0 and the parsed answer, NULL when
 * there is no such index. */
static int fetch_mapping(struct elastic *e, const char *index, json_t **out,
			 struct err *err)
{
	char path[PATH_SIZE], words[512];
	struct call call = {.method = "GET",
			    .path = path,
			    .answer_max = MAPPING_ANSWER_MAX};
	const char *node = "";
	struct http_answer a;
	int rc;

	*out = NULL;
	index_path(index, "/_mapping", path, sizeof(path));
	rc = pool_ask(e, &call, clock_mono(), &a, &node, err);
	answer_words(&a, words, sizeof(words));
	if (rc == 0 && a.status == 200)
		*out = answer_json(&a);
	if (rc == 0 && a.status != 404 && *out == NULL)
		rc = err_set_code(err, a.status == 403 ? ERR_REJECT : ERR_RETRY,
				  a.status,
				  "%s: the mapping of %s may not be seen (%s)%s", node,
				  index, words,
				  a.status == 403 ? "; grant view_index_metadata" : "");
	http_answer_fini(&a);
	return rc;
}

static const struct {
	const char *key, *advice;
} blocks[] = {
	{"index.blocks.read_only_allow_delete",
	 "the disk of a data node was nearly full: free some, then lift the block"},
	{"index.blocks.write", "documents would be refused until it is lifted"},
	{"index.blocks.read_only", "documents would be refused until it is lifted"},
};

static void say_blocks(const struct look_ahead *l, const char *index,
		       const json_t *settings)
{
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		const char *v =
			json_string_value(json_object_get(settings, blocks[i].key));

		if (v != NULL && strcmp(v, "true") == 0)
			say(l, FINDING_FAILURE, "blocks", "%s of %s is set: %s",
			    blocks[i].key, index, blocks[i].advice);
	}
}

/* Say what blocks writing to `index`; returns its field limit. */
static int check_settings(const struct look_ahead *l, const char *index)
{
	char path[PATH_SIZE];
	struct call call = {.method = "GET", .path = path};
	const char *node = "", *text = NULL;
	const json_t *settings;
	struct http_answer a;
	struct err err = ERR_INIT;
	json_t *root = NULL;
	int limit = FIELD_LIMIT_DEFAULT;

	index_path(index, "/_settings/" LIMIT_KEY ",index.blocks.*?flat_settings=true",
		   path, sizeof(path));
	if (pool_ask(l->e, &call, clock_mono(), &a, &node, &err) == 0)
		root = answer_json(&a);
	settings = json_object_get(json_object_get(root, index), "settings");
	say_blocks(l, index, settings);
	text = json_string_value(json_object_get(settings, LIMIT_KEY));
	if (text != NULL) {
		long long v = strtoll(text, NULL, 10);

		if (v > 0 && v < INT32_MAX)
			limit = (int)v;
	}
	json_decref(root);
	http_answer_fini(&a);
	return limit;
}

static void say_fields(const struct look_ahead *l, int fields, int partitions,
		       int others, int limit)
{
	char ours[48] = "";

	if (others > 0)
		snprintf(ours, sizeof(ours), " and %d other fields", others);
	if (fields + partitions + others > limit)
		say(l, FINDING_FAILURE, "fields",
		    "%d are mapped, %d partitions%s are to come, and the limit is %d: "
		    "documents would be refused; raise " LIMIT_KEY,
		    fields, partitions, ours, limit);
	else
		say(l, FINDING_OK, "fields", "%d of %d", fields + partitions + others,
		    limit);
}

static void compare_index(struct look_ahead *l, const json_t *answer,
			  const json_t *ours, int partitions, int64_t largest_lag)
{
	const char *index = "";
	const json_t *theirs = mapping_newest(answer, &index);
	json_t *lacks = json_object();

	if (theirs == NULL) {
		say(l, FINDING_WARNING, "mapping", "the answer holds no mapping of %s",
		    l->index);
	} else {
		int fields = mapping_compare(theirs, ours, largest_lag, lacks, l->each,
					     l->arg);

		l->behind = strcmp(index, l->index) != 0;
		if (json_object_size(lacks) == 0)
			say(l, FINDING_OK, "mapping", "%s takes our documents", index);
		say_fields(l, fields, mapping_missing_partitions(theirs, partitions),
			   mapping_missing_fields(theirs, ours),
			   check_settings(l, index));
	}
	json_decref(lacks);
}

/* The index will be made from our own mapping. */
static void check_absent(const struct look_ahead *l, const json_t *ours, int partitions)
{
	const json_t *mappings = json_object_get(ours, "mappings");
	const json_t *limit =
		json_object_get(json_object_get(ours, "settings"), LIMIT_KEY);
	json_t *lacks = json_object();
	int fields = mapping_compare(mappings, mappings, 0, lacks, NULL, NULL);

	json_decref(lacks);
	say(l, FINDING_OK, "mapping", "index %s is not there yet: it will be created",
	    l->index);
	say_fields(l, fields, mapping_missing_partitions(mappings, partitions), 0,
		   json_is_integer(limit) ? (int)json_integer_value(limit)
					  : FIELD_LIMIT_DEFAULT);
}

/* Returns 0, or at the start the failure of a server that is not ready yet, of which
 * nothing was said. */
static int check_mapping(struct look_ahead *l, int partitions, int64_t largest_lag,
			 struct err *err)
{
	json_t *ours, *answer = NULL;
	int rc = fetch_mapping(l->e, l->index, &answer, err);

	if (rc != 0 && rc != ERR_REJECT && l->brief)
		return rc;
	ours = json_loadb(buf_str(&l->e->mapping), l->e->mapping.len, 0, NULL);
	if (rc != 0) {
		say(l, rc == ERR_REJECT ? FINDING_WARNING : FINDING_FAILURE, "mapping",
		    "%s", err->text);
	} else if (answer == NULL) {
		check_absent(l, ours, partitions);
	} else {
		compare_index(l, answer, json_object_get(ours, "mappings"), partitions,
			      largest_lag);
	}
	json_decref(answer);
	json_decref(ours);
	return 0;
}

static void check_amount(const struct look_ahead *l, int64_t a_year)
{
	bool one = strchr(l->e->c->index, '{') == NULL && !l->behind;

	if (a_year <= 0)
		return;
	if (one && a_year > SHARD_DOCUMENTS_MAX)
		say(l, FINDING_WARNING, "documents",
		    "%" PRId64
		    " a year are more than one shard holds (%d); put {yyyy.MM} into "
		    "elasticsearch.index, or use a data stream",
		    a_year, SHARD_DOCUMENTS_MAX);
	else
		say(l, FINDING_OK, "documents", "%" PRId64 " a year%s", a_year,
		    one         ? ", and nothing ends them: put {yyyy.MM} into "
				  "elasticsearch.index and delete old months, or see `mmlag "
				  "export template --kind data-stream --lifecycle ilm`, or POST "
				  "INDEX/_delete_by_query "
				  "{\"query\":{\"range\":{\"@timestamp\":{\"lt\":\"now-90d\"}}}} now "
				  "and then"
		    : l->behind ? "; let its rollover and lifecycle end them"
				: "; delete old indices as they are no longer wanted");
}

void elastic_preflight(struct elastic *e, int partitions, int64_t largest_lag,
		       int64_t documents_a_year, elastic_finding *each, void *arg)
{
	struct look_ahead l = {.e = e, .each = each, .arg = arg};
	struct err err = ERR_INIT;

	if (bulk_index_name(e->c->index, clock_wall(), l.index, sizeof(l.index)) != 0) {
		say(&l, FINDING_FAILURE, "elasticsearch",
		    "the name of the index is too long");
		return;
	}
	if (check_nodes(&l) > 0) {
		check_privileges(&l);
		(void)check_mapping(&l, partitions, largest_lag, &err);
	}
	check_amount(&l, documents_a_year);
}

int elastic_look_ahead(struct elastic *e, int partitions, int64_t largest_lag,
		       int64_t documents_a_year, elastic_finding *each, void *arg,
		       struct err *err)
{
	struct look_ahead l = {.e = e, .each = each, .arg = arg, .brief = true};
	int rc;

	if (bulk_index_name(e->c->index, clock_wall(), l.index, sizeof(l.index)) != 0)
		return 0; /* the bulk will say it */
	e->timeout_ms = BRIEF_MS;
	rc = check_mapping(&l, partitions, largest_lag, err);
	if (rc == 0) {
		check_privileges(&l);
		check_amount(&l, documents_a_year);
	}
	e->timeout_ms = 0;
	return rc;
}

static int put_mapping(struct elastic *e, const char *index, const char *body,
		       size_t len, struct err *err)
{
	char path[PATH_SIZE], words[512];
	struct call call = {.method = "PUT", .path = path, .body = body, .len = len};
	const char *node = "";
	struct http_answer a;
	int rc;

	index_path(index, "/_mapping", path, sizeof(path));
	rc = pool_ask(e, &call, clock_mono(), &a, &node, err);
	if (rc == 0 && (a.status < 200 || a.status > 299)) {
		answer_words(&a, words, sizeof(words));
		rc = err_set(err, ERR_PERMANENT, "%s: PUT %s: %s%s", node, path, words,
			     a.status == 403 ? "; grant manage on the index" : "");
	}
	http_answer_fini(&a);
	return rc;
}

int elastic_fix_mapping(struct elastic *e, bool apply, struct buf *out, struct err *err)
{
	char name[INDEX_NAME_MAX];
	json_t *ours, *answer = NULL, *lacks = json_object();
	const json_t *theirs;
	const char *index = "";
	char *body = NULL;
	int rc;

	if (bulk_index_name(e->c->index, clock_wall(), name, sizeof(name)) != 0) {
		json_decref(lacks);
		return err_set(err, ERR_PERMANENT, "the name of the index is too long");
	}
	ours = json_loadb(buf_str(&e->mapping), e->mapping.len, 0, NULL);
	rc = fetch_mapping(e, name, &answer, err);
	theirs = rc == 0 ? mapping_newest(answer, &index) : NULL;
	if (theirs != NULL)
		(void)mapping_compare(theirs, json_object_get(ours, "mappings"), 0,
				      lacks, NULL, NULL);
	if (rc == 0 && json_object_size(lacks) > 0) {
		body = json_dumps(lacks, JSON_INDENT(2));
		if (body == NULL || buf_addstr(out, body) != 0)
			rc = err_set(err, ERR_RETRY, "out of memory");
		else if (apply)
			rc = put_mapping(e, index, body, strlen(body), err);
	}
	free(body);
	json_decref(lacks);
	json_decref(answer);
	json_decref(ours);
	return rc;
}
