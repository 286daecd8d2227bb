/* SPDX-License-Identifier: MIT
 * ledger: what one receiver has been told, by incident, and what it has not got yet:
 * its queue. Both live in the store. Not here: sending (notifier). */
#ifndef MMLAG_ALARM_LEDGER_H
#define MMLAG_ALARM_LEDGER_H

#include <stdbool.h>

#include "base/clock.h"
#include "lag/alert.h"
#include "store/store.h"

struct told {
	char incident[17];
	struct wall at; /* a message with it was delivered or made, the last time */
	bool delivered; /* one that says that it fires has arrived */
	bool lost;      /* none has, and none is on its way */
	bool closing;   /* one that says that it is over is on its way */
	bool seen;      /* the caller's mark */
};

/* A message on its way. */
struct notice {
	uint64_t number;
	struct wall made;
	bool repeated;
	struct alert *alerts;
	size_t n;
};

struct ledger {
	struct store *store;
	char *receiver;
	struct told *told;
	size_t told_count, told_cap;
	struct notice *queue; /* oldest first */
	size_t n, cap;
	uint64_t last;
};

#define LEDGER_QUEUE_MAX 1000

/* Read what the store kept.  @thread main, before the store's thread runs */
void ledger_init(struct ledger *l, struct store *store, const char *receiver);
void ledger_fini(struct ledger *l);

/* Have the store forget the receivers that are none of `names`.
 * @thread main, before the store's thread runs */
void ledger_sweep(struct store *store, const char *const *names, size_t n);

/* NULL where the receiver was never told; ledger_add makes it.  @thread the owner's */
struct told *ledger_find(const struct ledger *l, const char *incident);
struct told *ledger_add(struct ledger *l, const char *incident);
void ledger_forget(struct ledger *l, const char *incident);

/* Write what is told into the store.  @thread the owner's */
void ledger_save(struct ledger *l);

/* Put a message behind the others; takes over the alerts and the array. Where the queue
 * is full, its oldest is dropped (see ledger_drop) and true returned.
 * @thread the owner's */
bool ledger_push(struct ledger *l, struct alert *alerts, size_t n, bool repeated,
		 struct wall now);

/* The first message was delivered, or is given up: what was told follows from it.
 * @thread the owner's */
void ledger_delivered(struct ledger *l, struct wall now);
void ledger_drop(struct ledger *l);

#endif
