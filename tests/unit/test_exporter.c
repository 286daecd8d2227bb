/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/file.h"
#include "lag/exporter.h"

#include "banned.h"

static struct exporter *read_text(const char *text, size_t len, const char *group)
{
	struct exporter *x = exporter_new(group);
	struct err err = ERR_INIT;

	for (size_t at = 0; at < len; at += 1000)
		assert_int_equal(exporter_feed(x, text + at,
					       len - at < 1000 ? len - at : 1000, &err),
				 0);
	assert_int_equal(exporter_end(x, false, &err), 0);
	return x;
}

static struct exporter *read_file(const char *name, const char *group)
{
	struct buf b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct exporter *x;
	char path[100];

	snprintf(path, sizeof(path), "tests/data/pages/%s", name);
	assert_int_equal(file_read(path, &b, &err), 0);
	x = read_text(b.data, b.len, group);
	buf_free(&b);
	return x;
}

/* "number=lag(committed,end)" and '*' for a member; then members and state. */
static void show_sample(const struct sample *s, struct buf *b)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct partition *p = &s->rows[i];

		buf_printf(b, "%d=", (int)p->number);
		buf_printf(b, p->has_lag ? "%lld(" : "-(", (long long)p->lag);
		buf_printf(b, p->has_committed ? "%lld," : "-,",
			   (long long)p->committed);
		buf_printf(b, p->has_end ? "%lld)" : "-)", (long long)p->end);
		buf_addstr(b, p->member != 0 ? "* " : " ");
	}
	buf_printf(b, "members %d %s%s", (int)s->members, group_state_name(s->state),
		   s->knows_members ? " known" : "");
}

/* The topic of the page as text, or the reason why there is none. */
static const char *topic_of(struct exporter *x, const char *group, const char *cluster,
			    const char *topic, struct buf *b)
{
	struct table *t = exporter_table(x, cluster);
	struct sample s;
	struct gap gap;

	buf_reset(b);
	if (table_sample(t, group, topic, &s, &gap) == REASON_NONE)
		show_sample(&s, b);
	else
		buf_printf(b, "%s: %s", reason_name(gap.reason), gap.message);
	sample_fini(&s);
	table_free(t);
	return buf_str(b);
}

static void a_recorded_page_of_kafka_exporter_gives_its_lags(void **state)
{
	struct exporter *x = read_file("kafka_exporter-1.9.0", "oasis-group");
	struct buf b = BUF_INIT(65536);
	struct exporter_total lag;
	struct gap gap;

	(void)state;
	assert_string_equal(exporter_dialect(x), "kafka_exporter");
	assert_string_equal(topic_of(x, "oasis-group", "dc1", "payments", &b),
			    "0=3(12268,12271) 1=0(14602,14602) 2=0(9888,9888) "
			    "3=13(17049,17061) 4=12(16068,16080) 5=1(10666,10667) "
			    "members 4 unknown");
	/* never committed: there, and without a number */
	assert_string_equal(topic_of(x, "oasis-group", "dc1", "fresh", &b),
			    "0=-(-,0) 1=0(50,50) 2=-(-,0) 3=0(50,50) members 4 "
			    "unknown");
	assert_non_null(strstr(topic_of(x, "oasis-group", "dc1", "order", &b),
			       "topic_absent: no row of topic order"));
	assert_true(exporter_total(x, &lag, &gap));
	assert_int_equal(lag.lag, 141);
	exporter_free(x);
	buf_free(&b);
}

static void a_recorded_page_of_burrow_gives_its_lags(void **state)
{
	struct exporter *x = read_file("burrow-1.9.5", "oasis-group");
	struct buf b = BUF_INIT(65536);
	struct gap gap;
	struct exporter_total lag;

	(void)state;
	assert_string_equal(exporter_dialect(x), "Burrow");
	assert_string_equal(topic_of(x, "oasis-group", "default", "payments", &b),
			    "0=0(13092,13092) 1=0(15684,15684) 2=3(10550,10553) "
			    "3=2(18234,18236) 4=0(17138,17138) 5=4(11432,11436) "
			    "members -1 unknown");
	assert_true(exporter_total(x, &lag, &gap));
	assert_int_equal(lag.lag, 59);
	exporter_free(x);
	buf_free(&b);
}

