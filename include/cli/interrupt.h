/* SPDX-License-Identifier: MIT
 * interrupt: signals of a command that a person watches. SIGINT, SIGTERM and SIGHUP
 * stop its wake; for one with a screen, a new window size and the way to and from the
 * background wake it. SIGPIPE is ignored. One at a time in a process. */
#ifndef MMLAG_CLI_INTERRUPT_H
#define MMLAG_CLI_INTERRUPT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/wake.h"

/* @thread main */
NODISCARD int interrupt_init(struct wake *wake, bool screen, struct err *err);
void interrupt_fini(struct wake *wake);

/* Did the window change, did we come from the background, since the last call?
 * @thread main */
bool interrupt_resized(void);
bool interrupt_continued(void);

/* Is Ctrl-Z to be heeded? Forgets it.  @thread main */
bool interrupt_suspended(void);

#endif
