/* SPDX-License-Identifier: MIT */
#include "serve/target_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decode in place; '+' is a blank where `plus`. */
static int decode(char *s, int plus)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		if (*s == '%') {
			int high = hex(s[1]), low = high < 0 ? -1 : hex(s[2]);

			if (low < 0 || (high == 0 && low == 0))
				return -1;
			*to++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*to++ = plus && *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
	return 0;
}

static int parse_path(struct target *t, char *p)
{
	for (p++;; p++) {
		char *end = p + strcspn(p, "/");
		int last = *end == '\0';

		if (t->n == TARGET_SEGMENTS)
			return -1;
		*end = '\0';
		if (!(last && t->n == 0 && *p == '\0')) /* "/" has no segment */
			t->segment[t->n++] = p;
		if (last)
			break;
		p = end;
	}
	for (size_t i = 0; i < t->n; i++)
		if (decode(t->segment[i], 0) != 0)
			return -1;
	return 0;
}

static int parse_query(struct target *t, char *p)
{
	while (p != NULL && *p != '\0') {
		char *next = strchr(p, '&'), *value;

		if (next != NULL)
			*next++ = '\0';
		value = strchr(p, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = p + strlen(p);
		if (t->n_query == TARGET_QUERY || decode(p, 1) != 0 ||
		    decode(value, 1) != 0)
			return -1;
		t->query[t->n_query].name = p;
		t->query[t->n_query++].value = value;
		p = next;
	}
	return 0;
}

int target_parse(struct target *t, const char *uri)
{
	char *query;

	memset(t, 0, sizeof(*t));
	if (*uri != '/')
		return -1;
	t->text = mem_strdup(uri);
	t->text[strcspn(t->text, "#")] = '\0';
	query = strchr(t->text, '?');
	if (query != NULL)
		*query++ = '\0';
	t->path = mem_strdup(t->text);
	if (decode(t->path, 0) != 0 || parse_path(t, t->text) != 0)
		return -1;
	return parse_query(t, query);
}

void target_fini(struct target *t)
{
	free(t->text);
	free(t->path);
	memset(t, 0, sizeof(*t));
}

const char *target_query(const struct target *t, const char *name)
{
	for (size_t i = 0; i < t->n_query; i++)
		if (strcmp(t->query[i].name, name) == 0)
			return t->query[i].value;
	return NULL;
}
