/* SPDX-License-Identifier: MIT
 * sections: what keys outside of topics say together (resolve_sections). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
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

void resolve_sections(const struct resolver *r)
{
	if (r->c->elastic.set)
		resolve_elastic(r);
	need_both(r, tree_find(r->root, "http"), "cert_file", "key_file");
}
