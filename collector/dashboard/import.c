/* SPDX-License-Identifier: MIT */
#include "dashboard/import.h"

#include <jansson.h>
#include <string.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define SHOWN 300 /* bytes of a peer's words */

void import_form(const char *objects, size_t len, struct buf *out, char **content_type)
{
	unsigned char digest[HASH_SHA256_LEN];
	char boundary[2 * HASH_SHA256_LEN + 1];

	hash_sha256(objects, len, digest); /* is not in what it is made of */
	hash_hex(digest, sizeof(digest), boundary);
	buf_printf(out,
		   "--%s\r\nContent-Disposition: form-data; name=\"file\"; "
		   "filename=\"mmlag.ndjson\"\r\nContent-Type: application/ndjson\r\n"
		   "\r\n",
		   boundary);
	buf_add(out, objects, len);
	buf_printf(out, "\r\n--%s--\r\n", boundary);
	*content_type = mem_printf("multipart/form-data; boundary=%s", boundary);
}

/* A peer's text, bounded and fit for a terminal; the caller frees it. */
static char *plain(const char *text)
{
	char *copy = mem_strdup(text != NULL ? text : "");

	copy[utf8_cut(copy, strlen(copy), SHOWN)] = '\0';
	utf8_plain(copy);
	return copy;
}

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void put_missing(const json_t *error, struct buf *lines)
{
	const json_t *list = json_object_get(error, "references");
	const json_t *item;
	size_t i;

	buf_addstr(lines, "lacks what it refers to:");
	json_array_foreach(list, i, item)
	{
		char *type = plain(text_of(item, "type"));
		char *id = plain(text_of(item, "id"));

		buf_printf(lines, "%s %s %s", i == 0 ? "" : ",", type, id);
		free(type);
		free(id);
	}
}

/* Why an object of the type `object` was not taken. */
static void put_reason(const char *object, const json_t *error, struct buf *lines)
{
	static const struct {
		const char *type, *words;
	} known[] = {
		{"conflict",
		 "is there already and was left as it is; without --keep it is "
		 "replaced"},
		{"ambiguous_conflict",
		 "is there more than once under other ids; delete those copies first"},
	};
	const char *type = text_of(error, "type");
	const char *message = text_of(error, "message");
	char *shown;

	for (size_t i = 0; type != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(type, known[i].type) == 0) {
			buf_addstr(lines, known[i].words);
			return;
		}
	if (type != NULL && strcmp(type, "unsupported_type") == 0) {
		buf_printf(
			lines, "is of a kind that this server does not know; %s",
			strcmp(object, "lens") == 0
				? "Lens charts go into Kibana 8.8 and later"
				: "OpenSearch Dashboards 3.7.0 says so of all kinds, "
				  "others take them");
		return;
	}
	if (type != NULL && strcmp(type, "missing_references") == 0) {
		put_missing(error, lines);
		return;
	}
	shown = plain(message != NULL ? message : type);
	buf_printf(lines, "was refused: %s",
		   *shown != '\0' ? shown : "no reason was given");
	free(shown);
}

static void put_errors(const json_t *errors, struct buf *lines)
{
	const json_t *item;
	size_t i;

	json_array_foreach(errors, i, item)
	{
		char *type = plain(text_of(item, "type"));
		char *id = plain(text_of(item, "id"));

		buf_printf(lines, "%s %s ", type, id);
		put_reason(type, json_object_get(item, "error"), lines);
		buf_addch(lines, '\n');
		free(type);
		free(id);
	}
}

/* How many objects the server says it took; -1: it does not say. */
static long long count_of(const json_t *answer)
{
	const json_t *count = json_object_get(answer, "successCount");

	return json_is_integer(count) ? json_integer_value(count) : -1;
}

