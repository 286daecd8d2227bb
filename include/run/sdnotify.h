/* SPDX-License-Identifier: MIT
 * sdnotify: tells systemd how we are, by one datagram to $NOTIFY_SOCKET. Without that
 * variable it does nothing. */
#ifndef MMLAG_RUN_SDNOTIFY_H
#define MMLAG_RUN_SDNOTIFY_H

#include <stdint.h>

#include "base/compiler.h"

/* e.g. sdnotify("READY=1\nSTATUS=%zu topics", n). A failure is of no consequence.
 * @thread main */
void sdnotify(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* How often WATCHDOG=1 is to be told: every half of WatchdogSec=, in ms; 0 where nobody
 * listens for it.  @thread main */
int64_t sdnotify_watchdog_ms(void);

#endif
