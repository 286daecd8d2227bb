/* SPDX-License-Identifier: MIT */
#include "prom/answer.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lag/exposition.h"

#include "banned.h"

#define WARNINGS_MAX 4096 /* bytes */

static int misshapen(struct err *err, const char *what)
{
	return err_set(err, ERR_REJECT, "the answer is not one of Prometheus: %s",
		       what);
}

static int read_point(const json_t *pair, struct prom_point *p, struct err *err)
{
	const json_t *time = json_array_get(pair, 0), *value = json_array_get(pair, 1);
	struct metric m;

	if (json_array_size(pair) != 2 || !json_is_number(time) ||
	    !json_is_string(value) || !metric_number(json_string_value(value), &m))
		return misshapen(err, "a sample is no pair of time and number");
	*p = (struct prom_point){json_number_value(time), m.value, m.integer};
	return 0;
}

static int read_labels(const json_t *metric, struct prom_series *s, struct err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(metric))
		return misshapen(err, "a series has no labels");
	s->labels = mem_calloc(json_object_size(metric) + 1, sizeof(*s->labels));
	json_object_foreach((json_t *)metric, name, value)
	{
		if (!json_is_string(value))
			return misshapen(err, "a label is no text");
		s->labels[s->n_labels++] =
			(struct prom_label){mem_strdup(name),
					    mem_strdup(json_string_value(value))};
	}
	return 0;
}

/* `values` of a matrix, or the `value` of a vector. */
static int read_points(const json_t *series, struct prom_series *s, struct err *err)
{
	const json_t *values = json_object_get(series, "values");
	const json_t *value = json_object_get(series, "value");
	size_t n = value != NULL ? 1 : json_array_size(values);

	if (value == NULL && values == NULL &&
	    (json_object_get(series, "histogram") != NULL ||
	     json_object_get(series, "histograms") != NULL))
		return err_set(err, ERR_REJECT,
			       "the query gives a histogram; a number is due");
	if (value == NULL && !json_is_array(values))
		return misshapen(err, "a series has no values");
	s->points = mem_calloc(n + 1, sizeof(*s->points));
	for (size_t i = 0; i < n; i++) {
		const json_t *pair = value != NULL ? value : json_array_get(values, i);

		if (read_point(pair, &s->points[i], err) != 0)
			return err->class;
		s->n++;
	}
	return 0;
}

static int read_series(const json_t *list, struct prom_answer *out, struct err *err)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list))
		return misshapen(err, "there is no list of series");
	out->series = mem_calloc(n + 1, sizeof(*out->series));
	for (size_t i = 0; i < n; i++) {
		const json_t *series = json_array_get(list, i);
		struct prom_series *s = &out->series[out->n++];

		if (read_labels(json_object_get(series, "metric"), s, err) != 0 ||
		    read_points(series, s, err) != 0)
			return err->class;
	}
	return 0;
}

static int read_scalar(const json_t *pair, struct prom_answer *out, struct err *err)
{
	out->series = mem_calloc(1, sizeof(*out->series));
	out->n = 1;
	out->series[0].points = mem_calloc(1, sizeof(struct prom_point));
	out->series[0].n = 1;
	return read_point(pair, &out->series[0].points[0], err);
}

static void read_warnings(const json_t *list, struct prom_answer *out)
{
	struct buf b = BUF_INIT(WARNINGS_MAX);
	const json_t *text;
	size_t i;

	json_array_foreach(list, i, text)
	{
		if (json_is_string(text))
			buf_printf(&b, "%s%s", b.len > 0 ? "\n" : "",
				   json_string_value(text));
	}
	if (b.len > 0)
		out->warnings = buf_take(&b);
	buf_free(&b);
}

/* An instant query has one moment, though what stands in for Prometheus may stamp each
 * series when it writes it. */
static void set_one_moment(struct prom_answer *a)
{
	double newest = -INFINITY;

	for (size_t i = 0; i < a->n; i++)
		if (a->series[i].n > 0 && a->series[i].points[0].time > newest)
			newest = a->series[i].points[0].time;
	for (size_t i = 0; i < a->n; i++)
		for (size_t j = 0; j < a->series[i].n; j++)
			a->series[i].points[j].time = newest;
}

static int read_data(const json_t *root, struct prom_answer *out, struct err *err)
{
	const json_t *data = json_object_get(root, "data");
	const char *type = json_string_value(json_object_get(data, "resultType"));
	const json_t *result = json_object_get(data, "result");

	read_warnings(json_object_get(root, "warnings"), out);
	if (type == NULL)
		return misshapen(err, "there is no data");
	if (strcmp(type, "scalar") == 0)
		return read_scalar(result, out, err);
	if (strcmp(type, "string") == 0)
		return err_set(err, ERR_REJECT,
			       "the query gives a text; a number is due");
	if (read_series(result, out, err) != 0)
		return err->class;
	if (strcmp(type, "vector") == 0)
		set_one_moment(out);
	return 0;
}

static int refusal(const json_t *root, struct err *err)
{
	const char *type = json_string_value(json_object_get(root, "errorType"));
	const char *words = json_string_value(json_object_get(root, "error"));

	if (words == NULL)
		return misshapen(err, "it tells neither success nor an error");
	return err_set(err, ERR_REJECT, "%s%s%s", type != NULL ? type : "",
		       type != NULL ? ": " : "", words);
}

int prom_answer_read(const char *body, size_t len, struct prom_answer *out,
		     struct err *err)
{
	json_error_t e;
	json_t *root = json_loadb(body, len, 0, &e);
	const char *status = json_string_value(json_object_get(root, "status"));
	int rc;

	*out = (struct prom_answer){NULL, 0, NULL};
	if (!json_is_object(root))
		rc = misshapen(err, "it is no JSON object");
	else if (status == NULL || strcmp(status, "success") != 0)
		rc = refusal(root, err);
	else
		rc = read_data(root, out, err);
	json_decref(root);
	if (rc != 0)
		prom_answer_fini(out);
	return rc;
}

void prom_answer_fini(struct prom_answer *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct prom_series *s = &a->series[i];

		for (size_t j = 0; j < s->n_labels; j++) {
			free(s->labels[j].name);
			free(s->labels[j].value);
		}
		free(s->labels);
		free(s->points);
	}
	free(a->series);
	free(a->warnings);
	*a = (struct prom_answer){NULL, 0, NULL};
}

const char *prom_label(const struct prom_series *s, const char *name)
{
	for (size_t i = 0; i < s->n_labels; i++)
		if (strcmp(s->labels[i].name, name) == 0)
			return s->labels[i].value;
	return NULL;
}
