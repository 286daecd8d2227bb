/* SPDX-License-Identifier: MIT
 * match: the regular expression of a `match:` entry: POSIX extended, and always over
 * the whole name of a topic. */
#ifndef MMLAG_CONFIG_MATCH_H
#define MMLAG_CONFIG_MATCH_H

#include <regex.h>

#include "base/err.h"

/* Compile `pattern` so that regexec (without pmatch) tells whether a whole name
 * matches. On success the caller ends `out` with regfree; ERR_REJECT with what is wrong
 * with the pattern.
 * @thread any */
NODISCARD int match_compile(regex_t *out, const char *pattern, struct err *err);

#endif
