/* SPDX-License-Identifier: MIT */
#include "run/watch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "run/alarm.h"
#include "run/heartbeat.h"
#include "run/notifier.h"

#include "banned.h"

static void add(struct watch *w, const char *name, struct step (*step)(void *),
		void *self, struct wake *wake)
{
	w->parts[w->n++] = (struct watch_part){name, step, self, wake};
}

static int make_notifiers(struct watch *w, const struct config *c, struct store *store,
			  struct err *err)
{
	w->notifiers = mem_calloc(c->receiver_count + 1, sizeof(struct notifier *));
	for (size_t i = 0; i < c->receiver_count; i++) {
		struct notifier *n;

		if (notifier_new(&n, &c->receivers[i], c, store, err) != 0)
			return err->class;
		w->notifiers[w->notifier_count++] = n;
		add(w, notifier_name(n), notifier_step, n, notifier_wake(n));
	}
	return 0;
}

int watch_make(struct watch *w, const struct config *c, struct store *store,
	       struct board *board, struct err *err)
{
	*w = (struct watch){.n = 0};
	w->parts = mem_calloc(c->receiver_count + 2, sizeof(*w->parts));
	if (make_notifiers(w, c, store, err) != 0 ||
	    alarm_new(&w->alarm, c, store, board, err) != 0)
		return err->class;
	alarm_tell(w->alarm, w->notifiers, w->notifier_count);
	add(w, "alarm", alarm_step, w->alarm, alarm_wake(w->alarm));
	if (c->heartbeat.url_file == NULL)
		return 0;
	if (heartbeat_new(&w->heartbeat, c, store, board, err) != 0)
		return err->class;
	add(w, "heartbeat", heartbeat_step, w->heartbeat, heartbeat_wake(w->heartbeat));
	return 0;
}

void watch_stop(struct watch *w)
{
	for (size_t i = 0; i < w->n; i++)
		wake_stop(w->parts[i].wake);
}

void watch_fini(struct watch *w)
{
	heartbeat_free(w->heartbeat);
	alarm_free(w->alarm);
	for (size_t i = 0; i < w->notifier_count; i++)
		notifier_free(w->notifiers[i]);
	free(w->notifiers);
	free(w->parts);
	*w = (struct watch){.n = 0};
}
