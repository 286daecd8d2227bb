/* SPDX-License-Identifier: MIT
 * notify: a test alert to receivers, and what they answered. */
#ifndef MMLAG_CLI_NOTIFY_H
#define MMLAG_CLI_NOTIFY_H

#include <stdbool.h>

#include "config/config.h"

/* What one place of one receiver did with the test: the request, the answer, and where
 * it failed, why. All live for the call.  @thread the caller's */
typedef void notify_say(void *arg, const struct config_receiver *r, bool ok,
			const char *request, int status, const char *answer,
			const char *why);

/* Send a test to every receiver, or to the one named `only` (NULL: all), and its end to
 * those that would keep it open. libcurl must be ready (http_global_init). Returns how
 * many places failed; -1 when no receiver has that name.
 * @thread main; blocks */
int notify_test(const struct config *c, const char *only, notify_say *say, void *arg);

/* Look whether the receivers can be reached, without telling them anything.
 * @thread main; blocks */
void notify_check(const struct config *c, notify_say *say, void *arg);

#endif
