/* SPDX-License-Identifier: MIT
 * daemon: brings the actors up in order, waits for a signal, takes them down in
 * reverse. */
#ifndef MMLAG_RUN_DAEMON_H
#define MMLAG_RUN_DAEMON_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/config.h"
#include "follow/plan.h"
#include "store/store.h"

#define DRAIN_MS 10000

enum daemon_failure {
	DAEMON_LOCKED = 1, /* err.code: the state directory is in use by another */
	DAEMON_CONFIG,     /* a file that the configuration names is of no use */
};

/* From now on SIGTERM, SIGINT and SIGHUP wait for daemon_run, so that one that comes
 * while the configuration is read ends the program as any other. Fills in `held`.
 * @thread main */
void daemon_hold_signals(sigset_t *held);

/* How many descriptors a daemon needs that follows these streams; a way through
 * bastions takes more.  @thread any */
uint64_t daemon_descriptors(const struct plan *p);

/* What a configuration says of the store.  @thread any */
struct store_limits daemon_store_limits(const struct config *c);

/* Run until SIGTERM or SIGINT; a second one ends at once. Returns 0 after a drained
 * stop, or a negative class when it could not start.
 * @thread main; blocks */
NODISCARD int daemon_run(struct config *c, struct err *err);

#endif
