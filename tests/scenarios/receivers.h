/* SPDX-License-Identifier: MIT
 * receivers: whoever is told of alerts in a scenario: every URL whose host ends with
 * ".receiver". What was accepted is kept. One thread. */
#ifndef MMLAG_SCENARIOS_RECEIVERS_H
#define MMLAG_SCENARIOS_RECEIVERS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "http/http.h"

/* `receiver NAME up|down|hang|reply STATUS [for N]`, `receiver NAME retry-after D`.
 * Returns 0, or -1 when it makes no sense. */
int receivers_command(char **words, size_t n);

/* Is this URL one of theirs? Then the exchange is for receivers_exchange. */
bool receivers_have(const char *url);
int receivers_exchange(const struct http_request *r, struct http_answer *a,
		       long timeout_ms, struct err *err);

/* What arrived, in order, as JSON: the body's members, and "receiver", "path",
 * "accepted" ("yes" or "no"), "alerts_firing", "alerts_resolved", "text" (the whole
 * body). */
size_t receivers_count(void);
const json_t *receivers_at(size_t i);

void receivers_fini(void);

#endif
