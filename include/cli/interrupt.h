/* SPDX-License-Identifier: MIT
 * interrupt: commands that go on until somebody ends them. */
#ifndef MMLAG_CLI_INTERRUPT_H
#define MMLAG_CLI_INTERRUPT_H

#include "base/wake.h"

/* SIGINT and SIGTERM stop the owner of `w` from now on, which lives as long as the
 * process; a second one ends it at once.
 * @thread main */
void interrupt_stops(struct wake *w);

#endif
