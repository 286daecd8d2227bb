/* SPDX-License-Identifier: MIT
 * redact: see redact.h. */
#include "cli/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define SECRET_MAX ((size_t)1 << 20)

static void know_one(struct redact *r, char *secret)
{
	if (strlen(secret) < REDACT_MIN) {
		mem_wipe(secret, strlen(secret));
		free(secret);
		return;
	}
	MEM_GROW(r->secrets, r->n, r->cap);
	r->secrets[r->n++] = secret;
}

/* Where JSON escapes something in it, it is another string there. */
static void know_in_json(struct redact *r, const char *secret)
{
	struct buf b = BUF_INIT(SECRET_MAX);
	struct jsonw w = jsonw_start(&b);

	jsonw_str(&w, secret);
	if (b.len > 2 && b.len - 2 != strlen(secret))
		know_one(r, mem_strndup(b.data + 1, b.len - 2));
	mem_wipe(b.data, b.cap);
	buf_free(&b);
}

void redact_know(struct redact *r, const char *secret)
{
	while (*secret != '\0') {
		size_t n = strcspn(secret, "\r\n");
		char *line = mem_strndup(secret, n);

		know_in_json(r, line);
		know_one(r, line);
		secret += n;
		secret += strspn(secret, "\r\n");
	}
}

void redact_fini(struct redact *r)
{
	for (size_t i = 0; i < r->n; i++) {
		mem_wipe(r->secrets[i], strlen(r->secrets[i]));
		free(r->secrets[i]);
	}
	free(r->secrets);
	r->secrets = NULL;
	r->n = r->cap = 0;
}

/* Length of the longest known secret that begins here, 0 for none. */
static size_t known(const struct redact *r, const char *p)
{
	size_t longest = 0;

	for (size_t i = 0; i < r->n; i++) {
		size_t n = strlen(r->secrets[i]);

		if (n > longest && strncmp(p, r->secrets[i], n) == 0)
			longest = n;
	}
	return longest;
}

/* Behind "://": user and password go, the host and the path stay, the query goes.
 * Returns the end of the URL, where anything was changed; else `p`. */
static const char *url(const char *p, struct buf *out)
{
	size_t n = strcspn(p, " \t\"'<>\\"), query, from = 0;
	size_t user = strcspn(p, " \t\"<>\\"); /* a password may have a ' */

	for (size_t i = 0; i < user; i++)
		if (p[i] == '@')
			from = i;
	if (from > n)
		n = from + strcspn(p + from, " \t\"'<>\\");
	query = from + strcspn(p + from, "?#");
	if (query > n)
		query = n;
	if (from == 0 && query == n)
		return p;
	if (from > 0)
		buf_addstr(out, REDACTED);
	buf_add(out, p + from, query - from);
	if (query < n)
		buf_addstr(out, "?" REDACTED);
	return p + n;
}

/* Words that a secret follows, behind ':' or '='. */
static const char *const names[] = {"authorization", "password",   "passwd",
				    "passphrase",    "pwd",        "secret",
				    "secret_key",    "secret-key", "token",
				    "api_key",       "api-key",    "apikey",
				    "routing_key",   "access_key", "cookie",
				    "credentials"};

/* Length of a value that begins here: to its closing quote, or all of the words of an
 * Authorization, or one word. */
static size_t value_length(const char *p, char quote, bool whole)
{
	size_t n = 0;

	if (quote != '\0') {
		while (p[n] != '\0' && p[n] != quote)
			n += p[n] == '\\' && p[n + 1] != '\0' ? 2 : 1;
		return n;
	}
	return strcspn(p, whole ? "\"'" : " \t\"',;&}");
}

/* The value of an option that is named before it: --token VALUE. */
static const char *option(const char *name, const char *end)
{
	size_t blanks = strspn(end, " \t");

	return name[-1] == '-' && blanks > 0 && end[blanks] != '\0' ? end + blanks
								    : NULL;
}

/* A name of a secret with its value: appends the name, returns the end of the value;
 * `p` where there is none. */
static const char *assignment(const char *p, bool first, struct buf *out)
{
	const char *v = NULL, *given;
	bool whole = false;
	char quote;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncasecmp(p, names[i], strlen(names[i])) == 0) {
			v = p + strlen(names[i]); /* the longest comes last */
			whole = i == 0;
		}
	if (v == NULL)
		return p;
	given = first ? NULL : option(p, v);
	v += strspn(v, "\\\"'");
	v += strspn(v, " \t");
	if (*v == ':' || *v == '=')
		v++;
	else if (given != NULL)
		v = given;
	else
		return p;
	v += strspn(v, " \t\\");
	quote = *v == '"' || *v == '\'' ? *v++ : '\0';
	if (value_length(v, quote, whole) == 0)
		return p;
	buf_add(out, p, (size_t)(v - p));
	buf_addstr(out, REDACTED);
	return v + value_length(v, quote, whole);
}

static const char *bearer(const char *p, struct buf *out)
{
	size_t skip = strncasecmp(p, "bearer ", 7) == 0   ? 7
		      : strncasecmp(p, "apikey ", 7) == 0 ? 7
							  : 0;
	size_t n = skip == 0 ? 0 : strcspn(p + skip, " \t\"',;");

	if (n < REDACT_MIN)
		return p;
	buf_add(out, p, skip);
	buf_addstr(out, REDACTED);
	return p + skip + n;
}

/* What looks like a secret; returns its end, or `p`. */
static const char *looks(const char *p, bool first, bool word, struct buf *out)
{
	const char *end = p;

	if (strncmp(p, "://", 3) == 0) {
		buf_add(out, p, 3);
		return url(p + 3, out);
	}
	if (isalpha((unsigned char)*p))
		end = assignment(p, first, out);
	if (end == p && word)
		end = bearer(p, out);
	return end;
}

static void add_line(const char *line, struct buf *out)
{
	for (const char *p = line; *p != '\0';) {
		bool begins = p == line || !isalnum((unsigned char)p[-1]);
		const char *end = looks(p, p == line, begins, out);

		if (end == p)
			buf_addch(out, *end++);
		p = end;
	}
}

/* In two rounds: what looks like one must not hide the beginning of a known one, whose
 * rest would stay. */
static char *without_known(const struct redact *r, const char *text, size_t len)
{
	struct buf b = BUF_INIT(2 * len * sizeof(REDACTED) + 16);

	for (size_t i = 0; i < len;) {
		size_t n = known(r, text + i);

		if (n > 0 && n <= len - i) {
			buf_addstr(&b, REDACTED);
			i += n;
		} else {
			buf_addch(&b, text[i++]);
		}
	}
	return buf_take(&b);
}

void redact_add(const struct redact *r, const char *text, struct buf *out)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");
		char *line = without_known(r, text, n);

		utf8_plain(line);
		add_line(line, out);
		free(line);
		text += n;
		if (*text == '\n')
			buf_addch(out, *text++);
	}
}
