/* SPDX-License-Identifier: MIT
 * bulk: see bulk.h. What an answer means is one table, read from the top; the first row
 * that fits decides. What an operator can put right is never refused for good. */
#include "document/bulk.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"

#include "banned.h"

#define HTML "(html)" /* stands for error.type when a page came instead of JSON */

enum scope { ITEM = 1, WHOLE = 2, BOTH = 3 };

enum action { DONE, DUPLICATE, AGAIN, BOOTSTRAP, SLOW, REJECT, HALVE, BISECT };

/* NULL fits everything; "" as a type only an answer without one. */
struct outcome {
	enum scope scope;
	int from, to; /* HTTP status, both included */
	enum action action;
	const char *type;
	const char *words; /* contained in the reason */
	const char *advice;
};

static const struct outcome outcomes[] = {
	{ITEM, 409, 409, DUPLICATE, "version_conflict_engine_exception", NULL, NULL},
	{ITEM, 409, 409, DUPLICATE, "document_already_exists_exception", NULL, NULL},
	{ITEM, 409, 409, DUPLICATE, "", NULL, NULL},

	/* before the rows that look into the reason, which may quote the document */
	{ITEM, 400, 400, REJECT, "document_parsing_exception", NULL, NULL},
	{ITEM, 400, 400, REJECT, "mapper_parsing_exception", NULL, NULL},

	{BOTH, 400, 499, SLOW, "cluster_block_exception", "read-only-allow-delete",
	 "the disk of a data node is nearly full: free some"},
	{BOTH, 400, 499, SLOW, "cluster_block_exception", NULL,
	 "lift the block in the settings of the index or the cluster"},
	{BOTH, 400, 499, SLOW, "index_create_block_exception", NULL,
	 "the disks of the data nodes are nearly full: free some"},
	{BOTH, 401, 401, SLOW, NULL, NULL,
	 "check username and password_file, or api_key_file"},
	{BOTH, 403, 403, SLOW, NULL, NULL,
	 "grant create_doc and create_index on the index"},
	{WHOLE, 404, 404, SLOW, HTML, NULL, "does a proxy answer under this address?"},
	{BOTH, 404, 404, BOOTSTRAP, "index_not_found_exception", NULL, NULL},
	{ITEM, 404, 404, BOOTSTRAP, NULL, NULL, NULL},
	{BOTH, 408, 408, AGAIN, NULL, NULL, NULL},
	{BOTH, 429, 429, AGAIN, NULL, NULL, NULL},

	/* 400 for what is no fault of the document */
	{BOTH, 400, 400, SLOW, "validation_exception", "shards",
	 "delete indices or raise cluster.max_shards_per_node"},
	{BOTH, 400, 400, SLOW, NULL, "shards open",
	 "delete indices or raise cluster.max_shards_per_node"},
	{BOTH, 400, 499, SLOW, "index_closed_exception", NULL, "open the index"},
	{ITEM, 400, 400, SLOW, "routing_missing_exception", NULL,
	 "take _routing out of the mapping of the index"},
	{BOTH, 400, 400, SLOW, "invalid_index_name_exception", NULL,
	 "correct elasticsearch.index"},
	{BOTH, 400, 400, SLOW, NULL, "no write index",
	 "set is_write_index on one index of the alias"},
	{BOTH, 400, 400, SLOW, NULL, "pipeline with id",
	 "create the pipeline or take it out of the settings of the index"},
	{ITEM, 400, 499, REJECT, NULL, NULL, NULL},

	{BOTH, 500, 599, AGAIN, NULL, NULL, NULL},

	{WHOLE, 413, 413, HALVE, NULL, NULL, NULL},
	{WHOLE, 400, 400, SLOW, HTML, NULL,
	 "does a proxy answer, or is this a TLS port (https://)?"},
	{WHOLE, 400, 400, BISECT, NULL, NULL, NULL},
	{WHOLE, 406, 406, SLOW, NULL, NULL,
	 "this server does not take the request's headers; is it Elasticsearch?"},
	{WHOLE, 407, 407, SLOW, NULL, NULL,
	 "the proxy wants credentials; set no_proxy for the cluster"},
	{WHOLE, 415, 415, SLOW, NULL, NULL,
	 "if the server refuses compressed bodies, set compression: none"},
	{WHOLE, 300, 399, SLOW, NULL, NULL,
	 "redirected; put the address of the cluster itself under hosts"},
	{WHOLE, 400, 499, SLOW, NULL, NULL, "does this address lead to the cluster?"},
};

static const struct outcome no_outcome = {BOTH, 0, 0, AGAIN, NULL, NULL, NULL};

