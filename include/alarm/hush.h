/* SPDX-License-Identifier: MIT
 * hush: when nobody is to hear of an alert: silences that somebody asked for, and the
 * quiet hours of the configuration. */
#ifndef MMLAG_ALARM_HUSH_H
#define MMLAG_ALARM_HUSH_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"
#include "lag/alert.h"
#include "lag/silence.h"
#include "store/store.h"

struct hush;

/* Read the silences that the store kept, and the zones of the quiet hours. `c` and
 * `store` are borrowed.
 * @thread main, before the store's thread runs */
NODISCARD int hush_new(struct hush **out, const struct config *c, struct store *store,
		       struct err *err);
void hush_free(struct hush *h); /* NULL is legal */

/* Begin, change or end a silence, as JSON (document/silence.h). Fills `what` with a
 * line for the log; false when it was none.
 * @thread alarm */
bool hush_ask(struct hush *h, const char *json, size_t len, struct wall now,
	      struct buf *what);

/* Forget what has ended, know the quiet hours of now. Returns true when something
 * changed.
 * @thread alarm */
bool hush_look(struct hush *h, struct wall now);

/* Until when this alert is held back, as of the last hush_look; 0: it is not.
 * @thread alarm */
struct wall hush_until(const struct hush *h, const struct alert *a);

/* Append all silences as a JSON array.  @thread alarm */
void hush_show(const struct hush *h, struct buf *out);

#endif
