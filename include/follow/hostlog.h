/* SPDX-License-Identifier: MIT
 * hostlog: what befalls a host befalls all its topics, and is one event: which of the
 * tailers tells it. One table for the process. */
#ifndef MMLAG_FOLLOW_HOSTLOG_H
#define MMLAG_FOLLOW_HOSTLOG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "lag/reason.h"

/* A topic lost its data for a reason of the host. True for the first that says so since
 * the host (as this user sees it) last gave data: that one writes the line.
 * @thread any  @locks its own, a leaf */
bool hostlog_down(const struct config_topic *t, enum reason r);

/* A topic has data again. True for the first of the host after a hostlog_down.
 * @thread any  @locks its own, a leaf */
bool hostlog_up(const struct config_topic *t);

/* How such a line names the host: user@host:port.  @thread any */
void hostlog_name(const struct config_topic *t, char *out, size_t size);

/* Forget all.  @thread main, when no tailer runs */
void hostlog_fini(void);

#endif
