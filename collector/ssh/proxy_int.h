/* SPDX-License-Identifier: MIT
 * proxy: a child of ours that carries the bytes of one connection: OpenSSH's ssh with
 * -W through bastions, or a ProxyCommand. It has a socket of ours as stdin and stdout,
 * and a process group of its own; when we die without a word it reads end of file.
 * OpenSSH, not libssh2, walks through the bastions: it can do all that they may ask
 * for, and a session needs no second one to be pumped. */
#ifndef MMLAG_SSH_PROXY_INT_H
#define MMLAG_SSH_PROXY_INT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/proc.h"
#include "ssh/route_int.h"

struct ssh_wait;

struct proxy {
	struct proc *child; /* NULL: none */
	int words_fd;       /* its stderr, -1: none */
	struct buf words;   /* what it said last */
};

/* Does this route need one?  @thread any */
bool proxy_wanted(const struct route *r);

/* Start it; `*fd`, the caller's, is the connection (non-blocking). Reason
 * ssh_unreachable.
 * @thread tailer */
NODISCARD int proxy_open(struct proxy *p, const struct route *r, int *fd,
			 struct err *err);

/* Take in what it has said, so that it is never kept waiting.  @thread tailer */
void proxy_drain(struct proxy *p);

/* It closed the connection before an SSH server was heard: wait for its last words (at
 * most 1 s) and make them an error. `name` is the target's.
 * @thread tailer; blocks */
NODISCARD int proxy_failed(struct proxy *p, const char *name, const struct ssh_wait *w,
			   struct err *err);

/* End its process group. Legal on one that was never opened.  @thread tailer */
void proxy_close(struct proxy *p);

/* Append the command line, a word after the other, each with a NUL behind it. Exposed
 * for its test.
 * @thread any */
NODISCARD int proxy_command_line(const struct route *r, struct buf *out,
				 struct err *err);

#endif
