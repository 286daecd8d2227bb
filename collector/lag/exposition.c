/* SPDX-License-Identifier: MIT */
#include "lag/exposition.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "lag/frame.h"

#include "banned.h"

#define DIGITS_MAX 19   /* that int64 may have */
#define SHOWN_LINE 80   /* of a bad line, in the error */
#define NUMBER_TEXT 400 /* longer than any double that is written out */

struct exposition {
	void (*each)(void *arg, const struct metric *m);
	void *arg;
	struct lines *lines;
	uint64_t line_number;
	bool open;  /* the last byte was no newline */
	bool ended; /* `# EOF` */
	struct err failure;
	struct metric_label labels[EXPOSITION_LABELS_MAX];
	char *text; /* names and values of one series, each with its NUL */
	size_t cap;
};

/* Where the reader is in a line. Names and values are written to `out`, which has room
 * for the line twice, since no text gets longer by being read. */
struct cursor {
	const char *p, *end;
	char *out;
	const char *why; /* what is wrong, NULL so far */
};

struct exposition *exposition_new(void (*each)(void *arg, const struct metric *m),
				  void *arg)
{
	struct exposition *x = mem_calloc(1, sizeof(*x));

	x->each = each;
	x->arg = arg;
	x->lines = lines_new(EXPOSITION_LINE_MAX);
	return x;
}

void exposition_free(struct exposition *x)
{
	if (x == NULL)
		return;
	lines_free(x->lines);
	free(x->text);
	free(x);
}

const char *metric_label(const struct metric *m, const char *name)
{
	for (size_t i = 0; i < m->n_labels; i++)
		if (strcmp(m->labels[i].name, name) == 0)
			return m->labels[i].value;
	return NULL;
}

/* The digits of a decimal number, with the point moved to their end: at most
 * DIGITS_MAX of them without leading and trailing zeros, else `many`. */
struct decimal {
	bool minus, many;
	int n;
	char digit[DIGITS_MAX];
	long exponent; /* tens that are to follow */
};

/* Digits and at most one point; false when there is no digit at all. */
static bool mantissa_read(const char **p, struct decimal *d)
{
	bool point = false, any = false;
	long zeros = 0; /* not taken yet: they may be the last */

	for (; isdigit((unsigned char)**p) || (**p == '.' && !point); (*p)++) {
		if (**p == '.') {
			point = true;
			continue;
		}
		any = true;
		d->exponent -= point;
		if (**p == '0') {
			zeros += d->n > 0;
			continue;
		}
		for (; zeros > 0 && d->n < DIGITS_MAX; zeros--)
			d->digit[d->n++] = '0';
		d->many = d->many || zeros > 0 || d->n == DIGITS_MAX;
		if (d->n < DIGITS_MAX)
			d->digit[d->n++] = **p;
	}
	d->exponent += zeros;
	return any;
}

static bool decimal_read(const char *p, struct decimal *d)
{
	char *end;

	*d = (struct decimal){.minus = *p == '-'};
	p += *p == '-' || *p == '+';
	if (!mantissa_read(&p, d))
		return false;
	if (*p == 'e' || *p == 'E') {
		long tens = strtol(p + 1, &end, 10);

		if (end == p + 1 || isspace((unsigned char)p[1]))
			return false;
		tens = tens > 100000 ? 100000 : tens < -100000 ? -100000 : tens;
		d->exponent += tens;
		p = end;
	}
	return *p == '\0';
}

/* Exactly, where int64 holds it. */
static bool decimal_integer(const struct decimal *d, int64_t *out)
{
	int64_t v = 0;

	if (d->many || (d->n > 0 && (d->exponent < 0 || d->exponent > DIGITS_MAX)))
		return false;
	for (long i = 0; i < d->n + (d->n > 0 ? d->exponent : 0); i++) {
		int digit = i < d->n ? d->digit[i] - '0' : 0;

		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, d->minus ? -digit : digit, &v))
			return false;
	}
	*out = v;
	return true;
}

