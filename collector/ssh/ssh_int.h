/* SPDX-License-Identifier: MIT
 * ssh_int: what the parts of a session share: the set-up in its order (connect, kexinit
 * for the reader of errors, hostkey, auth), and the wait that all of it does. */
#ifndef MMLAG_SSH_SSH_INT_H
#define MMLAG_SSH_SSH_INT_H

#include <stdbool.h>
#include <stddef.h>

#include <libssh2.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"
#include "ssh/proxy_int.h"
#include "ssh/route_int.h"
#include "ssh/wire_int.h"

/* How long one phase of the set-up may take, and what ends it early. */
struct ssh_wait {
	struct wake *wake;
	struct mono deadline;
};

/* Until `fd` has one of `events`: 0, ERR_AGAIN (told to stop) or ERR_RETRY (deadline).
 * @thread tailer; blocks */
NODISCARD int ssh_wait_fd(const struct ssh_wait *w, int fd, short events);

/* A TCP connection, each address of the name in turn. Non-blocking, with heartbeat
 * options: unacknowledged data ends it after `dead_ms`. Reason ssh_unreachable.
 * @thread tailer; blocks */
NODISCARD int connect_host(const char *host, int port, int64_t dead_ms,
			   const struct ssh_wait *w, int *fd, struct err *err);

/* Wait for the first bytes and look at them without taking them: a server that is busy
 * or has shut us out says so in clear text, or closes. Reason ssh_busy.
 * @thread tailer; blocks */
NODISCARD int connect_greeting(const char *name, int fd, const struct ssh_wait *w,
			       struct err *err);

/* What a server offers, out of the first bytes that it sent (they are clear text). */
struct kexinit {
	struct span kex, hostkey, cipher, mac;
};

/* Returns 0, or -1 when the bytes hold none.  @thread any */
int kexinit_read(const struct buf *bytes, struct kexinit *k);

/* The link as the library's receive callback sees it. During the set-up the callback
 * itself waits, so that a blocking call of the library ends at our deadline or stop. */
struct link {
	LIBSSH2_SESSION *session;
	int fd;
	struct proxy proxy; /* carries the bytes of fd, where there is one */
	char name[128];     /* host:port, for messages */
	bool waits;         /* set-up */
	struct ssh_wait wait;
	int wait_failed;   /* class, when the wait ended without bytes */
	bool closed;       /* by the server */
	int receive_errno; /* 0: none */
	bool heard;        /* something came; taken back by whoever has noted it */
	/* While streaming: bytes that may still be taken in. Left alone, the library
	 * goes on reading as long as anything comes, and a flood of small packets would
	 * keep it from returning until the far end misses our heartbeats. */
	size_t budget;
	struct buf first_bytes; /* up to its maximum; freed after the key exchange */
};

/* Connect, exchange keys, check the host key; on success l->session is ready for auth.
 * `l` is initialised here and is to be given to link_close in any case.
 * @thread tailer; blocks */
NODISCARD int link_open(struct link *l, const struct route *r, struct wake *wake,
			struct err *err);

/* At once: no farewell, nothing waited for.  @thread tailer */
void link_close(struct link *l);

/* Give back memory that only the set-up needed.  @thread tailer */
void link_slim(struct link *l);

/* How long what follows may take.  @thread tailer */
void link_limit(struct link *l, int64_t ms);

/* The fingerprint of the key that the host has shown.  @thread tailer */
void link_fingerprint(const struct link *l, char out[FINGERPRINT_TEXT]);

/* The class and text for a libssh2 call that failed in a phase ("key exchange"). A
 * stop, the deadline, and a lost connection are told apart by what the link saw.
 * @thread tailer */
int link_error(const struct link *l, const char *phase, struct err *err);

/* Log in. Reason ssh_auth where the host or key is at fault.  @thread tailer; blocks */
NODISCARD int auth_login(struct link *l, const struct config_topic *t, struct err *err);

#endif
