/* SPDX-License-Identifier: MIT
 * Rates of brokers, from answers as Prometheus gives them to what is printed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cli/brokers_int.h"
#include "prom/ready.h"

#include "banned.h"

#define VECTOR(series)                                                                    \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series \
	"]}}"
#define MATRIX(series)                                                                    \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[" series \
	"]}}"
#define ALL(i, v) "{\"metric\":{\"instance\":\"" i "\"},\"value\":[60,\"" v "\"]}"
#define ONE(i, t, v)                                                                  \
	"{\"metric\":{\"instance\":\"" i "\",\"topic\":\"" t "\"},\"value\":[60,\"" v \
	"\"]}"
#define TOPIC(t, v) "{\"metric\":{\"topic\":\"" t "\"},\"value\":[60,\"" v "\"]}"
#define RANGE(i, t, v) \
	"{\"metric\":{\"instance\":\"" i "\",\"topic\":\"" t "\"},\"values\":[" v "]}"

enum { INSTANCE = 1, BY_TOPIC = 2 };

static void put(struct buf *b, double v)
{
	if (isnan(v))
		buf_addstr(b, "-");
	else
		buf_printf(b, "%g", v);
}

/* "instance/topic=rate … | brokers total mean min max not_finite" and the warnings. */
static const char *show(const char *body, int by, const struct rates_limits *limits,
			struct buf *b)
{
	struct prom_answer a;
	struct rates r;
	struct err err = ERR_INIT;

	buf_reset(b);
	assert_int_equal(prom_answer_read(body, strlen(body), &a, &err), 0);
	assert_int_equal(rates_read(&a, (by & INSTANCE) != 0, (by & BY_TOPIC) != 0,
				    limits, &r, &err),
			 0);
	for (size_t i = 0; i < r.n; i++) {
		buf_printf(b, "%s/%s=",
			   r.rows[i].instance != NULL ? r.rows[i].instance : "",
			   r.rows[i].topic != NULL ? r.rows[i].topic : "");
		put(b, r.rows[i].rate);
		buf_addch(b, ' ');
	}
	if (r.brokers_known)
		buf_printf(b, "| %zu ", r.brokers);
	else
		buf_addstr(b, "| - ");
	put(b, r.total);
	buf_addch(b, ' ');
	put(b, r.mean);
	buf_addch(b, ' ');
	put(b, r.min);
	buf_addch(b, ' ');
	put(b, r.max);
	buf_printf(b, " %zu", r.not_finite);
	if (r.warnings.len > 0)
		buf_printf(b, "\n%s", buf_str(&r.warnings));
	rates_fini(&r);
	prom_answer_fini(&a);
	return buf_str(b);
}

static void rates_are_summed_up_without_counting_anything_twice(void **state)
{
	static const struct {
		const char *body;
		int by;
		const char *said;
	} rows[] = {
		{VECTOR(""), INSTANCE | BY_TOPIC, "| 0 - - - - 0"},
		{VECTOR(ONE("b1", "x", "100") "," ONE("b1", "y",
						      "50") "," ONE("b2", "x", "30")),
		 INSTANCE | BY_TOPIC, "b1/x=100 b1/y=50 b2/x=30 | 2 180 90 30 150 0"},
		/* the JMX exporter gives both: the one without a topic is their sum */
		{VECTOR(ALL("b1", "150") "," ONE("b1", "x", "100") "," ONE(
			 "b1", "y", "50") "," ALL("b2", "30")),
		 INSTANCE | BY_TOPIC, "b1/x=100 b1/y=50 b2/=30 | 2 180 90 30 150 0"},
		{VECTOR(ONE("b1", "", "150") "," ONE("b1", "x", "150")),
		 INSTANCE | BY_TOPIC, "b1/x=150 | 1 150 150 150 150 0"},
		{VECTOR(ALL("b1", "150") "," ONE("b1", "x", "100") "," ONE(
			 "b1", "y", "50") "," ONE("b2", "x", "30")),
		 INSTANCE, "b1/=150 b2/=30 | 2 180 90 30 150 0"},
		{VECTOR(ALL("b1", "150") "," ONE("b1", "x", "100") "," ONE(
			 "b1", "y", "50") "," ONE("b2", "x", "30")),
		 BY_TOPIC, "/x=130 /y=50 | 2 180 90 30 150 0"},
		{VECTOR(ALL("b1", "150") "," ALL("b2", "30")), BY_TOPIC,
		 "/=180 | 2 180 90 30 150 0"},
		/* without an instance there are no brokers to be compared */
		{VECTOR(TOPIC("x", "5") "," TOPIC("y", "6")), INSTANCE | BY_TOPIC,
		 "/x=5 /y=6 | - 11 - - - 0"},
		/* what is no number is counted, and not added */
		{VECTOR(ONE("b1", "x", "NaN") "," ONE("b1", "y",
						      "50") "," ONE("b2", "x", "+Inf")),
		 INSTANCE | BY_TOPIC, "b1/x=- b1/y=50 b2/x=- | 2 50 50 50 50 2"},
		{VECTOR(ONE("b1", "x", "NaN") "," ONE("b1", "y", "50")), INSTANCE,
		 "b1/=50 | 1 50 50 50 50 1"},
		{VECTOR(ONE("b1", "x", "NaN") "," ONE("b2", "x", "-Inf")),
		 INSTANCE | BY_TOPIC, "b1/x=- b2/x=- | 2 - - - - 2"},
		{VECTOR(ONE("b1", "x", "0")), INSTANCE | BY_TOPIC,
		 "b1/x=0 | 1 0 0 0 0 0"},
		/* a range: the totals are those of the last step */
		{MATRIX(RANGE("b1", "x", "[0,\"10\"],[30,\"20\"]") "," RANGE(
			 "b2", "x", "[0,\"1\"],[30,\"NaN\"]") "," RANGE("b3", "x",
									"[0,\"7\"]")),
		 INSTANCE | BY_TOPIC, "b1/x=20 b2/x=- b3/x=- | 2 20 20 20 20 1"},
		{MATRIX(RANGE("b1", "x", "[0,\"10\"],[30,\"20\"]") "," RANGE(
			 "b2", "x", "[0,\"1\"],[30,\"2\"]")),
		 0, "/=22 | 2 22 11 2 20 0"},
	};
	const struct rates_limits none = RATES_LIMITS_NONE;
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *said = show(rows[i].body, rows[i].by, &none, &b);

		if (strcmp(said, rows[i].said) != 0)
			fail_msg("row %zu: %s", i, said);
	}
	buf_free(&b);
}

