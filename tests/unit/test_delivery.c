/* SPDX-License-Identifier: MIT
 * The mirror's other side: what its tool prints, and what growth on both sides says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "lag/delivery.h"
#include "lag/ends.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)

static void sums_are_read_from_what_the_tool_prints(void **state)
{
	static const struct {
		const char *label, *out;
		enum reason why;
		int64_t sum;
		int32_t partitions;
	} rows[] = {
		{"a topic", "t:0:5\nt:1:7\n", REASON_NONE, 12, 2},
		{"no last newline, CRLF", "t:0:5\r\nt:1:7", REASON_NONE, 12, 2},
		{"order of text", "t:10:1\nt:2:2\nt:0:4\n", REASON_NONE, 7, 3},
		{"others beside it", "s:0:9\nt:0:5\nt.a:0:9\ntt:0:9\n", REASON_NONE, 5,
		 1},
		{"words between", "[2026-11-21] WARN a:b:c x\nt:0:5\n\nError: x\n",
		 REASON_NONE, 5, 1},
		{"an empty offset", "t:0:5\nt:1:\n", REASON_NO_OFFSETS, 0, 0},
		{"twice the same", "t:0:5\nt:0:5\n", REASON_NONE, 5, 1},
		{"twice, not the same", "t:0:5\nt:0:6\n", REASON_BAD_OUTPUT, 0, 0},
		{"not there", "s:0:5\n", REASON_TOPIC_ABSENT, 0, 0},
		{"nothing", "", REASON_BAD_OUTPUT, 0, 0},
		{"negative", "t:0:-5\n", REASON_BAD_OUTPUT, 0, 0},
		{"beyond int64", "t:0:99999999999999999999\n", REASON_BAD_OUTPUT, 0, 0},
		{"sum beyond int64", "t:0:9223372036854775807\nt:1:1\n",
		 REASON_BAD_OUTPUT, 0, 0},
		{"no partition", "t:x:5\nt:9999999:5\n", REASON_BAD_OUTPUT, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends *e = ends_read(rows[i].out, strlen(rows[i].out), 0);
		int64_t sum;
		int32_t partitions;
		struct gap gap;

		print_message("%s\n", rows[i].label);
		assert_int_equal(ends_sum(e, "t", &sum, &partitions, &gap),
				 rows[i].why);
		assert_int_equal(gap.reason, rows[i].why);
		if (rows[i].why == REASON_NONE) {
			assert_int_equal(sum, rows[i].sum);
			assert_int_equal(partitions, rows[i].partitions);
		}
		ends_free(e);
	}
}

static void a_failed_look_says_why(void **state)
{
	static const struct {
		const char *out;
		int code;
		enum reason why;
		const char *words; /* in the message */
	} rows[] = {
		{"t:0:5\n", 0, REASON_NONE, ""},
		{"t:0:5\nWARN x\n", 0, REASON_NONE, ""},
		{"Error occurred: Could not match any topic-partitions\n", 1,
		 REASON_TOPIC_ABSENT, "no topic"},
		{"Error: topic orders does not exist\n", 1, REASON_TOPIC_ABSENT,
		 "no topic"},
		{"WARN a\norg.x.TimeoutException: no node\n\tat b.c(D.java:1)\n", 1,
		 REASON_BROKER_UNREACHABLE, "no node"},
		{"bash: line 3: /k/bin/kafka-run-class.sh: No such file\n", 127,
		 REASON_CLI_MISSING, "kafka-run-class.sh: No such file"},
		{"Error: command_config of a target needs kafka-get-offsets.sh, of "
		 "Kafka 3.0 or newer\n",
		 1, REASON_CLI_ERROR, "of Kafka 3.0 or newer"},
		{"WARN a\n", 124, REASON_CLI_TIMEOUT, "in time"},
		{"", 1, REASON_CLI_ERROR, "exit code 1"},
		{"", 0, REASON_BAD_OUTPUT, "no offsets were printed"},
		{"what is this\n", 0, REASON_BAD_OUTPUT, "no offsets were printed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends *e =
			ends_read(rows[i].out, strlen(rows[i].out), rows[i].code);
		const struct gap *gap = ends_gap(e);

		print_message("%s\n", rows[i].out);
		assert_int_equal(gap->reason, rows[i].why);
		assert_non_null(strstr(gap->message, rows[i].words));
		ends_free(e);
	}
}

