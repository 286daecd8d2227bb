/* SPDX-License-Identifier: MIT
 * The listener's parts that need no socket: targets, rights, contents, pages of JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "serve/serve_int.h"
#include "support/views.h"

/* ---- targets ---- */

static void a_target_is_taken_apart_and_decoded(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(target_parse(&t, "/a/b%2fc/%C3%A4?x=1&y=a+b%20c&z&x=2#f"), 0);
	assert_int_equal(t.n, 3);
	assert_string_equal(t.segment[1], "b/c");
	assert_string_equal(t.segment[2], "\xc3\xa4");
	assert_string_equal(t.path, "/a/b/c/\xc3\xa4");
	assert_string_equal(target_query(&t, "x"), "1");
	assert_string_equal(target_query(&t, "y"), "a b c");
	assert_string_equal(target_query(&t, "z"), "");
	assert_null(target_query(&t, "f"));
	target_fini(&t);
	assert_int_equal(target_parse(&t, "/"), 0);
	assert_int_equal(t.n, 0);
	target_fini(&t);
	assert_int_equal(target_parse(&t, "/a/"), 0);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.segment[1], "");
	target_fini(&t);
}

static void a_target_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		"http://h/",
		"*",
		"/%",
		"/%4",
		"/%zz",
		"/%00",
		"/?a=%0",
		"/?%00=1",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct target t;

		if (target_parse(&t, bad[i]) == 0)
			fail_msg("\"%s\" was taken", bad[i]);
		target_fini(&t);
	}
}

/* ---- rights ---- */

static char listen_all[] = "0.0.0.0:9308", listen_here[] = "127.0.0.1:9308";

static struct address address(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(text, &a), 0);
	return a;
}

static void only_our_own_names_are_a_host(void **state)
{
	static char name[] = "mm.example", *names[] = {name};
	static const struct config_http http = {.listen = listen_all,
						.names = {names, 1}};
	static const struct {
		const char *host;
		bool ours;
	} table[] = {
		{NULL, true},
		{"localhost", true},
		{"LOCALHOST:1", true},
		{"mm.example:9308", true},
		{"mm.example.", false},
		{"10.0.0.5:9308", true},
		{"10.0.0.6", false},
		{"evil.example", false},
		{"localhost.evil", false},
		{"", false},
		{":9308", false},
		{"[::ffff:10.0.0.5]:1", true},
		{"[::1", false},
		{"0.0.0.0", true},
		{"mm.example@evil", false},
	};
	struct caller c = {.peer = address("10.0.0.9"), .ours = address("10.0.0.5")};
	struct guard g;

	(void)state;
	guard_init(&g, &http);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		c.host = table[i].host;
		if (guard_host(&g, &c) != table[i].ours)
			fail_msg("%s", table[i].host);
	}
	c.host = "evil.example";
	c.local = true;
	assert_true(guard_host(&g, &c));
	guard_fini(&g);
}

