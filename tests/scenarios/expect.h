/* SPDX-License-Identifier: MIT
 * expect: what a scenario says must be so. Looks at the fakes, the metrics, the store's
 * state and the log, and changes nothing. */
#ifndef MMLAG_SCENARIOS_EXPECT_H
#define MMLAG_SCENARIOS_EXPECT_H

#include <stddef.h>

#include "base/buf.h"

/* `expect WORDS…`. Returns 0 when it is so, 1 when not, with what was seen in `seen`,
 * -1 when it makes no sense. */
int expect_check(char **words, size_t n, struct buf *seen);

/* The accounts: every sample taken is indexed, a duplicate, rejected, evicted, expired,
 * or waits. Returns as expect_check. Nobody can know after a kill. */
int expect_accounts(struct buf *seen);

#endif
