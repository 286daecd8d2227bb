/* SPDX-License-Identifier: MIT */
#include "lag/text_int.h"

#include <string.h>

#include "banned.h"

bool text_line(struct span *rest, struct span *line)
{
	const char *end;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = end != NULL ? (size_t)(end - rest->p) : rest->n;
	rest->p += line->n;
	rest->n -= line->n;
	if (end != NULL) {
		rest->p++;
		rest->n--;
	}
	return true;
}

struct span text_rtrim(struct span s)
{
	while (s.n > 0 && text_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct span text_trim(struct span s)
{
	while (s.n > 0 && text_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	return text_rtrim(s);
}

bool text_is(struct span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

bool text_begins(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.n >= n && memcmp(s.p, word, n) == 0;
}

const char *text_find(struct span s, const char *word)
{
	return s.n == 0 ? NULL : memmem(s.p, s.n, word, strlen(word));
}

size_t text_fields(struct span s, struct span *field, size_t max)
{
	size_t count = 0;
	size_t i = 0;

	while (count < max) {
		size_t start;

		while (i < s.n && text_space(s.p[i]))
			i++;
		if (i == s.n)
			break;
		for (start = i; i < s.n && !text_space(s.p[i]); i++)
			;
		field[count++] = (struct span){s.p + start, i - start};
	}
	return count;
}

enum number text_number(struct span s, int64_t *value)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	enum number kind = NUMBER_OK;
	int64_t v = 0;

	if (text_is(s, "-") || text_is(s, "unknown"))
		return NUMBER_NONE;
	if (s.n == (minus ? 1 : 0))
		return NUMBER_BAD;
	for (size_t i = minus ? 1 : 0; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9)
			return NUMBER_BAD;
		/* towards the sign, so that INT64_MIN is a number too */
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, minus ? -digit : digit, &v))
			kind = NUMBER_HUGE;
	}
	if (kind == NUMBER_OK)
		*value = v;
	return kind;
}

int64_t text_digits(struct span s, int64_t max)
{
	int64_t v;

	if (s.n == 0 || s.p[0] == '-' || text_number(s, &v) != NUMBER_OK || v > max)
		return -1;
	return v;
}
