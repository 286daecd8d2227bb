/* SPDX-License-Identifier: MIT
 * notify: sends a message to one receiver of the configuration. Secrets (URLs, keys)
 * are files and read for each message, so that a changed one is used at once; none
 * stands in an error or in what is told of a request. Never logs. */
#ifndef MMLAG_NOTIFY_NOTIFY_H
#define MMLAG_NOTIFY_NOTIFY_H

#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"
#include "notify/message.h"

struct notify;

/* `r` is borrowed; `wake` (may be NULL) stops a running exchange. Reads the template.
 * @thread any; each belongs to one */
NODISCARD int notify_open(struct notify **out, const struct config_receiver *r,
			  struct wake *wake, struct err *err);
void notify_close(struct notify *n); /* NULL is legal */

/* How many places one message goes to: every Alertmanager, one for the others.
 * @thread the owner's */
size_t notify_places(const struct notify *n);

/* Does it take one alert a message?  @thread the owner's */
bool notify_is_single(const struct notify *n);

/* Is it to be told again and again what fires (an Alertmanager), instead of once?
 * @thread the owner's */
bool notify_is_steady(const struct notify *n);

/* What became of a message, for people and for the next try. */
struct notify_answer {
	char request[256]; /* "POST http://am1:9093/api/v2/alerts" without secrets */
	int status;        /* of HTTP, or the exit code; 0: none */
	char text[512];    /* beginning of what was answered, one line */
	int64_t retry_ms;  /* wish of the receiver, -1 none */
};

/* Send to place number `place`. The message's template and receiver are filled in here.
 * Returns 0; ERR_RETRY to try again later; ERR_REJECT when this message will never be
 * taken. `a` is filled in in every case.
 * @thread the owner's; blocks for at most the receiver's timeout */
NODISCARD int notify_send(struct notify *n, size_t place, const struct message *m,
			  struct notify_answer *a, struct err *err);

/* Is anybody there, without telling anything: an HTTP server that answers whatever it
 * be, a mail server that lets us in, a program that may be run. Returns 0 with what was
 * seen in `a`, or ERR_RETRY.
 * @thread the owner's; blocks for at most the receiver's timeout */
NODISCARD int notify_reach(struct notify *n, size_t place, struct notify_answer *a,
			   struct err *err);

/* A made-up alert that says that it is a test; the caller ends it with alert_fini.
 * @thread any */
struct alert notify_test_alert(struct wall now);

#endif
