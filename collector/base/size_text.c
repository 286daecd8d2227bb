/* SPDX-License-Identifier: MIT
 * size_text: see size_text.h. */
#include "base/size_text.h"

#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"

#include "banned.h"

void size_format(int64_t bytes, char out[SIZE_TEXT])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	double v = bytes > 0 ? (double)bytes : 0;
	size_t u = 0;

	/* 1023.96 would be printed as 1024.0 */
	for (; u + 1 < ARRAY_LEN(units) && v >= 1023.95; u++)
		v /= 1024;
	if (v >= 100 || v == (double)(int64_t)v)
		snprintf(out, SIZE_TEXT, "%.0f %s", v, units[u]);
	else
		snprintf(out, SIZE_TEXT, "%.1f %s", v, units[u]);
}