static void rights_are_by_address_certificate_and_token(void **state)
{
	static char ten[] = "10.0.0.0/8", fd[] = "fd00::/8", *trusted[] = {ten, fd};
	char file[] = "/tmp/mmlag-token-XXXXXX";
	struct config_http http = {.listen = listen_all,
				   .trusted = {trusted, 2},
				   .token_file = file};
	static const struct {
		const char *peer, *authorization;
		bool certified, local, reads, changes;
	} table[] = {
		{"127.0.0.1", NULL, 0, 0, true, false},
		{"::1", NULL, 0, 0, true, false},
		{"::ffff:127.9.9.9", NULL, 0, 0, true, false},
		{"10.1.2.3", NULL, 0, 0, true, false},
		{"fd12::1", NULL, 0, 0, true, false},
		{"11.0.0.1", NULL, 0, 0, false, false},
		{"11.0.0.1", NULL, true, 0, true, false},
		{"11.0.0.1", "Bearer sekrit", 0, 0, true, true},
		{"11.0.0.1", "bearer sekrit", 0, 0, true, true},
		{"11.0.0.1", "Bearer sekri", 0, 0, false, false},
		{"11.0.0.1", "Bearer sekritt", 0, 0, false, false},
		{"11.0.0.1", "Bearer ", 0, 0, false, false},
		{"11.0.0.1", "sekrit", 0, 0, false, false},
		{"11.0.0.1", "Basic dTpzZWtyaXQ=", 0, 0, true, true}, /* u:sekrit */
		{"11.0.0.1", "Basic OnNla3JpdA==", 0, 0, true, true}, /* :sekrit */
		{"11.0.0.1", "Basic c2Vrcml0", 0, 0, false, false},   /* sekrit */
		{"11.0.0.1", "Basic ===", 0, 0, false, false},
		{"11.0.0.1", "Basic ====", 0, 0, false, false},
		{"11.0.0.1", "Basic ", 0, 0, false, false},
		{"11.0.0.1", NULL, 0, true, true, true},
		{"127.0.0.1", "Bearer sekrit", 0, 0, true, true},
	};
	struct err err = ERR_INIT;
	struct guard g;
	int handle = mkstemp(file);

	(void)state;
	assert_int_equal(write(handle, "sekrit\n", 7), 7);
	guard_init(&g, &http);
	assert_int_equal(guard_reread(&g, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct caller c = {.peer = address(table[i].peer),
					 .certified = table[i].certified,
					 .local = table[i].local,
					 .authorization = table[i].authorization};

		if (guard_reads(&g, &c) != table[i].reads ||
		    guard_changes(&g, &c) != table[i].changes)
			fail_msg("row %zu: %s %s", i, table[i].peer,
				 table[i].authorization);
	}
	assert_int_equal(fchmod(handle, 0644), 0);
	assert_int_not_equal(guard_reread(&g, &err), 0);
	assert_non_null(strstr(err.text, "token_file"));
	assert_null(strstr(err.text, "sekrit"));
	assert_true(g.has_token); /* the old one holds */
	guard_fini(&g);
	close(handle);
	unlink(file);
}

static void without_a_token_nobody_changes_anything(void **state)
{
	static const struct config_http http = {.listen = listen_here};
	const struct caller c = {.peer = address("127.0.0.1"),
				 .authorization = "Bearer "};
	struct guard g;

	(void)state;
	guard_init(&g, &http);
	assert_true(guard_reads(&g, &c));
	assert_false(guard_changes(&g, &c));
	guard_fini(&g);
}

static void a_page_of_another_site_is_foreign(void **state)
{
	(void)state;
	assert_true(guard_same_origin("http://mm:9308", "mm:9308"));
	assert_true(guard_same_origin("https://MM", "mm"));
	assert_false(guard_same_origin("http://evil", "mm"));
	assert_false(guard_same_origin("null", "mm"));
	assert_false(guard_same_origin("http://mm.evil", "mm"));
}

static void networks_hold_their_addresses(void **state)
{
	static const struct {
		const char *network, *address;
		bool in;
	} table[] = {
		{"10.0.0.0/8", "10.255.0.1", true}, {"10.0.0.0/8", "11.0.0.0", false},
		{"10.0.0.4/30", "10.0.0.7", true},  {"10.0.0.4/30", "10.0.0.8", false},
		{"0.0.0.0/0", "1.2.3.4", true},     {"0.0.0.0/0", "fd00::1", false},
		{"::/0", "fd00::1", true},          {"fd00::/9", "fd80::1", false},
		{"fd00::1", "fd00::1", true},       {"fd00::1", "fd00::2", false},
	};
	static const char *const bad[] = {"",          "a",
					  "10.0.0.0/", "10.0.0.0/-1",
					  "1.2.3/8",   "1.2.3.4/33",
					  "::/129",    "::/8x",
					  "/8"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct address a = address(table[i].address);
		struct network n;

		assert_int_equal(network_parse(table[i].network, &n), 0);
		if (network_has(&n, &a) != table[i].in)
			fail_msg("%s %s", table[i].network, table[i].address);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct network n;

		if (network_parse(bad[i], &n) == 0)
			fail_msg("\"%s\" is no network", bad[i]);
	}
}

/* ---- contents ---- */

static void what_a_client_knows_and_takes_is_read_from_its_headers(void **state)
{
	static const char tag[] = "W/\"0123\"";

	(void)state;
	assert_true(content_is_known("W/\"0123\"", tag));
	assert_true(content_is_known("\"x\", \"0123\"", tag));
	assert_true(content_is_known("*", tag));
	assert_false(content_is_known("W/\"01234\"", tag));
	assert_false(content_is_known("0123", tag));
	assert_false(content_is_known(NULL, tag));
	assert_true(content_accepts_gzip("gzip"));
	assert_true(content_accepts_gzip("deflate, gzip;q=0.5, br"));
	assert_true(content_accepts_gzip("br,GZIP"));
	assert_false(content_accepts_gzip("gzip;q=0, br"));
	assert_false(content_accepts_gzip("gzip; q=0.0"));
	assert_false(content_accepts_gzip("xgzip, gzipx, identity"));
	assert_false(content_accepts_gzip(""));
	assert_false(content_accepts_gzip(", ,;"));
	assert_false(content_accepts_gzip(NULL));
}

static void large_contents_are_compressed_and_come_back(void **state)
{
	struct buf from = BUF_INIT(1 << 20);
	struct content *c;
	unsigned char back[100000];
	z_stream z = {.next_out = back, .avail_out = sizeof(back)};

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&from, "%d,", i % 977);
	c = content_take(&from);
	assert_true(content_compress(c));
	assert_true(c->gzip_len < c->len / 2);
	z.next_in = c->gzip;
	z.avail_in = (uInt)c->gzip_len;
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	inflateEnd(&z);
	assert_int_equal(z.total_out, c->len);
	assert_memory_equal(back, c->data, c->len);
	content_unref(c);
	buf_addstr(&from, "short");
	c = content_take(&from);
	assert_false(content_compress(c));
	content_unref(c);
}

