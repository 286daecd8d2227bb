/* SPDX-License-Identifier: MIT
 * bulletin: all alerts that receivers may hear of, as they are now: a value that is
 * never changed, made by the alarm and shared by the notifiers. */
#ifndef MMLAG_ALARM_BULLETIN_H
#define MMLAG_ALARM_BULLETIN_H

#include <stdatomic.h>
#include <stdbool.h>

#include "lag/alert.h"

struct bulletin_entry {
	struct alert alert; /* firing or resolved */
	bool held; /* not to be opened now: silenced, quiet hours, or a worse one of the
		    * same rule fires */
};

struct bulletin {
	atomic_uint refs;
	struct bulletin_entry *v; /* in order of alert_compare */
	size_t n;
	bool news; /* something began, ended or was held; else only figures moved */
};

/* Room for `n` entries, all empty.  @thread any */
struct bulletin *bulletin_new(size_t n);

/* Share and let go; the last one frees. NULL is legal.  @thread any */
struct bulletin *bulletin_ref(struct bulletin *b);
void bulletin_unref(struct bulletin *b);

#endif
