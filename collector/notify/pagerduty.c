/* SPDX-License-Identifier: MIT
 * pagerduty: one event of the Events API, version 2. The incident is the key, so that a
 * message that is sent twice makes one of theirs. */
#include "notify/message.h"

#include <math.h>

#include "banned.h"

#define SUMMARY_MAX 1024

static void put_payload(struct jsonw *w, const struct message *m, const struct alert *a)
{
	struct buf text = BUF_INIT(1 << 16);
	char since[WALL_TEXT];

	wall_format(a->life.since, since);
	message_line(a, &text);
	jsonw_key(w, "payload");
	jsonw_object(w);
	jsonw_key(w, "summary");
	jsonw_strn(w, buf_str(&text), utf8_cut(buf_str(&text), text.len, SUMMARY_MAX));
	buf_reset(&text);
	message_subject(a, &text);
	jsonw_key_str(w, "source", *a->at != '\0' ? a->at : buf_str(&text));
	jsonw_key_str(w, "severity", severity_name(a->severity));
	jsonw_key_str(w, "timestamp", since);
	jsonw_key_str(w, "component", buf_str(&text));
	jsonw_key_str(w, "group", *a->group != '\0' ? a->group : "mmlag");
	jsonw_key_str(w, "class", a->rule);
	buf_reset(&text);
	message_text(m, &text);
	jsonw_key(w, "custom_details");
	jsonw_object(w);
	jsonw_key_str(w, "text", buf_str(&text));
	jsonw_key_str(w, "incident", a->incident);
	if (isfinite(a->value)) {
		jsonw_key(w, "value");
		jsonw_real(w, a->value, 3);
	}
	jsonw_end(w);
	jsonw_end(w);
	buf_free(&text);
}

void message_pagerduty(struct buf *out, const struct message *m, const char *secret)
{
	const struct alert *a = m->alerts[0];
	bool fires = a->life.state == ALERT_FIRING;
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "routing_key", secret);
	jsonw_key_str(&w, "event_action", fires ? "trigger" : "resolve");
	jsonw_key_str(&w, "dedup_key", a->incident);
	if (fires) {
		jsonw_key_str(&w, "client", "mmlag");
		if (*m->url != '\0')
			jsonw_key_str(&w, "client_url", m->url);
		put_payload(&w, m, a);
	}
	jsonw_end(&w);
}
