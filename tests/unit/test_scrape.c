/* SPDX-License-Identifier: MIT
 * The sources that ask over HTTP, against a scripted far end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"
#include "source/source.h"
#include "support/http_peer.c"

#define PAGE                                                           \
	"kafka_consumergroup_lag{consumergroup=\"g\",partition=\"0\"," \
	"topic=\"a\"} 5\n"                                             \
	"kafka_consumergroup_lag{consumergroup=\"g\",partition=\"1\"," \
	"topic=\"a\"} -1\n"                                            \
	"kafka_consumergroup_lag{consumergroup=\"g\",partition=\"0\"," \
	"topic=\"b\"} 4.259513e+06\n"

#define SERIES(topic, partition, value)                                   \
	"{\"metric\":{\"topic\":\"" topic "\",\"partition\":\"" partition \
	"\"},\"value\":[1,\"" value "\"]}"
#define ANSWER(series)                                                                    \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series \
	"]}}"

static void add_topic(void *arg, const char *group, const char *topic)
{
	(void)group;
	buf_printf(arg, "%s ", topic);
}

/* "topics | partition=lag …" of topic a, or "reason: message". */
static void show(enum source_event e, struct reading *r, const struct gap *gap,
		 struct buf *b)
{
	struct sample s;
	struct gap why;

	buf_reset(b);
	if (e == SOURCE_GAP) {
		buf_printf(b, "%s: %s", reason_name(gap->reason), gap->message);
		return;
	}
	assert_int_equal(e, SOURCE_READING);
	assert_true(r->taken.ms > 0 && r->sample_ms >= 0 && *r->key != '\0');
	table_each(r->table, add_topic, b);
	buf_addch(b, '|');
	if (table_sample(r->table, "g", "a", &s, &why) != REASON_NONE)
		buf_printf(b, " %s", reason_name(why.reason));
	for (size_t i = 0; i < s.n; i++)
		buf_printf(b, s.rows[i].has_lag ? " %d=%lld" : " %d=-",
			   (int)s.rows[i].number, (long long)s.rows[i].lag);
	sample_fini(&s);
	reading_fini(r);
}

/* The first event of a source against a peer that plays `step`. */
static const char *first_event(enum source_kind kind, const struct peer_step *step,
			       struct buf *b)
{
	struct peer *p = peer_start(step, 1);
	char query[] = "q{x=\"y\"}", group[] = "g", cluster[] = "default";
	struct config_topic t = {.source = kind,
				 .url = p->url,
				 .group = group,
				 .cluster = cluster,
				 .query = kind == SOURCE_PROMETHEUS ? query : NULL,
				 .interval_ms = 1000,
				 .timeout_ms = 10000};
	struct wake wake;
	struct source *s;
	struct reading r;
	struct gap gap;
	struct step next;
	enum source_event e;

	assert_int_equal(wake_init(&wake), 0);
	s = source_new(&t, &wake, 0);
	e = source_step(s, clock_mono(), true, &r, &gap, &next);
	show(e, &r, &gap, b);
	/* and not again before the interval is over */
	assert_int_equal(source_step(s, clock_mono(), true, &r, &gap, &next),
			 SOURCE_WAIT);
	assert_true(mono_before(clock_mono(), next.until));
	source_close(s);
	wake_fini(&wake);
	peer_free(p);
	return buf_str(b);
}

static void a_page_is_a_table_and_what_is_none_a_source_error(void **state)
{
	static const struct {
		int status;
		const char *body, *said;
	} rows[] = {
		{200, PAGE, "a b | 0=5 1=-"},
		{200,
		 "kafka_consumergroup_lag{consumergroup=\"g\",partition=\"0\","
		 "topic=\"b\"} 1\n",
		 "b | topic_absent"},
		{200,
		 "kafka_consumergroup_lag{consumergroup=\"h\",partition=\"0\","
		 "topic=\"b\"} 1\n",
		 "group_not_found: group 'g' is not on the page"},
		{200, "<html>\n", "source_error: http://127.0.0.1:"},
		{200, "", "source_error: no consumer group's lag is on the page"},
		{404, "not here\n", "source_error: http://127.0.0.1:"},
		{503, "", "source_error: http://127.0.0.1:"},
		{401, "", "source_error: http://127.0.0.1:"},
	};
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *raw = peer_answer(rows[i].status, "", rows[i].body);
		const struct peer_step step = {.raw = raw};
		const char *said = first_event(SOURCE_EXPORTER, &step, &b);

		if (strncmp(said, rows[i].said, strlen(rows[i].said)) != 0)
			fail_msg("row %zu: %s", i, said);
		free(raw);
	}
	buf_free(&b);
}

