/* SPDX-License-Identifier: MIT
 * zone: see zone.h. A table of the moments at which the offset changes, and behind its
 * end a rule as in the TZ variable of POSIX ("CET-1CEST,M3.5.0,M10.5.0/3"). */
#include "base/zone.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

#include "banned.h"

#define ZONEINFO "/usr/share/zoneinfo"
#define FILE_MAX (256 << 10)
#define HEADER 44
#define DAY INT64_C(86400)

/* A day of the year and a time of it, at which summer time begins or ends. */
struct turn {
	char kind; /* 'M' month, week and weekday; 'J' 1..365 without 29 February; 'N'
		    * 0..365 with it */
	int month, week, day;
	int32_t second; /* may be negative or beyond the day */
};

struct rule {
	bool there, summer;
	int32_t winter_offset, summer_offset;
	struct turn begin, end;
};

struct zone {
	size_t n;
	int64_t *at;      /* seconds since 1970, rising */
	int32_t *offsets; /* from then on */
	int32_t first;    /* before the first of them */
	struct rule rule;
};

/* The footer */

static bool read_number(const char **p, int *out)
{
	char *end;
	long n;

	if (!isdigit((unsigned char)**p))
		return false;
	n = strtol(*p, &end, 10);
	*p = end;
	*out = (int)n;
	return n <= 1000;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **p, int32_t *out)
{
	int sign = **p == '-' ? -1 : 1, part[3] = {0, 0, 0};

	*p += **p == '-' || **p == '+';
	for (int i = 0; i < 3; i++) {
		if (i > 0 && **p != ':')
			break;
		*p += i > 0;
		if (!read_number(p, &part[i]))
			return false;
	}
	*out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
	return true;
}

static bool skip_name(const char **p)
{
	const char *begin = *p;

	if (**p == '<') {
		*p = strchr(*p, '>');
		if (*p == NULL)
			return false;
		++*p;
		return true;
	}
	while (isalpha((unsigned char)**p))
		++*p;
	return *p - begin >= 3;
}

static bool read_turn(const char **p, struct turn *t)
{
	*t = (struct turn){.kind = 'N', .second = 2 * 3600};
	if (*(*p)++ != ',')
		return false;
	if (**p == 'M' || **p == 'J')
		t->kind = *(*p)++;
	if (t->kind == 'M') {
		if (!read_number(p, &t->month) || *(*p)++ != '.' ||
		    !read_number(p, &t->week) || *(*p)++ != '.' ||
		    !read_number(p, &t->day) || t->month < 1 || t->month > 12 ||
		    t->week < 1 || t->week > 5 || t->day > 6)
			return false;
	} else if (!read_number(p, &t->day) || t->day > 365) {
		return false;
	}
	if (**p != '/')
		return true;
	++*p;
	return read_time(p, &t->second);
}

static bool read_rule(const char *p, struct rule *r)
{
	int32_t west;

	if (!skip_name(&p) || !read_time(&p, &west))
		return false;
	r->winter_offset = -west;
	r->summer_offset = r->winter_offset + 3600;
	if (*p == '\0')
		return true;
	if (!skip_name(&p))
		return false;
	if (*p != ',' && *p != '\0') {
		if (!read_time(&p, &west))
			return false;
		r->summer_offset = -west;
	}
	r->summer = true;
	return read_turn(&p, &r->begin) && read_turn(&p, &r->end) && *p == '\0';
}

/* The calendar */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first of a month of the (Gregorian) year. */
static int64_t days_to(int64_t year, int month)
{
	static const int before[] = {0,   31,  59,  90,  120, 151,
				     181, 212, 243, 273, 304, 334};
	int64_t y = year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	       (1969 / 4 - 1969 / 100 + 1969 / 400) + before[month - 1] +
	       (month > 2 && is_leap(year));
}

static int64_t year_of(int64_t seconds)
{
	int64_t year = 1970 + seconds / (365 * DAY + DAY / 4);

	while (days_to(year, 1) * DAY > seconds)
		year--;
	while (days_to(year + 1, 1) * DAY <= seconds)
		year++;
	return year;
}

