/* SPDX-License-Identifier: MIT
 * Any bytes as a request's URI, and as the headers that we read ourselves. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/content_int.h"
#include "serve/guard_int.h"
#include "serve/serve_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total(const struct target *t)
{
	size_t n = strlen(t->path);

	for (size_t i = 0; i < t->n; i++)
		n += strlen(t->segment[i]);
	for (size_t i = 0; i < t->n_query; i++)
		n += strlen(t->query[i].name) + strlen(t->query[i].value);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char listen[] = "127.0.0.1:9308";
	static const struct config_http http = {.listen = listen};
	char *text = mem_strndup((const char *)data, size);
	struct caller c = {.host = text, .authorization = text};
	struct network network;
	struct target t;
	struct guard g;

	if (target_parse(&t, text) == 0) {
		if (total(&t) > 2 * strlen(text) || *text != '/')
			abort();
		(void)route_is_open(&t);
		(void)target_query(&t, "after");
	}
	target_fini(&t);
	guard_init(&g, &http);
	if (guard_changes(&g, &c)) /* there is no token */
		abort();
	(void)guard_host(&g, &c);
	guard_fini(&g);
	(void)guard_same_origin(text, text);
	(void)content_accepts_gzip(text);
	(void)content_is_known(text, "W/\"0123456789abcdef\"");
	(void)network_parse(text, &network);
	free(text);
	return 0;
}
