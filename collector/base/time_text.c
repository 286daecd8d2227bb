/* SPDX-License-Identifier: MIT
 * time_text: wall-clock time to and from RFC 3339. Pure. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#include "banned.h"

#define YEAR_0000_MS (-62167219200000)
#define YEAR_9999_MS 253402300799999

void wall_format(struct wall t, char out[WALL_TEXT])
{
	int64_t ms = t.ms;
	struct tm tm;
	time_t s;

	if (ms < YEAR_0000_MS)
		ms = YEAR_0000_MS;
	if (ms > YEAR_9999_MS)
		ms = YEAR_9999_MS;
	s = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
	gmtime_r(&s, &tm);
	/* The remainders change nothing; they tell the compiler how long the text is.
	 */
	snprintf(out, WALL_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		 (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
		 (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100,
		 (unsigned)(ms - (int64_t)s * 1000) % 1000);
}

/* Read exactly `n` digits; -1 when there are fewer. */
static int digits(const char **p, int n)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static int fraction_ms(const char **p)
{
	int ms = 0, n = 0;

	if (**p != '.')
		return 0;
	for ((*p)++; isdigit((unsigned char)**p); (*p)++, n++)
		if (n < 3)
			ms = ms * 10 + (**p - '0');
	if (n == 0 || n > 9)
		return -1;
	for (; n < 3; n++)
		ms *= 10;
	return ms;
}

static int offset_seconds(const char **p, int *out)
{
	int sign = **p == '-' ? -1 : 1, h, m;

	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		*out = 0;
		return 0;
	}
	if (**p != '+' && **p != '-')
		return -1;
	(*p)++;
	h = digits(p, 2);
	if (h < 0 || h > 23 || *(*p)++ != ':')
		return -1;
	m = digits(p, 2);
	if (m < 0 || m > 59)
		return -1;
	*out = sign * (h * 3600 + m * 60);
	return 0;
}

int wall_parse(const char *p, struct wall *out)
{
	struct tm tm = {0}, given;
	int ms, off;
	time_t s;

	tm.tm_year = digits(&p, 4) - 1900;
	if (tm.tm_year < -1900 || *p++ != '-')
		return -1;
	tm.tm_mon = digits(&p, 2) - 1;
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || *p++ != '-')
		return -1;
	tm.tm_mday = digits(&p, 2);
	if (tm.tm_mday < 1 || tm.tm_mday > 31 || (*p != 'T' && *p != 't' && *p != ' '))
		return -1;
	p++;
	tm.tm_hour = digits(&p, 2);
	if (tm.tm_hour < 0 || tm.tm_hour > 23 || *p++ != ':')
		return -1;
	tm.tm_min = digits(&p, 2);
	if (tm.tm_min < 0 || tm.tm_min > 59 || *p++ != ':')
		return -1;
	tm.tm_sec = digits(&p, 2);
	if (tm.tm_sec < 0 || tm.tm_sec > 60)
		return -1;
	ms = fraction_ms(&p);
	if (ms < 0 || offset_seconds(&p, &off) != 0 || *p != '\0')
		return -1;
	given = tm;
	s = timegm(&tm); /* also brings 30 February into March */
	if (tm.tm_mday != given.tm_mday && given.tm_sec < 60)
		return -1;
	out->ms = ((int64_t)s - off) * 1000 + ms;
	return 0;
}
