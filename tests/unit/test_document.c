/* SPDX-License-Identifier: MIT
 * Documents to the letter, and ids that never change. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/hash.h"
#include "document/document.h"

/* 2026-11-21T03:36:10.123Z */
static const struct wall T = {1795232170123};

static const struct origin orders = {.cluster = "dc1",
				     .group = "oasis-group",
				     .topic = "orders",
				     .host = "mm1.example.com"};

static struct partition rows[] = {
	{.number = 0, .has_lag = true, .lag = 12},
	{.number = 1, .has_lag = true, .lag = 0},
	{.number = 2, .has_lag = false, .lag = 77},
};

static struct sample three_rows(void)
{
	struct sample s = SAMPLE_INIT;

	s.taken = T;
	s.sample_ms = 2310;
	s.state = GROUP_STABLE;
	s.members = 2;
	s.rows = rows;
	s.n = 3;
	return s;
}

static void expect_sample(const struct origin *o, const struct sample *s,
			  const struct assessment *a, const char *want)
{
	struct buf out = BUF_INIT(1 << 20);

	document_sample(&out, o, s, a);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void a_sample_is_written_in_the_documented_shape_and_order(void **state)
{
	struct sample s = three_rows();
	struct assessment a = ASSESSMENT_INIT;

	(void)state;
	a.time_lag_ms = 900;
	a.time_lag_kind = TIMELAG_INTERPOLATED;
	a.produced_per_sec = 41.5;
	a.consumed_per_sec = 41.2;
	expect_sample(
		&orders, &s, &a,
		"{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"topic\":\"orders\","
		"\"p0\":12,"
		"\"p1\":0,\"p2\":null,\"cluster\":\"dc1\",\"group\":\"oasis-group\","
		"\"host\":\"mm1.example.com\",\"lag_sum\":12,\"lag_max\":12,"
		"\"lag_max_partition\":0,\"partitions\":3,\"members\":2,\"group_"
		"state\":"
		"\"stable\",\"status\":\"OK\",\"time_lag_ms\":900,\"time_lag_kind\":"
		"\"interpolated\",\"produced_per_sec\":41.5,\"consumed_per_sec\":41.2,"
		"\"drain_ms\":null,\"sample_ms\":2310}");
}

static void what_is_not_known_is_null_or_absent_and_never_made_up(void **state)
{
	struct sample s = three_rows();

	(void)state;
	s.members = -1;
	s.sample_ms = -1;
	s.state = GROUP_UNKNOWN;
	s.rows = rows + 2;
	s.n = 1;
	expect_sample(
		&(struct origin){.cluster = NULL, .topic = "orders", .host = ""}, &s,
		NULL,
		"{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"topic\":\"orders\","
		"\"p2\":null,\"cluster\":\"default\",\"lag_sum\":null,\"lag_max\":null,"
		"\"lag_max_partition\":null,\"partitions\":1,\"group_state\":"
		"\"unknown\","
		"\"status\":\"OK\",\"time_lag_ms\":null,\"time_lag_kind\":\"none\","
		"\"produced_per_sec\":null,\"consumed_per_sec\":null,\"drain_ms\":"
		"null}");
}

static json_t *parsed(struct buf *out)
{
	json_t *root = json_loadb(out->data, out->len, 0, NULL);

	assert_non_null(root);
	buf_free(out);
	return root;
}

static void lags_keep_sign_and_size(void **state)
{
	struct partition wide[] = {
		{.number = 7, .has_lag = true, .lag = INT64_MIN},
		{.number = 31, .has_lag = true, .lag = INT64_MAX},
		{.number = 999999, .has_lag = true, .lag = -1},
	};
	struct sample s = SAMPLE_INIT;
	struct buf out = BUF_INIT(1 << 16);
	json_t *root;

	(void)state;
	s.rows = wide;
	s.n = 3;
	document_sample(&out, &orders, &s, NULL);
	assert_non_null(strstr(out.data,
			       "\"p7\":-9223372036854775808,"
			       "\"p31\":9223372036854775807,\"p999999\":-1,"));
	root = parsed(&out);
	assert_int_equal(json_integer_value(json_object_get(root, "lag_sum")), -2);
	assert_int_equal(json_integer_value(json_object_get(root, "lag_max_partition")),
			 31);
	json_decref(root);
}

static void the_other_side_is_there_where_it_is_asked(void **state)
{
	static const struct {
		struct delivered delivered;
		const char *json; /* NULL: no such field */
	} looks[] = {
		{{.asked = false}, NULL},
		{{.asked = true},
		 "\"target_end_sum\":null,\"delivered_per_sec\":null,"
		 "\"undelivered\":null"},
		{{.asked = true,
		  .known = true,
		  .end = 7,
		  .per_sec = NAN,
		  .missing = -1},
		 "\"target_end_sum\":7,\"delivered_per_sec\":null,"
		 "\"undelivered\":null"},
		{{.asked = true, .gap = {REASON_TOPIC_ABSENT, "no such topic"}},
		 "\"undelivered\":null,\"target_reason\":\"topic_absent\""},
		{{.asked = true, .known = true, .end = 7, .per_sec = 2, .missing = 0},
		 "\"target_end_sum\":7,\"delivered_per_sec\":2.0,\"undelivered\":0"},
	};
	struct sample s = three_rows();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
		struct assessment a = ASSESSMENT_INIT;
		struct buf out = BUF_INIT(1 << 16);

		a.delivered = looks[i].delivered;
		document_sample(&out, &orders, &s, &a);
		if (looks[i].json != NULL)
			assert_non_null(strstr(buf_str(&out), looks[i].json));
		else
			assert_null(strstr(buf_str(&out), "target_end_sum"));
		buf_free(&out);
	}
}

