/* SPDX-License-Identifier: MIT */
#define ERR_DEFINITIONS
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

static PRINTF_LIKE(4, 0) void set(struct err *e, enum err_class class, int code,
				  const char *fmt, va_list ap)
{
	if (e == NULL)
		return;
	e->class = class;
	e->code = code;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
}

int err_set(struct err *e, enum err_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, class, 0, fmt, ap);
	va_end(ap);
	return class;
}

int err_set_code(struct err *e, enum err_class class, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, class, code, fmt, ap);
	va_end(ap);
	return class;
}

int err_set_errno(struct err *e, enum err_class class, int errnum, const char *fmt, ...)
{
	char words[128];
	size_t used;
	va_list ap;

	va_start(ap, fmt);
	set(e, class, 0, fmt, ap);
	va_end(ap);
	if (e == NULL)
		return class;
	used = strlen(e->text);
	snprintf(e->text + used, sizeof(e->text) - used, ": %s",
		 strerror_r(errnum, words, sizeof(words)));
	return class;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
	char text[sizeof(e->text)];
	int used;
	va_list ap;

	if (e == NULL)
		return ERR_RETRY;
	va_start(ap, fmt);
	used = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (used < 0 || (size_t)used >= sizeof(text))
		return e->class;
	/* What does not fit is cut at the end: the cause's first words count most. */
	snprintf(text + used, sizeof(text) - (size_t)used, ": %.700s", e->text);
	memcpy(e->text, text, sizeof(text));
	return e->class;
}
