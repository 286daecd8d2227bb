/* SPDX-License-Identifier: MIT
 * size: a number of bytes as people read it. */
#ifndef MMLAG_BASE_SIZE_H
#define MMLAG_BASE_SIZE_H

#include <stdint.h>

#define SIZE_TEXT 32 /* room for size_text, with the NUL */

/* "0 B", "1023 B", "1.5 KiB", "512 MiB", …: at most three digits and one decimal, cut,
 * never rounded up. Negative numbers read as 0.  @thread any */
void size_text(int64_t bytes, char out[SIZE_TEXT]);

#endif
