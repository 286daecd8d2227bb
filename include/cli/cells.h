/* SPDX-License-Identifier: MIT
 * cells: text of unknown origin for a terminal: nothing in it can speak to the terminal
 * or turn its writing around, and it takes as many columns as it is given. Letters of
 * the locale pass (setlocale is the command's affair), the rest becomes '?'. */
#ifndef MMLAG_CLI_CELLS_H
#define MMLAG_CLI_CELLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Columns that `s` takes once it is clean.  @thread main */
size_t cells_width(const char *s);

/* Append `s`, cleaned, cut to `width` columns with a mark at the cut.  @thread main */
void cells_add(struct buf *out, const char *s, size_t width);

/* The same, padded with blanks to exactly `width` columns.  @thread main */
void cells_left(struct buf *out, const char *s, size_t width);
void cells_right(struct buf *out, const char *s, size_t width);

/* The number in at most `width` columns: whole with its thousands parted by commas,
 * whole, or short ("48.2K"). `out` has CELLS_NUMBER bytes.  @thread any */
#define CELLS_NUMBER 32
void cells_number(int64_t n, size_t width, char out[CELLS_NUMBER]);

/* Milliseconds as "900ms", "12s", "5m", "3.2h", "4d"; "-" below 0.  @thread any */
void cells_span(int64_t ms, char out[CELLS_NUMBER]);

/* Messages a second; "-" for what is not finite.  @thread any */
void cells_rate(double rate, char out[CELLS_NUMBER]);

#endif