static void what_is_wrong_is_said_at_its_limit_and_not_before(void **state)
{
	static const struct {
		const char *body;
		const char *warning; /* NULL: none */
	} rows[] = {
		{VECTOR(ONE("b1", "x", "100") "," ONE("b2", "x", "100")), NULL},
		{VECTOR(ONE("b1", "x", "99") "," ONE("b2", "x", "100")),
		 "the mean per broker, 99.5, is below the minimum of 100.0"},
		{VECTOR(TOPIC("x", "5")), NULL}, /* nothing to compare */
		{VECTOR(ONE("b1", "x", "NaN")), NULL},
		{VECTOR(ONE("b1", "x", "900") "," ONE("b2", "x", "100") "," ONE(
			 "b3", "x", "100") "," ONE("b4", "x", "100")),
		 NULL}, /* exactly three times the mean of 300 */
		{VECTOR(ONE("b1", "x", "901") "," ONE("b2", "x", "100") "," ONE(
			 "b3", "x", "100") "," ONE("b4", "x", "99")),
		 "b1: 901.0 is 3.0 times the mean of the brokers (300.0)"},
		{MATRIX(RANGE("b1", "x", "[0,\"100\"],[30,\"100\"],[60,\"100\"]")),
		 NULL},
		{MATRIX(RANGE("b1", "x", "[0,\"100\"],[30,\"300\"]")), NULL}, /* 50% */
		{MATRIX(RANGE("b1", "x", "[0,\"100\"],[30,\"302\"]")),
		 "b1 x: the last rate, 302.0, is 50% above its mean of 201.0"},
		{MATRIX(RANGE("b1", "x", "[0,\"900\"],[30,\"900\"],[60,\"120\"]")),
		 "b1 x: the last rate, 120.0, is 81% below its mean of 640.0"},
		{MATRIX(RANGE("b1", "x", "[0,\"500\"],[30,\"NaN\"],[60,\"500\"]")),
		 NULL},
		{MATRIX(RANGE("b1", "x", "[0,\"500\"],[30,\"500\"]") "," RANGE(
			 "b2", "x", "[0,\"500\"]")),
		 "b2: it had a rate before, and has none at the last step"},
		{MATRIX(RANGE("b1", "x", "[0,\"0\"],[30,\"0\"]") "," RANGE(
			 "b2", "x", "[0,\"500\"],[30,\"500\"]")),
		 NULL},
	};
	const struct rates_limits limits = {100, 0.5, 3};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *said = show(rows[i].body, INSTANCE | BY_TOPIC, &limits, &b);
		const char *warning = strchr(said, '\n');

		if ((warning == NULL) != (rows[i].warning == NULL) ||
		    (warning != NULL && strcmp(warning + 1, rows[i].warning) != 0))
			fail_msg("row %zu: %s", i, said);
	}
	buf_free(&b);
}