static const char kminion[] =
	"kminion_kafka_consumer_group_info{group_id=\"g\",protocol=\"range\","
	"protocol_type=\"consumer\",state=\"Stable\",coordinator_id=\"0\"} 1\n"
	"kminion_kafka_consumer_group_members{group_id=\"g\"} 2\n"
	"kminion_kafka_consumer_group_topic_lag{group_id=\"g\",topic_name=\"a\"} 12\n"
	"kminion_kafka_consumer_group_topic_partition_lag{group_id=\"g\","
	"partition_id=\"0\",topic_name=\"a\"} 12\n"
	"kminion_kafka_consumer_group_topic_partition_lag{group_id=\"g\","
	"partition_id=\"10\",topic_name=\"a\"} 0\n"
	"kminion_kafka_topic_partition_high_water_mark{partition_id=\"0\","
	"topic_name=\"a\"} 1.00000012e+08\n";

#define KLE(metric, topic, partition, consumer, value)                           \
	"kafka_consumergroup_group_" metric "{cluster_name=\"dc1\",group=\"g\"," \
	"topic=\"" topic "\",partition=\"" partition "\",member_host=\"h\","     \
	"consumer_id=\"" consumer "\",client_id=\"c\",} " value "\n"

static const char lag_exporter[] = KLE("offset", "a", "0", "m-1", "100.0") KLE(
	"lag", "a", "0", "m-1", "7.0") KLE("offset", "a", "1", "m-2",
					   "NaN") KLE("lag", "a", "1", "m-2",
						      "NaN") KLE("offset", "a", "2",
								 "unknown", "5.0")
	KLE("lag", "a", "2", "unknown",
	    "0.0") "kafka_partition_latest_offset{cluster_name=\"dc1\",topic=\"a\",partition=\"0\",}"
		   " 107.0\n"
		   "kafka_consumergroup_group_sum_lag{cluster_name=\"dc1\",group=\"g\",} 7.0\n";

static const char group_exporter[] =
	"kafka_consumer_group_offset{group=\"g\",partition=\"0\",topic=\"a\"} 90.0\n"
	"kafka_consumer_group_lag{group=\"g\",partition=\"0\",topic=\"a\"} 10.0\n"
	"kafka_consumer_group_exporter_lag{partition=\"0\"} 3.0\n"
	"kafka_topic_highwater{partition=\"0\",topic=\"a\"} 100.0\n";

static void every_dialect_is_known_by_what_is_on_its_page(void **state)
{
	static const struct {
		const char *text, *dialect, *sample;
		int64_t total;
	} rows[] = {
		{kminion, "kminion",
		 "0=12(100000000,100000012) 10=0(-,-) members 2 stable", 12},
		{lag_exporter, "kafka-lag-exporter",
		 "0=7(100,107)* 1=-(-,-)* 2=0(5,-) members 2 unknown known", 7},
		{group_exporter, "prometheus-kafka-consumer-group-exporter",
		 "0=10(90,100) members -1 unknown", 10},
	};
	struct buf b = BUF_INIT(65536);
	struct gap gap;
	struct exporter_total lag;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct exporter *x = read_text(rows[i].text, strlen(rows[i].text), "g");

		assert_string_equal(exporter_dialect(x), rows[i].dialect);
		assert_string_equal(topic_of(x, "g", NULL, "a", &b), rows[i].sample);
		assert_true(exporter_total(x, &lag, &gap));
		assert_int_equal(lag.lag, rows[i].total);
		exporter_free(x);
	}
	buf_free(&b);
}

