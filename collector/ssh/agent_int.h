/* SPDX-License-Identifier: MIT
 * agent: an ssh-agent asked to sign. The user's own one ($SSH_AUTH_SOCK), or a private
 * one that OpenSSH decrypts a key for, where libssh2 cannot: started for one log-in,
 * reachable by nobody else, killed with it; nothing of it stays on disk. */
#ifndef MMLAG_SSH_AGENT_INT_H
#define MMLAG_SSH_AGENT_INT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/proc.h"
#include "ssh/keyfile_int.h"
#include "ssh/ssh_int.h"
#include "ssh/wire_int.h"

struct agent {
	int fd;
	struct ssh_wait wait;
	struct proc *own; /* of a private one */
	struct buf list;  /* the answer that identities point into */
};

/* Connect to the user's agent. ERR_PERMANENT with reason ssh_auth; ERR_AGAIN for a
 * stop.
 * @thread tailer; blocks */
NODISCARD int agent_open(struct agent *a, const struct ssh_wait *w, struct err *err);

/* Start one that holds the key `k`, which is encrypted.  @thread tailer; blocks */
NODISCARD int agent_open_private(struct agent *a, const struct keyfile *k,
				 const struct ssh_wait *w, struct err *err);

/* Legal after a failed open.  @thread tailer */
void agent_close(struct agent *a);

/* The public keys it holds, at most `max` of them; they live until agent_close. Returns
 * how many, or a negative class.  @thread tailer; blocks */
int agent_keys(struct agent *a, struct span *blobs, int max, struct err *err);

/* Append the raw signature of `data`; `algorithm` is what it is for ("rsa-sha2-512",
 * …).  @thread tailer; blocks */
NODISCARD int agent_sign(struct agent *a, struct span blob, struct span algorithm,
			 struct span data, struct buf *out, struct err *err);

#endif