static const struct outcome *find_outcome(enum scope scope, int status,
					  const char *type, const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
		const struct outcome *r = &outcomes[i];

		if ((r->scope & scope) != 0 && status >= r->from && status <= r->to &&
		    (r->type == NULL || strcmp(r->type, type) == 0) &&
		    (r->words == NULL || strstr(reason, r->words) != NULL))
			return r;
	}
	return &no_outcome;
}

int bulk_index_name(const char *pattern, struct wall t, char *out, size_t size)
{
	static const char *const forms[] = {"{yyyy.MM.dd}", "{yyyy.MM}"};
	const char *brace = strchr(pattern, '{');
	char stamp[WALL_TEXT];
	int n;

	wall_format(t, stamp); /* 2026-11-21T… */
	stamp[4] = stamp[7] = '.';
	for (size_t i = 0; brace != NULL && i < ARRAY_LEN(forms); i++) {
		size_t len = strlen(forms[i]);

		if (strncmp(brace, forms[i], len) != 0)
			continue;
		n = snprintf(out, size, "%.*s%.*s%s", (int)(brace - pattern), pattern,
			     (int)len - 2, stamp, brace + len);
		return n < 0 || (size_t)n >= size ? -1 : 0;
	}
	n = snprintf(out, size, "%s", pattern);
	return n < 0 || (size_t)n >= size ? -1 : 0;
}

int bulk_add(struct buf *out, const char *index, const char *id, const char *json,
	     size_t len)
{
	size_t before = out->len;

	buf_addstr(out, "{\"create\":{\"_index\":");
	jsonw_quote(out, index, strlen(index));
	buf_addstr(out, ",\"_id\":");
	jsonw_quote(out, id, strlen(id));
	buf_addstr(out, "}}\n");
	buf_add(out, json, len);
	buf_addch(out, '\n');
	if (!out->failed)
		return 0;
	out->failed = false;
	out->len = before;
	if (out->data != NULL)
		out->data[before] = '\0';
	return -1;
}

static void copy_text(char *out, size_t size, const char *s)
{
	size_t n = s == NULL ? 0 : utf8_cut(s, strlen(s), size - 1);

	if (n > 0)
		memcpy(out, s, n);
	out[n] = '\0';
}

/* Type and reason of an "error" member, which may be an object or a string. */
static void read_error(const json_t *error, struct bulk_item *item)
{
	if (json_is_string(error)) {
		copy_text(item->reason, sizeof(item->reason), json_string_value(error));
		return;
	}
	copy_text(item->type, sizeof(item->type),
		  json_string_value(json_object_get(error, "type")));
	copy_text(item->reason, sizeof(item->reason),
		  json_string_value(json_object_get(error, "reason")));
}

enum bulk_trouble bulk_trouble_of(int status, const char *type)
{
	if (status >= 500)
		return TROUBLE_SERVER;
	if (status < 300)
		return TROUBLE_ANSWER;
	if (strcmp(type, "cluster_block_exception") == 0 ||
	    strcmp(type, "index_create_block_exception") == 0)
		return TROUBLE_BLOCKED;
	if (status == 401 || status == 403 || status == 407)
		return TROUBLE_CREDENTIALS;
	if (status == 408 || status == 429)
		return TROUBLE_OVERLOADED;
	if (status == 404 || strcmp(type, "index_closed_exception") == 0)
		return TROUBLE_INDEX;
	return TROUBLE_REFUSED;
}

/* "403 security_exception: action … is unauthorized; grant …" */
static void say(struct err *err, enum err_class class, const struct bulk_item *i,
		const char *advice)
{
	err_set_code(err, class, (int)bulk_trouble_of(i->status, i->type),
		     "%d%s%s%s%s%s%s", i->status, *i->type != '\0' ? " " : "", i->type,
		     *i->reason != '\0' ? ": " : "", i->reason,
		     advice != NULL ? "; " : "", advice != NULL ? advice : "");
}

static enum err_class class_of(enum action a)
{
	if (a == REJECT || a == HALVE || a == BISECT)
		return ERR_REJECT;
	return a == SLOW ? ERR_PERMANENT : ERR_RETRY;
}

static const struct outcome *item_outcome(const struct bulk_item *i)
{
	return i->status < 200 || i->status > 299
		       ? find_outcome(ITEM, i->status, i->type, i->reason)
		       : &no_outcome;
}

void bulk_explain(const struct bulk_item *item, struct err *err)
{
	const struct outcome *r = item_outcome(item);

	say(err, class_of(r->action), item, r->advice);
}