#define LAG(cluster, group, topic, partition, value)                                   \
	"kafka_consumergroup_lag{consumergroup=\"" group "\",kafka_cluster=\"" cluster \
	"\",partition=\"" partition "\",topic=\"" topic "\"} " value "\n"

static void what_cannot_be_told_is_a_reason_not_a_number(void **state)
{
	static const struct {
		const char *text, *cluster, *said;
	} rows[] = {
		{"", NULL, "source_error: no consumer group's lag is on the page"},
		{"node_cpu 1\n", NULL, "source_error: no consumer group's lag"},
		{LAG("", "h", "a", "0", "1") LAG("", "i", "a", "0", "1"), NULL,
		 "group_not_found: group 'g' is not on the page of kafka_exporter; "
		 "there are 'h', 'i'"},
		{"kafka_topic_partition_current_offset{topic=\"a\",partition=\"0\"} 5\n",
		 NULL, "group_not_found: group 'g' is not on the page"},
		{"kafka_consumergroup_members{consumergroup=\"g\"} 0\n", NULL,
		 "topic_absent: the page of kafka_exporter knows group 'g', but no "
		 "partition of it"},
		{LAG("x", "g", "a", "0", "1") LAG("y", "g", "a", "0", "2"), "z",
		 "source_error: the page has group 'g' in 2 clusters ('x', 'y')"},
		{LAG("x", "g", "a", "0", "1") LAG("y", "g", "a", "0", "2"), "y",
		 "0=2(-,-) members -1 unknown"},
		{LAG("x", "g", "a", "0", "1"), "z", "0=1(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "1") LAG("", "g", "a", "0", "1"), NULL,
		 "0=1(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "1") LAG("", "g", "a", "0", "2"), NULL,
		 "source_error: the page has two different numbers for partition 0 of "
		 "a"},
		{LAG("", "g", "a", "0", "-1"), NULL, "0=-(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "-5"), NULL, "0=-5(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "NaN"), NULL, "0=-(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "+Inf"), NULL, "0=-(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0", "9223372036854775807"), NULL,
		 "0=9223372036854775807(-,-) members -1 unknown"},
		{LAG("", "g", "a", "x", "1") LAG("", "g", "a", "-1", "1")
			 LAG("", "g", "a b", "0", "1") LAG("", "g", "a", "0", "2"),
		 NULL, "0=2(-,-) members -1 unknown"},
		{LAG("", "g", "a", "0",
		     "-1") "kafka_consumergroup_current_offset{consumergroup=\"g\","
			   "kafka_cluster=\"\",partition=\"0\",topic=\"a\"} 9\n",
		 NULL, "0=-1(9,-) members -1 unknown"},
	};
	struct buf b = BUF_INIT(65536);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct exporter *x = read_text(rows[i].text, strlen(rows[i].text), "g");
		const char *said = topic_of(x, "g", rows[i].cluster, "a", &b);

		if (strncmp(said, rows[i].said, strlen(rows[i].said)) != 0)
			fail_msg("row %zu: %s", i, said);
		exporter_free(x);
	}
	buf_free(&b);
}