static void half_a_page_is_no_sample(void **state)
{
	char *whole = peer_answer(200, "", PAGE);
	char *open = mem_printf("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%s", PAGE);
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t cut = 1; cut < 120; cut += 7) {
		const struct peer_step announced = {.raw = whole,
						    .cut = strlen(whole) - cut};
		const struct peer_step closed = {.raw = open,
						 .cut = strlen(open) - cut};

		assert_non_null(strstr(first_event(SOURCE_EXPORTER, &announced, &b),
				       "source_error: "));
		/* at the end of a line nobody can know */
		if (open[strlen(open) - cut - 1] != '\n')
			assert_non_null(
				strstr(first_event(SOURCE_EXPORTER, &closed, &b),
				       "is cut off in line"));
	}
	free(whole);
	free(open);
	buf_free(&b);
}

static void a_query_gives_rows_for_its_series_and_for_nothing_else(void **state)
{
	static const struct {
		int status;
		const char *body, *said;
	} rows[] = {
		{200,
		 ANSWER(SERIES("a", "0", "5") "," SERIES("a", "1", "NaN") "," SERIES(
			 "b", "0", "7")),
		 "a b | 0=5 1=-"},
		{200, ANSWER(SERIES("a", "0", "12.4") "," SERIES("a", "3", "+Inf")),
		 "a | 0=12 3=-"},
		{200,
		 ANSWER(SERIES("a", "0", "5") ",{\"metric\":{},\"value\":[1,\"9\"]}"),
		 "a | 0=5"},
		{200, ANSWER(SERIES("a", "0", "5") "," SERIES("a", "0", "5")),
		 "a | 0=5"},
		{200, ANSWER(SERIES("a", "0", "5") "," SERIES("a", "0", "6")),
		 "source_error: there are two different lags of partition 0 of a"},
		{200, ANSWER(""), "topic_absent: the query gives no series"},
		{200, ANSWER("{\"metric\":{\"job\":\"x\"},\"value\":[1,\"9\"]}"),
		 "source_error: none of the 1 series"},
		{400,
		 "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse "
		 "error here\"}",
		 "source_error: "},
		{200, "<html>", "source_error: "},
	};
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *raw = peer_answer(rows[i].status, "", rows[i].body);
		const struct peer_step step = {.raw = raw};
		const char *said = first_event(SOURCE_PROMETHEUS, &step, &b);

		if (strncmp(said, rows[i].said, strlen(rows[i].said)) != 0)
			fail_msg("row %zu: %s", i, said);
		if (rows[i].status == 400)
			assert_non_null(strstr(said, "bad_data: parse error here"));
		free(raw);
	}
	buf_free(&b);
}

static void a_source_that_is_told_to_stop_stops(void **state)
{
	struct wake wake;
	const struct peer_step step = {.hang = true, .stop = &wake};
	struct peer *p;
	char group[] = "g";
	struct config_topic t = {.source = SOURCE_EXPORTER,
				 .group = group,
				 .interval_ms = 1000,
				 .timeout_ms = 60000};
	struct source *s;
	struct reading r;
	struct gap gap;
	struct step next;

	(void)state;
	assert_int_equal(wake_init(&wake), 0);
	p = peer_start(&step, 1);
	t.url = p->url;
	s = source_new(&t, &wake, 0);
	assert_int_equal(source_step(s, clock_mono(), true, &r, &gap, &next),
			 SOURCE_WAIT);
	source_close(s);
	wake_fini(&wake);
	peer_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_a_table_and_what_is_none_a_source_error),
		cmocka_unit_test(half_a_page_is_no_sample),
		cmocka_unit_test(
			a_query_gives_rows_for_its_series_and_for_nothing_else),
		cmocka_unit_test(a_source_that_is_told_to_stop_stops),
	};
	struct err err;

	if (http_global_init(&err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
