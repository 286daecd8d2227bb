/* SPDX-License-Identifier: MIT */
#include "config/finding_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

static void append(struct config_findings *f, struct config_finding v)
{
	if ((f->n & (f->n - 1)) == 0) /* full at every power of two */
		f->v = mem_realloc(f->v, f->n == 0 ? 1 : f->n * 2, sizeof(*f->v));
	f->v[f->n++] = v;
}

/* One line of text: "\e" or "\n" in a quoted key or value is not passed on. */
static PRINTF_LIKE(1, 0) char *format(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return mem_strdup("out of memory");
	utf8_plain(text);
	return text;
}

void finding_error(struct config_findings *f, int line, int column, const char *fmt,
		   ...)
{
	va_list ap;

	if (f->n > FINDINGS_MAX)
		return;
	if (f->n == FINDINGS_MAX) {
		append(f,
		       (struct config_finding){
			       0, 0, false,
			       mem_strdup(
				       "there is more to mend than is listed here")});
		return;
	}
	va_start(ap, fmt);
	append(f, (struct config_finding){line, column, false, format(fmt, ap)});
	va_end(ap);
}

void finding_warn(struct config_findings *f, int line, int column, const char *fmt, ...)
{
	va_list ap;

	if (f->n >= FINDINGS_MAX / 2)
		return;
	va_start(ap, fmt);
	append(f, (struct config_finding){line, column, true, format(fmt, ap)});
	va_end(ap);
}

size_t finding_errors(const struct config_findings *f)
{
	size_t errors = 0;

	for (size_t i = 0; i < f->n; i++)
		errors += !f->v[i].warning;
	return errors;
}

static int by_place(const void *a, const void *b)
{
	const struct config_finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	if (x->warning != y->warning)
		return x->warning ? 1 : -1;
	return strcmp(x->text, y->text);
}

void finding_sort(struct config_findings *f)
{
	size_t n = 0;

	if (f->n > 1)
		qsort(f->v, f->n, sizeof(*f->v), by_place);
	for (size_t i = 0; i < f->n; i++)
		if (n > 0 && by_place(&f->v[n - 1], &f->v[i]) == 0)
			free(f->v[i].text);
		else
			f->v[n++] = f->v[i];
	f->n = n;
}

void config_findings_free(struct config_findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].text);
	free(f->v);
	*f = (struct config_findings){NULL, 0};
}