/* The old tool is run for one topic after the other. */
static void a_look_that_ended_too_early_takes_no_topic_for_absent(void **state)
{
	static const struct {
		const char *out;
		int code;
		enum reason why;
	} rows[] = {
		{"s:0:5\n", 0, REASON_TOPIC_ABSENT},
		{"s:0:5\n", 124, REASON_CLI_TIMEOUT},
		{"s:0:5\nError: topic t does not exist\n", 1, REASON_TOPIC_ABSENT},
		{"s:0:5\norg.x.TimeoutException: no node\n", 1,
		 REASON_BROKER_UNREACHABLE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ends *e =
			ends_read(rows[i].out, strlen(rows[i].out), rows[i].code);
		int32_t partitions;
		struct gap gap;
		int64_t sum;

		assert_int_equal(ends_gap(e)->reason, REASON_NONE);
		assert_int_equal(ends_sum(e, "s", &sum, &partitions, &gap),
				 REASON_NONE);
		assert_int_equal(ends_sum(e, "t", &sum, &partitions, &gap),
				 rows[i].why);
		ends_free(e);
	}
}

/* A mirror of 100 messages a second that commits once a minute, looked at every ten
 * seconds until `until`; from `broken` on it commits what does not arrive. */
static struct delivered mirror(int64_t until, int64_t broken, int64_t phase)
{
	struct delivery d = {.span_ms = 0};

	for (int64_t t = 0; t <= until; t += 10 * SECOND) {
		int64_t arrived = t < broken ? t : broken;
		struct delivery_look look = {.committed = 1000000 +
							  (t + phase) / MINUTE * 6000,
					     .end = 77 + (arrived + phase) / 10,
					     .committed_rows = 3,
					     .end_rows = 5};

		delivery_feed(&d, &look, 10 * SECOND, (struct mono){t * 1000000});
	}
	return delivery_state(&d);
}

static void a_mirror_that_delivers_misses_nothing_at_any_moment(void **state)
{
	(void)state;
	for (int64_t phase = 0; phase < MINUTE; phase += 7 * SECOND)
		for (int64_t until = 4 * MINUTE; until < 25 * MINUTE;
		     until += 10 * SECOND)
			assert_int_equal(mirror(until, INT64_MAX, phase).missing, 0);
}

static void what_is_committed_and_not_delivered_is_counted(void **state)
{
	struct delivered d = mirror(12 * MINUTE, 6 * MINUTE, 0);

	(void)state;
	assert_int_equal(d.missing, 6 * 6000);
	assert_true(d.consumed >= 9 * 6000);
	assert_float_equal(d.per_sec, 0, 0.001);
	/* and from the beginning */
	d = mirror(12 * MINUTE, 0, 0);
	assert_true(d.missing >= 9 * 6000);
}

static void nothing_is_said_before_it_can_be_known(void **state)
{
	struct delivered d = mirror(50 * SECOND, INT64_MAX, 0);

	(void)state;
	assert_true(d.known);
	assert_true(isnan(d.per_sec));
	assert_int_equal(d.missing, -1);
	d = mirror(MINUTE, INT64_MAX, 0);
	assert_float_equal(d.per_sec, 100, 0.001);
	assert_int_equal(mirror(3 * MINUTE - SECOND, INT64_MAX, 0).missing, -1);
	assert_int_equal(mirror(3 * MINUTE, INT64_MAX, 0).missing, 0);
}

static void another_base_begins_anew(void **state)
{
	static const struct delivery_look others[] = {
		{.committed = 5, .end = 500000, .committed_rows = 3, .end_rows = 5},
		{.committed = 5000, .end = 5, .committed_rows = 3, .end_rows = 5},
		{.committed = 5000, .end = 500000, .committed_rows = 4, .end_rows = 5},
		{.committed = 5000, .end = 500000, .committed_rows = 3, .end_rows = 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct delivery d = {.span_ms = 0};
		struct delivery_look look = {1000, 1000, 3, 5};

		for (int64_t t = 0; t <= 5 * MINUTE; t += MINUTE)
			delivery_feed(&d, &look, SECOND, (struct mono){t * 1000000});
		assert_int_equal(delivery_state(&d).missing, 0);
		delivery_feed(&d, &others[i], SECOND,
			      (struct mono){6 * MINUTE * 1000000});
		assert_int_equal(delivery_state(&d).missing, -1);
		assert_int_equal(delivery_state(&d).end, others[i].end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_read_from_what_the_tool_prints),
		cmocka_unit_test(a_failed_look_says_why),
		cmocka_unit_test(a_look_that_ended_too_early_takes_no_topic_for_absent),
		cmocka_unit_test(a_mirror_that_delivers_misses_nothing_at_any_moment),
		cmocka_unit_test(what_is_committed_and_not_delivered_is_counted),
		cmocka_unit_test(nothing_is_said_before_it_can_be_known),
		cmocka_unit_test(another_base_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
