/* SPDX-License-Identifier: MIT */
#include "cli/judge.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "lag/rules.h"

#include "banned.h"

#define ANSWER_MAX 8192

static const char usage[] =
	"Usage: mmlag judge < windows.ndjson\n"
	"Reads one window of commits a line and answers each with a verdict, in "
	"order:\n\n"
	"  "
	"{\"offsets\":[1000,2000],\"timestamps\":[100000,200000],\"lags\":[50,null],\n"
	"   \"log_end_offsets\":[2050],\"current_lag\":50,\"now\":300,\n"
	"   \"allowed_lag\":0,\"complete\":1,\"minimum_complete\":0}\n\n"
	"timestamps are milliseconds, now is seconds; the last three keys are "
	"optional.\n"
	"The answer is {\"status\":…,\"rule\":…}, or {\"error\":…} for a bad line.\n\n"
	"  -c, --config FILE  accepted like everywhere, but not read\n"
	"Exit: 0, 65 some line was bad.\n";

/* A window and the arrays it points to. */
struct input {
	struct window w;
	struct commit *commits;
	int64_t *log_ends;
};

static int bad(struct err *err, const char *key, const char *what)
{
	return err_set(err, ERR_REJECT, "%s %s", key, what);
}

static int bad_item(struct err *err, const char *key, size_t i, const char *what)
{
	return err_set(err, ERR_REJECT, "%s[%zu] %s", key, i, what);
}

static int read_int(const json_t *o, const char *key, int64_t *out, struct err *err)
{
	const json_t *v = json_object_get(o, key);

	if (v == NULL)
		return bad(err, key, "is missing");
	if (!json_is_integer(v))
		return bad(err, key, "is not an integer");
	*out = json_integer_value(v);
	return 0;
}

/* Whole seconds, which some write as 600.0. */
static int read_now(const json_t *o, __int128 *now_ms, struct err *err)
{
	const json_t *v = json_object_get(o, "now");
	double real = json_real_value(v);

	if (v == NULL)
		return bad(err, "now", "is missing");
	if (!json_is_number(v))
		return bad(err, "now", "is not a number");
	if (json_is_integer(v)) {
		*now_ms = (__int128)json_integer_value(v) * 1000;
		return 0;
	}
	if (real != trunc(real))
		return bad(err, "now", "is not whole seconds");
	if (real < -0x1p63 || real >= 0x1p63)
		return bad(err, "now", "is out of range");
	*now_ms = (__int128)real * 1000;
	return 0;
}

/* An optional number in 0..1; `out` keeps its value where there is none. */
static int read_share(const json_t *o, const char *key, double *out, struct err *err)
{
	const json_t *v = json_object_get(o, key);

	if (v == NULL)
		return 0;
	if (!json_is_number(v))
		return bad(err, key, "is not a number");
	*out = json_number_value(v);
	if (!(*out >= 0 && *out <= 1))
		return bad(err, key, "is out of range: 0 to 1");
	return 0;
}

static const json_t *get_array(const json_t *o, const char *key, struct err *err)
{
	const json_t *v = json_object_get(o, key);

	if (v == NULL)
		bad(err, key, "is missing");
	else if (!json_is_array(v))
		bad(err, key, "is not an array");
	return json_is_array(v) ? v : NULL;
}

static int read_commits(const json_t *o, struct input *in, struct err *err)
{
	const json_t *offsets = get_array(o, "offsets", err);
	const json_t *times = offsets == NULL ? NULL : get_array(o, "timestamps", err);
	const json_t *lags = times == NULL ? NULL : get_array(o, "lags", err);
	size_t n = json_array_size(offsets);

	if (lags == NULL)
		return err->class;
	if (json_array_size(times) != n || json_array_size(lags) != n)
		return err_set(
			err, ERR_REJECT,
			"offsets, timestamps and lags differ in length: %zu, %zu, %zu",
			n, json_array_size(times), json_array_size(lags));
	in->commits = mem_calloc(n, sizeof(*in->commits));
	for (size_t i = 0; i < n; i++) {
		const json_t *offset = json_array_get(offsets, i);
		const json_t *time = json_array_get(times, i);
		const json_t *lag = json_array_get(lags, i);
		int64_t value = json_integer_value(lag);

		if (!json_is_integer(offset))
			return bad_item(err, "offsets", i, "is not an integer");
		if (!json_is_integer(time))
			return bad_item(err, "timestamps", i, "is not an integer");
		if (!json_is_integer(lag) && !json_is_null(lag))
			return bad_item(err, "lags", i,
					"is neither an integer nor null");
		in->commits[i].offset = json_integer_value(offset);
		in->commits[i].time_ms = json_integer_value(time);
		in->commits[i].lag = json_is_null(lag) ? LAG_UNKNOWN
				     : value < 0       ? 0
						       : value;
	}
	in->w.commits = in->commits;
	in->w.n = n;
	return 0;
}

