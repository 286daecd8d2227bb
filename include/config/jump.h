/* SPDX-License-Identifier: MIT
 * jump: the bastions of a `proxy_jump`, in the order in which they are passed:
 * [USER@]HOST[:PORT],… with IPv6 addresses in brackets, as ssh -J has them. */
#ifndef MMLAG_CONFIG_JUMP_H
#define MMLAG_CONFIG_JUMP_H

#include "base/err.h"

#define JUMP_HOPS_MAX 8

struct jump_hop {
	char user[65]; /* "" where none is given */
	char host[256];
	int port; /* 0 where none is given */
};

/* Read `text` into `hops`. Returns their number (0 for "none", which means to go
 * straight), or ERR_REJECT with what is wrong.
 * @thread any */
NODISCARD int jump_read(const char *text, struct jump_hop hops[JUMP_HOPS_MAX],
			struct err *err);

#endif
