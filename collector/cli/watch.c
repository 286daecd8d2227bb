/* SPDX-License-Identifier: MIT
 * watch: the lag of one group from a metrics page, a line an interval. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "config/text.h"
#include "http/http.h"
#include "lag/exporter.h"
#include "source/page.h"

#include "banned.h"

#define TIMEOUT_MS 10000 /* of one look */
#define CUT_SHORT -1     /* no exit code: the look did not come to its end */

static const char usage[] =
	"Usage: mmlag watch --exporter URL --group GROUP [options]\n"
	"Prints the lag of a consumer group every interval, from the metrics page of\n"
	"kafka_exporter, mmlag, kminion, kafka-lag-exporter, Burrow, or\n"
	"prometheus-kafka-consumer-group-exporter. Needs no configuration.\n\n"
	"  --exporter URL        the page, as http://host:9308/metrics\n"
	"  --group GROUP         the sum over its topics and partitions is shown\n"
	"  --threshold N         warn at this lag and above; default 100\n"
	"  --interval DURATION   default 5s\n"
	"  --count N             end after so many looks, or at the first error\n" OPTIONS_HTTP_HELP
	"Exit: 0, 1 the last state was a warning, 2 no data for the group, 69 the page\n"
	"could not be had.\n";

struct watch {
	const char *url, *group;
	int64_t threshold, interval_ms, count; /* count 0: for ever */
	struct http_options options;
	struct wake wake;
	size_t left_out; /* partitions without a lag, as told last */
};

/* Print a look's result. Returns whether it is a warning. */
static bool tell(const struct watch *w, int64_t lag)
{
	bool high = lag >= w->threshold;
	bool colour = high && options_colour(stdout);

	printf("Current Lag for %s: %lld\n", w->group, (long long)lag);
	if (high)
		printf("%sWARNING: Consumer Lag is too high!%s\n",
		       colour ? "\033[33m" : "", colour ? "\033[0m" : "");
	fflush(stdout);
	return high;
}

static int complain(const char *text, int code)
{
	fprintf(stderr, "mmlag watch: %s\n", text);
	return code;
}

/* When their number changes. */
static void tell_left_out(struct watch *w, const struct exporter_total *t)
{
	if (t->without == w->left_out)
		return;
	w->left_out = t->without;
	if (t->without == 0)
		fprintf(stderr, "mmlag watch: no partition is left out any more\n");
	else
		fprintf(stderr,
			"mmlag watch: %zu of %zu partitions of group '%s' have no lag (nothing "
			"committed, or no finite number) and are left out\n",
			t->without, t->partitions, w->group);
}

static int look(struct watch *w, struct http *h)
{
	struct exporter *x;
	struct err err = ERR_INIT;
	struct exporter_total total;
	struct gap gap;
	bool known;
	int rc;

	if (page_read(h, w->url, w->group, 0, &x, &err) != 0) {
		if (err.code == PAGE_STOPPED)
			return CUT_SHORT;
		utf8_plain(err.text);
		return complain(err.text, err.code == PAGE_GARBAGE ? EXIT_NO_DATA
								   : EXIT_UNAVAILABLE);
	}
	known = exporter_total(x, &total, &gap);
	tell_left_out(w, &total);
	if (known)
		rc = tell(w, total.lag) ? EXIT_WARNING : 0;
	else
		rc = complain(gap.message, EXIT_NO_DATA);
	exporter_free(x);
	return rc;
}

/* Returns the exit code: that of the last look. */
static int go_on(struct watch *w, struct http *h)
{
	struct mono next = clock_mono();
	int rc = 0;

	for (int64_t i = 0; !wake_stopping(&w->wake); i++) {
		int now = look(w, h);

		if (now == CUT_SHORT)
			break; /* the one before counts */
		rc = now;
		if (w->count > 0 && (i + 1 == w->count || rc > EXIT_WARNING))
			break;
		if (ferror(stdout))
			break;
		next = mono_add_ms(next, w->interval_ms);
		if (mono_before(next, clock_mono()))
			next = clock_mono(); /* never two at once, none made up for */
		while (!wake_stopping(&w->wake) && mono_before(clock_mono(), next))
			wake_wait(&w->wake, STEP_UNTIL(next));
	}
	return rc;
}

static int watch(struct watch *w)
{
	struct err err = ERR_INIT;
	struct http *h = NULL;
	int rc;

	w->options.timeout_ms = TIMEOUT_MS;
	if (interrupt_init(&w->wake, false, &err) != 0 || http_global_init(&err) != 0)
		return complain(err.text, EXIT_UNAVAILABLE);
	if (http_open(&h, &w->options, &w->wake, &err) != 0)
		rc = complain(err.text, EXIT_CONFIG);
	else
		rc = go_on(w, h);
	http_close(h);
	http_global_fini();
	interrupt_fini(&w->wake);
	return rc;
}

static int read_options(struct watch *w, const char *threshold, const char *interval,
			const char *count)
{
	struct err err = ERR_INIT;
	int rc;

	if (w->url == NULL || w->group == NULL || *w->group == '\0')
		return options_usage("watch", "--exporter and --group are needed");
	rc = options_url("watch", "--exporter", w->url);
	if (rc == OPTIONS_GO_ON)
		rc = options_http("watch", &w->options);
	if (rc != OPTIONS_GO_ON)
		return rc;
	if (threshold != NULL && config_text_int(threshold, &w->threshold, &err) != 0)
		return options_usage("watch", "--threshold: %s", err.text);
	if (interval != NULL &&
	    config_text_duration(interval, &w->interval_ms, &err) != 0)
		return options_usage("watch", "--interval: %s", err.text);
	if (w->interval_ms < 1)
		return options_usage("watch", "--interval: must be above 0");
	if (count != NULL && config_text_int(count, &w->count, &err) != 0)
		return options_usage("watch", "--count: %s", err.text);
	if (count != NULL && w->count < 1)
		return options_usage("watch", "--count: must be at least 1");
	return OPTIONS_GO_ON;
}

int cli_watch(int argc, char **argv)
{
	struct watch w = {.threshold = 100, .interval_ms = 5000};
	const char *path, *threshold = NULL, *interval = NULL, *count = NULL;
	const struct option_flag flags[] = {{"exporter", NULL, &w.url},
					    {"group", NULL, &w.group},
					    {"threshold", NULL, &threshold},
					    {"interval", NULL, &interval},
					    {"count", NULL, &count},
					    OPTIONS_HTTP(w.options)};
	int rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags), NULL);

	if (rc == OPTIONS_GO_ON)
		rc = read_options(&w, threshold, interval, count);
	return rc != OPTIONS_GO_ON ? rc : watch(&w);
}
