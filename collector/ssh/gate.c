/* SPDX-License-Identifier: MIT
 * gate: see gate_int.h. Hosts and logins are those of the configuration, so nothing is
 * ever taken out of the table. */
#include "ssh/gate_int.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/mem.h"
#include "lag/reason.h"

#include "banned.h"

#define RETRY_FIRST_MS 1000
#define RETRY_CAP_MS 60000
#define REFUSED_FIRST_MS 30000
#define REFUSED_CAP_MS 600000
#define PROVEN_MS 10000 /* for so long a success speaks for the next one */

/* Closed until a time, because of a failure. */
struct closed {
	struct mono until; /* 0: open */
	bool probing;      /* since then one has gone to look whether it is over */
	struct backoff backoff;
	struct err failure;
};

struct gate_login {
	struct gate_login *next;
	char *name;
	struct closed closed;
	struct mono proven_at; /* its last success; 0: none, or refused since */
};

struct gate_host {
	struct gate_host *next;
	char *name;
	int port;
	int in_flight, unproven; /* logins in all, and those that may be refused */
	struct mono owed_until;  /* refused ones are held against us */
	bool proven;             /* the last set-up that ended has succeeded */
	struct closed closed;
	const struct wake *finder; /* of the failure that closed it */
	struct gate_login *logins;
	struct gate_pass *queue;
};

struct gate {
	pthread_mutex_t lock;
	struct gate_host *hosts;
};

struct gate *gate_new(void)
{
	struct gate *g = mem_calloc(1, sizeof(*g));

	pthread_mutex_init(&g->lock, NULL);
	return g;
}

static void host_free(struct gate_host *h)
{
	while (h->logins != NULL) {
		struct gate_login *l = h->logins;

		h->logins = l->next;
		free(l->name);
		free(l);
	}
	free(h->name);
	free(h);
}

void gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	while (g->hosts != NULL) {
		struct gate_host *h = g->hosts;

		g->hosts = h->next;
		host_free(h);
	}
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static struct gate_host *find_host(struct gate *g, const char *name, int port)
{
	struct gate_host *h = g->hosts;

	while (h != NULL && (h->port != port || strcmp(h->name, name) != 0))
		h = h->next;
	if (h != NULL)
		return h;
	h = mem_calloc(1, sizeof(*h));
	h->name = mem_strdup(name);
	h->port = port;
	h->closed.backoff = (struct backoff)BACKOFF_INIT(RETRY_FIRST_MS, RETRY_CAP_MS);
	h->next = g->hosts;
	g->hosts = h;
	return h;
}

static struct gate_login *find_login(struct gate_host *h, const char *name)
{
	struct gate_login *l = h->logins;

	while (l != NULL && strcmp(l->name, name) != 0)
		l = l->next;
	if (l != NULL)
		return l;
	l = mem_calloc(1, sizeof(*l));
	l->name = mem_strdup(name);
	l->closed.backoff =
		(struct backoff)BACKOFF_INIT(REFUSED_FIRST_MS, REFUSED_CAP_MS);
	l->next = h->logins;
	h->logins = l;
	return l;
}

/* Of several that failed together, one counts. */
static void close_for(struct closed *c, const struct err *failure, struct mono now)
{
	if (mono_before(now, c->until) && !c->probing)
		return;
	c->probing = false;
	c->failure = *failure;
	c->until = mono_add_ms(now, backoff_next(&c->backoff));
}

static void open_again(struct closed *c)
{
	c->until.ns = 0;
	c->probing = false;
	backoff_reset(&c->backoff);
}

static bool is_closed(const struct closed *c, struct mono now)
{
	return c->probing || mono_before(now, c->until);
}

static void leave_queue(struct gate_pass *pass)
{
	struct gate_pass **p = &pass->host->queue;

	while (*p != NULL && *p != pass)
		p = &(*p)->next;
	if (*p != NULL)
		*p = pass->next;
}

static void wake_all(const struct gate_host *h)
{
	for (const struct gate_pass *p = h->queue; p != NULL; p = p->next)
		wake_signal(p->wake);
}

static int limit(const struct gate_host *h)
{
	return h->proven ? GATE_LIMIT : 1;
}

/* From when on one more may be risked. */
static struct mono calm_at(const struct gate_host *h)
{
	return mono_add_ms(h->owed_until, -GATE_RISK_MS);
}

static bool is_unproven(const struct gate_login *l, struct mono now)
{
	return l->proven_at.ns == 0 || mono_diff_ms(now, l->proven_at) >= PROVEN_MS;
}

/* Whose turn it is: one that must wait for others' refusals holds up nobody else. */
static struct gate_pass *next_to_go(const struct gate_host *h, struct mono now)
{
	struct gate_pass *p = h->queue;

	if (h->in_flight >= limit(h))
		return NULL;
	if (h->unproven > 0 || mono_before(now, calm_at(h)))
		while (p != NULL && is_unproven(p->login, now))
			p = p->next;
	return p;
}

