/* SPDX-License-Identifier: MIT
 * sshd: a real OpenSSH server on a loopback port, as the current user, with everything
 * in a temporary directory. Included as source (support/sshd.c) by tests that need it.
 */
#ifndef MMLAG_TESTS_SUPPORT_SSHD_H
#define MMLAG_TESTS_SUPPORT_SSHD_H

#include "base/proc.h"

struct sshd {
	char dir[64]; /* keys, host keys, authorized_keys */
	int port;
	struct proc *proc;
	int log; /* its stderr */
};

/* Why no sshd can be run here, or NULL. */
const char *sshd_missing(void);

/* A socket that listens on loopback, and its port. */
int listen_somewhere(int *port);

/* Make the directory with host keys; other files are the test's own. */
void sshd_make_dir(struct sshd *s);

/* Start it, with lines of configuration in front of ours; back when it listens. Fails
 * the test otherwise. */
void sshd_start(struct sshd *s, const char *config);

/* Kill it and its connections. */
void sshd_stop(struct sshd *s);
void sshd_remove_dir(struct sshd *s);

/* Run a shell script in the directory; fails the test when it fails. What it prints is
 * appended to `out` unless that is NULL. */
void sshd_script(struct sshd *s, const char *script, struct buf *out);

#endif
