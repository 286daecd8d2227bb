/* SPDX-License-Identifier: MIT
 * spool: what the command `spool` shows, for others. The command is in commands.h. */
#ifndef MMLAG_CLI_SPOOL_H
#define MMLAG_CLI_SPOOL_H

#include <jansson.h>

#include "base/err.h"

/* How much waits and was refused, as /api/v1/status has it, out of the file in
 * `state_dir`; nothing there is changed. NULL with the error, else the caller lets go
 * of it.
 * @thread main */
json_t *spool_file_status(const char *state_dir, struct err *err);

#endif
