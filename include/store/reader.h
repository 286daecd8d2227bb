/* SPDX-License-Identifier: MIT
 * reader: looks into the store's file without changing it, beside a running daemon
 * too. */
#ifndef MMLAG_STORE_READER_H
#define MMLAG_STORE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* What the file in `dir` says; `set_aside` is the newest file that was put aside, by
 * name. A directory without a file has an empty store. What a daemon holds in memory is
 * not seen.
 * @thread any */
NODISCARD int reader_status(const char *dir, struct store_status *out, struct err *err);

/* Append {"rows":[…],"more":…} as STORE_ASK_ROWS has it.  @thread any */
NODISCARD int reader_rows(const char *dir, bool dead, int64_t limit, struct buf *out,
			  struct err *err);

#endif
