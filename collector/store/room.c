/* SPDX-License-Identifier: MIT
 * room: see room_int.h. */
#include "room_int.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "base/size.h"

#include "banned.h"

#define MARGIN_MAX (INT64_C(256) << 20)

bool room_is_low(const char *dir, int64_t min_free, bool was_low, char *words,
		 size_t size)
{
	int64_t margin = min_free / 8 < MARGIN_MAX ? min_free / 8 : MARGIN_MAX;
	int64_t available, enough = was_low ? min_free + margin : min_free;
	char have[SIZE_TEXT], want[SIZE_TEXT];
	struct statvfs v;

	if (min_free <= 0)
		return false;
	if (statvfs(dir, &v) != 0)
		return was_low;
	if (__builtin_mul_overflow((int64_t)v.f_bavail, (int64_t)v.f_frsize,
				   &available))
		available = INT64_MAX;
	if (available >= enough)
		return false;
	size_text(available, have);
	size_text(min_free, want);
	snprintf(
		words, size,
		"%.80s: %s are free in this file system, spool.min_free asks for %s%s: "
		"new documents wait in memory; free some space or lower it",
		dir, have, want,
		available >= min_free ? " and an eighth more to go on" : "");
	return true;
}
