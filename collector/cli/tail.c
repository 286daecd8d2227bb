/* SPDX-License-Identifier: MIT
 * tail: the newest documents of a running daemon, as they come. */
#include "cli/tail.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/live.h"
#include "cli/options.h"

#include "banned.h"

#define PAUSE_MS 500
#define LINE_MAX_BYTES ((size_t)4 << 20)

static const char usage[] =
	"Usage: mmlag tail [-c FILE] [--topic T] [--cluster C] [--json]\n"
	"Prints the newest documents of the running daemon as they come: on a terminal a\n"
	"line for a reader, into a pipe or with --json one JSON object a line.\n\n" FEED_HELP
	"      --topic T         of this topic only\n"
	"      --cluster C       of this cluster only\n"
	"      --json            JSON on a terminal too\n"
	"  with --url:\n" OPTIONS_HTTP_HELP
	"Exit: 0 ended by a signal, 1 no daemon answers.\n";

/* ---- documents as text ---- */

/* Characters that jansson passes and a terminal obeys, or that turn text around. */
static bool is_dangerous(const unsigned char *s, size_t n)
{
	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	return n == 3 && s[0] == 0xe2 &&
	       ((s[1] == 0x80 && (s[2] >= 0xa8 || (s[2] >= 0x8b && s[2] <= 0x8f))) ||
		(s[1] == 0x81 && s[2] >= 0xa0 && s[2] <= 0xaf));
}

static unsigned code_of(const unsigned char *s, size_t n)
{
	if (n == 1)
		return s[0];
	if (n == 2)
		return (s[0] & 0x1fU) << 6 | (s[1] & 0x3fU);
	return (s[0] & 0x0fU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU);
}

void tail_json(const json_t *document, struct buf *out)
{
	char *text = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(15));
	const unsigned char *s = (const unsigned char *)text;

	while (s != NULL && *s != '\0') {
		size_t n = utf8_sequence(s, strlen((const char *)s));

		if (n == 0)
			n = 1; /* jansson writes UTF-8 only */
		if (is_dangerous(s, n))
			buf_printf(out, "\\u%04x", code_of(s, n));
		else
			buf_add(out, s, n);
		s += n;
	}
	free(text);
}

