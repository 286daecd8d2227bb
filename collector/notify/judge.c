/* SPDX-License-Identifier: MIT
 * judge: see judge.h. A success is believed only in the receiver's own words where it
 * has any: a login page of a proxy answers 200 too. */
#include "notify/judge.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "banned.h"

struct text {
	const char *p;
	size_t n;
};

static struct text trimmed(const char *p, size_t n)
{
	static const char blank[] = " \t\r\n";

	while (n > 0 && memchr(blank, p[n - 1], sizeof(blank) - 1) != NULL)
		n--;
	while (n > 0 && memchr(blank, *p, sizeof(blank) - 1) != NULL) {
		p++;
		n--;
	}
	return (struct text){p, n};
}

static bool has_word(const json_t *o, const char *key, const char *word)
{
	const char *value = json_string_value(json_object_get(o, key));

	return value != NULL && strcmp(value, word) == 0;
}

/* Slack and Mattermost say "ok", Rocket.Chat {"success":true}, Zulip
 * {"result":"success"}. */
static bool slack_took(struct text body)
{
	json_t *o = json_loadb(body.p, body.n, 0, NULL);
	bool took = body.n == 2 && strncasecmp(body.p, "ok", 2) == 0;

	took |= json_is_true(json_object_get(o, "ok")) ||
		json_is_true(json_object_get(o, "success")) ||
		has_word(o, "result", "success");
	json_decref(o);
	return took;
}

/* 202; what speaks its language may have another 2xx, with the same word. */
static bool pagerduty_took(int status, struct text body)
{
	json_t *o = json_loadb(body.p, body.n, 0, NULL);
	bool took = status == 202 || has_word(o, "status", "success");

	json_decref(o);
	return took;
}

/* In the versions that have words it is JSON; a page is somebody else's. */
static bool alertmanager_took(struct text body)
{
	json_t *any = json_loadb(body.p, body.n, JSON_DECODE_ANY, NULL);

	json_decref(any);
	return any != NULL;
}

/* What says nothing says nothing against it. */
static bool is_taken(enum receiver_type type, int status, struct text body)
{
	if (body.n == 0)
		return true;
	switch (type) {
	case RECEIVER_SLACK:
		return slack_took(body);
	case RECEIVER_PAGERDUTY:
		return pagerduty_took(status, body);
	case RECEIVER_ALERTMANAGER:
		return alertmanager_took(body);
	case RECEIVER_WEBHOOK:
	case RECEIVER_EMAIL:
	case RECEIVER_COMMAND:
		break;
	}
	return true;
}

enum notify_verdict notify_judge(enum receiver_type type, int status, const char *body,
				 size_t len)
{
	if (status >= 200 && status < 300)
		return is_taken(type, status, trimmed(body, len)) ? NOTIFY_TAKEN
								  : NOTIFY_ODD;
	return status == 400 || status == 413 || status == 422 ? NOTIFY_NEVER
							       : NOTIFY_LATER;
}
