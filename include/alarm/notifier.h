/* SPDX-License-Identifier: MIT
 * notifier: the actor that tells one receiver. Each receiver has its own thread, so
 * that one that hangs delays no other, and its own queue in the store: what was not
 * delivered is tried again until it is, or is a day old. */
#ifndef MMLAG_ALARM_NOTIFIER_H
#define MMLAG_ALARM_NOTIFIER_H

#include "base/err.h"
#include "base/jsonw.h"
#include "base/wake.h"
#include "config/config.h"
#include "alarm/bulletin.h"
#include "store/store.h"

struct notifier;

/* Read the queue and what was told. All are borrowed.
 * @thread main, before the store's thread runs */
NODISCARD int notifier_new(struct notifier **out, const struct config_receiver *r,
			   const struct config *c, struct store *store,
			   struct err *err);
void notifier_free(struct notifier *n); /* after its thread has ended; NULL is legal */

/* "n:ops".  @thread any */
const char *notifier_name(const struct notifier *n);
struct wake *notifier_wake(struct notifier *n);

/* From now on the alerts are these; takes a reference.  @thread alarm  @locks its own
 */
void notifier_tell(struct notifier *n, struct bulletin *b);

/* Append how it does, as /api/v1/status has it.  @thread any  @locks its own */
void notifier_show(struct notifier *n, struct jsonw *w);

/* One turn; for actor_start.  @thread notifier */
struct step notifier_step(void *self);

#endif
