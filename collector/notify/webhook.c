/* SPDX-License-Identifier: MIT
 * webhook: one POST for a group, in the shape of Alertmanager's webhook, version 4; or
 * what the template says. */
#include "notify/message.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

#include "banned.h"

static const char *status(bool fires)
{
	return fires ? "firing" : "resolved";
}

/* As Alertmanager writes them: {}:{cluster="dc1", group="g"} */
static void put_group_key(struct jsonw *w, const struct message_group *g)
{
	const char *const pairs[][2] = {{"cluster", g->cluster},
					{"group", g->group},
					{"host", g->host}};
	struct buf key = BUF_INIT(1 << 16);
	const char *comma = "";

	(void)buf_addstr(&key, "{}:{");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		if (*pairs[i][1] != '\0') {
			(void)buf_printf(&key, "%s%s=", comma, pairs[i][0]);
			jsonw_quote(&key, pairs[i][1], strlen(pairs[i][1]));
			comma = ", ";
		}
	(void)buf_addch(&key, '}');
	jsonw_key_str(w, "groupKey", buf_str(&key));
	buf_free(&key);
}

static void put_if_set(struct jsonw *w, const char *key, const char *value)
{
	if (*value != '\0')
		jsonw_key_str(w, key, value);
}

static void put_group_members(struct jsonw *w, const struct message_group *g)
{
	put_if_set(w, "cluster", g->cluster);
	put_if_set(w, "group", g->group);
	put_if_set(w, "host", g->host);
}

/* The pairs that all alerts have alike. */
static void put_common_labels(struct jsonw *w, const struct message *m,
			      const struct message_group *g)
{
	const struct alert *first = m->alerts[0];
	bool rule = true, severity = true, topic = true;
	char alertname[128];

	for (size_t i = 1; i < m->n; i++) {
		rule = rule && strcmp(m->alerts[i]->rule, first->rule) == 0;
		severity = severity && m->alerts[i]->severity == first->severity;
		topic = topic && strcmp(m->alerts[i]->topic, first->topic) == 0;
	}
	jsonw_key(w, "commonLabels");
	jsonw_object(w);
	if (rule) {
		snprintf(alertname, sizeof(alertname), "mmlag_%s", first->rule);
		jsonw_key_str(w, "alertname", alertname);
		jsonw_key_str(w, "rule", first->rule);
	}
	put_group_members(w, g);
	if (severity)
		jsonw_key_str(w, "severity", severity_name(first->severity));
	if (topic)
		put_if_set(w, "topic", first->topic);
	jsonw_end(w);
}

static void put_alert(struct jsonw *w, const struct message *m, const struct alert *a)
{
	char fingerprint[17];

	jsonw_object(w);
	jsonw_key_str(w, "status", status(a->life.state == ALERT_FIRING));
	message_alert_members(w, m, a, (struct wall){0});
	message_fingerprint(a, fingerprint);
	jsonw_key_str(w, "fingerprint", fingerprint);
	jsonw_end(w);
}

void message_webhook(struct buf *out, const struct message *m)
{
	struct message_group g = message_group_of(m->alerts[0]);
	struct jsonw w = jsonw_start(out);

	if (m->template != NULL) {
		message_template(out, m, true);
		return;
	}
	jsonw_object(&w);
	jsonw_key_str(&w, "version", "4");
	put_group_key(&w, &g);
	jsonw_key_int(&w, "truncatedAlerts", 0);
	jsonw_key_str(&w, "status", status(message_fires(m)));
	jsonw_key_str(&w, "receiver", m->receiver);
	jsonw_key(&w, "groupLabels");
	jsonw_object(&w);
	put_group_members(&w, &g);
	jsonw_end(&w);
	put_common_labels(&w, m, &g);
	message_common_annotations(&w, m);
	jsonw_key_str(&w, "externalURL", m->url);
	jsonw_key(&w, "alerts");
	jsonw_array(&w);
	for (size_t i = 0; i < m->n; i++)
		put_alert(&w, m, m->alerts[i]);
	jsonw_end(&w);
	jsonw_end(&w);
}