static void wake_next(const struct gate_host *h, struct mono now)
{
	const struct gate_pass *p = next_to_go(h, now);

	if (p != NULL)
		wake_signal(p->wake);
}

/* The failure that `pass` has to be told now, or NULL. */
static const struct err *closed_for(const struct gate_pass *pass, struct mono now)
{
	const struct gate_host *h = pass->host;

	if (is_closed(&pass->login->closed, now))
		return &pass->login->closed.failure;
	if (is_closed(&h->closed, now) && pass->wake != h->finder)
		return &h->closed.failure;
	return NULL;
}

static int decide(struct gate_pass *pass, struct mono now, struct err *err)
{
	struct gate_host *h = pass->host;
	const struct err *failure = closed_for(pass, now);

	if (failure != NULL) {
		leave_queue(pass);
		wake_next(h, now);
		*err = *failure;
		return err->class;
	}
	pass->until = mono_before(now, calm_at(h)) ? calm_at(h) : MONO_NEVER;
	if (next_to_go(h, now) != pass)
		return ERR_AGAIN;
	leave_queue(pass);
	h->in_flight++;
	pass->unproven = is_unproven(pass->login, now);
	h->unproven += pass->unproven;
	h->closed.probing = h->closed.until.ns != 0;
	pass->login->closed.probing = pass->login->closed.until.ns != 0;
	wake_next(h, now);
	return 0;
}

int gate_ask(struct gate *g, struct gate_pass *pass, const char *host, int port,
	     const char *login, struct wake *wake, struct mono now, struct err *err)
{
	struct gate_pass **end;
	int rc;

	pthread_mutex_lock(&g->lock);
	pass->host = find_host(g, host, port);
	pass->login = find_login(pass->host, login);
	pass->wake = wake;
	pass->next = NULL;
	for (end = &pass->host->queue; *end != NULL; end = &(*end)->next)
		;
	*end = pass;
	rc = decide(pass, now, err);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

int gate_ask_again(struct gate *g, struct gate_pass *pass, struct mono now,
		   struct err *err)
{
	int rc;

	pthread_mutex_lock(&g->lock);
	rc = decide(pass, now, err);
	pthread_mutex_unlock(&g->lock);
	return rc;
}

void gate_give_up(struct gate *g, struct gate_pass *pass)
{
	pthread_mutex_lock(&g->lock);
	leave_queue(pass);
	wake_all(pass->host);
	pthread_mutex_unlock(&g->lock);
}

static void note(struct gate_pass *pass, const struct err *failure, struct mono now)
{
	struct gate_host *h = pass->host;

	if (failure == NULL) {
		h->proven = true;
		open_again(&h->closed);
		open_again(&pass->login->closed);
		pass->login->proven_at = now;
	} else if (failure->class == ERR_PERMANENT) {
		/* The host is there; what is wrong is between it and this login. */
		open_again(&h->closed);
		close_for(&pass->login->closed, failure, now);
		pass->login->proven_at.ns = 0;
		if (failure->code == REASON_SSH_AUTH)
			h->owed_until = mono_add_ms(mono_before(h->owed_until, now)
							    ? now
							    : h->owed_until,
						    GATE_OWED_MS);
	} else if (failure->class == ERR_AGAIN) {
		h->closed.probing = pass->login->closed.probing = false;
	} else {
		pass->login->closed.probing = false;
		h->proven = false;
		h->finder = pass->wake;
		close_for(&h->closed, failure, now);
	}
}

void gate_leave(struct gate *g, struct gate_pass *pass, const struct err *failure,
		struct mono now)
{
	struct gate_host *h = pass->host;

	pthread_mutex_lock(&g->lock);
	h->in_flight--;
	h->unproven -= pass->unproven;
	note(pass, failure, now);
	if (failure == NULL || failure->class == ERR_AGAIN)
		wake_next(h, now);
	else
		wake_all(h);
	pthread_mutex_unlock(&g->lock);
}

int gate_enter(struct gate *g, struct gate_pass *pass, const char *host, int port,
	       const char *login, struct wake *wake, struct err *err)
{
	struct mono now = clock_mono();
	struct mono patience = mono_add_ms(now, GATE_PATIENCE_MS);
	int rc = gate_ask(g, pass, host, port, login, wake, now, err);

	while (rc == ERR_AGAIN) {
		if (wake_stopping(wake)) {
			gate_give_up(g, pass);
			return err_set(err, ERR_AGAIN, "told to stop");
		}
		if (!mono_before(clock_mono(), patience)) {
			gate_give_up(g, pass);
			return err_set_code(
				err, ERR_RETRY, REASON_SSH_BUSY,
				"%s:%d: waited %d s for others that log in there", host,
				port, GATE_PATIENCE_MS / 1000);
		}
		wake_wait(wake, STEP_UNTIL(mono_min(patience, pass->until)));
		rc = gate_ask_again(g, pass, clock_mono(), err);
	}
	return rc;
}
