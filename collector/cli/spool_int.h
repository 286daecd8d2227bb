/* SPDX-License-Identifier: MIT
 * spool_show: the status and the rows of a spool, in a daemon or in a file, and how a
 * person sees them. */
#ifndef MMLAG_CLI_SPOOL_INT_H
#define MMLAG_CLI_SPOOL_INT_H

#include <stdbool.h>
#include <jansson.h>

#include "base/buf.h"

#define SPOOL_ANSWER_MAX (32u << 20)

/* The status of the spool of the daemon that runs in `state_dir`, which knows more than
 * its file: what it holds in memory, what ails it, and what the documents wait for.
 * The caller's reference; NULL when no daemon answers.  @thread main */
json_t *spool_live_status(const char *state_dir);

/* Print a status for a person.  @thread main */
void spool_print_status(const json_t *status);

/* Print rows, the answer of reader_rows, as a table.
 * @dead  they are dead letters, not waiting documents
 * @thread main */
void spool_print_rows(const struct buf *answer, bool dead);

#endif
