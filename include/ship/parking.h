/* SPDX-License-Identifier: MIT
 * parking: documents that a server told to send again while it takes others. Their rows
 * stay in flight in the store, so that they stand in nobody's way, until their time
 * comes: exponential backoff for each, in the order of due times. A row that was
 * released is remembered until its fate is known, so that its next wait is longer.
 * Pure: no lock, no clock; belongs to one thread. */
#ifndef MMLAG_SHIP_PARKING_H
#define MMLAG_SHIP_PARKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "document/bulk.h"

/* Rows; well below what the store lets be in flight. */
#define PARKING_MAX 32768

struct parking_row {
	int64_t row;
	struct mono due;
	short attempts, status; /* status: the last one that an answer gave */
	bool released;          /* back in the store, its fate is not known yet */
};

/* Zeroed is empty. */
struct parking {
	struct parking_row *v; /* in order of rows */
	size_t n, cap;
	size_t released; /* of the n */
};

void parking_fini(struct parking *p); /* @thread the owner's */

/* Rows that wait here, those released left out.  @thread the owner's */
size_t parking_waiting(const struct parking *p);

/* Is there room for `n` rows more?  @thread the owner's */
bool parking_has_room(const struct parking *p, size_t n);

/* Was this row sent before?  @thread the owner's */
bool parking_knows(const struct parking *p, int64_t row);

/* A row is to be sent again: due after its pace (1 s doubling to 60 s with jitter, from
 * 30 s on where an operator has to act), or after `wish_ms` where that is longer. There
 * must be room.  @thread the owner's */
void parking_add(struct parking *p, int64_t row, const struct bulk_item *v,
		 int64_t wish_ms, struct mono now);

/* The fate of a row is known; true when it had been here.  @thread the owner's */
bool parking_forget(struct parking *p, int64_t row);

/* Up to `max` rows that are due, the one due first first, less those released before
 * whose fate is open. They and what to tell the store of them are written to rows[max]
 * and verdicts[max]. Returns how many.  @thread the owner's */
size_t parking_release(struct parking *p, struct mono now, size_t max, int64_t *rows,
		       struct bulk_item *verdicts);

/* Any row that waits, due or not, taken out for good: false when there is none.
 * @thread the owner's */
bool parking_take(struct parking *p, int64_t *row, struct bulk_item *verdict);

#endif
