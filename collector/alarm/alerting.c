/* SPDX-License-Identifier: MIT */
#include "alarm/alerting.h"

#include <stdlib.h>

#include "base/mem.h"
#include "alarm/alarm.h"
#include "alarm/heartbeat.h"
#include "alarm/ledger.h"
#include "alarm/notifier.h"

#include "banned.h"

static void add(struct alerting *a, const char *name, struct step (*step)(void *),
		void *self, struct wake *wake)
{
	a->parts[a->n++] = (struct alerting_part){name, step, self, wake};
}

static int make_notifiers(struct alerting *a, const struct config *c,
			  struct store *store, struct err *err)
{
	a->notifiers = mem_calloc(c->receiver_count + 1, sizeof(struct notifier *));
	for (size_t i = 0; i < c->receiver_count; i++) {
		struct notifier *n;

		if (notifier_new(&n, &c->receivers[i], c, store, err) != 0)
			return err->class;
		a->notifiers[a->notifier_count++] = n;
		add(a, notifier_name(n), notifier_step, n, notifier_wake(n));
	}
	return 0;
}

/* What was kept for receivers that are no more. */
static void sweep(const struct config *c, struct store *store)
{
	const char **names = mem_calloc(c->receiver_count + 1, sizeof(*names));

	for (size_t i = 0; i < c->receiver_count; i++)
		names[i] = c->receivers[i].name;
	ledger_sweep(store, names, c->receiver_count);
	free(names);
}

int alerting_make(struct alerting *a, const struct config *c, struct store *store,
		  struct board *board, struct err *err)
{
	*a = (struct alerting){.n = 0};
	a->parts = mem_calloc(c->receiver_count + 2, sizeof(*a->parts));
	sweep(c, store);
	if (make_notifiers(a, c, store, err) != 0 ||
	    alarm_new(&a->alarm, c, store, board, err) != 0)
		return err->class;
	alarm_tell(a->alarm, a->notifiers, a->notifier_count);
	add(a, "alarm", alarm_step, a->alarm, alarm_wake(a->alarm));
	if (!c->heartbeat.set)
		return 0;
	if (heartbeat_new(&a->heartbeat, c, store, board, err) != 0)
		return err->class;
	add(a, "heartbeat", heartbeat_step, a->heartbeat, heartbeat_wake(a->heartbeat));
	return 0;
}

void alerting_stop(struct alerting *a)
{
	for (size_t i = 0; i < a->n; i++)
		wake_stop(a->parts[i].wake);
}

void alerting_fini(struct alerting *a)
{
	heartbeat_free(a->heartbeat);
	alarm_free(a->alarm);
	for (size_t i = 0; i < a->notifier_count; i++)
		notifier_free(a->notifiers[i]);
	free(a->notifiers);
	free(a->parts);
	*a = (struct alerting){.n = 0};
}