static void rates_carry_a_decimal_point(void **state)
{
	struct sample s = three_rows();
	struct assessment a = ASSESSMENT_INIT;
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	a.produced_per_sec = 0;
	a.consumed_per_sec = 1e6;
	a.drain_ms = 0;
	a.status = VERDICT_ERR;
	document_sample(&out, &orders, &s, &a);
	assert_non_null(strstr(out.data, "\"status\":\"ERR\""));
	assert_non_null(strstr(out.data, "\"produced_per_sec\":0.0,"));
	assert_non_null(strstr(out.data, "\"consumed_per_sec\":1000000.0,"));
	assert_non_null(strstr(out.data, "\"drain_ms\":0,"));
	buf_free(&out);
}

static void labels_are_an_object_of_strings(void **state)
{
	const struct label labels[] = {{"team", "data \"x\""}, {"tier", NULL}};
	struct origin o = orders;
	struct sample s = three_rows();
	struct buf out = BUF_INIT(1 << 16);
	json_t *root;

	(void)state;
	o.labels = labels;
	o.label_count = 2;
	document_sample(&out, &o, &s, NULL);
	assert_non_null(
		strstr(out.data,
		       ",\"labels\":{\"team\":\"data \\\"x\\\"\",\"tier\":\"\"}}"));
	root = parsed(&out);
	json_decref(root);
}

static void a_gap_tells_reason_message_and_since_and_has_no_lags(void **state)
{
	struct gap g;
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	gap_set(&g, REASON_SSH_AUTH, "publickey refused\nby \xff host");
	document_gap(&out, &orders, &g, T, (struct wall){T.ms - 60000});
	assert_string_equal(buf_str(&out),
			    "{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"topic\":"
			    "\"orders\",\"cluster\":"
			    "\"dc1\",\"group\":\"oasis-group\",\"host\":\"mm1.example."
			    "com\",\"status\":"
			    "\"NODATA\",\"reason\":\"ssh_auth\",\"message\":"
			    "\"publickey refused by \xef\xbf"
			    "\xbd host\",\"since\":\"2026-11-21T03:35:10.123Z\"}");
	buf_free(&out);
}

static void a_pattern_without_topics_stands_in_for_the_topic(void **state)
{
	struct origin o = orders;
	struct gap g;
	struct buf out = BUF_INIT(1 << 16);

	(void)state;
	o.topic = NULL;
	o.match = "eu\\..*";
	gap_set(&g, REASON_TOPIC_ABSENT, "no topic matches");
	document_gap(&out, &o, &g, T, T);
	assert_non_null(strstr(out.data, "Z\",\"match\":\"eu\\\\..*\",\"cluster\":"));
	assert_null(strstr(out.data, "\"topic\""));
	buf_free(&out);
}

static void bytes_that_are_no_utf8_still_give_valid_json(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 500; i++) {
		char group[64];
		struct origin o = orders;
		struct sample s = three_rows();
		struct buf out = BUF_INIT(1 << 16);

		for (size_t k = 0; k < sizeof(group) - 1; k++)
			group[k] = (char)(1 + random() % 255);
		group[sizeof(group) - 1] = '\0';
		o.group = group;
		document_sample(&out, &o, &s, NULL);
		assert_null(memchr(out.data, '\n', out.len));
		json_decref(parsed(&out));
	}
}

