/* SPDX-License-Identifier: MIT
 * table_build: a table out of rows that come from elsewhere than the CLI's output. */
#ifndef MMLAG_LAG_TABLE_BUILD_H
#define MMLAG_LAG_TABLE_BUILD_H

#include <stdbool.h>

#include "base/compiler.h"
#include "lag/table.h"

/* An empty table of `group`, which may be NULL for none. The caller frees it.
 * @thread any */
struct table *table_build(const char *group);

/* A row: its number is that of `partition`, digits. False, and nothing is added, when
 * one of the two names is none.  @thread the owner's */
bool table_build_row(struct table *t, const char *topic, const char *partition,
		     const struct partition *row);

/* The table as a whole failed.  @thread the owner's */
void table_build_fail(struct table *t, enum reason r, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* All rows are there. A partition that has two rows with different lags makes the table
 * fail: which of them is true cannot be told.  @thread the owner's */
void table_build_end(struct table *t);

#endif
