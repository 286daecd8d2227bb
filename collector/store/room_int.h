/* SPDX-License-Identifier: MIT
 * room: how much the file system has left. Private to collector/store. */
#ifndef MMLAG_STORE_ROOM_INT_H
#define MMLAG_STORE_ROOM_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is less free at `dir` than `min_free` bytes (0: never)? What was low stays so until
 * there is an eighth more than that, so that a disk at the edge does not waver. When it
 * is, `words` say so and what to do.
 * @thread store */
bool room_is_low(const char *dir, int64_t min_free, bool was_low, char *words,
		 size_t size);

#endif