static void judge_item(struct bulk_item *i, bool failed, struct err *err)
{
	enum action action;

	action = i->status >= 200 && i->status <= 299 && !failed
			 ? DONE
			 : item_outcome(i)->action;
	i->pace = PACE_AGAIN;
	switch (action) {
	case DONE:
		i->verdict = BULK_DONE;
		return;
	case DUPLICATE:
		i->verdict = BULK_DUPLICATE;
		return;
	case REJECT:
		i->verdict = BULK_REJECT;
		break;
	case BOOTSTRAP:
		i->verdict = BULK_RETRY;
		i->pace = PACE_BOOTSTRAP;
		break;
	case SLOW:
		i->verdict = BULK_RETRY;
		i->pace = PACE_SLOW;
		break;
	case AGAIN:
	case HALVE:
	case BISECT:
		i->verdict = BULK_RETRY;
		break;
	}
	if (err->class == ERR_OK)
		bulk_explain(i, err);
}

/* One element of "items": an object with one member, whatever its name. */
static int read_item(const json_t *element, struct bulk_item *item, struct err *err)
{
	const json_t *result, *status, *error;

	if (json_object_size(element) != 1)
		return -1;
	result = json_object_iter_value(json_object_iter((json_t *)element));
	status = json_object_get(result, "status");
	if (!json_is_integer(status) || json_integer_value(status) < 100 ||
	    json_integer_value(status) > 999)
		return -1;
	*item = (struct bulk_item){.status = (int)json_integer_value(status)};
	error = json_object_get(result, "error");
	read_error(error, item);
	judge_item(item, error != NULL && !json_is_null(error), err);
	return 0;
}

static enum bulk_whole unusable(struct err *err, int status, const char *what)
{
	err_set_code(err, ERR_RETRY, TROUBLE_ANSWER,
		     "the answer (%d) %s, so nothing is known to be stored; is a proxy "
		     "in the way?",
		     status, what);
	return WHOLE_AGAIN;
}

/* Is this the item of another document than the one that was sent in its place? */
static bool is_of_another(const json_t *element, const struct document *sent)
{
	const json_t *result =
		json_object_iter_value(json_object_iter((json_t *)element));
	const char *id = json_string_value(json_object_get(result, "_id"));

	return id != NULL && strcmp(id, sent->id) != 0;
}

static enum bulk_whole read_items(int status, const json_t *root,
				  const struct document *sent, struct bulk_item *items,
				  size_t n, struct err *err)
{
	const json_t *array = json_object_get(root, "items");

	if (root == NULL)
		return unusable(err, status, "is not JSON, or cut off");
	if (!json_is_array(array))
		return unusable(err, status, "has no items");
	if (json_array_size(array) != n)
		return unusable(err, status,
				"has another number of items than were sent");
	for (size_t i = 0; i < n; i++) {
		const json_t *element = json_array_get(array, i);

		if (sent != NULL && is_of_another(element, &sent[i]))
			return unusable(
				err, status,
				"tells of other documents, or in another order");
		if (read_item(element, &items[i], err) != 0)
			return unusable(err, status, "has an item without a status");
	}
	return WHOLE_ITEMS;
}

static bool is_page(const char *body, size_t len)
{
	size_t i = 0;

	while (i < len && strchr(" \t\r\n\xef\xbb\xbf", body[i]) != NULL &&
	       body[i] != '\0')
		i++;
	return i < len && body[i] == '<';
}

static enum bulk_whole judge_whole(int status, const json_t *root, bool page,
				   struct err *err)
{
	struct bulk_item whole = {.status = status};
	const struct outcome *r;

	read_error(json_object_get(root, "error"), &whole);
	if (page)
		copy_text(whole.type, sizeof(whole.type), HTML);
	r = find_outcome(WHOLE, status, whole.type, whole.reason);
	say(err, class_of(r->action), &whole, r->advice);
	switch (r->action) {
	case BOOTSTRAP:
		return WHOLE_BOOTSTRAP;
	case SLOW:
		return WHOLE_SLOW;
	case HALVE:
		return WHOLE_HALVE;
	case BISECT:
		return WHOLE_BISECT;
	case DONE:
	case DUPLICATE:
	case AGAIN:
	case REJECT:
		break;
	}
	return WHOLE_AGAIN;
}

enum bulk_whole bulk_read(int status, const char *body, size_t len,
			  const struct document *sent, struct bulk_item *items,
			  size_t n, struct err *err)
{
	json_t *root = NULL;
	enum bulk_whole whole;
	struct err local;

	if (err == NULL)
		err = &local;
	*err = (struct err)ERR_INIT;
	if (len > 0)
		root = json_loadb(body, len, JSON_ALLOW_NUL, NULL);
	if (status >= 200 && status <= 299)
		whole = read_items(status, root, sent, items, n, err);
	else
		whole = judge_whole(status, root, is_page(body, len), err);
	json_decref(root);
	return whole;
}