static int read_log_ends(const json_t *o, struct input *in, struct err *err)
{
	const json_t *ends = get_array(o, "log_end_offsets", err);
	size_t n = json_array_size(ends);

	if (ends == NULL)
		return err->class;
	in->log_ends = mem_calloc(n, sizeof(*in->log_ends));
	for (size_t i = 0; i < n; i++) {
		const json_t *end = json_array_get(ends, i);

		if (!json_is_integer(end))
			return bad_item(err, "log_end_offsets", i, "is not an integer");
		in->log_ends[i] = json_integer_value(end);
	}
	in->w.log_ends = in->log_ends;
	in->w.n_log_ends = n;
	return 0;
}

static int read_window(const json_t *o, struct input *in, struct err *err)
{
	struct window *w = &in->w;

	if (!json_is_object(o))
		return err_set(err, ERR_REJECT, "this is no JSON object");
	if (read_commits(o, in, err) != 0 || read_log_ends(o, in, err) != 0 ||
	    read_int(o, "current_lag", &w->current_lag, err) != 0 ||
	    read_now(o, &w->now_ms, err) != 0 ||
	    read_share(o, "complete", &w->complete, err) != 0 ||
	    read_share(o, "minimum_complete", &w->minimum_complete, err) != 0)
		return err->class;
	if (json_object_get(o, "allowed_lag") != NULL &&
	    read_int(o, "allowed_lag", &w->allowed_lag, err) != 0)
		return err->class;
	if (w->allowed_lag < 0)
		return bad(err, "allowed_lag", "is out of range: it is negative");
	return 0;
}

static bool is_blank(const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t' ||
			   line[len - 1] == '\r' || line[len - 1] == '\n'))
		len--;
	return len == 0;
}

/* The caller lets go of what it gets; NULL sets the error. */
static json_t *parse(const char *line, size_t len, struct err *err)
{
	json_error_t e;
	json_t *o;

	if (is_blank(line, len)) {
		err_set(err, ERR_REJECT, "the line is empty");
		return NULL;
	}
	o = json_loadb(line, len,
		       JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &e);
	if (o == NULL)
		err_set(err, ERR_REJECT, "%s: %s (column %d)",
			json_error_code(&e) == json_error_numeric_overflow
				? "a number is out of range"
			: json_error_code(&e) == json_error_duplicate_key
				? "a key stands twice"
				: "this is not JSON",
			e.text, e.column);
	return o;
}

static void put_error(const struct err *err, struct buf *answer)
{
	struct jsonw w = jsonw_start(answer);

	jsonw_object(&w);
	jsonw_key_str(&w, "error", err->text);
	jsonw_end(&w);
}

bool judge_line(const char *line, size_t len, struct buf *answer)
{
	struct input in = {.w = {.complete = 1}, .commits = NULL, .log_ends = NULL};
	struct err err = ERR_INIT;
	struct jsonw w = jsonw_start(answer);
	json_t *o = parse(line, len, &err);
	bool good = o != NULL && read_window(o, &in, &err) == 0;

	if (good) {
		enum rule rule = rules_judge(&in.w);

		jsonw_object(&w);
		jsonw_key_str(&w, "status", verdict_name(rule_verdict(rule)));
		jsonw_key_str(&w, "rule", rule_name(rule));
		jsonw_end(&w);
	} else {
		put_error(&err, answer);
	}
	json_decref(o);
	free(in.commits);
	free(in.log_ends);
	return good;
}

/* The next line without its newline; false at the end. A line that is too long is read
 * to its end, and `failed` in the buffer. */
static bool next_line(FILE *in, struct buf *line)
{
	int c = getc_unlocked(in);
	bool any = c != EOF;

	buf_reset(line);
	while (c != EOF && c != '\n') {
		buf_addch(line, (char)c);
		c = getc_unlocked(in);
	}
	return any;
}

static int trouble(const char *what)
{
	struct err err = ERR_INIT;

	err_set_errno(&err, ERR_PERMANENT, errno, "%s", what);
	fprintf(stderr, "mmlag judge: %s\n", err.text);
	return EXIT_FAILURE;
}

int judge_stream(FILE *in, FILE *out)
{
	struct buf line = BUF_INIT(JUDGE_LINE_MAX);
	struct buf answer = BUF_INIT(ANSWER_MAX);
	struct err too_long = ERR_INIT;
	int rc = 0;

	err_set(&too_long, ERR_REJECT, "the line is longer than %u bytes",
		JUDGE_LINE_MAX);
	while (next_line(in, &line)) {
		buf_reset(&answer);
		if (line.failed) {
			put_error(&too_long, &answer);
			rc = EXIT_DATA;
		} else if (!judge_line(buf_str(&line), line.len, &answer)) {
			rc = EXIT_DATA;
		}
		/* flushed line by line, for whoever asks and waits */
		if (fprintf(out, "%s\n", buf_str(&answer)) < 0 || fflush(out) != 0) {
			rc = trouble("cannot write the answer");
			break;
		}
	}
	if (ferror(in))
		rc = trouble("cannot read the windows");
	buf_free(&line);
	buf_free(&answer);
	return rc;
}

int cli_judge(int argc, char **argv)
{
	const char *path; /* -c is taken everywhere; there is nothing in it for us */
	int rc = options_parse(argc, argv, usage, &path, NULL, 0, NULL);

	return rc != OPTIONS_GO_ON ? rc : judge_stream(stdin, stdout);
}
