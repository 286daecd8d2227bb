/* SPDX-License-Identifier: MIT
 * notify: `mmlag notify test`: sends what is no alarm, and shows what came back. */
#include "cli/notify.h"

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "http/http.h"
#include "notify/notify.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag notify test [-c FILE] [RECEIVER]\n"
	"Sends a test alert to each receiver, or to the one that is named, and shows the\n"
	"request (without secrets), the status and the answer.\n\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"Exit: 0 all took it, 1 some did not.\n";

static bool test_place(struct notify *n, size_t place, const struct config_receiver *r,
		       notify_say *say, void *arg)
{
	struct alert alert = notify_test_alert(clock_wall());
	const struct alert *alerts[] = {&alert};
	struct message m = {.url = "", .alerts = alerts, .n = 1, .now = clock_wall()};
	struct notify_answer answer;
	struct err err = ERR_INIT;
	int rc = notify_send(n, place, &m, &answer, &err);

	say(arg, r, rc == 0, answer.request, answer.status, answer.text, err.text);
	if (rc == 0 && (notify_is_steady(n) || notify_is_single(n))) {
		/* It is not to stay open over there. */
		alert.life.state = ALERT_RESOLVED;
		alert.life.ended = clock_wall();
		rc = notify_send(n, place, &m, &answer, &err);
		if (rc != 0)
			say(arg, r, false, answer.request, answer.status, answer.text,
			    err.text);
	}
	alert_fini(&alert);
	return rc == 0;
}

static int test_one(const struct config_receiver *r, notify_say *say, void *arg)
{
	struct err err = ERR_INIT;
	struct notify *n;
	int failed = 0;

	if (notify_open(&n, r, NULL, &err) != 0) {
		say(arg, r, false, "", 0, "", err.text);
		return 1;
	}
	for (size_t i = 0; i < notify_places(n); i++)
		failed += !test_place(n, i, r, say, arg);
	notify_close(n);
	return failed;
}

int notify_test(const struct config *c, const char *only, notify_say *say, void *arg)
{
	bool found = only == NULL;
	int failed = 0;

	for (size_t i = 0; i < c->receiver_count; i++) {
		if (only != NULL && strcmp(c->receivers[i].name, only) != 0)
			continue;
		found = true;
		failed += test_one(&c->receivers[i], say, arg);
	}
	return found ? failed : -1;
}

static void check_one(const struct config_receiver *r, notify_say *say, void *arg)
{
	struct notify_answer answer;
	struct err err = ERR_INIT;
	struct notify *n;

	if (notify_open(&n, r, NULL, &err) != 0) {
		say(arg, r, false, "", 0, "", err.text);
		return;
	}
	for (size_t i = 0; i < notify_places(n); i++) {
		bool ok = notify_reach(n, i, &answer, &err) == 0;

		say(arg, r, ok, answer.request, answer.status, answer.text, err.text);
	}
	notify_close(n);
}

void notify_check(const struct config *c, notify_say *say, void *arg)
{
	for (size_t i = 0; i < c->receiver_count; i++)
		check_one(&c->receivers[i], say, arg);
}

static void print(void *arg, const struct config_receiver *r, bool ok,
		  const char *request, int status, const char *answer, const char *why)
{
	(void)arg;
	printf("%s: %s\n", r->name, ok ? "ok" : "FAILED");
	if (*request != '\0')
		printf("  request  %s\n", request);
	if (status != 0 || ok)
		printf("  status   %d\n", status);
	if (*answer != '\0')
		printf("  answer   %s\n", answer);
	if (!ok)
		printf("  why      %s\n", why);
	fflush(stdout);
}

static void tell_names(const struct config *c, const char *only)
{
	fprintf(stderr, "mmlag notify: no receiver is named \"%s\"; there are: ", only);
	for (size_t i = 0; i < c->receiver_count; i++)
		fprintf(stderr, "%s%s", i > 0 ? ", " : "", c->receivers[i].name);
	fputc('\n', stderr);
}

static int test(const struct config *c, const char *only)
{
	struct err err = ERR_INIT;
	int failed;

	if (c->receiver_count == 0) {
		fprintf(stderr,
			"mmlag notify: there are no receivers in %s; add "
			"\"receivers:\"\n",
			c->path);
		return 1;
	}
	if (http_global_init(&err) != 0) {
		fprintf(stderr, "mmlag notify: %s\n", err.text);
		return 1;
	}
	failed = notify_test(c, only, print, NULL);
	http_global_fini();
	if (failed < 0)
		tell_names(c, only);
	return failed != 0;
}

int cli_notify(int argc, char **argv)
{
	const char *path;
	struct config *c;
	int rest = argc;
	int rc = options_parse(argc, argv, usage, &path, NULL, 0, &rest);

	if (rc != OPTIONS_GO_ON)
		return rc;
	if (rest >= argc || strcmp(argv[rest], "test") != 0)
		return options_usage("notify",
				     "say what: mmlag notify test [RECEIVER]");
	if (argc - rest > 2)
		return options_usage("notify", "one receiver at most");
	c = options_load(path, true);
	if (c == NULL)
		return EXIT_CONFIG;
	rc = test(c, argc - rest == 2 ? argv[rest + 1] : NULL);
	config_unref(c);
	return rc;
}