/* The JSON and the CSV of an answer. */
static void print(struct brokers *b, const char *body, struct buf *json,
		  struct buf *csv)
{
	struct prom_answer a;
	struct rates r;
	struct err err = ERR_INIT;

	assert_int_equal(prom_answer_read(body, strlen(body), &a, &err), 0);
	assert_int_equal(rates_read(&a, b->by_instance, b->by_topic, &b->limits, &r,
				    &err),
			 0);
	brokers_json(b, &r, json);
	brokers_csv(&r, csv);
	rates_fini(&r);
	prom_answer_fini(&a);
}

static void programs_get_json_and_csv(void **state)
{
	struct brokers b = {.by_instance = true,
			    .by_topic = true,
			    .limits = {100, (double)NAN, 3},
			    .query = {.at = (double)NAN},
			    .text = BUF_INIT(100)};
	struct buf json = BUF_INIT(65536), csv = BUF_INIT(65536);

	(void)state;
	buf_addstr(&b.text, "q");
	print(&b, VECTOR(ONE("b1", "x", "41.5") "," ALL("b2", "NaN")), &json, &csv);
	assert_string_equal(
		buf_str(&json),
		"{\"query\":\"q\",\"at\":\"1970-01-01T00:01:00.000Z\",\"by\":[\"instance\","
		"\"topic\"],\"brokers\":2,\"total\":41.5,\"mean\":41.5,\"min\":41.5,"
		"\"max\":41.5,\"not_finite\":1,\"series\":[{\"instance\":\"b1\",\"topic\":"
		"\"x\",\"rate\":41.5},{\"instance\":\"b2\",\"topic\":null,\"rate\":null}],"
		"\"warnings\":[\"the mean per broker, 41.5, is below the minimum of "
		"100.0\"]}");
	assert_string_equal(buf_str(&csv), "instance,topic,rate\nb1,x,41.5\nb2,,\n");
	buf_reset(&json);
	buf_reset(&csv);
	b.query = (struct prom_query){.range = true, .start = 0, .end = 60, .step = 30};
	print(&b, MATRIX(RANGE("b\\\"1", "x,y", "[0,\"200\"],[30.5,\"+Inf\"]")), &json,
	      &csv);
	assert_string_equal(
		buf_str(&json),
		"{\"query\":\"q\",\"at\":\"1970-01-01T00:00:30.500Z\",\"from\":"
		"\"1970-01-01T00:00:00.000Z\",\"to\":\"1970-01-01T00:01:00.000Z\",\"step\":"
		"30.0,\"by\":[\"instance\",\"topic\"],\"brokers\":1,\"total\":null,\"mean\":"
		"null,\"min\":null,\"max\":null,\"not_finite\":1,\"series\":[{\"instance\":"
		"\"b\\\"1\",\"topic\":\"x,y\",\"rate\":null,\"values\":[[0,200.0],[30.5,"
		"null]]}],\"warnings\":[]}");
	assert_string_equal(buf_str(&csv),
			    "instance,topic,rate\n\"b\"\"1\",\"x,y\",\n");
	buf_free(&json);
	buf_free(&csv);
	buf_free(&b.text);
}

static void every_usual_spelling_of_the_metric_is_among_those_tried(void **state)
{
	static const char *const spellings[] = {
		"rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec[1m])",
		"rate(kafka_server_BrokerTopicMetrics_MessagesInPerSec_total[1m])",
		"rate(kafka_server_brokertopicmetrics_count{name=\"MessagesInPerSec\"}[1m])",
		"rate(kafka_server_brokertopicmetrics_count_total{name=\"MessagesInPerSec\"}[1m])",
		"rate(kafka_server_brokertopicmetrics_total{name=\"MessagesInPerSec\"}[1m])",
		"rate(kafka_server_brokertopicmetrics_messagesinpersec_total[1m])",
		"rate(kafka_server_brokertopicmetrics_messagesin_total[1m])",
	};
	struct buf all = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; ready_spelling(READY_MESSAGES, i, &all); i++)
		buf_addch(&all, '\n');
	assert_ptr_equal(strstr(buf_str(&all), spellings[0]), buf_str(&all));
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		assert_non_null(strstr(buf_str(&all), spellings[i]));
	assert_false(ready_known("nothing"));
	assert_false(ready_spelling("nothing", 0, &all));
	buf_reset(&all);
	assert_true(ready_spelling("under-replicated", 0, &all));
	assert_string_equal(buf_str(&all),
			    "kafka_server_ReplicaManager_UnderReplicatedPartitions");
	buf_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_summed_up_without_counting_anything_twice),
		cmocka_unit_test(what_is_wrong_is_said_at_its_limit_and_not_before),
		cmocka_unit_test(programs_get_json_and_csv),
		cmocka_unit_test(
			every_usual_spelling_of_the_metric_is_among_those_tried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
