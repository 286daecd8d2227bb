/* SPDX-License-Identifier: MIT
 * check_int: the parts of the command `check`. */
#ifndef MMLAG_CLI_CHECK_INT_H
#define MMLAG_CLI_CHECK_INT_H

#include <stdbool.h>

#include "config/config.h"
#include "elastic/elastic.h"

struct report {
	bool colour;
	int failures;
};

/* One line: what was looked at, how it is, what to do.  @thread main */
void say(struct report *r, enum finding_level level, const char *subject,
	 const char *text);

/* The state directory: usable, room in it, who works there.  @thread main */
void check_state(struct report *r, const struct config *c);

/* Threads and descriptors that the daemon will need against what is allowed. Looks at
 * the limits of this process, which may not be the service's.  @thread main */
void check_limits(struct report *r, const struct config *c);

#endif
