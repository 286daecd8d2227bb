/* SPDX-License-Identifier: MIT */
#include "base/jsonw.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

struct jsonw jsonw_start(struct buf *out)
{
	return (struct jsonw){.out = out};
}

static void before_value(struct jsonw *w)
{
	if (w->comma)
		buf_addch(w->out, ',');
	w->comma = true;
}

static void open_level(struct jsonw *w, char open, char close)
{
	before_value(w);
	assert(w->depth < JSONW_DEPTH);
	w->close[w->depth++] = close;
	w->comma = false;
	buf_addch(w->out, open);
}

void jsonw_object(struct jsonw *w)
{
	open_level(w, '{', '}');
}

void jsonw_array(struct jsonw *w)
{
	open_level(w, '[', ']');
}

void jsonw_end(struct jsonw *w)
{
	assert(w->depth > 0);
	buf_addch(w->out, w->close[--w->depth]);
	w->comma = true;
}

size_t utf8_sequence(const unsigned char *s, size_t n)
{
	size_t len;

	if (n == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* over-long forms, surrogates, and what lies above U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

size_t utf8_cut(const char *s, size_t len, size_t max)
{
	size_t at = max;

	if (len <= max)
		return len;
	for (int i = 0; i < 3 && at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80; i++)
		at--;
	/* more than three: no UTF-8 anyway */
	return ((unsigned char)s[at] & 0xc0) == 0x80 ? max : at;
}

void utf8_plain(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			*p++ = '?', *p = '?';
		else if (*p < 0x20 || *p == 0x7f)
			*p = *p == '\t' ? ' ' : '?';
	}
}

static void escape(struct buf *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		buf_addch(out, '\\');
		buf_addch(out, (char)c);
		break;
	case '\n':
		buf_add(out, "\\n", 2);
		break;
	case '\t':
		buf_add(out, "\\t", 2);
		break;
	case '\r':
		buf_add(out, "\\r", 2);
		break;
	default:
		buf_printf(out, "\\u%04x", c);
	}
}

void jsonw_quote(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t plain = 0; /* bytes before p[i] that are not written yet */
	size_t i = 0;

	buf_addch(out, '"');
	while (i < n) {
		size_t len = utf8_sequence(p + i, n - i);

		if (len > 0 && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' &&
		    p[i] != 0x7f) {
			plain += len;
			i += len;
			continue;
		}
		buf_add(out, p + i - plain, plain);
		plain = 0;
		if (len == 0)
			buf_addstr(out, "\xef\xbf\xbd");
		else
			escape(out, p[i]);
		i++;
	}
	buf_add(out, p + i - plain, plain);
	buf_addch(out, '"');
}

void jsonw_key(struct jsonw *w, const char *key)
{
	before_value(w);
	jsonw_quote(w->out, key, strlen(key));
	buf_addch(w->out, ':');
	w->comma = false;
}

void jsonw_strn(struct jsonw *w, const char *s, size_t n)
{
	before_value(w);
	jsonw_quote(w->out, s, n);
}

void jsonw_str(struct jsonw *w, const char *s)
{
	if (s == NULL)
		jsonw_null(w);
	else
		jsonw_strn(w, s, strlen(s));
}

void jsonw_int(struct jsonw *w, int64_t v)
{
	before_value(w);
	buf_printf(w->out, "%lld", (long long)v);
}

void jsonw_real(struct jsonw *w, double v, int decimals)
{
	char text[400];
	size_t n;

	if (!isfinite(v)) {
		jsonw_null(w);
		return;
	}
	before_value(w);
	snprintf(text, sizeof(text), "%.*f", decimals > 0 ? decimals : 1, v);
	n = strlen(text);
	while (n > 2 && text[n - 1] == '0' && text[n - 2] != '.')
		n--;
	if (n == 4 && memcmp(text, "-0.0", 4) == 0)
		buf_add(w->out, "0.0", 3);
	else
		buf_add(w->out, text, n);
}

void jsonw_bool(struct jsonw *w, bool v)
{
	before_value(w);
	buf_addstr(w->out, v ? "true" : "false");
}

void jsonw_null(struct jsonw *w)
{
	before_value(w);
	buf_add(w->out, "null", 4);
}

void jsonw_raw(struct jsonw *w, const char *json, size_t n)
{
	before_value(w);
	buf_add(w->out, json, n);
}

void jsonw_key_str(struct jsonw *w, const char *key, const char *s)
{
	jsonw_key(w, key);
	jsonw_str(w, s);
}

void jsonw_key_int(struct jsonw *w, const char *key, int64_t v)
{
	jsonw_key(w, key);
	jsonw_int(w, v);
}
