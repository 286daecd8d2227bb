/* SPDX-License-Identifier: MIT
 * control: commands speak with the running daemon over <state_dir>/control.sock, as
 * docs/api.md has it. */
#ifndef MMLAG_CLI_CONTROL_H
#define MMLAG_CLI_CONTROL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Send and wait. `body` is JSON for a POST, NULL for a GET. `answer` gets the body of a
 * 2xx; any other status is ERR_REJECT with the daemon's own words. ERR_AGAIN: no daemon
 * listens there, nothing was sent.
 * @thread main; blocks */
NODISCARD int control_ask(const char *state_dir, const char *path, const char *body,
			  struct buf *answer, struct err *err);

#endif
