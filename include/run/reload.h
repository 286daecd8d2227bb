/* SPDX-License-Identifier: MIT
 * reload: the configuration read anew while the program runs. Here it is judged; the
 * daemon applies it. */
#ifndef MMLAG_RUN_RELOAD_H
#define MMLAG_RUN_RELOAD_H

#include <stdbool.h>

#include "base/err.h"
#include "config/config.h"

/* Read and check the file of `old` again, the files that it names too. What is found is
 * logged with its place, and what would need a restart. Returns 0 and *out, the
 * caller's reference; or ERR_PERMANENT, and nothing may change.
 * @thread main */
NODISCARD int reload_read(struct config **out, const struct config *old,
			  struct err *err);

/* Does a section of the file ("elasticsearch") say the same in both?  @thread any */
bool reload_same(const struct config *a, const struct config *b, const char *section);

#endif