static const char *string_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static void put_time(const json_t *d, struct buf *text)
{
	struct wall at;
	struct tm tm;
	time_t s;

	if (wall_parse(string_of(d, "@timestamp"), &at) != 0) {
		buf_addstr(text, "--:--:-- ");
		return;
	}
	s = (time_t)(at.ms / 1000);
	if (localtime_r(&s, &tm) != NULL)
		buf_printf(text, "%02d:%02d:%02d ", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void put_number(const json_t *o, const char *key, struct buf *text)
{
	const json_t *v = json_object_get(o, key);
	char number[CELLS_NUMBER];

	if (json_is_integer(v)) {
		cells_number(json_integer_value(v), sizeof(number), number);
		buf_addstr(text, number);
	} else {
		buf_addch(text, '-');
	}
}

static void put_sample(const json_t *d, struct buf *text)
{
	const json_t *time_lag = json_object_get(d, "time_lag_ms");
	const json_t *produced = json_object_get(d, "produced_per_sec");
	const json_t *consumed = json_object_get(d, "consumed_per_sec");
	char word[CELLS_NUMBER];

	buf_addstr(text, "  lag ");
	put_number(d, "lag_sum", text);
	if (json_is_integer(json_object_get(d, "lag_max_partition"))) {
		buf_addstr(text, ", most p");
		put_number(d, "lag_max_partition", text);
		buf_addch(text, ' ');
		put_number(d, "lag_max", text);
	}
	if (json_is_integer(time_lag)) {
		cells_span(json_integer_value(time_lag), word);
		buf_printf(text, ", %s behind", word);
	}
	if (json_is_number(produced) && json_is_number(consumed)) {
		cells_rate(json_number_value(produced), word);
		buf_printf(text, ", in %s/s", word);
		cells_rate(json_number_value(consumed), word);
		buf_printf(text, ", out %s/s", word);
	}
}

static const char *colour_of(const char *status)
{
	if (strcmp(status, "ERR") == 0 || strcmp(status, "firing") == 0)
		return "\033[1;31m";
	if (strcmp(status, "WARN") == 0)
		return "\033[33m";
	if (strcmp(status, "NODATA") == 0)
		return "\033[35m";
	return strcmp(status, "OK") == 0 || strcmp(status, "resolved") == 0 ? "\033[32m"
									    : "";
}

/* What the document is about, freed by the caller. */
static char *subject(const json_t *d, bool clusters)
{
	static const char *const keys[] = {"topic", "match", "host", "group"};
	const char *cluster = string_of(d, "cluster");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (*string_of(d, keys[i]) != '\0')
			return clusters && i < 2 ? mem_printf("%s/%s", cluster,
							      string_of(d, keys[i]))
						 : mem_strdup(string_of(d, keys[i]));
	return mem_strdup("?");
}

void tail_line(const json_t *document, size_t width, bool colour, bool clusters,
	       struct buf *out)
{
	bool alert = strcmp(string_of(document, "event"), "alert") == 0;
	const char *status = string_of(document, alert ? "state" : "status");
	const char *paint = colour ? colour_of(status) : "";
	struct buf text = BUF_INIT(LINE_MAX_BYTES), head = BUF_INIT(64);
	char *about = subject(document, clusters);
	size_t head_width;

	put_time(document, &head);
	head_width = head.len + 9;
	buf_printf(&text, "%s", about);
	if (alert)
		buf_printf(&text, "  alert %s %s: %s", string_of(document, "severity"),
			   string_of(document, "rule"), string_of(document, "message"));
	else if (strcmp(status, "NODATA") == 0)
		buf_printf(&text, "  %s: %s", string_of(document, "reason"),
			   string_of(document, "message"));
	else
		put_sample(document, &text);
	if (width > 0 &&
	    width <= head_width) { /* hardly any room: the subject counts */
		cells_add(out, about, width);
	} else {
		buf_add(out, buf_str(&head), head.len);
		buf_addstr(out, paint);
		cells_left(out, status, 8);
		buf_addstr(out, *paint != '\0' ? "\033[0m " : " ");
		cells_add(out, buf_str(&text),
			  width > 0 ? width - head_width : SIZE_MAX);
	}
	buf_free(&head);
	buf_free(&text);
	free(about);
}

/* ---- the command ---- */

struct tail {
	struct feed *feed;
	struct wake *wake;
	const char *topic, *cluster; /* NULL for all */
	bool json, colour, terminal;
	bool clusters;    /* there are several */
	json_int_t after; /* -1 before the first answer */
	bool lost;
};

static size_t columns(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
		       ? size.ws_col
		       : 80;
}

/* Returns false when nobody reads any more. */
static bool print(const struct tail *t, const json_t *documents)
{
	struct buf line = BUF_INIT(LINE_MAX_BYTES);
	size_t i;
	json_t *d;

	json_array_foreach(documents, i, d)
	{
		buf_reset(&line);
		if (t->json)
			tail_json(d, &line);
		else
			tail_line(d, t->terminal ? columns() : 0, t->colour,
				  t->clusters, &line);
		puts(buf_str(&line));
	}
	buf_free(&line);
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	if (errno == EPIPE) { /* `mmlag tail | head` ends as quietly as others do */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	return false;
}

static void add_query(struct buf *target, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_addch(target, strchr(buf_str(target), '?') == NULL ? '?' : '&');
	buf_printf(target, "%s=", key);
	feed_escape(target, value);
}

static int ask(struct tail *t, json_t **answer, struct err *err)
{
	struct buf target = BUF_INIT(8192);
	int rc;

	buf_addstr(&target, "/api/v1/documents");
	if (t->after >= 0)
		buf_printf(&target, "?after=%" JSON_INTEGER_FORMAT, t->after);
	add_query(&target, "topic", t->topic);
	add_query(&target, "cluster", t->cluster);
	rc = feed_get(t->feed, buf_str(&target), answer, err);
	buf_free(&target);
	return rc;
}

/* Do the daemon's topics belong to several clusters? Where it does not say, no. */
static bool has_clusters(struct tail *t)
{
	struct err err = ERR_INIT;
	json_t *answer = NULL, *o;
	const json_t *first;
	bool several = false;
	size_t i;

	if (feed_get(t->feed, "/api/v1/topics", &answer, &err) != 0)
		return false;
	first = json_array_get(json_object_get(answer, "topics"), 0);
	json_array_foreach(json_object_get(answer, "topics"), i, o) several |=
		strcmp(string_of(o, "cluster"), string_of(first, "cluster")) != 0;
	json_decref(answer);
	return several;
}

/* One look. Returns an exit code, or -1 to go on. */
static int look(struct tail *t)
{
	struct err err = ERR_INIT;
	json_t *answer = NULL;
	json_int_t next;
	bool first = t->after < 0;

	if (ask(t, &answer, &err) != 0) {
		if (err.code == HTTP_STOPPED)
			return 0;
		if (!t->lost)
			fprintf(stderr, "mmlag tail: %s%s\n", err.text,
				first ? "" : "; trying again");
		t->lost = true;
		return first || err.class == ERR_PERMANENT ? 1 : -1;
	}
	if (t->lost)
		fprintf(stderr, "mmlag tail: mmlag answers again\n");
	if ((first || t->lost) && !t->json)
		t->clusters = has_clusters(t);
	t->lost = false;
	next = json_integer_value(json_object_get(answer, "next"));
	if (next < t->after) /* it was restarted and counts anew */
		t->after = 0;
	else {
		bool heard = print(t, json_object_get(answer, "documents"));

		t->after = next;
		if (!heard) {
			json_decref(answer);
			return 0;
		}
	}
	json_decref(answer);
	return -1;
}

static int follow(void *self, struct feed *feed, struct wake *wake)
{
	struct tail *t = self;
	int rc;

	t->feed = feed;
	t->wake = wake;
	while ((rc = look(t)) < 0 && !wake_stopping(wake))
		wake_wait(wake, STEP_UNTIL(mono_add_ms(clock_mono(), PAUSE_MS)));
	return rc < 0 ? 0 : rc;
}

int cli_tail(int argc, char **argv)
{
	struct live l = {.command = "tail"};
	struct tail t = {.after = -1, .terminal = isatty(STDOUT_FILENO) == 1};
	const struct option_flag flags[] = {{"topic", NULL, &t.topic},
					    {"cluster", NULL, &t.cluster},
					    {"json", &t.json, NULL},
					    {"url", NULL, &l.url},
					    OPTIONS_HTTP(l.http)};
	int rc = options_parse(argc, argv, usage, &l.path, flags, ARRAY_LEN(flags),
			       NULL);

	if (rc != OPTIONS_GO_ON)
		return rc;
	t.json = t.json || !t.terminal;
	t.colour = options_colour(stdout);
	return live_run(&l, follow, &t);
}
