/* SPDX-License-Identifier: MIT
 * alerting: the actors that judge and tell: the alarm, a notifier for each receiver,
 * the heartbeat. They are made and freed together; who runs them (the daemon with
 * threads, the scenarios without) steps through the list. */
#ifndef MMLAG_ALARM_ALERTING_H
#define MMLAG_ALARM_ALERTING_H

#include "base/err.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "store/store.h"

struct alerting_part {
	const char *name; /* of its thread */
	struct step (*step)(void *self);
	void *self;
	struct wake *wake;
};

struct alerting {
	struct alerting_part *parts; /* in order of the start */
	size_t n;
	struct alarm *alarm;
	struct notifier **notifiers;
	size_t notifier_count;
	struct heartbeat *heartbeat; /* NULL where there is none */
};

/* Make them, and read what the store kept. All are borrowed. On failure the caller ends
 * what there is with alerting_fini, too.
 * @thread main, before the store's thread runs */
NODISCARD int alerting_make(struct alerting *a, const struct config *c,
			    struct store *store, struct board *board, struct err *err);

/* Tell all to stop: ends what blocks.  @thread main */
void alerting_stop(struct alerting *a);

/* After their threads have ended.  @thread main */
void alerting_fini(struct alerting *a);

#endif
