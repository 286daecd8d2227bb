/* SPDX-License-Identifier: MIT
 * shipper: the actor that carries documents from the store to Elasticsearch and tells
 * the store what became of each. New documents go first; what waited through an outage
 * follows in chunks, with a rest after each as long as its request took. Single
 * documents that the server tells to send again wait apart and hold up nobody. */
#ifndef MMLAG_SHIP_SHIPPER_H
#define MMLAG_SHIP_SHIPPER_H

#include "base/err.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"
#include "store/store.h"

struct shipper;

/* `c`, `store` and `board`, which may be NULL, are borrowed.  @thread main */
NODISCARD int shipper_new(struct shipper **out, const struct config_elastic *c,
			  struct store *store, struct board *board, struct err *err);
void shipper_free(struct shipper *s); /* after its thread has ended */

struct wake *shipper_wake(struct shipper *s);

/* From now on the shipper ends by itself as soon as nothing is left to send, or at the
 * first failure. (A stop of its wake ends it at once, in the middle of a request.)
 * @thread main */
void shipper_drain(struct shipper *s);

/* One turn; for actor_start.  @thread shipper */
struct step shipper_step(void *self);

#endif
