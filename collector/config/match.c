/* SPDX-License-Identifier: MIT */
#include "config/match.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

#define PATTERN_MAX 1000 /* bytes */

/* A back-reference would count the group that we add, and can take for ever. */
static bool refers_back(const char *p)
{
	for (; *p != '\0'; p++) {
		if (*p != '\\' || p[1] == '\0')
			continue;
		p++;
		if (isdigit((unsigned char)*p))
			return true;
	}
	return false;
}

static int refuse(const char *pattern, const regex_t *r, int code, struct err *err)
{
	char why[200];

	regerror(code, r, why, sizeof(why));
	return err_set(err, ERR_REJECT,
		       "\"%.60s\" is no regular expression (POSIX extended): %s",
		       pattern, why);
}

int match_compile(regex_t *out, const char *pattern, struct err *err)
{
	char *whole;
	int rc;

	if (*pattern == '\0' || strlen(pattern) > PATTERN_MAX)
		return err_set(err, ERR_REJECT,
			       "a pattern has 1 to %d bytes, this one has %zu",
			       PATTERN_MAX, strlen(pattern));
	if (refers_back(pattern))
		return err_set(err, ERR_REJECT,
			       "\"%.60s\": a back-reference (\\1) is not supported; "
			       "write out what it may be: (aa|bb)",
			       pattern);
	/* By itself first: "a)|(b" must not become right by what we put around it. */
	rc = regcomp(out, pattern, REG_EXTENDED | REG_NOSUB);
	if (rc != 0)
		return refuse(pattern, out, rc, err);
	regfree(out);
	whole = mem_printf("^(%s)$", pattern);
	rc = regcomp(out, whole, REG_EXTENDED | REG_NOSUB);
	free(whole);
	return rc == 0 ? 0 : refuse(pattern, out, rc, err);
}
