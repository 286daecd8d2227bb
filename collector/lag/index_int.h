/* SPDX-License-Identifier: MIT
 * index: finds the entries of an array by a hash of their names, so that a table of a
 * hundred thousand topics is read in one go. The owner of the array compares names. */
#ifndef MMLAG_LAG_INDEX_INT_H
#define MMLAG_LAG_INDEX_INT_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE UINT32_MAX

struct index {
	struct {
		uint64_t hash;
		uint32_t next; /* in the same bucket */
	} * link;              /* one for each entry */
	uint32_t *bucket;
	size_t n, buckets;
};

/* The array got one more entry. Never more than INDEX_NONE.  @thread the owner's */
void index_add(struct index *x, uint64_t hash);

/* The first entry with this hash, and the next one behind entry `i`; INDEX_NONE when
 * there is none.  @thread the owner's */
uint32_t index_first(const struct index *x, uint64_t hash);
uint32_t index_next(const struct index *x, uint32_t i);

/* Legal on a zeroed struct.  @thread the owner's */
void index_fini(struct index *x);

#endif
