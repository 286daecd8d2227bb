/* SPDX-License-Identifier: MIT */
#include "cli/brokers_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/options.h"

#include "banned.h"

#define DECIMALS 6
#define OUTPUT_MAX ((size_t)1 << 30)
#define SPARKS 40 /* characters of a trend, at most */

static void key_real(struct jsonw *w, const char *key, double v)
{
	jsonw_key(w, key);
	jsonw_real(w, v, DECIMALS);
}

static void key_time(struct jsonw *w, const char *key, double seconds)
{
	char text[WALL_TEXT];

	wall_format((struct wall){(int64_t)llround(seconds * 1000)}, text);
	jsonw_key_str(w, key, text);
}

/* Of what the totals are: the last step, else the time that was asked for. */
static double time_of(const struct brokers *b, const struct rates *r)
{
	if (r->steps > 0)
		return r->times[r->steps - 1];
	if (b->query.range)
		return b->query.end;
	return isnan(b->query.at) ? (double)clock_wall().ms / 1000 : b->query.at;
}

static void put_by(struct jsonw *w, const struct brokers *b)
{
	jsonw_key(w, "by");
	jsonw_array(w);
	if (b->by_instance)
		jsonw_str(w, "instance");
	if (b->by_topic)
		jsonw_str(w, "topic");
	jsonw_end(w);
}

static void put_count(struct jsonw *w, const struct rates *r)
{
	if (r->brokers_known)
		jsonw_key_int(w, "brokers", (int64_t)r->brokers);
	else
		jsonw_key_str(w, "brokers", NULL);
}

