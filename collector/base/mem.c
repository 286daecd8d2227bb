/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "banned.h"

static void *must(void *p)
{
	if (p == NULL) {
		fputs("mmlag: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *mem_calloc(size_t n, size_t size)
{
	return must(calloc(n > 0 ? n : 1, size));
}

void *mem_realloc(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size)
		must(NULL);
	return must(realloc(p, n * size > 0 ? n * size : 1));
}

char *mem_strdup(const char *s)
{
	return s == NULL ? NULL : must(strdup(s));
}

char *mem_strndup(const char *s, size_t n)
{
	return must(strndup(s, n));
}

char *mem_printf(const char *fmt, ...)
{
	char *out = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&out, fmt, ap) < 0)
		out = NULL;
	va_end(ap);
	return must(out);
}

void mem_wipe(void *p, size_t n)
{
	if (p != NULL)
		explicit_bzero(p, n);
}
