/* SPDX-License-Identifier: MIT
 * proc: child processes; the only place that starts any. A child has a process group of
 * its own, an empty signal mask, default signal actions, and no descriptor of ours but
 * the three it is given. Nothing passes through a shell. */
#ifndef MMLAG_BASE_PROC_H
#define MMLAG_BASE_PROC_H

#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"

struct proc_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const
		*env; /* NAME=VALUE to set on top of our environment; or NULL */
};

struct proc_result {
	int exit_code; /* 128 + N after signal N, as a shell would have it */
	bool cut;      /* it wrote more than the buffers hold; the rest was dropped */
};

/* Run a child to its end. It reads `input` (may be NULL) and then end of file; what it
 * writes goes into `out` and `errout` (either may be NULL) up to their maxima. At the
 * deadline, or when `wake` (may be NULL) is told to stop, its process group is killed;
 * so is what it leaves behind in its group when it ends.
 * Returns 0 however it exited; ERR_PERMANENT when it cannot be started, ERR_RETRY at
 * the deadline or without resources, ERR_AGAIN for a stop.
 * @thread any; blocks */
NODISCARD int proc_run(const struct proc_spec *spec, const void *input,
		       size_t input_len, struct mono deadline, struct wake *wake,
		       struct buf *out, struct buf *errout, struct proc_result *result,
		       struct err *err);

struct proc; /* a child that runs beside us */

/* Start one with these descriptors as its 0, 1 and 2 (-1: /dev/null). They stay the
 * caller's.
 * @thread any */
NODISCARD int proc_start(struct proc **out, const struct proc_spec *spec,
			 const int fds[3], struct err *err);

/* Kill its process group and reap it. NULL is legal.  @thread the owner's */
void proc_end(struct proc *p);

#endif
