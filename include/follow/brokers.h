/* SPDX-License-Identifier: MIT
 * brokers: the actor that asks Prometheus for the brokers' message rates (the section
 * `brokers:`), shows them on the board, and tells who asks whether they are too low. */
#ifndef MMLAG_FOLLOW_BROKERS_H
#define MMLAG_FOLLOW_BROKERS_H

#include "base/clock.h"
#include "base/wake.h"
#include "board/board.h"
#include "config/config.h"

enum brokers_state {
	BROKERS_UNKNOWN, /* not asked yet */
	BROKERS_OK,
	BROKERS_LOW,    /* the mean per broker is below min_rate */
	BROKERS_NODATA, /* no finite rate, or no answer that is one */
};

/* One entry of the configuration, as of its last answer. */
struct brokers_status {
	const struct config_broker *config; /* borrowed: min_rate, for_ms, name */
	enum brokers_state state;
	struct wall since;      /* the state is that, */
	struct mono since_mono; /* by our clock; a warning is due after for_ms of it */
	struct wall at;         /* of the last answer; 0 before the first one */
	double mean;            /* per broker; NAN not known */
	char message[256];      /* what is to be said, "" while OK */
};

struct brokers;

/* Both are borrowed and must outlive it; `board` may be NULL.
 * @thread main */
struct brokers *brokers_new(const struct config *c, struct board *board);
void brokers_free(struct brokers *b); /* NULL is legal */
struct wake *brokers_wake(struct brokers *b);

/* One turn; for actor_start. Blocks for at most one question to one server.
 * @thread brokers */
struct step brokers_step(void *self);

/* Copy the status of entry `i` of the configuration, from 0; false behind the last.
 * @thread any  @locks brokers */
bool brokers_look(struct brokers *b, size_t i, struct brokers_status *out);

/* "unknown", "ok", "low", "nodata".  @thread any */
const char *brokers_state_name(enum brokers_state s);

#endif
