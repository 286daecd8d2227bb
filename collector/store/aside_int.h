/* SPDX-License-Identifier: MIT
 * aside: a database that cannot be used is renamed, with all that belongs to it, never
 * removed and never written over. Private to collector/store. */
#ifndef MMLAG_STORE_ASIDE_INT_H
#define MMLAG_STORE_ASIDE_INT_H

#include <stddef.h>

#include "base/err.h"

/* Why the files at `path` must not even be opened (SQLite would take an empty file for
 * a new database and remove the log beside it), as a word for aside_rename; NULL when
 * nothing speaks against it.
 * @thread store */
const char *aside_look(const char *path);

/* Rename `path` and what lies beside it (-wal, -shm, -journal) to
 * `path`.aside-<UTC time>-<why>. The new name, without directories, goes to `name`. No
 * connection may be open.
 * @thread store */
NODISCARD int aside_rename(const char *path, const char *why, char *name, size_t size,
			   struct err *err);

#endif
