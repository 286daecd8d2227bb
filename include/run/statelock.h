/* SPDX-License-Identifier: MIT
 * statelock: one process at a time works in a state directory. */
#ifndef MMLAG_RUN_STATELOCK_H
#define MMLAG_RUN_STATELOCK_H

#include "base/err.h"

/* Make the directory (0700) where it is absent, and lock it. Returns the descriptor
 * that holds the lock (close it to let go), or a negative class; ERR_AGAIN when another
 * process, whose id is in the text, has it.
 * @thread main */
NODISCARD int statelock_take(const char *dir, struct err *err);

/* Look whether `*fd` is the directory's lock still. Where somebody removed or replaced
 * that, the directory is made and locked anew. Returns 0; 1 with another `*fd`; or a
 * negative class, as statelock_take, with `*fd` as it was.
 * @thread main */
NODISCARD int statelock_renew(const char *dir, int *fd, struct err *err);

/* The process that works in it, 0 for none, -1 for one that cannot be told. Makes and
 * changes nothing.
 * @thread any */
long statelock_holder(const char *dir);

#endif
