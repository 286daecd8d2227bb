/* SPDX-License-Identifier: MIT
 * sections: what keys outside of topics say together (resolve_sections). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/network.h"
#include "config/finding_int.h"
#include "config/resolve_int.h"

#include "banned.h"

/* Of two keys that need each other one stands alone. */
static void need_both(const struct resolver *r, const struct node *map, const char *one,
		      const char *other)
{
	const struct node *a = tree_find(map, one), *b = tree_find(map, other);

	if ((a == NULL) == (b == NULL))
		return;
	finding_error(r->f, a != NULL ? a->key_line : b->key_line,
		      a != NULL ? a->key_column : b->key_column,
		      "\"%s\" needs \"%s\" beside it", a != NULL ? one : other,
		      a != NULL ? other : one);
}

static void exclude(const struct resolver *r, const struct node *map, const char *one,
		    const char *other)
{
	const struct node *a = tree_find(map, one), *b = tree_find(map, other);

	if (a != NULL && b != NULL)
		finding_error(r->f, b->key_line, b->key_column,
			      "\"%s\" and \"%s\" exclude each other; keep one", one,
			      other);
}

static bool is_loopback(const char *host)
{
	static const char *const names[] = {"localhost", "127.", "[::1]"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);

		if (strncmp(host, names[i], n) == 0 &&
		    (names[i][n - 1] == '.' || strchr(":/", host[n]) != NULL))
			return true;
	}
	return false;
}

/* A password that others on the way can read. */
static void check_plain(const struct resolver *r, const struct node *map)
{
	static const char http[] = "http://";
	const struct config_elastic *e = &r->c->elastic;
	const struct node *hosts = tree_find(map, "hosts");

	if (e->password_file == NULL && e->api_key_file == NULL)
		return;
	for (size_t i = 0; i < e->hosts.n; i++) {
		const char *url = e->hosts.v[i];
		const struct node *at =
			hosts->kind == NODE_LIST && e->hosts.n == hosts->n
				? &hosts->child[i]
				: hosts;

		if (strncmp(url, http, strlen(http)) == 0 &&
		    !is_loopback(url + strlen(http)))
			finding_warn(r->f, at->line, at->column,
				     "hosts: the %s goes over the network in clear "
				     "text; use "
				     "https://",
				     e->password_file != NULL ? "password" : "API key");
	}
}

static void resolve_elastic(const struct resolver *r)
{
	const struct node *map = tree_find(r->root, "elasticsearch");
	const struct config_elastic *e = &r->c->elastic;

	need_both(r, map, "username", "password_file");
	need_both(r, map, "client_cert_file", "client_key_file");
	exclude(r, map, "username", "api_key_file");
	check_plain(r, map);
	for (size_t i = 0; i < e->hosts.n; i++) {
		char *url = e->hosts.v[i];
		size_t n = strlen(url);

		if (n > 0 && url[n - 1] == '/')
			url[n - 1] = '\0';
	}
}

static bool listens_on_loopback(const char *listen)
{
	size_t n = (size_t)(strrchr(listen, ':') - listen); /* check_listen saw it */
	bool brackets = *listen == '[' && n > 2;
	char host[64];
	struct address a;

	if (n >= sizeof(host))
		return false;
	memcpy(host, listen + brackets, n - 2 * brackets);
	host[n - 2 * brackets] = '\0';
	return strcmp(host, "localhost") == 0 ||
	       (address_parse(host, &a) == 0 && address_is_loopback(&a));
}

/* The pages tell names of hosts and topics: not to everybody. */
static void resolve_http(const struct resolver *r)
{
	const struct config_http *h = &r->c->http;
	const struct node *map = tree_find(r->root, "http");
	const struct node *listen = tree_find(map, "listen");

	need_both(r, map, "cert_file", "key_file");
	if (h->client_ca_file != NULL && h->cert_file == NULL)
		finding_error(r->f, tree_find(map, "client_ca_file")->key_line,
			      tree_find(map, "client_ca_file")->key_column,
			      "\"client_ca_file\" needs \"cert_file\" beside it");
	if (h->off || listen == NULL || listens_on_loopback(h->listen))
		return;
	if (h->token_file == NULL && h->client_ca_file == NULL && h->trusted.n == 0)
		finding_error(r->f, listen->line, listen->column,
			      "listen: %s can be reached from elsewhere: name a "
			      "\"token_file\", a \"client_ca_file\", or \"trusted\" "
			      "networks",
			      h->listen);
	else if (h->token_file != NULL && h->cert_file == NULL)
		finding_warn(r->f, listen->line, listen->column,
			     "listen: the token goes over the network in clear text; "
			     "use \"cert_file\" and \"key_file\"");
}

void resolve_sections(const struct resolver *r)
{
	if (r->c->elastic.set)
		resolve_elastic(r);
	resolve_http(r);
}
