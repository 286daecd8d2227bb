/* SPDX-License-Identifier: MIT
 * batch: documents on their way out of the store. */
#ifndef MMLAG_STORE_BATCH_H
#define MMLAG_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "document/document.h"

/* Documents taken for sending; all owned by the batch. */
struct store_batch {
	int64_t *rows; /* the store's names for them */
	struct document *documents;
	size_t n;
	bool backlog; /* of the range STORE_BACKLOG */
};

/* Free what it holds; it is empty afterwards.  @thread any */
void store_batch_fini(struct store_batch *b);

/* Which documents to take: NEW goes first, BACKLOG is what waited through a stop or an
 * outage. */
enum store_range { STORE_NEW, STORE_BACKLOG };

#endif
