/* SPDX-License-Identifier: MIT
 * judge: windows of commits, one JSON object a line, and a verdict on each. The format
 * is in docs/judgement.md; the arithmetic in lag/rules. */
#ifndef MMLAG_CLI_JUDGE_H
#define MMLAG_CLI_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"

#define JUDGE_LINE_MAX (16u << 20) /* bytes */

/* Append the answer to one line, without a newline: {"status":…,"rule":…}, or
 * {"error":…} and false where the line is bad. It may hold any bytes.
 * @thread any */
bool judge_line(const char *line, size_t len, struct buf *answer);

/* Answer each line of `in` on `out`, as it comes. Returns 0, EXIT_DATA when a line was
 * bad, or 1 when reading or writing failed (said on stderr).
 * @thread main */
int judge_stream(FILE *in, FILE *out);

#endif
