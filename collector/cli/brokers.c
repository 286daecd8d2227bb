/* SPDX-License-Identifier: MIT
 * brokers: message rates of brokers and topics, from Prometheus, and what is wrong with
 * them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "cli/brokers_int.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "config/text.h"
#include "prom/ready.h"

#include "banned.h"

#define QUERY_MAX 65536
#define STEP_S 30.0

static const char usage[] =
	"Usage: mmlag brokers --prometheus URL [options]\n"
	"Message rates per broker and topic, with warnings. Needs no configuration.\n\n"
	"  --prometheus URL      the server, as http://host:9090\n"
	"  --at TIME             RFC 3339 or seconds since 1970; default now\n"
	"  --range 10m           the time until now, at every\n"
	"  --step 30s\n"
	"  --start TIME          or another time,\n"
	"  --end TIME            until now when left out\n"
	"  --by LABELS           instance, topic, or instance,topic (the default)\n"
	"  --metric NAME         messages (the default), bytes-in, bytes-out,\n"
	"                        idle-handlers, under-replicated, or a counter's name\n"
	"  --query EXPRESSION    or your own, in PromQL\n"
	"  --min-rate N          warn when the mean per broker is below; default 100\n"
	"  --max-change 50%      warn when a last rate differs more from its mean over\n"
	"                        the range\n"
	"  --max-skew 3          warn when a broker has more than so many times the mean\n"
	"  --json, --csv         for programs\n" OPTIONS_HTTP_HELP
	"Exit: 0, 1 a warning, 2 no data, 65 Prometheus refused, 69 no answer.\n";

/* The options as they were given; NULL for none. */
struct given {
	const char *at, *range, *step, *start, *end, *by;
	const char *min_rate, *max_change, *max_skew;
};

static int complain(const char *text, int code)
{
	fprintf(stderr, "mmlag brokers: %s\n", text);
	return code;
}

static int read_time(const char *name, const char *text, double *out)
{
	struct wall t;
	char *end;

	if (wall_parse(text, &t) == 0) {
		*out = (double)t.ms / 1000;
		return OPTIONS_GO_ON;
	}
	*out = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(*out))
		return options_usage("brokers",
				     "--%s: '%s' is no time; write "
				     "2026-11-21T03:36:10Z or seconds since 1970",
				     name, text);
	return OPTIONS_GO_ON;
}

static int read_span(const char *name, const char *text, double *out)
{
	struct err err = ERR_INIT;
	int64_t ms = 0;

	if (config_text_duration(text, &ms, &err) != 0)
		return options_usage("brokers", "--%s: %s", name, err.text);
	if (ms <= 0)
		return options_usage("brokers", "--%s: must be above 0", name);
	*out = (double)ms / 1000;
	return OPTIONS_GO_ON;
}

static int read_number(const char *name, const char *text, double *out)
{
	struct err err = ERR_INIT;

	if (config_text_real(text, out, &err) != 0)
		return options_usage("brokers", "--%s: %s", name, err.text);
	if (!(*out >= 0))
		return options_usage("brokers", "--%s: must not be negative", name);
	return OPTIONS_GO_ON;
}

/* 50%, 150% or 0.5. */
static int read_change(const char *text, double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0)
		*out = v / 100;
	else if (end != text && *end == '\0' && v <= 1)
		*out = v;
	else
		return options_usage("brokers",
				     "--max-change: '%s' is no share; write 50%%",
				     text);
	return *out >= 0
		       ? OPTIONS_GO_ON
		       : options_usage("brokers", "--max-change: must not be negative");
}