static void a_total_is_of_what_has_a_lag_or_is_none(void **state)
{
	static const struct {
		const char *text;
		bool any;
		int64_t total;
	} rows[] = {
		{LAG("", "g", "a", "0", "5") LAG("", "g", "b", "0", "7"), true, 12},
		{LAG("x", "g", "a", "0", "5") LAG("y", "g", "a", "0", "7"), true, 12},
		{LAG("", "g", "a", "0", "5") LAG("", "g", "a", "1", "-1"), true, 5},
		{LAG("", "g", "a", "0", "0"), true, 0},
		{LAG("", "g", "a", "0", "-1"), false, 0},
		{LAG("", "g", "a", "0", "NaN"), false, 0},
		{LAG("", "h", "a", "0", "5"), false, 0},
		/* what is summed up there already is not counted again */
		{LAG("", "g", "a", "0",
		     "5") "kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"a\"} 5\n",
		 true, 5},
		{"kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"a\"} 5\n"
		 "kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"b\"} 6\n",
		 true, 11},
		{LAG("", "g", "a", "0",
		     "-1") "kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"a\"} 0\n",
		 false, 0},
		{"burrow_kafka_consumer_lag_total{cluster=\"c\",consumer_group=\"g\"} 9\n",
		 true, 9},
		{LAG("", "g", "a", "0", "9223372036854775807")
			 LAG("", "g", "a", "1", "9223372036854775807"),
		 true, INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct exporter *x = read_text(rows[i].text, strlen(rows[i].text), "g");
		struct gap gap;
		struct exporter_total lag;

		if (exporter_total(x, &lag, &gap) != rows[i].any ||
		    lag.lag != rows[i].total)
			fail_msg("row %zu: %lld", i, (long long)lag.lag);
		exporter_free(x);
	}
}

#define OF_KAFKA_EXPORTER(metric, value)                      \
	"kafka_consumergroup_" metric "{consumergroup=\"g\"," \
	"partition=\"0\",topic=\"a\"} " value "\n"
#define OF_BURROW(metric, value)                                               \
	"burrow_kafka_consumer_" metric "{cluster=\"c\",consumer_group=\"g\"," \
	"topic=\"a\",partition=\"0\"} " value "\n"
#define OF_GROUP_EXPORTER(metric, value)                               \
	"kafka_consumer_group_" metric "{group=\"g\",partition=\"0\"," \
	"topic=\"a\"} " value "\n"

static void minus_one_beside_an_offset_of_minus_one_is_none_on_any_page(void **state)
{
	static const struct {
		const char *text;
	} rows[] = {
		{OF_KAFKA_EXPORTER("lag", "-1")
			 OF_KAFKA_EXPORTER("current_offset", "-1")},
		{KLE("offset", "a", "0", "m-1", "-1.0")
			 KLE("lag", "a", "0", "m-1", "-1.0")},
		{OF_BURROW("partition_lag", "-1") OF_BURROW("current_offset", "-1")},
		{OF_GROUP_EXPORTER("offset", "-1.0") OF_GROUP_EXPORTER("lag", "-1.0")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct exporter *x = read_text(rows[i].text, strlen(rows[i].text), "g");
		struct exporter_total total;
		struct gap gap;

		if (exporter_total(x, &total, &gap) || total.without != 1)
			fail_msg("row %zu: %lld", i, (long long)total.lag);
		exporter_free(x);
	}
}

static void what_has_no_lag_is_counted_beside_the_total(void **state)
{
	static const char page[] = LAG("", "g", "a", "0", "5")
		LAG("", "g", "a", "1", "-1") LAG("", "g", "a", "2", "NaN")
			LAG("", "g", "b", "0", "-7") LAG("", "h", "b", "0", "-1");
	struct exporter *x = read_text(page, strlen(page), "g");
	struct exporter_total total;
	struct gap gap;

	(void)state;
	assert_true(exporter_total(x, &total, &gap));
	assert_int_equal(total.lag, -2);
	assert_int_equal(total.partitions, 4);
	assert_int_equal(total.without, 2);
	exporter_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recorded_page_of_kafka_exporter_gives_its_lags),
		cmocka_unit_test(a_recorded_page_of_burrow_gives_its_lags),
		cmocka_unit_test(every_dialect_is_known_by_what_is_on_its_page),
		cmocka_unit_test(what_cannot_be_told_is_a_reason_not_a_number),
		cmocka_unit_test(a_total_is_of_what_has_a_lag_or_is_none),
		cmocka_unit_test(
			minus_one_beside_an_offset_of_minus_one_is_none_on_any_page),
		cmocka_unit_test(what_has_no_lag_is_counted_beside_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
