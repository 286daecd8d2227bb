/* SPDX-License-Identifier: MIT
 * check: the whole configuration, then (unless --offline) everything that it names, a
 * line for each thing looked at: what it is, how it is, what to do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "cli/check_int.h"
#include "cli/commands.h"
#include "cli/notify.h"
#include "cli/options.h"
#include "elastic/elastic.h"
#include "http/http.h"
#include "follow/cost.h"
#include "follow/survey.h"
#include "ssh/ssh.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag check [-c FILE] [--offline] [--fix-mapping]\n"
	"Looks at the whole configuration and tells every error with its place; then at the\n"
	"hosts (login, CLI, group, topics), at Elasticsearch (reachable, privileges,\n"
	"mapping), and at the receivers of alerts (reachable).\n\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"      --offline      the configuration only\n"
	"      --fix-mapping  print what an existing index lacks for Kibana, and add it\n"
	"Exit: 0, 1 a check failed, 78 the configuration is wrong.\n";

#define YEAR_MS (365LL * 86400000)

void say(struct report *r, enum finding_level level, const char *subject,
	 const char *text)
{
	static const char *const words[] = {"ok  ", "warn", "FAIL"};
	static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};

	char line[1024];

	r->failures += level == FINDING_FAILURE;
	snprintf(line, sizeof(line), "%s", text);
	utf8_plain(line); /* some of it are a server's words */
	printf("%s%s%s  %-28s  %s\n", r->colour ? colours[level] : "", words[level],
	       r->colour ? "\033[0m" : "", subject, line);
}

static void say_elastic(void *arg, enum finding_level level, const char *subject,
			const char *text)
{
	say(arg, level, subject, text);
}

/* How far did the look at a host come? Reasons stand in the order of the way. */
static bool logged_in(const struct finding *f)
{
	return !f->is_gap || !reason_is_host(f->gap.reason);
}

static void check_page(struct report *r, const struct finding *f)
{
	bool read = !f->is_gap || f->gap.reason != REASON_SOURCE_ERROR;

	say(r, read ? FINDING_OK : FINDING_FAILURE, f->topic->url,
	    read ? "read and understood" : f->gap.message);
}

static void check_host(struct report *r, const struct finding *f)
{
	char subject[128];

	if (f->topic->source != SOURCE_SSH) {
		check_page(r, f);
		return;
	}
	snprintf(subject, sizeof(subject), "ssh %s@%.60s:%d",
		 f->topic->user != NULL ? f->topic->user : "-", f->topic->host,
		 f->topic->port);
	if (logged_in(f))
		say(r, FINDING_OK, subject, "logged in");
	else
		say(r, FINDING_FAILURE, subject, f->gap.message);
}

static void check_gap(struct report *r, const char *subject, const struct finding *f)
{
	char text[512];

	if (!logged_in(f)) {
		say(r, FINDING_FAILURE, subject, "not looked at: there is no login");
		return;
	}
	snprintf(text, sizeof(text), "%s: %s", reason_name(f->gap.reason),
		 f->gap.message);
	say(r, FINDING_FAILURE, subject, text);
}

static void check_target(struct report *r, const char *subject, const struct finding *f)
{
	const struct delivered *d = &f->assessment.delivered;
	char text[512];

	if (!d->asked)
		return;
	if (d->known)
		snprintf(text, sizeof(text),
			 "target %.100s: log ends sum up to %" PRId64,
			 f->topic->target.bootstrap_server, d->end);
	else if (d->gap.reason != REASON_NONE)
		snprintf(text, sizeof(text), "target %.100s: %s: %s",
			 f->topic->target.bootstrap_server, reason_name(d->gap.reason),
			 d->gap.message);
	else
		snprintf(text, sizeof(text), "target %.100s: it did not answer in time",
			 f->topic->target.bootstrap_server);
	say(r, d->known ? FINDING_OK : FINDING_WARNING, subject, text);
}

static void check_topic(struct report *r, const struct finding *f)
{
	char subject[128], lag[32] = "no lag known", text[512];
	int64_t rows = f->partitions;

	snprintf(subject, sizeof(subject), "topic %.100s", f->name);
	if (f->is_gap) {
		check_gap(r, subject, f);
		return;
	}
	if (f->totals.with_lag > 0)
		snprintf(lag, sizeof(lag), "lag %" PRId64, f->totals.sum);
	snprintf(text, sizeof(text), "group %s: %" PRId64 " partition%s, %s",
		 f->topic->group != NULL ? f->topic->group : "-", rows,
		 rows == 1 ? "" : "s", lag);
	say(r, FINDING_OK, subject, text);
	if (f->state == GROUP_EMPTY)
		say(r, FINDING_WARNING, subject,
		    "the group has no members: is MirrorMaker running?");
	if (f->topic->partitions > 0 && rows != f->topic->partitions) {
		snprintf(text, sizeof(text),
			 "`partitions` says %d, the group has rows for %" PRId64,
			 f->topic->partitions, rows);
		say(r, FINDING_WARNING, subject, text);
	}
	check_target(r, subject, f);
}

static bool same_host(const struct config_topic *a, const struct config_topic *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port;
}

/* `cores` of the host, 0 where it did not say. */
static void check_cost(struct report *r, const struct config *c,
		       const struct config_topic *t, int cores)
{
	char subject[128], text[256];
	bool much = cost_describe(c, t, cores, text, sizeof(text));

	snprintf(subject, sizeof(subject), "cost on %.60s", t->host);
	say(r, much ? FINDING_WARNING : FINDING_OK, subject, text);
}

