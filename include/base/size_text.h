/* SPDX-License-Identifier: MIT
 * size_text: sizes for people. */
#ifndef MMLAG_BASE_SIZE_TEXT_H
#define MMLAG_BASE_SIZE_TEXT_H

#include <stdint.h>

#define SIZE_TEXT 16 /* room for size_format, with the NUL */

/* "17 B", "512 MiB", "1.5 GiB": three digits or so, a decimal where it tells something.
 * A negative size is shown as 0 B.
 * @thread any */
void size_format(int64_t bytes, char out[SIZE_TEXT]);

#endif
