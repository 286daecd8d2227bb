/* SPDX-License-Identifier: MIT */
#include "base/actor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "banned.h"

#define STACK_BYTES (256 * 1024)

static void *loop(void *arg)
{
	struct actor *a = arg;

	for (;;) {
		struct step s = a->step(a->self);

		if (s.done)
			break;
		wake_wait(a->wake, s);
	}
	atomic_store(&a->ended, true);
	if (a->parent != NULL)
		wake_signal(a->parent);
	return NULL;
}

int actor_start(struct actor *a, const char *name, struct step (*step)(void *),
		void *self, struct wake *wake, struct wake *parent, struct err *err)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int rc;

	snprintf(a->name, sizeof(a->name), "%s", name);
	a->step = step;
	a->self = self;
	a->wake = wake;
	a->parent = parent;
	atomic_init(&a->ended, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	rc = pthread_create(&a->thread, &attr, loop, a);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set_errno(err, ERR_RETRY, rc,
				     "cannot start thread %s (ulimit -u, TasksMax=, "
				     "pids.max)",
				     name);
	a->started = true;
	pthread_setname_np(a->thread, a->name);
	return 0;
}

bool actor_ended(const struct actor *a)
{
	return atomic_load(&a->ended);
}

void actor_join(struct actor *a)
{
	if (a->started)
		pthread_join(a->thread, NULL);
	a->started = false;
}
