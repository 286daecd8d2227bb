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

/* An option without a value, of one command: "--offline". */
struct option_flag {
	const char *name;
	bool *set;
};

#define OPTIONS_GO_ON (-1)

/* Read the arguments of a command that takes -c FILE, --help, --version and `n` (at
 * most OPTION_FLAGS_MAX) flags, nothing else. `usage` is the help text. Returns
 * OPTIONS_GO_ON with *path and the flags set, or the exit code of a command that is
 * over.
 * @thread main */
#define OPTION_FLAGS_MAX 4
int options_parse(int argc, char **argv, const char *usage, const char **path,
		  const struct option_flag *flags, size_t n);

/* Read the file and its secret files' state; print every finding as
 * file:line:column: error|warning: text on stderr. Returns the configuration (let go
 * with config_unref), or NULL after errors.
 * @thread main */
struct config *options_load(const char *path, bool show_warnings);

/* May `stream` have colours: a terminal, and NO_COLOR is not set?  @thread any */
bool options_colour(FILE *stream);

#endif