/* ---- JSON ---- */

static json_t *json_of(struct buf *text)
{
	json_error_t e;
	json_t *j = json_loads(buf_str(text), JSON_REJECT_DUPLICATES, &e);

	if (j == NULL)
		fail_msg("%s in %s", e.text, buf_str(text));
	buf_free(text);
	return j;
}

static void topics_are_told_as_the_api_says(void **state)
{
	struct board *b = board_new();
	struct board_slot *slots[2];
	struct view *v =
		views_make("dc1", "oasis-group", "orders", "100:112:12 5:5:0 -:7:-");
	struct view *lost = views_make("dc1", "oasis-group", "payments", "");
	struct board_views views;
	struct scene scene = {NULL, &views, NULL};
	struct buf out = BUF_INIT(1 << 20);
	const char *type;

	(void)state;
	v->assessment.rule = "lag_allowed";
	v->assessment.worst = 0;
	v->assessment.time_lag_ms = 900;
	v->assessment.time_lag_kind = TIMELAG_INTERPOLATED;
	v->assessment.produced_per_sec = 41.5;
	v->assessment.consumed_per_sec = 41.2;
	views_lost(lost, REASON_SSH_LOST);
	slots[0] = views_show(b, lost);
	slots[1] = views_show(b, v);
	views = board_look(b);
	assert_int_equal(topics_answer(&scene, &out, &type), 200);
	assert_string_equal(
		buf_str(&out),
		"{\"topics\":[{\"cluster\":\"dc1\",\"group\":\"oasis-group\",\"topic\":"
		"\"orders\",\"match\":null,\"host\":\"mm1\",\"labels\":{},"
		"\"status\":\"OK\",\"rule\":\"lag_allowed\",\"worst_partition\":0,"
		"\"status_since\":1795220000000,\"sample_at\":1795220000000,"
		"\"interval_ms\":10000,\"sample_ms\":2310,\"lag_sum\":12,\"lag_max\":12,"
		"\"lag_max_partition\":0,\"partitions\":3,\"expected_partitions\":null,"
		"\"members\":2,\"group_state\":\"stable\",\"time_lag_ms\":900,"
		"\"time_lag_kind\":\"interpolated\",\"produced_per_sec\":41.5,"
		"\"consumed_per_sec\":41.2,\"drain_ms\":null,\"target\":null,\"reason\":null,"
		"\"message\":null,\"gap_since\":null,\"lags\":[[0,12,\"OK\"],[1,0,"
		"\"OK\"],[2,null,\"OK\"]]},"
		"{\"cluster\":\"dc1\",\"group\":\"oasis-group\",\"topic\":\"payments\","
		"\"match\":null,\"host\":\"mm1\",\"labels\":{},\"status\":\"NODATA\","
		"\"rule\":\"incomplete\",\"worst_partition\":null,\"status_since\":"
		"1795220000000,\"sample_at\":null,\"interval_ms\":10000,\"sample_ms\":"
		"null,\"lag_sum\":null,\"lag_max\":null,\"lag_max_partition\":null,"
		"\"partitions\":null,\"expected_partitions\":null,\"members\":null,"
		"\"group_state\":\"unknown\",\"time_lag_ms\":null,\"time_lag_kind\":"
		"\"none\",\"produced_per_sec\":null,\"consumed_per_sec\":null,"
		"\"drain_ms\":null,\"target\":null,\"reason\":\"ssh_lost\",\"message\":\"the "
		"\\\"cable\\\" was cut\",\"gap_since\":1795220001000,\"lags\":[]}]}\n");
	buf_free(&out);
	board_views_fini(&views);
	board_drop(b, slots[0]);
	board_drop(b, slots[1]);
	board_free(b);
}

