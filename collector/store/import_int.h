/* SPDX-License-Identifier: MIT
 * import: reads the rows of a file that was set aside, one by one, also out of a
 * damaged one: what cannot be read is passed over and told. The file is never changed.
 * Private to collector/store. */
#ifndef MMLAG_STORE_IMPORT_INT_H
#define MMLAG_STORE_IMPORT_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spool_rows_int.h"

struct import;

/* @thread store */
NODISCARD int import_open(struct import **out, const char *path, struct err *err);
void import_close(struct import *i); /* NULL is legal */

/* The next row: the waiting ones, then the dead letters. False at the end. The caller
 * ends the row.
 * @thread store */
bool import_next(struct import *i, struct spool_dead *row, bool *dead);
void import_row_fini(struct spool_dead *row);

/* How many rows the file says it has, -1 when it does not; was anything unreadable?
 * @thread store */
int64_t import_expected(const struct import *i);
bool import_damaged(const struct import *i);

#endif
