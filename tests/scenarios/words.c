/* SPDX-License-Identifier: MIT */
#include "scenarios/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "scenarios/world.h"

#include "banned.h"

size_t words_split(char *line, char *words[WORDS_MAX])
{
	size_t n = 0;
	char *p = line;

	while (n < WORDS_MAX) {
		p += strspn(p, " \t");
		if (*p == '\0' || *p == '#')
			break;
		if (*p == '"') {
			words[n++] = ++p;
			p += strcspn(p, "\"");
		} else {
			words[n++] = p;
			p += strcspn(p, " \t");
		}
		if (*p != '\0')
			*p++ = '\0';
	}
	return n;
}

int64_t words_duration(const char *word)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	const char *p = word + (*word == '-' || *word == '+');
	int64_t sum = 0;

	do {
		char *end;
		int64_t v = strtoll(p, &end, 10);
		size_t u = 0, len = strspn(end, "mshd");

		while (u < ARRAY_LEN(units) && (strlen(units[u].unit) != len ||
						strncmp(units[u].unit, end, len) != 0))
			u++;
		if (end == p || u == ARRAY_LEN(units)) {
			world_complain("'%s' is no duration", word);
			return -1;
		}
		sum += v * units[u].ms;
		p = end + len;
	} while (*p != '\0');
	return *word == '-' ? -sum : sum;
}

int64_t words_number(const char *word)
{
	char *end;
	int64_t v;

	errno = 0;
	v = strtoll(word, &end, 10);
	if (end == word || *end != '\0' || errno != 0) {
		world_complain("'%s' is no number", word);
		return -1;
	}
	return v;
}

int condition_read(struct condition *c, const char *word)
{
	static const char *const ops[] = {"!=", ">=", "<=", "=", "~"};
	const char *at = strpbrk(word, "=~!<>");

	condition_fini(c);
	for (size_t i = 0; at != NULL && at != word && i < ARRAY_LEN(ops); i++)
		if (strncmp(at, ops[i], strlen(ops[i])) == 0) {
			c->field = mem_strndup(word, (size_t)(at - word));
			c->value = mem_strdup(at + strlen(ops[i]));
			snprintf(c->op, sizeof(c->op), "%s", ops[i]);
			return 0;
		}
	return -1;
}

void condition_fini(struct condition *c)
{
	free(c->field);
	free(c->value);
	*c = (struct condition){.field = NULL};
}

char *condition_value(const struct condition *c, const json_t *document)
{
	const char *part = c->field;
	const json_t *v = document;

	while (v != NULL && *part != '\0') {
		size_t len = strcspn(part, ".");
		char *key = mem_strndup(part, len);

		v = json_object_get(v, key);
		free(key);
		part += len + (part[len] == '.');
	}
	if (v == NULL)
		return mem_strdup("absent");
	if (json_is_string(v))
		return mem_strdup(json_string_value(v));
	return json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
}

static int number(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == '\0' ? 0 : -1;
}

bool condition_holds(const struct condition *c, const json_t *document)
{
	double a, b;
	char *seen;
	bool holds;

	if (c->field == NULL)
		return false;
	seen = condition_value(c, document);
	if (*c->op == '~')
		holds = strstr(seen, c->value) != NULL;
	else if (*c->op == '=')
		holds = strcmp(seen, c->value) == 0;
	else if (*c->op == '!')
		holds = strcmp(seen, c->value) != 0;
	else if (number(seen, &a) != 0 || number(c->value, &b) != 0)
		holds = false;
	else
		holds = *c->op == '>' ? a >= b : a <= b;
	free(seen);
	return holds;
}

int words_compare(int64_t a, const char *op, int64_t b)
{
	if (strcmp(op, "==") == 0)
		return a == b;
	if (strcmp(op, "!=") == 0)
		return a != b;
	if (strcmp(op, ">=") == 0)
		return a >= b;
	if (strcmp(op, "<=") == 0)
		return a <= b;
	if (strcmp(op, ">") == 0)
		return a > b;
	if (strcmp(op, "<") == 0)
		return a < b;
	return -1;
}
