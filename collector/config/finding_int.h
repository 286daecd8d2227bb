/* SPDX-License-Identifier: MIT
 * finding: collects what is wrong with a file, so that all of it can be told at once.
 * Bounded: a file of a million mistakes makes a list of a thousand. */
#ifndef MMLAG_CONFIG_FINDING_INT_H
#define MMLAG_CONFIG_FINDING_INT_H

#include "base/compiler.h"
#include "config/config.h"

/* Lists end here; the upper half is kept for errors.  */
#define FINDINGS_MAX 1000

/* Add one at a place (both from 1; 0, 0 for the whole file).  @thread main */
void finding_error(struct config_findings *f, int line, int column, const char *fmt,
		   ...) PRINTF_LIKE(4, 5);
void finding_warn(struct config_findings *f, int line, int column, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* How many of them are errors.  @thread main */
size_t finding_errors(const struct config_findings *f);

/* Put them in order of place; what was said twice is kept once.  @thread main */
void finding_sort(struct config_findings *f);

#endif
