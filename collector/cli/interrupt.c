/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

#include "banned.h"

static struct wake *told; /* set before the handler is */

static void stop(int sig)
{
	(void)sig;
	wake_stop(told); /* a store and a write: safe in a handler */
}

void interrupt_stops(struct wake *w)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

	told = w;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}
