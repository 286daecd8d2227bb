/* SPDX-License-Identifier: MIT
 * daemon: brings the actors up in order, waits for a signal, takes them down in
 * reverse. */
#ifndef MMLAG_RUN_DAEMON_H
#define MMLAG_RUN_DAEMON_H

#include "base/err.h"
#include "config/config.h"

#define DRAIN_MS 10000

enum daemon_failure {
	DAEMON_LOCKED = 1, /* err.code: the state directory is in use by another */
	DAEMON_CONFIG,     /* a file that the configuration names is of no use */
};

/* Run until SIGTERM or SIGINT; a second one ends at once. Returns 0 after a drained
 * stop, or a negative class when it could not start.
 * @thread main; blocks */
NODISCARD int daemon_run(struct config *c, struct err *err);

#endif
