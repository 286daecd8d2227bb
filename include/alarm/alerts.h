/* SPDX-License-Identifier: MIT
 * alerts: the set of all alerts that are not none, in order of their names, and their
 * records in the store. */
#ifndef MMLAG_ALARM_ALERTS_H
#define MMLAG_ALARM_ALERTS_H

#include "base/buf.h"
#include "lag/alert.h"
#include "alarm/condition.h"
#include "store/store.h"

struct alerts {
	struct alerts_entry {
		struct alert alert;
		uint64_t look; /* the last look that spoke of it */
		bool dirty;    /* the record is older */
	} * v;
	size_t n, cap;
};

/* Read what the store kept.  @thread main, before the store's thread runs */
void alerts_restore(struct alerts *a, struct store *store, struct alert_now now);
void alerts_fini(struct alerts *a);

/* The alert that a condition is about; where there is none yet and it holds, a new one
 * of state ALERT_NONE. NULL otherwise. Lives until the next call.
 * @thread the owner's */
struct alerts_entry *alerts_find(struct alerts *a, const struct condition *c);

/* Take over what a condition says now. Returns true when the partitions are others
 * than before.
 * @thread the owner's */
bool alerts_update(struct alerts_entry *e, const struct condition *c);

/* Write the records that are dirty, drop the alerts that are none.
 * @thread the owner's */
void alerts_save(struct alerts *a, struct store *store);

#endif
