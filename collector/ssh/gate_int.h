/* SPDX-License-Identifier: MIT
 * gate: who may set up a connection to which host, and when. One table for the process.
 * - At most four set-ups in flight a host; one alone as long as none has succeeded
 * since the last failure (a probe). Others wait their turn, in order.
 * - A failure that may pass closes the host for 1 s, doubling to 60 s, for all but the
 *   one that found it, which has a pause of its own.
 * - A failure that an operator must mend (login or host key refused) closes the host
 * for all with the same login for 30 s, doubling to 10 min: sshd shuts out an address
 * that fails too often, with good keys too. While it is closed, everybody is told the
 * failure at once.
 * - A login that has not succeeded within 10 s may be such a failure: of those one goes
 *   at a time, and none while what sshd holds against us (PerSourcePenalties: 5 s for
 *   each refused one, shut out from 15 s on) would come near its limit by one more. */
#ifndef MMLAG_SSH_GATE_INT_H
#define MMLAG_SSH_GATE_INT_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"

#define GATE_LIMIT 4
#define GATE_PATIENCE_MS 60000 /* for one's turn */
#define GATE_OWED_MS 6000      /* that a refused login is held against us */
#define GATE_RISK_MS 8000      /* owing more, none may risk another */

struct gate;
struct gate_host;

/* One set-up that waits or is in flight; the caller's, in its place until it is over.
 */
struct gate_pass {
	struct gate_host *host;
	struct gate_login *login;
	struct wake *wake;
	struct gate_pass *next; /* behind us in the queue */
	bool unproven;          /* went as one */
	struct mono until;      /* behind ERR_AGAIN: to ask again without a wake */
};

/* @thread any */
struct gate *gate_new(void);
void gate_free(struct gate *g); /* NULL is legal; nobody may wait or be in flight */

/* Ask without waiting, and take a place in the queue. `login` names whatever makes one
 * log-in different from another on the host. Returns 0: go; ERR_AGAIN: not yet, wait
 * for the wake or `until`, and call gate_ask_again; or a class with the failure that
 * closed the host.
 * @thread any  @locks the gate's, a leaf */
NODISCARD int gate_ask(struct gate *g, struct gate_pass *pass, const char *host,
		       int port, const char *login, struct wake *wake, struct mono now,
		       struct err *err);
NODISCARD int gate_ask_again(struct gate *g, struct gate_pass *pass, struct mono now,
			     struct err *err);

/* Leave the queue without having gone.  @thread any  @locks the gate's */
void gate_give_up(struct gate *g, struct gate_pass *pass);

/* The set-up is over: `failure` NULL for success; of class ERR_AGAIN (told to stop) it
 * says nothing about the host.  @thread any  @locks the gate's */
void gate_leave(struct gate *g, struct gate_pass *pass, const struct err *failure,
		struct mono now);

/* gate_ask with the wait, at most GATE_PATIENCE_MS (then ERR_RETRY, ssh_busy).
 * ERR_AGAIN when `wake` is told to stop.  @thread any; blocks */
NODISCARD int gate_enter(struct gate *g, struct gate_pass *pass, const char *host,
			 int port, const char *login, struct wake *wake,
			 struct err *err);

#endif
