/* SPDX-License-Identifier: MIT */
#include "base/size.h"

#include <stdio.h>

#include "banned.h"

void size_text(int64_t bytes, char out[SIZE_TEXT])
{
	static const char *const units[] = {"B",   "KiB", "MiB", "GiB",
					    "TiB", "PiB", "EiB"};
	int64_t whole = bytes < 0 ? 0 : bytes;
	int64_t tenths = 0;
	size_t u = 0;

	for (; whole >= 1024; u++) {
		tenths = whole % 1024 * 10 / 1024;
		whole /= 1024;
	}
	if (whole < 100 && tenths > 0)
		snprintf(out, SIZE_TEXT, "%d.%d %s", (int)whole, (int)tenths, units[u]);
	else
		snprintf(out, SIZE_TEXT, "%d %s", (int)whole, units[u]);
}