/* When the turn comes in a year: seconds since 1970 as a clock on the wall shows. */
static int64_t turn_in(const struct turn *t, int64_t year)
{
	int64_t day;

	if (t->kind == 'M') {
		int64_t first = days_to(year, t->month);
		int64_t next = t->month == 12 ? days_to(year + 1, 1)
					      : days_to(year, t->month + 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 0: Sunday */

		day = first + (t->day - weekday + 7) % 7 + 7 * (t->week - 1);
		if (day >= next)
			day -= 7;
	} else if (t->kind == 'J') {
		day = days_to(year, 1) + t->day - 1 + (is_leap(year) && t->day >= 60);
	} else {
		day = days_to(year, 1) + t->day;
	}
	return day * DAY + t->second;
}

static int32_t by_rule(const struct rule *r, int64_t s)
{
	int64_t year, begin, end;
	bool summer;

	if (!r->summer)
		return r->winter_offset;
	year = year_of(s + r->winter_offset);
	begin = turn_in(&r->begin, year) - r->winter_offset;
	end = turn_in(&r->end, year) - r->summer_offset;
	/* South of the equator summer lies over the new year. */
	summer = begin < end ? s >= begin && s < end : s >= begin || s < end;
	return summer ? r->summer_offset : r->winter_offset;
}

/* The file */

static int64_t number(const unsigned char *p, int bytes)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

struct header {
	size_t isutc, isstd, leaps, times, types, chars;
};

static bool read_header(const unsigned char *p, size_t len, struct header *h)
{
	size_t *const to[] = {&h->isutc, &h->isstd, &h->leaps,
			      &h->times, &h->types, &h->chars};

	if (len < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
		return false;
	for (int i = 0; i < 6; i++) {
		int64_t v = number(p + 20 + 4 * i, 4);

		if (v < 0 || v > FILE_MAX)
			return false;
		*to[i] = (size_t)v;
	}
	return h->types > 0;
}

static size_t body_size(const struct header *h, size_t time_size)
{
	return h->times * (time_size + 1) + h->types * 6 + h->chars +
	       h->leaps * (time_size + 4) + h->isstd + h->isutc;
}

static bool read_body(struct zone *z, const unsigned char *p, const struct header *h)
{
	const unsigned char *index = p + 8 * h->times, *types = index + h->times;

	z->n = h->times;
	z->at = mem_calloc(h->times + 1, sizeof(*z->at));
	z->offsets = mem_calloc(h->times + 1, sizeof(*z->offsets));
	z->first = (int32_t)number(types, 4);
	for (size_t i = 0; i < h->times; i++) {
		if (index[i] >= h->types)
			return false;
		z->at[i] = number(p + 8 * i, 8);
		z->offsets[i] = (int32_t)number(types + (size_t)6 * index[i], 4);
		if (i > 0 && z->at[i] <= z->at[i - 1])
			return false;
	}
	return true;
}

static bool read_footer(struct zone *z, const char *p, size_t len)
{
	const char *end = len > 1 && *p == '\n' ? memchr(p + 1, '\n', len - 1) : NULL;
	char *text;

	if (end == NULL)
		return false;
	if (end == p + 1)
		return true; /* none: the last offset stays */
	text = mem_strndup(p + 1, (size_t)(end - p - 1));
	z->rule.there = read_rule(text, &z->rule);
	free(text);
	return z->rule.there;
}

struct zone *zone_parse(const void *data, size_t len)
{
	const unsigned char *p = data, *end = p + len;
	struct zone *z;
	struct header h;
	size_t size;

	if (!read_header(p, len, &h) || body_size(&h, 4) > len - HEADER)
		return NULL;
	p += HEADER + body_size(&h, 4); /* the old table of 32 bits */
	if (!read_header(p, (size_t)(end - p), &h))
		return NULL;
	p += HEADER;
	size = body_size(&h, 8);
	if (size > (size_t)(end - p))
		return NULL;
	z = mem_calloc(1, sizeof(*z));
	if (read_body(z, p, &h) &&
	    read_footer(z, (const char *)p + size, (size_t)(end - p) - size))
		return z;
	zone_free(z);
	return NULL;
}

static bool is_name(const char *name)
{
	return *name != '\0' && *name != '/' && strstr(name, "..") == NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789_+-/") == strlen(name);
}

int zone_open(struct zone **out, const char *name, struct err *err)
{
	const char *dir = getenv("TZDIR");
	struct buf data = BUF_INIT(FILE_MAX);
	char *path;
	int rc;

	if (strcmp(name, "UTC") == 0) {
		*out = mem_calloc(1, sizeof(**out));
		return 0;
	}
	if (!is_name(name))
		return err_set(err, ERR_REJECT,
			       "\"%s\" is no time zone; write one such as "
			       "Europe/Berlin",
			       name);
	path = mem_printf("%s/%s", dir != NULL ? dir : ZONEINFO, name);
	rc = file_read(path, &data, err);
	if (rc != 0) {
		rc = err_set(err, ERR_REJECT,
			     "there is no time zone \"%s\" (%s; is the package tzdata "
			     "installed?)",
			     name, path);
	} else if ((*out = zone_parse(buf_str(&data), data.len)) == NULL) {
		rc = err_set(err, ERR_REJECT, "%s is no time zone file", path);
	}
	free(path);
	buf_free(&data);
	return rc;
}

void zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->at);
	free(z->offsets);
	free(z);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

int32_t zone_offset(const struct zone *z, struct wall t)
{
	int64_t s = floor_div(t.ms, 1000);
	size_t low = 0, high = z->n; /* at[low - 1] <= s < at[high] */

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->at[mid] <= s)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == z->n && z->rule.there)
		return by_rule(&z->rule, s);
	return low == 0 ? z->first : z->offsets[low - 1];
}

struct zone_local zone_local(const struct zone *z, struct wall t)
{
	int64_t s = floor_div(t.ms, 1000) + zone_offset(z, t);
	int64_t day = floor_div(s, DAY);

	return (struct zone_local){day, (int32_t)(s - day * DAY),
				   (int32_t)(((day + 3) % 7 + 7) % 7)};
}