static int read_times(struct brokers *b, const struct given *g)
{
	struct prom_query *q = &b->query;
	double span = 0;
	int rc = OPTIONS_GO_ON;

	q->range = g->range != NULL || g->start != NULL;
	q->step = STEP_S;
	q->end = (double)clock_wall().ms / 1000;
	if ((g->at != NULL) + (g->range != NULL) + (g->start != NULL) > 1)
		return options_usage("brokers", "give one of --at, --range, --start");
	if (g->end != NULL && g->start == NULL)
		return options_usage("brokers", "--end goes with --start");
	if (g->step != NULL && !q->range)
		return options_usage("brokers", "--step goes with --range or --start");
	if (g->at != NULL)
		rc = read_time("at", g->at, &q->at);
	if (rc == OPTIONS_GO_ON && g->step != NULL)
		rc = read_span("step", g->step, &q->step);
	if (rc == OPTIONS_GO_ON && g->end != NULL)
		rc = read_time("end", g->end, &q->end);
	if (rc == OPTIONS_GO_ON && g->range != NULL)
		rc = read_span("range", g->range, &span);
	q->start = q->end - span;
	if (rc == OPTIONS_GO_ON && g->start != NULL)
		rc = read_time("start", g->start, &q->start);
	if (rc == OPTIONS_GO_ON && q->range && q->start >= q->end)
		return options_usage("brokers", "--start must be before --end");
	return rc;
}

static int read_by(struct brokers *b, const char *by)
{
	if (by == NULL)
		by = "instance,topic";
	b->by_instance =
		strncmp(by, "instance", 8) == 0 || strcmp(by, "topic,instance") == 0;
	b->by_topic = strncmp(by, "topic", 5) == 0 || strcmp(by, "instance,topic") == 0;
	if (strcmp(by, "instance") == 0 || strcmp(by, "topic") == 0 ||
	    (b->by_instance && b->by_topic))
		return OPTIONS_GO_ON;
	return options_usage("brokers",
			     "--by: '%s' is none of instance, topic, instance,topic",
			     by);
}

/* The minimum is one of messages: it does not hold for what is none. */
static bool has_minimum(const struct brokers *b)
{
	return b->expression != NULL || b->metric == NULL || !ready_known(b->metric) ||
	       strcmp(b->metric, READY_MESSAGES) == 0;
}

static int read_limits(struct brokers *b, const struct given *g)
{
	int rc = OPTIONS_GO_ON;

	b->limits = (struct rates_limits){has_minimum(b) ? 100 : (double)NAN,
					  b->query.range ? 0.5 : (double)NAN, 3};
	if (g->min_rate != NULL)
		rc = read_number("min-rate", g->min_rate, &b->limits.min_rate);
	if (rc == OPTIONS_GO_ON && g->max_skew != NULL)
		rc = read_number("max-skew", g->max_skew, &b->limits.max_skew);
	if (rc == OPTIONS_GO_ON && g->max_change != NULL)
		rc = read_change(g->max_change, &b->limits.max_change);
	if (!b->query.range)
		b->limits.max_change = (double)NAN;
	return rc;
}

static int read_options(struct brokers *b, const struct given *g)
{
	int rc;

	if (b->query.url == NULL)
		return options_usage("brokers", "--prometheus is needed");
	rc = options_url("brokers", "--prometheus", b->query.url);
	if (rc == OPTIONS_GO_ON)
		rc = options_http("brokers", &b->options);
	if (rc != OPTIONS_GO_ON)
		return rc;
	if (b->metric != NULL && b->expression != NULL)
		return options_usage("brokers", "give one of --metric and --query");
	if (b->json && b->csv)
		return options_usage("brokers", "give one of --json and --csv");
	rc = read_times(b, g);
	if (rc == OPTIONS_GO_ON)
		rc = read_by(b, g->by);
	return rc != OPTIONS_GO_ON ? rc : read_limits(b, g);
}

/* Write expression `i` that is to be tried; false when there are no more. */
static bool next_query(struct brokers *b, size_t i)
{
	const char *metric = b->metric != NULL ? b->metric : READY_MESSAGES;

	if (b->expression == NULL && ready_known(metric)) {
		struct buf next = BUF_INIT(QUERY_MAX);

		if (!ready_spelling(metric, i, &next))
			return false;
		buf_free(&b->text);
		b->text = next;
	} else if (i > 0) {
		return false;
	} else if (b->expression != NULL) {
		buf_reset(&b->text);
		buf_addstr(&b->text, b->expression);
	} else {
		buf_reset(&b->text);
		buf_printf(&b->text, "rate(%s[1m])", metric);
	}
	b->query.query = buf_str(&b->text);
	return true;
}

