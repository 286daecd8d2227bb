/* SPDX-License-Identifier: MIT
 * resolve: see resolve.h. */
#include "base/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/mem.h"

#include "banned.h"

#define STACK (256 * 1024)

/* A question to the resolver. The last of the two who hold it frees it. */
struct question {
	atomic_int holders;
	char *host, *service;
	int rc;
	struct addrinfo *answer;
	struct wake done; /* told to stop when the answer is there */
};

static void question_drop(struct question *q)
{
	if (atomic_fetch_sub(&q->holders, 1) > 1)
		return;
	if (q->answer != NULL)
		freeaddrinfo(q->answer);
	wake_fini(&q->done);
	free(q->host);
	free(q->service);
	free(q);
}

static int look_up(struct question *q, int flags)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				       .ai_flags = flags | AI_NUMERICSERV};

	return getaddrinfo(q->host, q->service, &hints, &q->answer);
}

static void *resolver(void *arg)
{
	struct question *q = arg;

	q->rc = look_up(q, AI_ADDRCONFIG);
	if (q->rc == EAI_NONAME) /* 127.0.0.1 by name, on a machine without a network */
		q->rc = look_up(q, 0);
	wake_stop(&q->done);
	question_drop(q);
	return NULL;
}

static int start(struct question *q)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	atomic_fetch_add(&q->holders, 1);
	rc = pthread_create(&thread, &attr, resolver, q);
	if (rc != 0)
		atomic_fetch_sub(&q->holders, 1);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* Until the answer is there. */
static int await(struct question *q, struct wake *w, struct mono deadline,
		 struct err *err)
{
	while (!wake_stopping(&q->done)) {
		if (wake_stopping(w))
			return err_set(err, ERR_AGAIN, "told to stop");
		if (!mono_before(clock_mono(), deadline))
			return err_set(err, ERR_RETRY, "the resolver does not answer");
		wake_wait(w, (struct step){q->done.fd, POLLIN, deadline, false});
	}
	return q->rc == 0 ? 0
			  : err_set(err, ERR_RETRY, "the name cannot be resolved: %s",
				    gai_strerror(q->rc));
}

int resolve_host(struct addrinfo **out, const char *host, const char *service,
		 struct wake *w, struct mono deadline, struct err *err)
{
	struct question *q = mem_calloc(1, sizeof(*q));
	int rc = 0;

	atomic_init(&q->holders, 1);
	q->host = mem_strdup(host);
	q->service = mem_strdup(service);
	if (wake_init(&q->done) != 0) {
		rc = err_set_errno(err, ERR_RETRY, errno, "no descriptor (ulimit -n)");
	} else if (look_up(q, AI_NUMERICHOST) != 0) {
		rc = start(q);
		rc = rc == 0 ? await(q, w, deadline, err)
			     : err_set_errno(err, ERR_RETRY, rc,
					     "no thread for the resolver");
	}
	if (rc == 0) {
		*out = q->answer;
		q->answer = NULL;
	}
	question_drop(q);
	return rc;
}
