/* SPDX-License-Identifier: MIT
 * alarm: the actor that turns what the board shows into alerts: it keeps their states
 * over a restart, writes their documents, shows them on the board, and hands them to
 * the notifiers. */
#ifndef MMLAG_ALARM_ALARM_H
#define MMLAG_ALARM_ALARM_H

#include "base/err.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "follow/brokers.h"
#include "alarm/notifier.h"
#include "store/store.h"

struct alarm;

/* Read what the store kept. All are borrowed.
 * @thread main, before the store's thread runs */
NODISCARD int alarm_new(struct alarm **out, const struct config *c, struct store *store,
			struct board *board, struct err *err);
void alarm_free(struct alarm *a); /* after its thread has ended; NULL is legal */

/* Hand the alerts to these notifiers too; they must outlive the alarm's thread.
 * @thread main, before the alarm's thread runs */
void alarm_tell(struct alarm *a, struct notifier *const *notifiers, size_t n);

/* Look at these too; they must outlive the alarm's thread.
 * @thread main, before the alarm's thread runs */
void alarm_look_at_brokers(struct alarm *a, struct brokers *b);

struct wake *alarm_wake(struct alarm *a);

/* One turn; for actor_start.  @thread alarm */
struct step alarm_step(void *self);

#endif
