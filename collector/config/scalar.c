/* SPDX-License-Identifier: MIT */
#include "config/config.h"
#include "config/scalar_int.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "banned.h"

#define DIGITS "0123456789"
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define LONGEST_DAYS 100000
#define LONGEST_MS (LONGEST_DAYS * DAY_MS)

struct unit {
	const char *name;
	int64_t factor;
};

/* From large to small: durations are written and read in this order. */
static const struct unit spans[] = {
	{"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1},
};

static const struct unit sizes[] = {
	{"TiB", INT64_C(1) << 40},
	{"GiB", INT64_C(1) << 30},
	{"MiB", INT64_C(1) << 20},
	{"KiB", INT64_C(1) << 10},
	{"B", 1},
};

int scalar_int(const char *text, int64_t *out, struct err *err)
{
	const char *digits = text + (*text == '-');
	char *end;
	long long v;

	if (*digits == '\0' || digits[strspn(digits, DIGITS)] != '\0')
		return err_set(err, ERR_REJECT, "\"%.60s\" is no whole number", text);
	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return err_set(err, ERR_REJECT, "%.60s is too large", text);
	*out = v;
	return 0;
}

static int refuse_real(const char *text, struct err *err)
{
	return err_set(err, ERR_REJECT,
		       "\"%.60s\" is no number; write it like 5000 or 0.5", text);
}

int scalar_real(const char *text, double *out, struct err *err)
{
	char *end;
	double v;

	if (*text == '\0' || text[strspn(text, DIGITS "+-.eE")] != '\0')
		return refuse_real(text, err);
	v = strtod(text, &end);
	if (*end != '\0' || !isfinite(v))
		return refuse_real(text, err);
	*out = v;
	return 0;
}

int scalar_share(const char *text, double *out, struct err *err)
{
	size_t n = strlen(text);
	bool percent = n > 1 && text[n - 1] == '%';
	char number[32];
	double v;

	if (n >= sizeof(number))
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no share; write it as 80%% or "
			       "0.8",
			       text);
	memcpy(number, text, n + 1);
	if (percent)
		number[n - 1] = '\0';
	if (scalar_real(number, &v, NULL) != 0)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no share; write it as 80%% or "
			       "0.8",
			       text);
	if (!percent && v > 1 && v <= 100)
		return err_set(err, ERR_REJECT, "%s is more than the whole; write %s%%",
			       text, text);
	if (percent)
		v /= 100;
	if (v < 0 || v > 1)
		return err_set(err, ERR_REJECT, "%s is not between 0%% and 100%%",
			       text);
	*out = v;
	return 0;
}

int scalar_bool(const char *text, bool *out, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "on", "y", "1"};
	static const char *const no[] = {"false", "no", "off", "n", "0"};

	*out = strcasecmp(text, yes[0]) == 0;
	if (*out || strcasecmp(text, no[0]) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0)
			return err_set(err, ERR_REJECT,
				       "\"%s\" is neither true nor false; "
				       "write %s",
				       text,
				       strcasecmp(text, yes[i]) == 0 ? yes[0] : no[0]);
	return err_set(err, ERR_REJECT, "\"%.60s\" is neither true nor false", text);
}

/* The number at *text; moves *text behind it. -1 when there is none or it is huge. */
static int64_t take_number(const char **text)
{
	int64_t v = 0;
	size_t n = strspn(*text, DIGITS);

	if (n == 0 || n > 17)
		return -1;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + ((*text)[i] - '0');
	*text += n;
	return v;
}

static int refuse_duration(const char *text, struct err *err)
{
	return err_set(err, ERR_REJECT,
		       "\"%.60s\" is no duration; write it like 500ms, 5s, "
		       "1m, 2h, 7d or 1h30m",
		       text);
}

int scalar_duration(const char *text, int64_t *out, struct err *err)
{
	const char *p = text;
	int64_t total = 0;
	size_t unit = 0;

	if (*text != '\0' && text[strspn(text, DIGITS)] == '\0')
		return err_set(err, ERR_REJECT, "%.60s has no unit; write %.60ss", text,
			       text);
	do {
		int64_t v = take_number(&p);
		size_t letters = strcspn(p, DIGITS);

		for (; unit < ARRAY_LEN(spans); unit++)
			if (strlen(spans[unit].name) == letters &&
			    strncmp(spans[unit].name, p, letters) == 0)
				break;
		if (v < 0 || unit == ARRAY_LEN(spans))
			return refuse_duration(text, err);
		if (v > LONGEST_MS / spans[unit].factor)
			return err_set(err, ERR_REJECT,
				       "%.60s is too long; at most %dd", text,
				       LONGEST_DAYS);
		total += v * spans[unit].factor;
		p += letters;
		unit++;
	} while (*p != '\0');
	*out = total;
	return 0;
}

int config_duration(const char *text, int64_t *ms, struct err *err)
{
	return scalar_duration(text, ms, err);
}

/* What was probably meant by another unit: "KB" and "k" are KiB. */
static const char *meant_size(const char *unit)
{
	static const char *const letters[] = {"t", "g", "m", "k"};

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (strncasecmp(unit, letters[i], 1) == 0 &&
		    (unit[1] == '\0' || strcasecmp(unit + 1, "b") == 0 ||
		     strcasecmp(unit + 1, "ib") == 0))
			return sizes[i].name;
	return NULL;
}

int scalar_size(const char *text, int64_t *out, struct err *err)
{
	const char *p = text, *meant;
	int64_t v = take_number(&p);

	if (v >= 0 && *p == '\0')
		return err_set(err, ERR_REJECT,
			       "%s has no unit; write %sMiB, or %sB for bytes", text,
			       text, text);
	for (size_t i = 0; v >= 0 && i < ARRAY_LEN(sizes); i++)
		if (strcmp(p, sizes[i].name) == 0) {
			if (v > (INT64_C(1) << 60) / sizes[i].factor)
				return err_set(err, ERR_REJECT, "%s is too large",
					       text);
			*out = v * sizes[i].factor;
			return 0;
		}
	meant = v >= 0 ? meant_size(p) : NULL;
	if (meant != NULL)
		return err_set(err, ERR_REJECT,
			       "\"%s\" is no unit here, sizes are powers of "
			       "two; write %.*s%s",
			       p, (int)(p - text), text, meant);
	return err_set(err, ERR_REJECT,
		       "\"%.60s\" is no size; write it like 64KiB, 5MiB or "
		       "1GiB",
		       text);
}

void scalar_print_real(struct buf *out, double v)
{
	char text[40];

	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_addstr(out, text);
}

void scalar_print_duration(struct buf *out, int64_t ms)
{
	if (ms == 0)
		buf_addstr(out, "0s");
	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		if (ms / spans[i].factor > 0)
			buf_printf(out, "%" PRId64 "%s", ms / spans[i].factor,
				   spans[i].name);
		ms %= spans[i].factor;
	}
}

void scalar_print_size(struct buf *out, int64_t bytes)
{
	size_t i = 0;

	while (bytes % sizes[i].factor != 0 || (bytes == 0 && sizes[i].factor > 1))
		i++;
	buf_printf(out, "%" PRId64 "%s", bytes / sizes[i].factor, sizes[i].name);
}