/* The first expression that gives a series; the first one where none does. */
static int ask(struct brokers *b, struct http *h, struct prom_answer *a,
	       struct err *err)
{
	for (size_t i = 0; next_query(b, i); i++) {
		if (prom_ask(h, &b->query, a, err) != 0)
			return err->class;
		if (a->warnings != NULL) {
			utf8_plain(a->warnings);
			complain(a->warnings, 0);
		}
		if (a->n > 0)
			return 0;
		prom_answer_fini(a);
	}
	(void)next_query(b, 0);
	return 0;
}

/* Where all series ended before the range did, its last step is not the last one. */
static void check_end(const struct brokers *b, struct rates *r)
{
	const struct prom_query *q = &b->query;
	double due = q->start + floor((q->end - q->start) / q->step) * q->step;
	double last = r->steps > 0 ? r->times[r->steps - 1] : due;
	char text[WALL_TEXT];

	if (!q->range || last < q->start || last > due - q->step / 2)
		return;
	wall_format((struct wall){(int64_t)(last * 1000)}, text);
	buf_printf(&r->warnings, "%sno rates at all since %s",
		   r->warnings.len > 0 ? "\n" : "", text);
}

static int complain_no_data(const struct prom_answer *a, const struct rates *r)
{
	struct buf text = BUF_INIT(256);

	if (a->n == 0)
		return complain("no data: the query gives no series; --metric and "
				"--query name another, and the server must scrape the "
				"brokers' JMX exporter",
				EXIT_NO_DATA);
	buf_addstr(&text, "no data: no rate is finite");
	if (r->not_finite > 0) {
		buf_addstr(&text, ": ");
		rates_odd(r, &text);
	}
	(void)complain(buf_str(&text), EXIT_NO_DATA);
	buf_free(&text);
	return EXIT_NO_DATA;
}

static int judge(const struct brokers *b, const struct prom_answer *a)
{
	struct err err = ERR_INIT;
	struct rates r;
	int rc = 0;

	if (rates_read(a, b->by_instance, b->by_topic, &b->limits, &r, &err) != 0)
		return complain(err.text, EXIT_DATA);
	check_end(b, &r);
	if (!rates_any(&r)) {
		buf_reset(&r.warnings);
		rc = complain_no_data(a, &r);
	} else if (r.warnings.len > 0) {
		rc = EXIT_WARNING;
	}
	brokers_show(b, &r);
	rates_fini(&r);
	return rc;
}

static int brokers(struct brokers *b)
{
	struct prom_answer a = {NULL, 0, NULL};
	struct err err = ERR_INIT;
	struct http *h = NULL;
	int rc;

	if (http_global_init(&err) != 0)
		return complain(err.text, EXIT_UNAVAILABLE);
	if (http_open(&h, &b->options, NULL, &err) != 0) {
		rc = complain(err.text, EXIT_CONFIG);
	} else if (ask(b, h, &a, &err) != 0) {
		utf8_plain(err.text);
		rc = complain(err.text, err.code == PROM_NO_ANSWER ? EXIT_UNAVAILABLE
								   : EXIT_DATA);
	} else {
		rc = judge(b, &a);
	}
	prom_answer_fini(&a);
	http_close(h);
	http_global_fini();
	return rc;
}

int cli_brokers(int argc, char **argv)
{
	struct brokers b = {.text = BUF_INIT(QUERY_MAX), .query = {.at = (double)NAN}};
	struct given g = {.range = NULL};
	const char *path;
	const struct option_flag flags[] = {{"prometheus", NULL, &b.query.url},
					    {"at", NULL, &g.at},
					    {"range", NULL, &g.range},
					    {"step", NULL, &g.step},
					    {"start", NULL, &g.start},
					    {"end", NULL, &g.end},
					    {"by", NULL, &g.by},
					    {"metric", NULL, &b.metric},
					    {"query", NULL, &b.expression},
					    {"min-rate", NULL, &g.min_rate},
					    {"max-change", NULL, &g.max_change},
					    {"max-skew", NULL, &g.max_skew},
					    {"json", &b.json, NULL},
					    {"csv", &b.csv, NULL},
					    OPTIONS_HTTP(b.options)};
	int rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags), NULL);

	if (rc == OPTIONS_GO_ON)
		rc = read_options(&b, &g);
	if (rc == OPTIONS_GO_ON)
		rc = brokers(&b);
	buf_free(&b.text);
	return rc;
}
