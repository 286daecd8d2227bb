/* SPDX-License-Identifier: MIT
 * sections: what keys outside of topics say together (resolve_sections). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* Of a name or an address of `n` bytes. */
static bool is_loopback(const char *host, size_t n)
{
	static const char localhost[] = "localhost";
	struct address a;
	char copy[64];

	if (n == strlen(localhost) && strncasecmp(host, localhost, n) == 0)
		return true;
	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof(copy))
		return false;
	memcpy(copy, host, n);
	copy[n] = '\0';
	return address_parse(copy, &a) == 0 && address_is_loopback(&a);
}

/* A secret that others on the way can read. */
static void warn_plain(const struct resolver *r, const struct node *at, const char *key,
		       const char *url, const char *secret)
{
	static const char http[] = "http://";
	const char *host = url + strlen(http);
	size_t n;

	if (strncmp(url, http, strlen(http)) != 0)
		return;
	n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (!is_loopback(host, n))
		finding_warn(r->f, at->line, at->column,
			     "%s: the %s goes over the network in clear text; use "
			     "https://",
			     key, secret);
}

static void check_plain(const struct resolver *r, const struct node *map)
{
	const struct config_elastic *e = &r->c->elastic;
	const struct node *hosts = tree_find(map, "hosts");

	if (e->password_file == NULL && e->api_key_file == NULL)
		return;
	for (size_t i = 0; i < e->hosts.n; i++)
		warn_plain(r,
			   hosts->kind == NODE_LIST && e->hosts.n == hosts->n
				   ? &hosts->child[i]
				   : hosts,
			   "hosts", e->hosts.v[i],
			   e->password_file != NULL ? "password" : "API key");
}

/* The same of figures that come over HTTP. */
static void check_plain_pages(const struct resolver *r)
{
	const struct node *brokers = tree_find(r->root, "brokers");
	const struct config *c = r->c;

	for (size_t i = 0; i < c->topic_count; i++) {
		const struct config_topic *t = &c->topics[i];

		if (t->source == SOURCE_SSH || t->url == NULL)
			continue;
		if (t->password_file != NULL || t->token_file != NULL)
			warn_plain(r, resolve_given(r, t, "url"), "url", t->url,
				   t->token_file != NULL ? "token" : "password");
	}
	for (size_t i = 0; i < c->broker_count; i++) {
		const struct config_broker *b = &c->brokers[i];

		if (b->prometheus != NULL &&
		    (b->password_file != NULL || b->token_file != NULL))
			warn_plain(r, tree_find(&brokers->child[i], "prometheus"),
				   "prometheus", b->prometheus,
				   b->token_file != NULL ? "token" : "password");
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
	/* check_listen saw the colon */
	return is_loopback(listen, (size_t)(strrchr(listen, ':') - listen));
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
	check_plain_pages(r);
	resolve_http(r);
}