static void one_topic_is_found_by_what_the_query_names(void **state)
{
	static const struct {
		const char *uri, *cluster, *group;
	} table[] = {
		{"/api/v1/topics/t", "a", "g"},
		{"/api/v1/topics/t?group=h", "a", "h"},
		{"/api/v1/topics/t?cluster=b", "b", "g"},
		{"/api/v1/topics/t?cluster=b&group=h", NULL, NULL},
		{"/api/v1/topics/u", NULL, NULL},
		{"/api/v1/topics/", NULL, NULL}, /* a pattern has no name */
	};
	struct board *b = board_new();
	struct board_slot *slots[4];
	struct board_views views;

	(void)state;
	slots[0] = views_show(b, views_make("b", "g", "t", ""));
	slots[1] = views_show(b, views_make("a", "h", "t", ""));
	slots[2] = views_show(b, views_make("a", "g", "t", ""));
	slots[3] = views_show(b, views_make("a", "g", "", ""));
	views = board_look(b);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct target t;
		const struct view *v;

		assert_int_equal(target_parse(&t, table[i].uri), 0);
		v = topic_find(&views, &t);
		target_fini(&t);
		if (table[i].cluster == NULL) {
			assert_null(v);
			continue;
		}
		assert_non_null(v);
		assert_string_equal(v->name.cluster, table[i].cluster);
		assert_string_equal(v->name.group, table[i].group);
	}
	board_views_fini(&views);
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		board_drop(b, slots[i]);
	board_free(b);
}

static void a_topic_comes_with_its_partitions(void **state)
{
	struct view *v = views_make("c", "g", "t", "100:112:12 -:7:-");
	struct buf out = BUF_INIT(1 << 20);
	json_t *j, *p;

	(void)state;
	v->sample.knows_members = true;
	v->sample.rows[0].member = 77;
	v->partitions[0].complete = 1;
	v->partitions[0].verdict = VERDICT_STALL;
	v->partitions[0].rule = RULE_STALLED;
	v->partitions[1].time_lag_ms = -1;
	topic_write(v, "{\"points\":[]}", 13, &out);
	assert_non_null(strstr(buf_str(&out), "\"complete\":1.0,"));
	j = json_of(&out);
	assert_int_equal(json_object_size(j), 3);
	p = json_array_get(json_object_get(j, "partitions"), 0);
	assert_int_equal(json_integer_value(json_object_get(p, "end")), 112);
	assert_string_equal(json_string_value(json_object_get(p, "status")), "STALL");
	assert_string_equal(json_string_value(json_object_get(p, "rule")), "stalled");
	assert_true(json_is_true(json_object_get(p, "has_member")));
	p = json_array_get(json_object_get(j, "partitions"), 1);
	assert_true(json_is_null(json_object_get(p, "committed")));
	assert_true(json_is_null(json_object_get(p, "lag")));
	assert_true(json_is_null(json_object_get(p, "time_lag_ms")));
	assert_true(json_is_false(json_object_get(p, "has_member")));
	json_decref(j);
	view_unref(v);
}

static void hosts_and_counts_are_in_the_status(void **state)
{
	static const struct config config = {.elastic = {.set = true}};
	struct board *b = board_new();
	struct serve s = {.parts = {&config, b, NULL, {7}}};
	struct board_slot *slots[3];
	struct request r = {.waiting = false};
	struct view *lost = views_make("c", "g", "b", "1:1:0"), *gone, *fine;
	static const struct config_topic ssh = {.source = SOURCE_SSH};
	struct buf copy = BUF_INIT(1 << 16);
	json_t *j, *host;

	(void)state;
	views_lost(lost, REASON_SSH_LOST);
	gone = views_make("c", "g", "c", "");
	views_lost(gone, REASON_TOPIC_ABSENT);
	fine = views_make("c", "g", "a", "1:1:0");
	lost->config = gone->config = fine->config = &ssh;
	lost->stream = slots; /* of its own */
	gone->stream = fine->stream = &slots[1];
	slots[0] = views_show(b, fine);
	slots[1] = views_show(b, lost);
	slots[2] = views_show(b, gone);
	board_tell(b, BOARD_BROKERS, "[1]", 3);
	api_status(&s, &r);
	buf_add(&copy, r.reply.content->data, r.reply.content->len);
	j = json_of(&copy);
	assert_int_equal(json_integer_value(
				 json_object_get(json_object_get(j, "topics"),
						 "nodata")),
			 2);
	assert_int_equal(json_array_size(json_object_get(j, "hosts")), 1);
	host = json_array_get(json_object_get(j, "hosts"), 0);
	assert_int_equal(json_integer_value(json_object_get(host, "topics")), 3);
	assert_int_equal(json_integer_value(json_object_get(host, "with_data")), 1);
	assert_int_equal(json_integer_value(json_object_get(host, "sessions")), 2);
	assert_int_equal(json_integer_value(json_object_get(host, "sessions_open")), 1);
	assert_string_equal(json_string_value(json_object_get(host, "reason")),
			    "ssh_lost");
	assert_int_equal(json_array_size(json_object_get(j, "brokers")), 1);
	assert_int_equal(json_array_size(json_object_get(j, "receivers")), 0);
	assert_true(json_is_true(
		json_object_get(json_object_get(j, "elasticsearch"), "configured")));
	json_decref(j);
	reply_fini(&r.reply);
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		board_drop(b, slots[i]);
	board_free(b);
}

