/* SPDX-License-Identifier: MIT */
#include "config/jump.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "banned.h"

/* They become words of a command line. */
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define HOST_BYTES NAME_BYTES ":%"
#define NOT_UNDERSTOOD " is not understood; write it as [USER@]HOST[:PORT]"

static int refuse(const char *hop, size_t n, const char *why, struct err *err)
{
	return err_set(err, ERR_REJECT, "\"%.*s\": %s", n < 60 ? (int)n : 60, hop, why);
}

static bool take(char *out, size_t size, const char *from, size_t n, const char *bytes)
{
	if (n == 0 || n >= size || *from == '-' || strspn(from, bytes) < n)
		return false;
	snprintf(out, size, "%.*s", (int)n, from);
	return true;
}

/* One hop, `n` bytes long. */
static int read_hop(const char *text, size_t n, struct jump_hop *hop, struct err *err)
{
	const char *at = memchr(text, '@', n), *p = at != NULL ? at + 1 : text;
	size_t left = n - (size_t)(p - text), host = 0;
	const char *end;

	memset(hop, 0, sizeof(*hop));
	if (at != NULL &&
	    !take(hop->user, sizeof(hop->user), text, (size_t)(at - text), NAME_BYTES))
		return refuse(text, n, "the user" NOT_UNDERSTOOD, err);
	if (left > 0 && *p == '[') {
		end = memchr(p, ']', left);
		if (end == NULL)
			return refuse(text, n, "\"[\" without \"]\"", err);
		host = (size_t)(end - p) - 1;
		if (!take(hop->host, sizeof(hop->host), p + 1, host, HOST_BYTES))
			return refuse(text, n, "the host" NOT_UNDERSTOOD, err);
		p = end + 1;
	} else {
		end = memchr(p, ':', left);
		host = end != NULL ? (size_t)(end - p) : left;
		if (end != NULL && memchr(end + 1, ':', left - host - 1) != NULL)
			return refuse(text, n,
				      "an IPv6 address stands in brackets here", err);
		if (!take(hop->host, sizeof(hop->host), p, host, NAME_BYTES))
			return refuse(text, n, "the host" NOT_UNDERSTOOD, err);
		p += host;
	}
	left = n - (size_t)(p - text);
	if (left == 0)
		return 0;
	if (*p != ':' || left < 2 || left > 6 || strspn(p + 1, "0123456789") < left - 1)
		return refuse(text, n, "the port" NOT_UNDERSTOOD, err);
	hop->port = (int)strtol(p + 1, NULL, 10);
	if (hop->port < 1 || hop->port > 65535)
		return refuse(text, n, "a port is 1 to 65535", err);
	return 0;
}

int jump_read(const char *text, struct jump_hop hops[JUMP_HOPS_MAX], struct err *err)
{
	int n = 0;

	if (strcmp(text, "none") == 0)
		return 0;
	for (const char *p = text;; p++) {
		size_t len = strcspn(p, ",");

		if (n == JUMP_HOPS_MAX)
			return err_set(err, ERR_REJECT,
				       "%d bastions at most, one behind the other",
				       JUMP_HOPS_MAX);
		if (read_hop(p, len, &hops[n++], err) != 0)
			return err->class;
		p += len;
		if (*p == '\0')
			return n;
	}
}
