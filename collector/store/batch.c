/* SPDX-License-Identifier: MIT
 * batch: see batch.h. */
#include "store/batch.h"

#include <stdlib.h>

#include "banned.h"

void store_batch_fini(struct store_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		document_fini(&b->documents[i]);
	free(b->rows);
	free(b->documents);
	*b = (struct store_batch){.rows = NULL};
}