/* NaN and the infinities, as Go reads them. */
static bool special_number(const char *text, double *value)
{
	const char *word = text + (*text == '+' || *text == '-');

	if (strcasecmp(text, "nan") == 0)
		*value = (double)NAN;
	else if (strcasecmp(word, "inf") == 0 || strcasecmp(word, "infinity") == 0)
		*value = *text == '-' ? -(double)INFINITY : (double)INFINITY;
	else
		return false;
	return true;
}

static int64_t nearest(double v)
{
	if (isnan(v))
		return 0;
	return v >= 0x1p63 ? INT64_MAX : v < -0x1p63 ? INT64_MIN : (int64_t)llround(v);
}

bool metric_number(const char *text, struct metric *m)
{
	struct decimal d;

	m->integral = false;
	if (strlen(text) > NUMBER_TEXT)
		return false;
	if (!special_number(text, &m->value)) {
		if (!decimal_read(text, &d))
			return false;
		m->value = strtod(text, NULL);
		m->integral = decimal_integer(&d, &m->integer);
	}
	if (!m->integral)
		m->integer = nearest(m->value);
	return true;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void skip_blanks(struct cursor *c)
{
	while (c->p < c->end && blank(*c->p))
		c->p++;
}

static bool at(const struct cursor *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

static const char *wrong(struct cursor *c, const char *why)
{
	if (c->why == NULL)
		c->why = why;
	return NULL;
}

/* A name of letters, digits, '_' and ':'; NULL when there is none. */
static const char *read_name(struct cursor *c)
{
	const char *name = c->out;

	while (c->p < c->end &&
	       (isalpha((unsigned char)*c->p) || *c->p == '_' || *c->p == ':' ||
		(c->out > name && isdigit((unsigned char)*c->p))))
		*c->out++ = *c->p++;
	*c->out++ = '\0';
	return *name != '\0' ? name : NULL;
}

/* Text in quotation marks, escapes undone; one that is not known stays as it is. */
static const char *read_quoted(struct cursor *c)
{
	const char *text = c->out;

	for (c->p++; c->p < c->end && *c->p != '"'; c->p++) {
		if (*c->p == '\0')
			return wrong(c, "a NUL in a label");
		if (*c->p != '\\') {
			*c->out++ = *c->p;
			continue;
		}
		if (++c->p == c->end || *c->p == '\0')
			break;
		if (*c->p != '"' && *c->p != '\\' && *c->p != 'n')
			*c->out++ = '\\';
		*c->out++ = *c->p == 'n' ? '\n' : *c->p;
	}
	if (!at(c, '"'))
		return wrong(c, "a label's value does not end");
	c->p++;
	*c->out++ = '\0';
	return text;
}

/* name="value", or a quoted metric name alone. */
static void read_label(struct exposition *x, struct cursor *c, struct metric *m)
{
	bool quoted = at(c, '"');
	const char *name = quoted ? read_quoted(c) : read_name(c), *value;

	skip_blanks(c);
	if (name != NULL && quoted && m->name == NULL && !at(c, '=')) {
		m->name = name;
		return;
	}
	if (name == NULL || !at(c, '=')) {
		wrong(c, "a label is not understood");
		return;
	}
	c->p++;
	skip_blanks(c);
	if (!at(c, '"')) {
		wrong(c, "a label's value lacks its quotation mark");
		return;
	}
	value = read_quoted(c);
	if (metric_label(m, name) != NULL)
		wrong(c, "a label stands twice");
	else if (m->n_labels == EXPOSITION_LABELS_MAX)
		wrong(c, "too many labels");
	if (c->why == NULL) {
		x->labels[m->n_labels++] = (struct metric_label){name, value};
		skip_blanks(c);
	}
}

static void read_labels(struct exposition *x, struct cursor *c, struct metric *m)
{
	for (c->p++; c->why == NULL;) {
		skip_blanks(c);
		if (at(c, '}'))
			break;
		read_label(x, c, m);
		if (at(c, ','))
			c->p++;
		else if (!at(c, '}'))
			wrong(c, "the labels do not end");
	}
	if (c->why == NULL)
		c->p++;
}

/* The next word, "" at the end of the line. */
static const char *read_word(struct cursor *c)
{
	const char *word = c->out;

	skip_blanks(c);
	while (c->p < c->end && !blank(*c->p) && *c->p != '\0')
		*c->out++ = *c->p++;
	*c->out++ = '\0';
	skip_blanks(c);
	return word;
}

/* Value, time stamp, exemplar; the last two are looked at for their form only. */
static void read_rest(struct cursor *c, struct metric *m)
{
	struct metric time;

	if (!metric_number(read_word(c), m))
		wrong(c, "there is no number");
	if (c->p < c->end && *c->p != '#' && !metric_number(read_word(c), &time))
		wrong(c, "what stands behind the number is no time");
	if (c->p < c->end && *c->p != '#')
		wrong(c, "something stands behind the number");
}

static const char *read_series(struct exposition *x, struct cursor *c)
{
	struct metric m = {.labels = x->labels};

	m.name = read_name(c);
	skip_blanks(c);
	if (at(c, '{'))
		read_labels(x, c, &m);
	if (m.name == NULL)
		wrong(c, "there is no metric's name");
	if (c->why == NULL)
		read_rest(c, &m);
	if (c->why == NULL)
		x->each(x->arg, &m);
	return c->why;
}

static int refuse(struct exposition *x, struct err *err)
{
	*err = x->failure;
	return err->class;
}

static int refuse_line(struct exposition *x, const char *line, size_t len,
		       const char *why, struct err *err)
{
	char shown[SHOWN_LINE + 1];
	size_t n = utf8_cut(line, len, SHOWN_LINE);

	memcpy(shown, line, n);
	shown[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (shown[i] == '\0')
			shown[i] = '?';
	utf8_plain(shown);
	err_set(&x->failure, ERR_REJECT,
		"line %llu of the page: %s: '%s'; is this the address of a metrics page "
		"(it often ends in /metrics)?",
		(unsigned long long)x->line_number, why, shown);
	return refuse(x, err);
}

static int read_line(struct exposition *x, const char *line, size_t len,
		     struct err *err)
{
	struct cursor c = {.p = line, .end = line + len};
	const char *why;

	x->line_number++;
	skip_blanks(&c);
	if (c.p == c.end || x->ended)
		return 0;
	if (*c.p == '#') {
		x->ended = (size_t)(c.end - c.p) == 5 && memcmp(c.p, "# EOF", 5) == 0;
		return 0;
	}
	if (x->cap < 2 * len + 16) {
		x->cap = 4 * len + 256;
		x->text = mem_realloc(x->text, x->cap, 1);
	}
	c.out = x->text;
	why = read_series(x, &c);
	return why == NULL ? 0 : refuse_line(x, line, len, why, err);
}

int exposition_feed(struct exposition *x, const char *data, size_t len, struct err *err)
{
	const char *line;
	size_t n;

	if (x->failure.class != ERR_OK)
		return refuse(x, err);
	if (len == 0)
		return 0;
	x->open = data[len - 1] != '\n';
	for (;;) {
		switch (lines_next(x->lines, &data, &len, &line, &n)) {
		case LINE_FULL:
			if (read_line(x, line, n, err) != 0)
				return err->class;
			break;
		case LINE_TOO_LONG:
			x->line_number++;
			err_set(&x->failure, ERR_REJECT,
				"line %llu of the page is longer than 1 MiB",
				(unsigned long long)x->line_number);
			return refuse(x, err);
		case LINE_MORE:
			return 0;
		}
	}
}

int exposition_end(struct exposition *x, bool whole, struct err *err)
{
	if (x->failure.class == ERR_OK && !x->open)
		return 0;
	if (whole || x->failure.class != ERR_OK)
		return exposition_feed(x, "\n", 1, err);
	err_set(&x->failure, ERR_REJECT, "the page is cut off in line %llu",
		(unsigned long long)x->line_number + 1);
	return refuse(x, err);
}
