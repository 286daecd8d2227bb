/* SPDX-License-Identifier: MIT
 * What the answers of receivers mean: their own words, those of services that speak
 * their language, and those of somebody else on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"
#include "notify/judge.h"

#define AM RECEIVER_ALERTMANAGER
#define HOOK RECEIVER_WEBHOOK
#define SLACK RECEIVER_SLACK
#define PAGER RECEIVER_PAGERDUTY
#define PAGE "<!DOCTYPE html><title>Log in</title>"

static const struct {
	const char *label;
	enum receiver_type type;
	int status;
	const char *body;
	enum notify_verdict want;
} rows[] = {
	{"Slack", SLACK, 200, "ok", NOTIFY_TAKEN},
	{"Mattermost", SLACK, 200, "ok\n", NOTIFY_TAKEN},
	{"in capitals", SLACK, 200, " OK ", NOTIFY_TAKEN},
	{"Rocket.Chat", SLACK, 200, "{\"success\":true}", NOTIFY_TAKEN},
	{"Zulip", SLACK, 200, "{\"result\":\"success\",\"msg\":\"\"}", NOTIFY_TAKEN},
	{"no words at all", SLACK, 204, "", NOTIFY_TAKEN},
	{"an error with 200", SLACK, 200, "invalid_token", NOTIFY_ODD},
	{"the same as JSON", SLACK, 200, "{\"ok\":false,\"error\":\"x\"}", NOTIFY_ODD},
	{"Rocket.Chat refuses", SLACK, 200, "{\"success\":false}", NOTIFY_ODD},
	{"begins with ok", SLACK, 200, "okay, later", NOTIFY_ODD},
	{"a login page", SLACK, 200, PAGE, NOTIFY_ODD},
	{"malformed", SLACK, 400, "invalid_payload", NOTIFY_NEVER},
	{"forbidden", SLACK, 403, "action_prohibited", NOTIFY_LATER},
	{"no such channel", SLACK, 404, "channel_not_found", NOTIFY_LATER},
	{"archived", SLACK, 410, "channel_is_archived", NOTIFY_LATER},
	{"too fast", SLACK, 429, "rate_limited", NOTIFY_LATER},
	{"Slack's trouble", SLACK, 500, "rollup_error", NOTIFY_LATER},
	{"PagerDuty", PAGER, 202, "{\"status\":\"success\"}", NOTIFY_TAKEN},
	{"202 alone", PAGER, 202, "", NOTIFY_TAKEN},
	{"another that speaks so", PAGER, 200, "{\"status\":\"success\"}",
	 NOTIFY_TAKEN},
	{"a login page", PAGER, 200, PAGE, NOTIFY_ODD},
	{"malformed", PAGER, 400, "{\"status\":\"invalid event\"}", NOTIFY_NEVER},
	{"too fast", PAGER, 429, "", NOTIFY_LATER},
	{"PagerDuty's trouble", PAGER, 500, "", NOTIFY_LATER},
	{"Alertmanager", AM, 200, "", NOTIFY_TAKEN},
	{"an older one", AM, 200, "{\"status\":\"success\"}", NOTIFY_TAKEN},
	{"a login page", AM, 200, PAGE, NOTIFY_ODD},
	{"malformed", AM, 400, "\"bad\"", NOTIFY_NEVER},
	{"Alertmanager's trouble", AM, 500, "\"bad\"", NOTIFY_LATER},
	{"no such path", AM, 404, "404 page not found", NOTIFY_LATER},
	{"a webhook may say anything", HOOK, 200, PAGE, NOTIFY_TAKEN},
	{"accepted", HOOK, 202, "", NOTIFY_TAKEN},
	{"moved", HOOK, 301, "", NOTIFY_LATER},
	{"not authorised", HOOK, 401, "", NOTIFY_LATER},
	{"too large", HOOK, 413, "", NOTIFY_NEVER},
	{"not understood", HOOK, 422, "", NOTIFY_NEVER},
	{"down", HOOK, 503, "", NOTIFY_LATER},
};

static void answers_are_read_as_the_receiver_means_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (notify_judge(rows[i].type, rows[i].status, rows[i].body,
				 strlen(rows[i].body)) != rows[i].want)
			fail_msg("%s (%d %s)", rows[i].label, rows[i].status,
				 rows[i].body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_read_as_the_receiver_means_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