/* Is this the first finding of its host, or of its login there? */
static bool is_first(const struct findings *f, size_t i,
		     bool (*same)(const struct config_topic *,
				  const struct config_topic *))
{
	for (size_t j = 0; j < i; j++)
		if (same(f->v[j].topic, f->v[i].topic))
			return false;
	return true;
}

/* Hosts on which nothing is done but to look at the mirror's other side. */
static void check_far_hosts(struct report *r, const struct config *c,
			    const struct findings *f)
{
	struct config_topic place, other;

	for (size_t i = 0; i < f->n; i++) {
		bool seen = !plan_target_place(f->v[i].topic, &place);

		for (size_t j = 0; !seen && j < f->n; j++)
			seen = same_host(f->v[j].topic, &place) ||
			       (j < i && plan_target_place(f->v[j].topic, &other) &&
				same_host(&other, &place));
		if (!seen)
			check_cost(r, c, &place, 0);
	}
}

static void check_hosts(struct report *r, const struct config *c, struct survey *survey)
{
	struct findings *f = &survey->found;

	for (size_t i = 0; i < f->n; i++) {
		if (is_first(f, i, plan_same_login))
			check_host(r, &f->v[i]);
		if (f->v[i].topic->source == SOURCE_SSH && is_first(f, i, same_host))
			check_cost(r, c, f->v[i].topic, f->v[i].cores);
	}
	check_far_hosts(r, c, f);
	for (size_t i = 0; i < f->n; i++)
		check_topic(r, &f->v[i]);
}

static int largest_topic(const struct survey *s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->found.n; i++) {
		const struct finding *f = &s->found.v[i];

		if (f->topic->partitions > n)
			n = f->topic->partitions;
		if (!f->is_gap && f->partitions > n)
			n = f->partitions;
	}
	return (int)n;
}

static int64_t largest_lag(const struct survey *s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->found.n; i++)
		if (!s->found.v[i].is_gap && s->found.v[i].totals.max > n)
			n = s->found.v[i].totals.max;
	return n;
}

static int64_t documents_a_year(const struct survey *s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s->found.n; i++)
		n += YEAR_MS / s->found.v[i].topic->interval_ms;
	return n;
}

static void fix_mapping(struct report *r, struct elastic *e)
{
	struct buf body = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (elastic_fix_mapping(e, false, &body, &err) != 0) {
		say(r, FINDING_FAILURE, "mapping", err.text);
	} else if (body.len == 0) {
		say(r, FINDING_OK, "mapping", "nothing is lacking");
	} else {
		printf("PUT _mapping\n%s\n", body.data);
		buf_reset(&body);
		if (elastic_fix_mapping(e, true, &body, &err) != 0)
			say(r, FINDING_FAILURE, "mapping", err.text);
		else
			say(r, FINDING_OK, "mapping", "added");
	}
	buf_free(&body);
}

static void check_elastic(struct report *r, const struct config *c,
			  const struct survey *survey, bool fix)
{
	struct elastic *e = NULL;
	struct err err = ERR_INIT;

	if (!c->elastic.set) {
		say(r, FINDING_WARNING, "elasticsearch",
		    "no section of that name: documents stay in the local store");
		return;
	}
	if (elastic_open(&e, &c->elastic, NULL, &err) != 0) {
		say(r, FINDING_FAILURE, "elasticsearch", err.text);
		return;
	}
	if (fix)
		fix_mapping(r, e);
	elastic_preflight(e, largest_topic(survey), largest_lag(survey),
			  documents_a_year(survey), say_elastic, r);
	elastic_close(e);
}

static void say_receiver(void *arg, const struct config_receiver *receiver, bool ok,
			 const char *request, int status, const char *answer,
			 const char *why)
{
	char subject[96];

	(void)request;
	(void)status;
	snprintf(subject, sizeof(subject), "receiver %.60s", receiver->name);
	say(arg, ok ? FINDING_OK : FINDING_FAILURE, subject, ok ? answer : why);
}

static int check_online(const struct config *c, bool fix)
{
	struct report r = {options_colour(stdout), 0};
	struct plan plan = plan_make(c, PLAN_SHARED);
	struct survey survey;
	struct err err = ERR_INIT;

	setvbuf(stdout, NULL, _IOLBF, 0);
	options_progress("taking a sample of every topic …");
	if (survey_run(&plan, &survey, &err) != 0)
		say(&r, FINDING_FAILURE, "threads", err.text);
	else
		check_hosts(&r, c, &survey);
	check_state(&r, c);
	check_limits(&r, c);
	check_elastic(&r, c, &survey, fix);
	notify_check(c, say_receiver, &r);
	survey_fini(&survey);
	plan_free(&plan);
	return r.failures > 0;
}

static int check(const char *path, bool offline, bool fix)
{
	struct config *c = options_load(path, true);
	struct err err = ERR_INIT;
	int rc = 0;

	if (c == NULL)
		return EXIT_CONFIG;
	if (offline) {
		printf("%s: %zu topic%s, no errors\n", path, c->topic_count,
		       c->topic_count == 1 ? "" : "s");
	} else if (http_global_init(&err) != 0 || ssh_global_init(&err) != 0) {
		fprintf(stderr, "mmlag check: %s\n", err.text);
		rc = 1;
	} else {
		rc = check_online(c, fix);
		ssh_global_fini();
		http_global_fini();
	}
	config_unref(c);
	return rc;
}

int cli_check(int argc, char **argv)
{
	bool offline = false, fix = false;
	const struct option_flag flags[] = {{"offline", &offline, NULL},
					    {"fix-mapping", &fix, NULL}};
	const char *path;
	int rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags), NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	if (offline && fix)
		return options_usage("check", "--fix-mapping asks Elasticsearch: leave "
					      "--offline out");
	return check(path, offline, fix);
}