static void put_values(struct jsonw *w, const struct rates *r,
		       const struct rates_row *row)
{
	jsonw_key(w, "values");
	jsonw_array(w);
	for (size_t i = 0; i < r->steps; i++) {
		if (!row->present[i])
			continue;
		jsonw_array(w);
		if (r->times[i] == floor(r->times[i]))
			jsonw_int(w, (int64_t)r->times[i]);
		else
			jsonw_real(w, r->times[i], 3);
		jsonw_real(w, row->values[i], DECIMALS);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_series(struct jsonw *w, const struct brokers *b, const struct rates *r)
{
	jsonw_key(w, "series");
	jsonw_array(w);
	for (size_t i = 0; i < r->n; i++) {
		jsonw_object(w);
		jsonw_key_str(w, "instance", r->rows[i].instance);
		jsonw_key_str(w, "topic", r->rows[i].topic);
		key_real(w, "rate", r->rows[i].rate);
		if (b->query.range)
			put_values(w, r, &r->rows[i]);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_warnings(struct jsonw *w, const struct rates *r)
{
	const char *p = buf_str(&r->warnings);

	jsonw_key(w, "warnings");
	jsonw_array(w);
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		jsonw_strn(w, p, n);
		p += n + (p[n] == '\n');
	}
	jsonw_end(w);
}

void brokers_json(const struct brokers *b, const struct rates *r, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	jsonw_object(&w);
	jsonw_key_str(&w, "query", buf_str(&b->text));
	key_time(&w, "at", time_of(b, r));
	if (b->query.range) {
		key_time(&w, "from", b->query.start);
		key_time(&w, "to", b->query.end);
		key_real(&w, "step", b->query.step);
	}
	put_by(&w, b);
	put_count(&w, r);
	key_real(&w, "total", r->total);
	key_real(&w, "mean", r->mean);
	key_real(&w, "min", r->min);
	key_real(&w, "max", r->max);
	jsonw_key_int(&w, "not_finite", (int64_t)r->not_finite);
	put_series(&w, b, r);
	put_warnings(&w, r);
	jsonw_end(&w);
}

static void csv_cell(struct buf *out, const char *text)
{
	if (text == NULL)
		return;
	if (text[strcspn(text, ",\"\r\n")] == '\0') {
		buf_addstr(out, text);
		return;
	}
	buf_addch(out, '"');
	for (; *text != '\0'; text++)
		buf_printf(out, "%s%c", *text == '"' ? "\"" : "", *text);
	buf_addch(out, '"');
}

static void add_rate(struct buf *out, double v)
{
	struct jsonw w = jsonw_start(out);

	if (!isnan(v))
		jsonw_real(&w, v, DECIMALS);
}

void brokers_csv(const struct rates *r, struct buf *out)
{
	buf_addstr(out, "instance,topic,rate\n");
	for (size_t i = 0; i < r->n; i++) {
		csv_cell(out, r->rows[i].instance);
		buf_addch(out, ',');
		csv_cell(out, r->rows[i].topic);
		buf_addch(out, ',');
		add_rate(out, r->rows[i].rate);
		buf_addch(out, '\n');
	}
}

/* The largest value of the steps from..to, NAN for none. */
static double peak(const struct rates_row *row, size_t from, size_t to)
{
	double max = (double)NAN;

	for (size_t i = from; i < to; i++)
		if (!isnan(row->values[i]) && !(row->values[i] <= max))
			max = row->values[i];
	return max;
}

/* The range as a line of blocks, of its own scale from 0. */
static void add_trend(struct buf *out, const struct rates *r,
		      const struct rates_row *row)
{
	static const char *const block[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	size_t n = r->steps < SPARKS ? r->steps : SPARKS;
	double top = peak(row, 0, r->steps);

	for (size_t i = 0; i < n; i++) {
		double v = peak(row, i * r->steps / n, (i + 1) * r->steps / n);

		if (isnan(v) || !(top > 0))
			buf_addstr(out, isnan(v) ? " " : block[0]);
		else
			buf_addstr(out, block[v <= 0 ? 0 : (int)(v / top * 7.0 + 0.5)]);
	}
}

static void add_number(struct buf *out, double v)
{
	if (isnan(v))
		buf_addstr(out, "-");
	else
		buf_printf(out, fabs(v) < 10 ? "%.3f" : "%.1f", v);
}

static void add_sentence(const struct rates *r, struct buf *out)
{
	if (r->brokers_known)
		buf_printf(out, "%zu broker%s, ", r->brokers,
			   r->brokers == 1 ? "" : "s");
	buf_addstr(out, "total ");
	add_number(out, r->total);
	if (!isnan(r->mean)) {
		buf_addstr(out, "; per broker mean ");
		add_number(out, r->mean);
		buf_addstr(out, ", min ");
		add_number(out, r->min);
		buf_addstr(out, ", max ");
		add_number(out, r->max);
	}
	if (r->not_finite > 0) {
		buf_printf(out, "; %zu rate%s not finite (", r->not_finite,
			   r->not_finite == 1 ? " is" : "s are");
		rates_odd(r, out);
		buf_addch(out, ')');
	}
	buf_addch(out, '\n');
}

/* A label is a stranger's text. */
static void add_label(struct buf *out, const char *label, int width)
{
	char *text = mem_strdup(label != NULL ? label : "-");

	utf8_plain(text);
	buf_printf(out, "%-*s ", width, text);
	free(text);
}

static void add_table(const struct brokers *b, const struct rates *r, bool trend,
		      struct buf *out)
{
	buf_printf(out, "%-28s %-32s %12s\n", b->by_instance ? "INSTANCE" : "",
		   b->by_topic ? "TOPIC" : "", "RATE");
	for (size_t i = 0; i < r->n; i++) {
		struct buf number = BUF_INIT(64);

		if (isnan(r->rows[i].rate) && r->rows[i].odd != NULL)
			buf_addstr(&number, r->rows[i].odd);
		else
			add_number(&number, r->rows[i].rate);
		add_label(out, r->rows[i].instance, 28);
		add_label(out, r->rows[i].topic, 32);
		buf_printf(out, "%12s", buf_str(&number));
		if (trend) {
			buf_addstr(out, "  ");
			add_trend(out, r, &r->rows[i]);
		}
		buf_addch(out, '\n');
		buf_free(&number);
	}
	add_sentence(r, out);
}

/* "WARNING: …", on stdout for people and on stderr beside a file. */
static void show_warnings(const struct brokers *b, const struct rates *r)
{
	FILE *to = b->json || b->csv ? stderr : stdout;
	bool colour = options_colour(to);
	const char *p = buf_str(&r->warnings);

	fflush(stdout);
	while (*p != '\0') {
		size_t n = strcspn(p, "\n");

		fprintf(to, "%sWARNING: %.*s%s\n", colour ? "\033[33m" : "", (int)n, p,
			colour ? "\033[0m" : "");
		p += n + (p[n] == '\n');
	}
}

void brokers_show(const struct brokers *b, const struct rates *r)
{
	struct buf out = BUF_INIT(OUTPUT_MAX);

	if (b->json) {
		brokers_json(b, r, &out);
		buf_addch(&out, '\n');
	} else if (b->csv) {
		brokers_csv(r, &out);
	} else if (rates_any(r)) {
		add_table(b, r, b->query.range && isatty(STDOUT_FILENO) == 1, &out);
	}
	fwrite(buf_str(&out), 1, out.len, stdout);
	buf_free(&out);
	show_warnings(b, r);
}
