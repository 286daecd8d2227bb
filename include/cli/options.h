/* SPDX-License-Identifier: MIT
 * options: what several commands share: the -c option, reading the configuration and
 * telling its findings, colours. */
#ifndef MMLAG_CLI_OPTIONS_H
#define MMLAG_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"

#define OPTIONS_DEFAULT_FILE "/etc/mmlag/mmlag.yaml"

/* Print "mmlag COMMAND: text" and where to find help; returns EXIT_USAGE.
 * @thread main */
int options_usage(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What getopt_long found wrong, in words; `o` is what it returned (':' or '?').
 * @thread main */
int options_wrong(const char *command, int o, char **argv);

/* The answer to --version; returns 0.  @thread main */
int options_version(void);

/* Read the file and its secret files' state; print every finding as
 * file:line:column: error|warning: text on stderr. Returns the configuration (let go
 * with config_unref), or NULL after errors.
 * @thread main */
struct config *options_load(const char *path, bool show_warnings);

/* May `stream` have colours: a terminal, and NO_COLOR is not set?  @thread any */
bool options_colour(FILE *stream);

#endif
