/* SPDX-License-Identifier: MIT */
#include "prom/rates.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/jsonw.h"
#include "base/mem.h"

#include "banned.h"

#define CELLS_MAX 16000000 /* rows times steps */
#define WARNINGS_MAX 16384 /* bytes */

/* A series that counts. */
struct part {
	const char *instance, *topic; /* NULL: none */
	const struct prom_series *series;
};

struct broker {
	const char *instance;
	bool now;     /* there is a value of the last step, */
	bool finite;  /* and a finite one */
	bool earlier; /* there was a finite one before */
	double rate;
};

struct work {
	struct part *part;
	size_t parts;
	struct broker *broker;
	size_t brokers, cap;
	struct rates *out;
};

static const char *label(const struct prom_series *s, const char *name)
{
	const char *value = prom_label(s, name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static int compare_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_parts(const void *va, const void *vb)
{
	const struct part *a = va, *b = vb;
	int order = compare_text(a->instance, b->instance);

	return order != 0 ? order : compare_text(a->topic, b->topic);
}

/* The series that count, in order of instance and topic. A series without a topic
 * stands before those of the same instance that have one, and falls out. */
static void pick_parts(struct work *w, const struct prom_answer *a)
{
	size_t kept = 0;

	w->part = mem_calloc(a->n + 1, sizeof(*w->part));
	for (size_t i = 0; i < a->n; i++)
		w->part[i] =
			(struct part){label(&a->series[i], "instance"),
				      label(&a->series[i], "topic"), &a->series[i]};
	qsort(w->part, a->n, sizeof(*w->part), compare_parts);
	for (size_t i = 0, end; i < a->n; i = end) {
		bool topics;

		for (end = i; end < a->n && compare_text(w->part[i].instance,
							 w->part[end].instance) == 0;)
			end++;
		topics = w->part[end - 1].topic != NULL;
		for (size_t j = i; j < end; j++)
			if (!topics || w->part[j].topic != NULL)
				w->part[kept++] = w->part[j];
	}
	w->parts = kept;
}

static int compare_times(const void *va, const void *vb)
{
	const double *a = va, *b = vb;

	return (*a > *b) - (*a < *b);
}

static void collect_times(struct work *w)
{
	struct rates *r = w->out;
	size_t n = 0;

	for (size_t i = 0; i < w->parts; i++)
		n += w->part[i].series->n;
	r->times = mem_calloc(n + 1, sizeof(*r->times));
	n = 0;
	for (size_t i = 0; i < w->parts; i++)
		for (size_t j = 0; j < w->part[i].series->n; j++)
			r->times[n++] = w->part[i].series->points[j].time;
	qsort(r->times, n, sizeof(*r->times), compare_times);
	for (size_t i = 0; i < n; i++)
		if (r->steps == 0 || r->times[r->steps - 1] < r->times[i])
			r->times[r->steps++] = r->times[i];
}

static size_t step_of(const struct rates *r, double time)
{
	const double *at =
		bsearch(&time, r->times, r->steps, sizeof(time), compare_times);

	return at != NULL ? (size_t)(at - r->times) : r->steps; /* always there */
}

static struct rates_row *row_of(struct rates *r, const char *instance,
				const char *topic)
{
	struct rates_row *row;

	/* The parts of a row stand side by side. */
	if (r->n > 0 && compare_text(r->rows[r->n - 1].instance, instance) == 0 &&
	    compare_text(r->rows[r->n - 1].topic, topic) == 0)
		return &r->rows[r->n - 1];
	row = &r->rows[r->n++];
	row->instance = instance;
	row->topic = topic;
	row->values = mem_calloc(r->steps + 1, sizeof(*row->values));
	row->present = mem_calloc(r->steps + 1, sizeof(*row->present));
	for (size_t i = 0; i < r->steps; i++)
		row->values[i] = (double)NAN;
	return row;
}

static struct broker *broker_of(struct work *w, const char *instance)
{
	if (w->brokers > 0 && strcmp(w->broker[w->brokers - 1].instance, instance) == 0)
		return &w->broker[w->brokers - 1];
	MEM_GROW(w->broker, w->brokers, w->cap);
	w->broker[w->brokers] = (struct broker){.instance = instance};
	return &w->broker[w->brokers++];
}

static void add(double *sum, double v)
{
	*sum = isnan(*sum) ? v : *sum + v;
}

static void add_to_broker(struct broker *b, double value, bool last)
{
	if (b == NULL)
		return;
	b->now = b->now || last;
	if (!isfinite(value))
		return;
	b->earlier = b->earlier || !last;
	if (last)
		b->rate += value;
	b->finite = b->finite || last;
}

static const char *odd_name(double v)
{
	return isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
}

static void add_to_row(struct rates *r, const struct part *p, bool by_instance,
		       bool by_topic)
{
	struct rates_row *row =
		row_of(r, by_instance ? p->instance : NULL, by_topic ? p->topic : NULL);

	for (size_t i = 0; i < p->series->n; i++) {
		double value = p->series->points[i].value;
		size_t step = step_of(r, p->series->points[i].time);

		row->present[step] = true;
		if (isfinite(value))
			add(&row->values[step], value);
		else if (step == r->steps - 1)
			row->odd = odd_name(value);
	}
}

static void count_odd(struct rates *r, double v)
{
	r->not_finite++;
	r->nan += isnan(v);
	r->plus_inf += isinf(v) && v > 0;
	r->minus_inf += isinf(v) && v < 0;
}

void rates_odd(const struct rates *r, struct buf *out)
{
	const struct {
		size_t n;
		const char *name;
	} odd[] = {{r->nan, "NaN"}, {r->plus_inf, "+Inf"}, {r->minus_inf, "-Inf"}};
	const char *before = "";

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		if (odd[i].n == 0)
			continue;
		buf_printf(out, "%s%zu %s", before, odd[i].n, odd[i].name);
		before = ", ";
	}
}

static void add_to_totals(struct work *w, const struct part *p)
{
	struct rates *r = w->out;
	struct broker *b = p->instance != NULL ? broker_of(w, p->instance) : NULL;

	if (p->instance == NULL)
		r->brokers_known = false;
	for (size_t i = 0; i < p->series->n; i++) {
		double value = p->series->points[i].value;
		bool last = p->series->points[i].time == r->times[r->steps - 1];

		add_to_broker(b, value, last);
		if (last && isfinite(value))
			add(&r->total, value);
		else if (last)
			count_odd(r, value);
	}
}

static int compare_by_topic(const void *va, const void *vb)
{
	const struct part *a = va, *b = vb;
	int order = compare_text(a->topic, b->topic);

	return order != 0 ? order : compare_text(a->instance, b->instance);
}

static void make_rows(struct work *w, bool by_instance, bool by_topic)
{
	w->out->rows = mem_calloc(w->parts + 1, sizeof(*w->out->rows));
	if (!by_instance)
		qsort(w->part, w->parts, sizeof(*w->part), compare_by_topic);
	for (size_t i = 0; i < w->parts; i++)
		add_to_row(w->out, &w->part[i], by_instance, by_topic);
}

static void sum_up(struct work *w)
{
	struct rates *r = w->out;
	size_t finite = 0;
	double sum = 0;

	for (size_t i = 0; i < r->n; i++)
		r->rows[i].rate = r->rows[i].values[r->steps - 1];
	for (size_t i = 0; i < w->brokers; i++) {
		const struct broker *b = &w->broker[i];

		r->brokers += b->now;
		if (!b->finite)
			continue;
		if (finite == 0 || b->rate < r->min)
			r->min = b->rate;
		if (finite == 0 || b->rate > r->max)
			r->max = b->rate;
		finite++;
		sum += b->rate;
	}
	if (finite > 0)
		r->mean = sum / (double)finite;
	if (!r->brokers_known)
		r->mean = r->min = r->max = (double)NAN;
}

static void warn(struct rates *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void warn(struct rates *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_plain(text); /* a label is a stranger's text, and each warning a line */
	buf_printf(&r->warnings, "%s%s", r->warnings.len > 0 ? "\n" : "", text);
}

static void check_change(struct rates *r, const struct rates_row *row, double max)
{
	double sum = 0, mean, change;
	size_t n = 0;

	for (size_t i = 0; i < r->steps; i++) {
		sum += isnan(row->values[i]) ? 0 : row->values[i];
		n += !isnan(row->values[i]);
	}
	mean = n > 0 ? sum / (double)n : 0;
	if (isnan(row->rate) || mean == 0)
		return;
	change = (row->rate - mean) / fabs(mean);
	if (fabs(change) <= max)
		return;
	warn(r, "%s%s%s%s: the last rate, %.1f, is %.0f%% %s its mean of %.1f",
	     row->instance != NULL ? row->instance : "",
	     row->instance != NULL && row->topic != NULL ? " " : "",
	     row->topic != NULL ? row->topic : "",
	     row->instance == NULL && row->topic == NULL ? "total" : "", row->rate,
	     fabs(change) * 100, change > 0 ? "above" : "below", mean);
}

static void check_brokers(const struct work *w, const struct rates_limits *l)
{
	struct rates *r = w->out;

	for (size_t i = 0; i < w->brokers; i++) {
		const struct broker *b = &w->broker[i];

		if (!isnan(l->max_change) && b->earlier && !b->now)
			warn(r,
			     "%s: it had a rate before, and has none at the last step",
			     b->instance);
		if (b->finite && !isnan(r->mean) && b->rate > l->max_skew * r->mean &&
		    r->mean > 0)
			warn(r, "%s: %.1f is %.1f times the mean of the brokers (%.1f)",
			     b->instance, b->rate, b->rate / r->mean, r->mean);
	}
}

static void check(const struct work *w, const struct rates_limits *l)
{
	struct rates *r = w->out;

	if (r->mean < l->min_rate)
		warn(r, "the mean per broker, %.1f, is below the minimum of %.1f",
		     r->mean, l->min_rate);
	for (size_t i = 0; !isnan(l->max_change) && i < r->n; i++)
		check_change(r, &r->rows[i], l->max_change);
	check_brokers(w, l);
}

int rates_read(const struct prom_answer *a, bool by_instance, bool by_topic,
	       const struct rates_limits *limits, struct rates *out, struct err *err)
{
	struct work w = {.out = out};

	*out = (struct rates){.brokers_known = true,
			      .total = (double)NAN,
			      .mean = (double)NAN,
			      .min = (double)NAN,
			      .max = (double)NAN,
			      .warnings = BUF_INIT(WARNINGS_MAX)};
	pick_parts(&w, a);
	collect_times(&w);
	if (w.parts > 0 && out->steps > CELLS_MAX / w.parts) {
		free(w.part);
		rates_fini(out);
		return err_set(err, ERR_REJECT,
			       "%zu series over %zu steps are too many; take a larger "
			       "--step",
			       a->n, out->steps);
	}
	for (size_t i = 0; i < w.parts; i++)
		add_to_totals(&w, &w.part[i]);
	make_rows(&w, by_instance, by_topic);
	if (out->steps > 0)
		sum_up(&w);
	check(&w, limits);
	free(w.part);
	free(w.broker);
	return 0;
}

void rates_fini(struct rates *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->rows[i].values);
		free(r->rows[i].present);
	}
	free(r->rows);
	free(r->times);
	buf_free(&r->warnings);
	r->rows = NULL;
	r->times = NULL;
	r->n = r->steps = 0;
}
