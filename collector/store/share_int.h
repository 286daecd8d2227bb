/* SPDX-License-Identifier: MIT
 * share: what each topic has of the documents that wait, in bytes, so that one that
 * floods the spool loses its own first. The file keeps nothing of it: documents found
 * at the start are counted when the spool has become half full, by a walk in the order
 * of their ids; what comes and goes is kept up. Private to collector/store. */
#ifndef MMLAG_STORE_SHARE_INT_H
#define MMLAG_STORE_SHARE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct share {
	char *topic; /* "" for none */
	int64_t bytes, committed;
	int64_t from; /* none of its documents has an id below that */
};

struct shares {
	struct share **v; /* by topic; an entry stays until the end */
	size_t n, cap;
	int64_t total, walked; /* documents with ids up to `walked` are counted */
	int64_t committed, committed_walked;
};

/* @thread store */
void shares_fini(struct shares *s);

/* Begin anew: nothing is counted, or (`empty`) there is nothing to count.
 * @thread store */
void shares_reset(struct shares *s, bool empty);

/* The entry of a topic (NULL: ""), made where it is new.  @thread store */
struct share *shares_of(struct shares *s, const char *topic);

/* Document `id` comes with so many bytes, or goes with them, negative.  @thread store
 */
void shares_count(struct shares *s, struct share *of, int64_t id, int64_t bytes);

/* The walk has come to `id`, with so many bytes; INT64_MAX: to the end.
 * @thread store */
void shares_walk(struct shares *s, struct share *of, int64_t id, int64_t bytes);

/* Is every document counted?  @thread store */
bool shares_known(const struct shares *s);

/* The topic that has most, where that is more than twice an equal share (of three
 * topics at least), and how many bytes of it too many; else, or when it is not known,
 * NULL.
 * @thread store */
struct share *shares_heavy(const struct shares *s, int64_t *excess);

/* What was counted since the last one stands, or is void.  @thread store */
void shares_commit(struct shares *s);
void shares_rollback(struct shares *s);

#endif
