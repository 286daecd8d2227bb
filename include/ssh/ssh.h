/* SPDX-License-Identifier: MIT
 * ssh: one connection to a host and one remote command on it, through libssh2. A
 * session and all that hangs on it belong to one thread. Setting up blocks, bounded by
 * time-outs; streaming never does. Never logs.
 * On failure err.code is an enum reason (lag/reason.h). */
#ifndef MMLAG_SSH_SSH_H
#define MMLAG_SSH_SSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"

/* libssh2_init, SIGPIPE ignored, the table of hosts; once, before any thread.
 * @thread main */
NODISCARD int ssh_global_init(struct err *err);
void ssh_global_fini(void);

struct ssh; /* a connected, authenticated session, with at most one remote command */

/* Connect, check the host key before anything secret is sent, log in, and start
 * `command` (one exec request, no pty; ssh/remote makes one). Waits its turn at the
 * host's gate (at most four set-ups in flight a host); while the gate is closed after a
 * failure, that failure is returned at once. `t` is borrowed for the call: host, port,
 * user, key_file, passphrase_file, agent, known_hosts, host_key, host_key_pin,
 * proxy_jump, ssh_config and watchdog_ms are used. Through a bastion or a ProxyCommand
 * a child of ours carries the bytes; it ends with the session. A stop of `wake` ends it
 * early with ERR_AGAIN; other signals are passed on to the owner's next wake_wait.
 * ERR_RETRY: try again later; ERR_PERMANENT: an operator has to act (slowly on).
 * @thread tailer; blocks at most about 60 s for its turn, and as long in all phases of
 * the set-up (10 s to connect, 25 s through a proxy; 15 s each for keys, log-in,
 * command) */
NODISCARD int ssh_open(struct ssh **out, const struct config_topic *t,
		       const char *command, struct wake *wake, struct err *err);

/* A planned end: EOF to the remote watchdog, then close; waits at most 500 ms. On a
 * session that failed or ended it closes at once. NULL is legal.
 * @thread tailer */
void ssh_close(struct ssh *s);

/* What ssh_step found. */
enum ssh_event {
	SSH_WAIT,  /* nothing more now: poll ssh_poll's descriptor */
	SSH_DATA,  /* stdout bytes are in `data`; call again */
	SSH_ENDED, /* the remote command has ended; ssh_exit_code tells how */
	SSH_FAILED /* the link is lost; `err` says how */
};

/* One turn: send the heartbeat where it is due (every 1.5 s, one newline on the remote
 * stdin), drain stderr into a ring, read stdout into the session's own buffer. A host
 * that was silent for t->watchdog_ms is asked for a sign, at 0.13 ms of CPU; with none
 * for twice as long after that, the link is lost, whatever TCP says of it.
 * `read_stdout` false leaves stdout where it is (the reader is not keeping up) while
 * heartbeats go on. `data` and `len` mean something after SSH_DATA only.
 * @thread tailer */
enum ssh_event ssh_step(struct ssh *s, struct mono now, bool read_stdout,
			const char **data, size_t *len, struct err *err);

/* What to wait for after SSH_WAIT: descriptor, poll events and the next heartbeat.
 * @thread tailer */
struct step ssh_poll(const struct ssh *s, struct mono now);

/* Of an ended command; -1 when it gave none (killed by a signal, connection closed).
 * @thread tailer */
int ssh_exit_code(const struct ssh *s);

/* The last bytes of stderr since the previous ssh_stderr_reset (at most 16 KiB), a
 * string that lives until the next step.
 * @thread tailer */
const char *ssh_stderr(const struct ssh *s, size_t *len);
void ssh_stderr_reset(struct ssh *s);

/* The fingerprint that the host showed, "SHA256:…"; "" before.  @thread tailer */
const char *ssh_fingerprint(const struct ssh *s);

#endif
