/* SPDX-License-Identifier: MIT
 * http_auth: the Authorization header from the credential files. One method at a time;
 * what a file holds is checked for its shape, because a key that is encoded twice or
 * ends in a blank costs hours when only the server says 401. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "http/http_int.h"

#include "banned.h"

#define SECRET_MAX 65536

void http_auth_free(char *header)
{
	if (header != NULL)
		mem_wipe(header, strlen(header));
	free(header);
}

static void wipe(struct buf *b)
{
	mem_wipe(b->data, b->cap);
	buf_free(b);
}

static char *base64(const char *data, size_t len)
{
	unsigned char *out = mem_calloc(len / 3 + 1, 4 + 1);

	EVP_EncodeBlock(out, (const unsigned char *)data, (int)len);
	return (char *)out;
}

/* A header "Authorization: METHOD VALUE"; `value` is wiped and freed. */
static char *header(const char *method, char *value)
{
	char *out = mem_printf("Authorization: %s %s", method, value);

	http_auth_free(value);
	return out;
}

static bool printable(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->data[i] <= ' ' || b->data[i] == 0x7f)
			return false;
	return true;
}

/* Is it base64 of something with a colon in it? */
static bool encodes_pair(const struct buf *b)
{
	unsigned char *plain;
	bool pair;
	int n;

	if (b->len % 4 != 0)
		return false;
	plain = mem_calloc(b->len + 1, 1);
	n = EVP_DecodeBlock(plain, (const unsigned char *)b->data, (int)b->len);
	pair = n > 0 && memchr(plain, ':', (size_t)n) != NULL;
	mem_wipe(plain, b->len);
	free(plain);
	return pair;
}

static int api_key(const char *path, char **out, struct err *err)
{
	struct buf key = BUF_INIT(SECRET_MAX);
	int rc = file_read_secret(path, &key, err);

	if (rc != 0)
		return err_wrap(err, "api_key_file");
	if (!printable(&key))
		rc = err_set(err, ERR_PERMANENT,
			     "api_key_file %s: holds a blank or a line break", path);
	else if (strchr(key.data, ':') != NULL)
		*out = header("ApiKey", base64(key.data, key.len));
	else if (strncmp(key.data, "essu_", 5) == 0 || encodes_pair(&key))
		*out = header("ApiKey", mem_strdup(key.data));
	else
		rc = err_set(
			err, ERR_PERMANENT,
			"api_key_file %s: holds neither id:key, nor its base64 form "
			"(\"encoded\" in the answer that made the key), nor a key that "
			"begins with essu_; was it encoded twice?",
			path);
	wipe(&key);
	return rc;
}

static int bearer(const char *path, char **out, struct err *err)
{
	struct buf token = BUF_INIT(SECRET_MAX);
	int rc = file_read_secret(path, &token, err);

	if (rc != 0)
		return err_wrap(err, "token_file");
	if (printable(&token))
		*out = header("Bearer", mem_strdup(token.data));
	else
		rc = err_set(err, ERR_PERMANENT,
			     "token_file %s: holds a blank or a line break", path);
	wipe(&token);
	return rc;
}

static int basic(const char *username, const char *path, char **out, struct err *err)
{
	struct buf password = BUF_INIT(SECRET_MAX);
	char *pair;
	int rc;

	if (strchr(username, ':') != NULL)
		return err_set(err, ERR_PERMANENT,
			       "username %s: a colon cannot be sent in a user name",
			       username);
	rc = file_read_secret(path, &password, err);
	if (rc != 0)
		return err_wrap(err, "password_file");
	pair = mem_printf("%s:%s", username, password.data);
	wipe(&password);
	*out = header("Basic", base64(pair, strlen(pair)));
	http_auth_free(pair);
	return 0;
}

int http_auth_make(const struct http *h, char **out, struct err *err)
{
	int methods = (h->username != NULL || h->password_file != NULL) +
		      (h->api_key_file != NULL) + (h->token_file != NULL);

	*out = NULL;
	if (methods > 1)
		return err_set(
			err, ERR_PERMANENT,
			"two ways to log in are configured; keep one of username with "
			"password_file, api_key_file, token_file");
	if (h->api_key_file != NULL)
		return api_key(h->api_key_file, out, err);
	if (h->token_file != NULL)
		return bearer(h->token_file, out, err);
	if (methods == 0)
		return 0;
	if (h->username == NULL || h->password_file == NULL)
		return err_set(err, ERR_PERMANENT, "%s is missing: it goes with %s",
			       h->username == NULL ? "username" : "password_file",
			       h->username == NULL ? "password_file" : "username");
	return basic(h->username, h->password_file, out, err);
}
