/* SPDX-License-Identifier: MIT
 * syntax: the words for what libyaml does not accept: what is wrong, where, and what to
 * write instead. */
#ifndef MMLAG_CONFIG_SYNTAX_INT_H
#define MMLAG_CONFIG_SYNTAX_INT_H

#include <stddef.h>
#include <yaml.h>

#include "config/config.h"

/* Bytes to skip for a mark of UTF-8 at the begin of the file: 0 or 3.  @thread main */
size_t syntax_skip_mark(const char *text, size_t len);

/* Look at the bytes before libyaml sees them: UTF-8 (a mark at its begin is fine), no
 * control characters. Returns 0, or -1 and adds a finding.
 * @thread main */
int syntax_check_bytes(const char *text, size_t len, struct config_findings *f);

/* Add the finding for the error that a parser of `text` has stopped at.
 * @thread main */
void syntax_explain(const yaml_parser_t *p, const char *text, size_t len,
		    struct config_findings *f);

#endif
