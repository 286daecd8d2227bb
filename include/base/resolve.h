/* SPDX-License-Identifier: MIT
 * resolve: a name to addresses. The resolver of libc cannot be interrupted, so it runs
 * in a thread of its own, which is left behind when nobody waits any longer. */
#ifndef MMLAG_BASE_RESOLVE_H
#define MMLAG_BASE_RESOLVE_H

#include "base/clock.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/wake.h"

struct addrinfo;

/* The stream addresses of `host` and the port number `service` into *out, to be let go
 * with freeaddrinfo. Numbers need no resolver. Returns 0, ERR_AGAIN when `w` is told to
 * stop, or ERR_RETRY: the name is not known, or nobody answers before `deadline`.
 * @thread w's */
NODISCARD int resolve_host(struct addrinfo **out, const char *host, const char *service,
			   struct wake *w, struct mono deadline, struct err *err);

#endif
