/* SPDX-License-Identifier: MIT
 * line: one line of `format: line`: the lags of one topic's partitions, separated by
 * white space, by position from 0 (`12`, `-`, `unknown`) or as
 * `partition:current:end:lag`. Pure. */
#ifndef MMLAG_LAG_LINE_H
#define MMLAG_LAG_LINE_H

#include <stddef.h>

#include "lag/reason.h"
#include "lag/sample.h"

/* `partitions`: how many values a positional line must have, 0 when not known. Returns
 * REASON_NONE and a sample (taken left unset) for the caller to end with sample_fini,
 * or no_offsets for an empty line, bad_output for anything else, with `gap` filled in.
 * @thread any */
enum reason line_read(const char *line, size_t len, int partitions, struct sample *out,
		      struct gap *gap);

#endif
