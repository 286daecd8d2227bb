/* SPDX-License-Identifier: MIT
 * ready: expressions over Kafka's broker metrics, in the spellings that the JMX
 * exporter's usual rules and versions give them. Pure. */
#ifndef MMLAG_PROM_READY_H
#define MMLAG_PROM_READY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define READY_MESSAGES "messages"

/* Is there a ready expression of that name: messages, bytes-in, bytes-out,
 * idle-handlers, under-replicated?  @thread any */
bool ready_known(const char *name);

/* Write spelling `i`, from 0, of the expression; false when there are no more, or none
 * of that name.  @thread any */
bool ready_spelling(const char *name, size_t i, struct buf *out);

#endif