static json_t *documents(struct serve *s, const char *uri)
{
	struct request r = {.waiting = false};
	struct buf copy = BUF_INIT(1 << 16);

	assert_int_equal(target_parse(&r.target, uri), 0);
	api_documents(s, &r);
	target_fini(&r.target);
	buf_add(&copy, r.reply.content->data, r.reply.content->len);
	reply_fini(&r.reply);
	return json_of(&copy);
}

static void the_newest_documents_are_told_and_then_what_follows(void **state)
{
	struct board *b = board_new();
	struct serve s = {.parts = {.board = b}};
	json_t *j;

	(void)state;
	for (int i = 1; i <= 30; i++) {
		char doc[128];
		int n = snprintf(
			doc, sizeof(doc),
			"{\"topic\":\"%s\",\"n\":%d,\"message\":\"\\\"topic\\\""
			":\\\"t1\\\"\"}",
			i % 2 ? "t1" : "t2", i);

		board_document(b, doc, (size_t)n);
	}
	j = documents(&s, "/api/v1/documents");
	assert_int_equal(json_array_size(json_object_get(j, "documents")), 10);
	assert_int_equal(json_integer_value(json_object_get(j, "next")), 30);
	json_decref(j);
	j = documents(&s, "/api/v1/documents?topic=t1&after=26");
	assert_int_equal(json_array_size(json_object_get(j, "documents")), 2);
	json_decref(j);
	j = documents(&s, "/api/v1/documents?topic=t1");
	assert_int_equal(json_array_size(json_object_get(j, "documents")), 10);
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(j, "documents"), 9),
				 "n")),
			 29);
	json_decref(j);
	j = documents(&s, "/api/v1/documents?after=30");
	assert_int_equal(json_array_size(json_object_get(j, "documents")), 0);
	json_decref(j);
	j = documents(&s, "/api/v1/documents?after=-1");
	assert_non_null(json_object_get(j, "error"));
	json_decref(j);
	board_free(b);
}

static void the_page_files_are_there(void **state)
{
	bool index = false;

	(void)state;
	for (size_t i = 0; i < serve_page_file_count; i++) {
		const struct page_file *f = &serve_page_files[i];

		index |= strcmp(f->path, "/") == 0;
		assert_true(f->len > 0 && f->gzip_len > 0);
		assert_int_equal(f->etag[0], '"');
	}
	assert_true(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_is_taken_apart_and_decoded),
		cmocka_unit_test(a_target_that_is_none_is_refused),
		cmocka_unit_test(only_our_own_names_are_a_host),
		cmocka_unit_test(rights_are_by_address_certificate_and_token),
		cmocka_unit_test(without_a_token_nobody_changes_anything),
		cmocka_unit_test(a_page_of_another_site_is_foreign),
		cmocka_unit_test(networks_hold_their_addresses),
		cmocka_unit_test(
			what_a_client_knows_and_takes_is_read_from_its_headers),
		cmocka_unit_test(large_contents_are_compressed_and_come_back),
		cmocka_unit_test(topics_are_told_as_the_api_says),
		cmocka_unit_test(one_topic_is_found_by_what_the_query_names),
		cmocka_unit_test(a_topic_comes_with_its_partitions),
		cmocka_unit_test(hosts_and_counts_are_in_the_status),
		cmocka_unit_test(the_newest_documents_are_told_and_then_what_follows),
		cmocka_unit_test(the_page_files_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
