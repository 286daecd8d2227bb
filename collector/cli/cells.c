/* SPDX-License-Identifier: MIT */
#include "cli/cells.h"

#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/compiler.h"
#include "base/jsonw.h"

#include "banned.h"

/* Invisible, or changes the direction or the place of what is beside it. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad}, {0x0600, 0x0605},
	{0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f}, {0x115f, 0x1160},
	{0x180e, 0x180e},   {0x200b, 0x200f},   {0x2028, 0x202e}, {0x2060, 0x206f},
	{0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
	{0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

/* One character of a text, as a terminal is to show it. */
struct cell {
	const char *bytes; /* into the text, or a replacement */
	size_t len;
	size_t width;
};

static bool is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static uint32_t decode(const unsigned char *s, size_t n)
{
	uint32_t c = n == 1   ? s[0]
		     : n == 2 ? s[0] & 0x1fU
		     : n == 3 ? s[0] & 0x0fU
			      : s[0] & 7U;

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3fU);
	return c;
}

static bool is_unseen(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (c >= unseen[i].first && c <= unseen[i].last)
			return true;
	return false;
}

/* The cell at `*s`, which moves behind it; `any`: something stands before it. */
static struct cell next(const char **s, bool any)
{
	struct cell wrong = {"?", 1, 1};
	size_t n = utf8_sequence((const unsigned char *)*s, strlen(*s));
	struct cell c = {*s, n, 1};
	uint32_t code;
	int width;

	*s += n == 0 ? 1 : n;
	if (n == 0)
		return wrong;
	code = decode((const unsigned char *)c.bytes, n);
	if (is_unseen(code) || (n > 1 && !is_utf8()))
		return wrong;
	width = n == 1 ? 1 : wcwidth((wchar_t)code);
	if (width < 0 || (width == 0 && !any))
		return wrong;
	c.width = (size_t)width;
	return c;
}

size_t cells_width(const char *s)
{
	size_t width = 0;

	for (const char *from = s; *s != '\0';)
		width += next(&s, s > from).width;
	return width;
}

/* Returns the columns that were filled. */
static size_t add(struct buf *out, const char *s, size_t width)
{
	bool cut = cells_width(s) > width;
	size_t room = cut && width > 0 ? width - 1 : width;
	size_t used = 0;

	for (const char *from = s; *s != '\0';) {
		struct cell c = next(&s, s > from);

		if (used + c.width > room)
			break;
		buf_add(out, c.bytes, c.len);
		used += c.width;
	}
	if (!cut || width == 0)
		return used;
	buf_addstr(out, is_utf8() ? "\xe2\x80\xa6" : "~");
	return used + 1;
}

static void pad(struct buf *out, size_t n)
{
	while (n-- > 0)
		buf_addch(out, ' ');
}

void cells_add(struct buf *out, const char *s, size_t width)
{
	add(out, s, width);
}

void cells_left(struct buf *out, const char *s, size_t width)
{
	pad(out, width - add(out, s, width));
}

void cells_right(struct buf *out, const char *s, size_t width)
{
	size_t taken = cells_width(s);

	if (taken < width)
		pad(out, width - taken);
	pad(out, taken < width ? 0 : width - add(out, s, width));
	if (taken < width)
		add(out, s, width);
}

static void with_commas(int64_t n, char out[CELLS_NUMBER])
{
	char digits[CELLS_NUMBER];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, n);
	size_t sign = n < 0, to = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > sign && (len - i) % 3 == 0)
			out[to++] = ',';
		out[to++] = digits[i];
	}
	out[to] = '\0';
}

void cells_number(int64_t n, size_t width, char out[CELLS_NUMBER])
{
	static const char units[] = "KMGTPE";
	double value = (double)n;
	size_t unit = 0;

	with_commas(n, out);
	if (strlen(out) <= width)
		return;
	snprintf(out, CELLS_NUMBER, "%" PRId64, n);
	if (strlen(out) <= width)
		return;
	for (value /= 1000; fabs(value) >= 999.5 && unit + 2 < sizeof(units); unit++)
		value /= 1000;
	snprintf(out, CELLS_NUMBER, fabs(value) < 9.95 ? "%.1f%c" : "%.0f%c", value,
		 units[unit]);
}

void cells_span(int64_t ms, char out[CELLS_NUMBER])
{
	static const struct {
		int64_t from, unit;
		const char *name;
	} units[] = {{2 * 86400000LL, 86400000, "d"},
		     {2 * 3600000LL, 3600000, "h"},
		     {2 * 60000LL, 60000, "m"},
		     {1000, 1000, "s"}};

	snprintf(out, CELLS_NUMBER, ms < 0 ? "-" : "%" PRId64 "%s", ms,
		 ms == 0 ? "" : "ms");
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (ms >= units[i].from) {
			snprintf(out, CELLS_NUMBER, "%" PRId64 "%s", ms / units[i].unit,
				 units[i].name);
			return;
		}
}

void cells_rate(double rate, char out[CELLS_NUMBER])
{
	if (!isfinite(rate))
		snprintf(out, CELLS_NUMBER, "-");
	else if (fabs(rate) < 99.95)
		snprintf(out, CELLS_NUMBER, "%.1f", rate);
	else if (fabs(rate) < 1e15)
		cells_number((int64_t)rate, 7, out);
	else
		snprintf(out, CELLS_NUMBER, "%.1e", rate);
}
