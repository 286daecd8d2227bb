/* SPDX-License-Identifier: MIT
 * options: what several commands share: the -c option, reading the configuration and
 * telling its findings, colours. */
#ifndef MMLAG_CLI_OPTIONS_H
#define MMLAG_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"

struct http_options;

#define OPTIONS_DEFAULT_FILE "/etc/mmlag/mmlag.yaml"

/* Print "mmlag COMMAND: text" and where to find help; returns EXIT_USAGE.
 * @thread main */
int options_usage(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An option of one command: "--offline" sets a flag, "--at TIME" takes a value. */
struct option_flag {
	const char *name;
	bool *set;          /* of one without a value, or NULL */
	const char **value; /* borrowed from the arguments */
};

#define OPTIONS_GO_ON (-1)

/* Read the arguments of a command that takes -c FILE, --help, --version and `n` (at
 * most OPTION_FLAGS_MAX) options of its own. `usage` is the help text. *rest becomes
 * the index of the first other argument; with NULL there may be none. Returns
 * OPTIONS_GO_ON with *path and the options set, or the exit code of a command that is
 * over.
 * @thread main */
#define OPTION_FLAGS_MAX 32
int options_parse(int argc, char **argv, const char *usage, const char **path,
		  const struct option_flag *flags, size_t n, int *rest);

/* The same for a command that looks at its options one by one, as they stand: `take` is
 * called with the place in `flags` and the value (NULL for one without). What it
 * returns, unless 0, is the exit code.
 * @thread main */
typedef int options_take(void *arg, size_t which, const char *value);
int options_each(int argc, char **argv, const char *usage, const char **path,
		 const struct option_flag *flags, size_t n, options_take *take,
		 void *arg, int *rest);

/* The options of every command that talks HTTP by itself, for its table of flags:
 * OPTIONS_HTTP(o) with a struct http_options o, OPTIONS_HTTP_HELP for its help. */
#define OPTIONS_HTTP(o)                                                             \
	{"user", NULL, &(o).username}, {"password-file", NULL, &(o).password_file}, \
		{"token-file", NULL, &(o).token_file},                              \
		{"api-key-file", NULL, &(o).api_key_file},                          \
	{                                                                           \
		"ca-file", NULL, &(o).ca_file                                       \
	}
#define OPTIONS_HTTP_HELP                                                      \
	"  --user NAME           with --password-file: basic authentication\n" \
	"  --password-file FILE\n"                                             \
	"  --token-file FILE     a bearer token\n"                             \
	"  --api-key-file FILE   an API key of Elasticsearch\n"                \
	"  --ca-file FILE        certificates to believe, PEM\n"

/* Do these options say one way to log in, whole? OPTIONS_GO_ON, or EXIT_USAGE after
 * telling what does not fit.  @thread main */
int options_http(const char *command, const struct http_options *o);

/* Is the value of this option ("--url") a URL that is spoken here? OPTIONS_GO_ON, or
 * EXIT_USAGE after telling what to write.  @thread main */
int options_url(const char *command, const char *option, const char *text);

/* Read the file and its secret files' state; print every finding as
 * file:line:column: error|warning: text on stderr. Returns the configuration (let go
 * with config_unref), or NULL after errors.
 * @thread main */
struct config *options_load(const char *path, bool show_warnings);

/* The same without a look at the files that it names, for commands that do not use
 * them: somebody else may keep the secrets. Warnings are not shown.  @thread main */
struct config *options_read(const char *path);

/* May `stream` have colours: a terminal, and NO_COLOR is not set?  @thread any */
bool options_colour(FILE *stream);

/* A line on stderr about what goes on; into a pipe goes none.  @thread main */
void options_progress(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
