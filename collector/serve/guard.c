/* SPDX-License-Identifier: MIT */
#include "serve/guard_int.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <openssl/evp.h>

#include "base/file.h"
#include "base/mem.h"

#include "banned.h"

#define TOKEN_MAX 4096

/* The host of "host", "host:port" or "[v6]:port". Returns 0, or -1 when it is too long
 * or nothing. */
static int host_of(const char *text, char *out, size_t size)
{
	const char *end;
	size_t n;

	if (*text == '[') {
		end = strchr(++text, ']');
		if (end == NULL)
			return -1;
	} else {
		end = strrchr(text, ':');
		if (end == NULL)
			end = text + strlen(text);
	}
	n = (size_t)(end - text);
	if (n == 0 || n >= size)
		return -1;
	memcpy(out, text, n);
	out[n] = '\0';
	return 0;
}

void guard_init(struct guard *g, const struct config_http *c)
{
	memset(g, 0, sizeof(*g));
	g->config = c;
	if (host_of(c->listen, g->host, sizeof(g->host)) != 0)
		g->host[0] = '\0';
	g->trusted = mem_calloc(c->trusted.n + 1, sizeof(*g->trusted));
	for (size_t i = 0; i < c->trusted.n; i++)
		if (network_parse(c->trusted.v[i], &g->trusted[i]) != 0)
			g->trusted[i].bits = 128; /* config let it through: nobody */
}

void guard_fini(struct guard *g)
{
	free(g->trusted);
	mem_wipe(g, sizeof(*g));
}

int guard_reread(struct guard *g, struct err *err)
{
	struct buf token = BUF_INIT(TOKEN_MAX);

	if (g->config->token_file == NULL)
		return 0;
	if (file_read_secret(g->config->token_file, &token, err) != 0)
		return err_wrap(err, "http: token_file");
	hash_sha256(token.data, token.len, g->token);
	g->has_token = true;
	mem_wipe(token.data, token.len);
	buf_free(&token);
	return 0;
}

bool guard_host(const struct guard *g, const struct caller *c)
{
	char host[256];
	struct address a;

	if (c->local || c->host == NULL)
		return true;
	if (host_of(c->host, host, sizeof(host)) != 0)
		return false;
	if (strcasecmp(host, "localhost") == 0 || strcasecmp(host, g->host) == 0)
		return true;
	for (size_t i = 0; i < g->config->names.n; i++)
		if (strcasecmp(host, g->config->names.v[i]) == 0)
			return true;
	return address_parse(host, &a) == 0 && memcmp(&a, &c->ours, sizeof(a)) == 0;
}

/* In a time that does not depend on where they differ. */
static bool is_token(const struct guard *g, const void *given, size_t n)
{
	unsigned char hash[HASH_SHA256_LEN], differ = 0;

	hash_sha256(given, n, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		differ |= hash[i] ^ g->token[i];
	return differ == 0 && g->has_token;
}

/* "user:token" in base64, as browsers and scrapers send it. */
static bool is_basic(const struct guard *g, const char *text)
{
	unsigned char plain[TOKEN_MAX];
	size_t n = strlen(text), len;
	const unsigned char *colon;
	bool yes;
	int got;

	if (n == 0 || n % 4 != 0 || n / 4 * 3 > sizeof(plain))
		return false;
	got = EVP_DecodeBlock(plain, (const unsigned char *)text, (int)n);
	if (got < 0)
		return false;
	len = (size_t)got - (text[n - 1] == '=') - (text[n - 2] == '=');
	colon = memchr(plain, ':', len);
	yes = colon != NULL &&
	      is_token(g, colon + 1, len - (size_t)(colon + 1 - plain));
	mem_wipe(plain, sizeof(plain));
	return yes;
}

static bool shows_token(const struct guard *g, const struct caller *c)
{
	const char *a = c->authorization;

	if (a == NULL)
		return false;
	if (strncasecmp(a, "Bearer ", 7) == 0)
		return is_token(g, a + 7, strlen(a + 7));
	return strncasecmp(a, "Basic ", 6) == 0 && is_basic(g, a + 6);
}

bool guard_reads(const struct guard *g, const struct caller *c)
{
	if (c->local || c->certified || address_is_loopback(&c->peer))
		return true;
	for (size_t i = 0; i < g->config->trusted.n; i++)
		if (network_has(&g->trusted[i], &c->peer))
			return true;
	return shows_token(g, c);
}

bool guard_changes(const struct guard *g, const struct caller *c)
{
	return c->local || shows_token(g, c);
}

bool guard_same_origin(const char *origin, const char *host)
{
	const char *p = strstr(origin, "://");

	return p != NULL && host != NULL && strcasecmp(p + 3, host) == 0;
}