static void an_id_is_time_and_hash_of_what_is_told(void **state)
{
	static const char hashed[] = "dc1\0oasis-group\0orders\0sample\0k 1";
	unsigned char digest[HASH_SHA256_LEN];
	char hex[65], want[64], id[DOCUMENT_ID_LEN + 1];

	(void)state;
	hash_sha256(hashed, sizeof(hashed) - 1, digest);
	hash_hex(digest, sizeof(digest), hex);
	snprintf(want, sizeof(want), "1795232170123-%.32s", hex);
	document_id(id, T, &orders, "sample", "k 1");
	assert_string_equal(id, want);
	assert_int_equal(strlen(id), DOCUMENT_ID_LEN);
}

static void an_id_has_thirteen_digits_at_any_time(void **state)
{
	static const int64_t times[] = {0, 7, -5, INT64_MIN, INT64_MAX, 9999999999999};
	char id[DOCUMENT_ID_LEN + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		document_id(id, (struct wall){times[i]}, &orders, "sample", "");
		assert_int_equal(strspn(id, "0123456789"), 13);
		assert_int_equal(id[13], '-');
		assert_int_equal(strspn(id + 14, "0123456789abcdef"), 32);
	}
}

static void ids_differ_where_any_part_differs(void **state)
{
	const struct {
		struct origin o;
		const char *kind, *key;
	} all[] = {
		{orders, "sample", "k"},
		{orders, "sample", "k2"},
		{orders, "gap", "k"},
		{{.cluster = "dc2", .group = "oasis-group", .topic = "orders"},
		 "sample",
		 "k"},
		{{.cluster = "dc1", .group = "g", .topic = "orders"}, "sample", "k"},
		{{.cluster = "dc1", .group = "oasis-group", .topic = "o"},
		 "sample",
		 "k"},
		/* parts that run together without a separator */
		{{.cluster = "dc1o", .group = "asis-group", .topic = "orders"},
		 "sample",
		 "k"},
		{{.cluster = "dc1", .group = "oasis-group", .match = "a"}, "gap", "k"},
		{{.cluster = "dc1", .group = "oasis-group", .match = "b"}, "gap", "k"},
		{{.cluster = "dc1", .group = "oasis-group"}, "gap", "k"},
	};
	char ids[ARRAY_LEN(all)][DOCUMENT_ID_LEN + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		document_id(ids[i], T, &all[i].o, all[i].kind, all[i].key);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

static void a_host_is_no_part_of_the_id(void **state)
{
	struct origin moved = orders;
	char a[DOCUMENT_ID_LEN + 1], b[DOCUMENT_ID_LEN + 1];

	(void)state;
	moved.host = "mm2.example.com";
	document_id(a, T, &orders, "sample", "k");
	document_id(b, T, &moved, "sample", "k");
	assert_string_equal(a, b);
}

static void a_made_document_owns_its_bytes(void **state)
{
	struct buf json = BUF_INIT(1024);
	struct document d;

	(void)state;
	buf_addstr(&json, "{\"a\":1}");
	d = document_make(T, &orders, "sample", "k", &json);
	assert_int_equal(json.len, 0);
	assert_null(json.data);
	assert_string_equal(d.json, "{\"a\":1}");
	assert_int_equal(d.len, 7);
	assert_string_equal(d.topic, "orders");
	assert_int_equal(d.t.ms, T.ms);
	assert_memory_equal(d.id, "1795232170123-", 14);
	document_fini(&d);
	assert_null(d.json);
	document_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sample_is_written_in_the_documented_shape_and_order),
		cmocka_unit_test(what_is_not_known_is_null_or_absent_and_never_made_up),
		cmocka_unit_test(lags_keep_sign_and_size),
		cmocka_unit_test(the_other_side_is_there_where_it_is_asked),
		cmocka_unit_test(rates_carry_a_decimal_point),
		cmocka_unit_test(labels_are_an_object_of_strings),
		cmocka_unit_test(a_gap_tells_reason_message_and_since_and_has_no_lags),
		cmocka_unit_test(a_pattern_without_topics_stands_in_for_the_topic),
		cmocka_unit_test(bytes_that_are_no_utf8_still_give_valid_json),
		cmocka_unit_test(an_id_is_time_and_hash_of_what_is_told),
		cmocka_unit_test(an_id_has_thirteen_digits_at_any_time),
		cmocka_unit_test(ids_differ_where_any_part_differs),
		cmocka_unit_test(a_host_is_no_part_of_the_id),
		cmocka_unit_test(a_made_document_owns_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
