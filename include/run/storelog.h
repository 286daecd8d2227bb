/* SPDX-License-Identifier: MIT
 * storelog: what the log is told of the store, once each. */
#ifndef MMLAG_RUN_STORELOG_H
#define MMLAG_RUN_STORELOG_H

#include "store/store.h"

/* Say what befell the store since `seen`, and that it is over; `seen` becomes what is
 * now.  @thread main */
void storelog_changes(struct store_status *seen, struct store *store);

/* Say what has become of what waited at the end.  @thread main */
void storelog_end(const struct store_status *seen, const struct store_end *end,
		  const char *state_dir);

#endif
