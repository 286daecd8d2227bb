/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "banned.h"

static struct wake *owner; /* of the handlers, while they are in place */
static volatile sig_atomic_t resized, suspended, continued;

static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
static const int wakes[] = {SIGWINCH, SIGCONT, SIGTSTP};

/* Only flags and a write to an eventfd: all of it is allowed in a handler. */
static void on_signal(int signal)
{
	int saved = errno;

	if (signal == SIGWINCH) {
		resized = 1;
		wake_signal(owner);
	} else if (signal == SIGCONT) {
		continued = 1;
		wake_signal(owner);
	} else if (signal == SIGTSTP) {
		suspended = 1;
		wake_signal(owner);
	} else {
		wake_stop(owner);
	}
	errno = saved;
}

static void set_all(void (*handler)(int), bool screen)
{
	struct sigaction action = {.sa_handler = handler};

	for (size_t i = 0; i < ARRAY_LEN(stops); i++)
		sigaction(stops[i], &action, NULL);
	for (size_t i = 0; screen && i < ARRAY_LEN(wakes); i++)
		sigaction(wakes[i], &action, NULL);
}

int interrupt_init(struct wake *wake, bool screen, struct err *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	if (wake_init(wake) != 0)
		return err_set_errno(err, ERR_RETRY, errno,
				     "no descriptor to wait with (ulimit -n)");
	owner = wake;
	sigaction(SIGPIPE, &ignore, NULL);
	set_all(on_signal, screen);
	return 0;
}

void interrupt_fini(struct wake *wake)
{
	set_all(SIG_DFL, true);
	owner = NULL;
	wake_fini(wake);
}

bool interrupt_resized(void)
{
	bool was = resized != 0;

	resized = 0;
	return was;
}

bool interrupt_continued(void)
{
	bool was = continued != 0;

	continued = 0;
	return was;
}

bool interrupt_suspended(void)
{
	bool was = suspended != 0;

	suspended = 0;
	return was;
}