/* Of an answer that is no full success: what is wrong with it. */
static int not_all(bool success, long long count, size_t errors, size_t sent,
		   struct err *err)
{
	if (errors > 0)
		return err_set(err, ERR_REJECT,
			       "%zu of %zu objects were not imported; each is named "
			       "above with its reason",
			       errors, sent);
	if (!success)
		return err_set(err, ERR_REJECT,
			       "the server says that the import failed, and not why: "
			       "look at its log");
	if (count < 0)
		return err_set(err, ERR_REJECT,
			       "the server says that it went well, but not how many of "
			       "%zu objects it took: look there under Saved Objects",
			       sent);
	return err_set(
		err, ERR_REJECT,
		"the server says that it went well, but that it took %lld of %zu "
		"objects: look there under Saved Objects, and at its log",
		count, sent);
}

/* An answer 2xx. */
static int read_success(const json_t *answer, size_t sent, struct buf *lines,
			struct err *err)
{
	const json_t *success = json_object_get(answer, "success");
	const json_t *errors = json_object_get(answer, "errors");
	long long count = count_of(answer);

	if (!json_is_boolean(success))
		return err_set(
			err, ERR_PERMANENT,
			"the answer is not that of an import; is this the URL of "
			"Kibana or OpenSearch Dashboards, and is a login needed?");
	put_errors(errors, lines);
	if (json_is_true(success) && json_array_size(errors) == 0 && count >= 0 &&
	    (size_t)count >= sent) {
		buf_printf(lines, "%lld objects imported\n", count);
		return 0;
	}
	if (count >= 0)
		buf_printf(lines, "%lld of %zu objects imported\n", count, sent);
	return not_all(json_is_true(success), count, json_array_size(errors), sent,
		       err);
}

/* What a status tells beside the server's own words. */
static const struct {
	int status;
	enum err_class class;
	const char *words;
} statuses[] = {
	{302, ERR_PERMANENT, "a login is needed: --user with --password-file"},
	{303, ERR_PERMANENT, "a login is needed: --user with --password-file"},
	{400, ERR_REJECT, "the file or the request was refused"},
	{401, ERR_PERMANENT,
	 "not logged in: look at --user and --password-file, or --api-key-file"},
	{403, ERR_PERMANENT,
	 "this user may not import: it needs the privilege Saved Objects Management "
	 "in this space, or writing to this tenant"},
	{404, ERR_PERMANENT,
	 "there is no import here: look at --url (with its base path) and at the space"},
	{413, ERR_REJECT,
	 "the file is too large: raise savedObjects.maxImportPayloadBytes, or draw "
	 "fewer --partitions"},
	{415, ERR_PERMANENT, "this is not an import: look at --url"},
	{422, ERR_REJECT, "the objects are stamped for a newer version than this one"},
	{429, ERR_RETRY, "the server is busy: try again"},
	{502, ERR_RETRY, "the server behind the proxy does not answer"},
	{503, ERR_RETRY, "the server is not ready yet: try again"},
};

static int read_failure(int status, const char *message, struct err *err)
{
	enum err_class class = status >= 500 ? ERR_RETRY : ERR_PERMANENT;
	const char *words = status >= 300 && status < 400
				    ? "redirected: look at --url (http or https, base "
				      "path), and whether a login is needed"
				    : "the import was refused";
	char *shown = plain(message);

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i].status == status) {
			class = statuses[i].class;
			words = statuses[i].words;
		}
	err_set(err, class, "HTTP %d, %s%s%s%s", status, words,
		*shown != '\0' ? " (" : "", shown, *shown != '\0' ? ")" : "");
	free(shown);
	return (int)class;
}

int import_read(int status, const char *body, size_t len, size_t sent,
		struct buf *lines, struct err *err)
{
	json_error_t e;
	json_t *answer = json_loadb(body, len, 0, &e);
	const char *message = text_of(answer, "message");
	int rc = status >= 200 && status < 300 ? read_success(answer, sent, lines, err)
					       : read_failure(status, message, err);

	json_decref(answer);
	return rc;
}
