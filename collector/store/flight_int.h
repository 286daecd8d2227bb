/* SPDX-License-Identifier: MIT
 * flight: the documents that were taken and not yet settled, sorted by id. An entry is
 * marked inside a transaction and goes with its commit. Private to collector/store. */
#ifndef MMLAG_STORE_FLIGHT_INT_H
#define MMLAG_STORE_FLIGHT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct share;

struct flight {
	int64_t id, bytes;
	struct share *of; /* its topic's */
	bool marked;      /* goes with the commit */
	bool doubted;     /* was marked when the last commit failed */
	bool released;    /* is given back: gone for all but the memory it takes */
};

struct flights {
	struct flight *v;
	size_t n, cap;
};

/* @thread store */
void flights_fini(struct flights *f);

/* `id` must not be in it. Cheap when it is the largest.  @thread store */
void flights_add(struct flights *f, int64_t id, int64_t bytes, struct share *of);

/* The entry, unless it is marked or released; NULL when there is none.  @thread store
 */
struct flight *flights_find(struct flights *f, int64_t id);

/* Mark all entries up to `id`.  @thread store */
void flights_mark_through(struct flights *f, int64_t id);

/* The commit that was to let the marked ones go has failed: remember them. Did it stand
 * after all, they are marked again.  @thread store */
void flights_doubt(struct flights *f);
void flights_stood(struct flights *f);

/* Forget the marks, and with `gone` the marked entries too; released ones always go.
 * @thread store */
void flights_sweep(struct flights *f, bool gone);

#endif
