/* SPDX-License-Identifier: MIT
 * alertmanager: the body of POST /api/v2/alerts. A firing alert says how long it may be
 * believed without hearing of it again. */
#include "notify/message.h"

#include "banned.h"

void message_alertmanager(struct buf *out, const struct message *m, int64_t lasts_ms)
{
	struct jsonw w = jsonw_start(out);

	jsonw_array(&w);
	for (size_t i = 0; i < m->n; i++) {
		jsonw_object(&w);
		message_alert_members(&w, m, m->alerts[i],
				      (struct wall){m->now.ms + lasts_ms});
		jsonw_end(&w);
	}
	jsonw_end(&w);
}
