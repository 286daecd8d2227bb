/* SPDX-License-Identifier: MIT
 * The cluster as the shipper sees it, against a scripted far end; and against a real
 * server when MMLAG_TEST_ES names one (http://host:port; with MMLAG_TEST_ES_USER,
 * MMLAG_TEST_ES_PASSWORD_FILE and MMLAG_TEST_ES_CA where it wants them). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/random.h"
#include "elastic/elastic.h"
#include "elastic/elastic_int.h"
#include "http/http.h"

#include "support/http_peer.c"

#define EMPTY(status) "HTTP/1.1 " #status " X\r\nContent-Length: 0\r\n\r\n"
#define SECONDS(s) ((struct mono){(int64_t)(s)*1000000000 + 1})

/* 2026-11-21T03:36:10.123Z */
static const struct wall T = {1795232170123};

static char *error_answer(int status, const char *type, const char *reason)
{
	char *body = mem_printf(
		"{\"error\":{\"root_cause\":[],\"type\":\"%s\",\"reason\":\"%s\"},"
		"\"status\":%d}",
		type, reason, status);
	char *out = peer_answer(status, "Content-Type: application/json\r\n", body);

	free(body);
	return out;
}

/* A cluster of up to three nodes with one configuration. */
struct cluster {
	char *urls[3];
	struct config_elastic config;
	struct elastic *e;
};

static void cluster_set(struct cluster *c, const char *index, size_t n,
			const char *const *urls)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < n; i++)
		c->urls[i] = mem_strdup(urls[i]);
	c->config = (struct config_elastic){.set = true,
					    .hosts = {c->urls, n},
					    .index = mem_strdup(index),
					    .timeout_ms = 20000};
}

static void cluster_open(struct cluster *c, const char *index, size_t n,
			 const char *const *urls)
{
	struct err err = ERR_INIT;

	cluster_set(c, index, n, urls);
	if (elastic_open(&c->e, &c->config, NULL, &err) != 0)
		fail_msg("elastic_open: %s", err.text);
}

static void cluster_close(struct cluster *c)
{
	elastic_close(c->e);
	for (size_t i = 0; i < ARRAY_LEN(c->urls); i++)
		free(c->urls[i]);
	free(c->config.index);
}

static struct document make_document(int64_t ms, const char *key, const char *json)
{
	const struct origin o = {.cluster = "c", .group = "g", .topic = "orders"};
	struct buf b = BUF_INIT(4096);

	buf_addstr(&b, json);
	return document_make((struct wall){ms}, &o, "sample", key, &b);
}

/* --- preparing --- */

static void an_index_that_is_there_is_left_alone(void **state)
{
	const struct peer_step step = {.raw = EMPTY(200)};
	struct peer *p = peer_start(&step, 1);
	const char *urls[] = {p->url};
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(1), &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 1);
	assert_string_equal(p->requests[0].method, "HEAD");
	assert_string_equal(p->requests[0].path, "/consumer_lag");
	peer_free(p);
}

static void an_absent_index_is_created_from_the_mapping(void **state)
{
	const struct peer_step steps[] = {{.raw = EMPTY(404)}, {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 2);
	const char *urls[] = {p->url};
	struct err err = ERR_INIT;
	struct cluster c;
	json_t *mapping;

	(void)state;
	cluster_open(&c, "lag-{yyyy.MM}", 1, urls);
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(1), &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 2);
	assert_string_equal(p->requests[1].method, "PUT");
	assert_string_equal(p->requests[1].path, "/lag-2026.11");
	assert_string_equal(peer_header(&p->requests[1], "Content-Type"),
			    "application/json");
	assert_string_equal(p->requests[1].body.data, elastic_builtin_mapping);
	mapping = json_loads(elastic_builtin_mapping, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(mapping);
	json_decref(mapping);
	peer_free(p);
}

static void what_is_answered_to_a_create_decides(void **state)
{
	static const struct {
		const char *label;
		int head, put;
		const char *type, *reason;
		int rc;
		enum bulk_trouble kind;
	} rows[] = {
		{"another was faster", 404, 400, "resource_already_exists_exception",
		 "x", 0, 0},
		{"an alias, seen late", 404, 400, "invalid_index_name_exception",
		 "Invalid index name [c], already exists as alias", 0, 0},
		{"a template makes a data stream of it", 404, 400,
		 "illegal_argument_exception",
		 "cannot create index with name [c], because it matches with template "
		 "[t] that "
		 "creates data streams only, use create data stream api instead",
		 0, 0},
		{"not recovered, head 404", 404, 503, "cluster_block_exception", "x",
		 ERR_RETRY, TROUBLE_SERVER},
		{"not recovered, head 503", 503, 0, NULL, NULL, ERR_RETRY,
		 TROUBLE_SERVER},
		{"busy", 429, 0, NULL, NULL, ERR_RETRY, TROUBLE_OVERLOADED},
		{"no credentials", 401, 0, NULL, NULL, ERR_PERMANENT,
		 TROUBLE_CREDENTIALS},
		{"redirected", 302, 0, NULL, NULL, ERR_PERMANENT, TROUBLE_REFUSED},
		{"may not create", 404, 403, "security_exception", "x", ERR_PERMANENT,
		 TROUBLE_CREDENTIALS},
		{"disk", 404, 403, "index_create_block_exception", "x", ERR_PERMANENT,
		 TROUBLE_BLOCKED},
		{"a name no index can have", 404, 400, "invalid_index_name_exception",
		 "must be lowercase", ERR_PERMANENT, TROUBLE_REFUSED},
		{"a mapping it does not take", 404, 400, "mapper_parsing_exception",
		 "x", ERR_PERMANENT, TROUBLE_REFUSED},
		{"may not look, may not create", 403, 403, "security_exception", "x", 0,
		 0},
		{"may not look, exists", 403, 400, "resource_already_exists_exception",
		 "x", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *head = peer_answer(rows[i].head, "", "");
		char *put = rows[i].put == 0 ? NULL
					     : error_answer(rows[i].put, rows[i].type,
							    rows[i].reason);
		const struct peer_step steps[] = {{.raw = head}, {.raw = put}};
		struct peer *p = peer_start(steps, put != NULL ? 2 : 1);
		const char *urls[] = {p->url};
		struct err err = ERR_INIT;
		struct cluster c;
		int rc;

		cluster_open(&c, "consumer_lag", 1, urls);
		rc = elastic_prepare(c.e, T, SECONDS(1), &err);
		if (rc != rows[i].rc || (rc != 0 && err.code != (int)rows[i].kind))
			fail_msg("%s: %d, kind %d: %s", rows[i].label, rc, err.code,
				 err.text);
		cluster_close(&c);
		peer_end(p);
		assert_int_equal(p->n, put != NULL ? 2 : 1);
		if (rc != 0 && strstr(err.text, "consumer_lag") == NULL)
			fail_msg("%s: the index is not named: %s", rows[i].label,
				 err.text);
		peer_free(p);
		free(head);
		free(put);
	}
}

static void the_index_is_looked_at_before_each_bulk_and_made_again(void **state)
{
	const struct peer_step steps[] = {{.raw = EMPTY(200)},
					  {.raw = EMPTY(404)},
					  {.raw = EMPTY(200)},
					  {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 4);
	const char *urls[] = {p->url};
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(1), &err), 0); /* HEAD */
	assert_int_equal(elastic_prepare(c.e, T, mono_add_ms(SECONDS(1), 400), &err),
			 0);
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(2), &err), 0); /* HEAD, PUT */
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(3), &err), 0); /* HEAD */
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 4);
	assert_string_equal(p->requests[2].method, "PUT");
	peer_free(p);
}

static void where_it_may_not_look_it_looks_once_a_minute(void **state)
{
	char *refused = error_answer(403, "security_exception", "x");
	const struct peer_step steps[] = {{.raw = EMPTY(403)},
					  {.raw = refused},
					  {.raw = EMPTY(403)},
					  {.raw = refused}};
	struct peer *p = peer_start(steps, 4);
	const char *urls[] = {p->url};
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	for (int s = 1; s <= 100; s += 9)
		assert_int_equal(elastic_prepare(c.e, T, SECONDS(s), &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 4);
	peer_free(p);
	free(refused);
}

static void a_mapping_file_replaces_the_built_in_one(void **state)
{
	const struct peer_step steps[] = {{.raw = EMPTY(404)}, {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 2);
	char path[] = "/tmp/mmlag-test-mapping-XXXXXX";
	int fd = mkstemp(path);
	char *hosts[] = {p->url};
	char index[] = "consumer_lag";
	struct config_elastic config = {.hosts = {hosts, 1},
					.index = index,
					.mapping_file = path};
	struct elastic *e = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write(fd, "{\n oops", 7), 7);
	assert_int_equal(elastic_open(&e, &config, NULL, &err), ERR_PERMANENT);
	assert_null(e);
	assert_non_null(strstr(err.text, ":2:"));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, "{\"mappings\":{}}", 15, 0), 15);
	assert_int_equal(elastic_open(&e, &config, NULL, &err), 0);
	assert_int_equal(elastic_prepare(e, T, SECONDS(1), &err), 0);
	elastic_close(e);
	close(fd);
	unlink(path);
	peer_end(p);
	assert_string_equal(p->requests[1].body.data, "{\"mappings\":{}}");
	peer_free(p);
}

/* --- bulk --- */

static void a_bulk_names_index_and_id_and_brings_a_verdict_each(void **state)
{
	char *answer = peer_answer(200, "",
				   "{\"errors\":true,\"items\":[{\"create\":{"
				   "\"status\":201}},{\"create\":{\"status\":"
				   "400,\"error\":{\"type\":\"document_parsing_"
				   "exception\",\"reason\":\"p0\"}}}]}");
	const struct peer_step steps[] = {{.raw = EMPTY(200)}, {.raw = answer}};
	struct peer *p = peer_start(steps, 2);
	const char *urls[] = {p->url};
	struct document d[2] = {make_document(T.ms, "1", "{\"a\":1}"),
				make_document(T.ms, "2", "{\"a\":2}")};
	struct bulk_item v[2];
	struct err err = ERR_INIT;
	int64_t wish = 0;
	struct cluster c;
	char *want;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_bulk(c.e, d, 2, v, &wish, SECONDS(1), &err),
			 WHOLE_ITEMS);
	assert_int_equal(v[0].verdict, BULK_DONE);
	assert_int_equal(v[1].verdict, BULK_REJECT);
	assert_int_equal(wish, -1);
	assert_non_null(strstr(err.text, p->url));
	cluster_close(&c);
	peer_end(p);
	assert_string_equal(p->requests[1].method, "POST");
	assert_string_equal(p->requests[1].path,
			    "/_bulk?filter_path=errors,items.*._id,"
			    "items.*.status,items.*.error");
	assert_string_equal(peer_header(&p->requests[1], "Content-Type"),
			    "application/x-ndjson");
	want = mem_printf(
		"{\"create\":{\"_index\":\"consumer_lag\",\"_id\":\"%s\"}}\n{\"a\":1}\n"
		"{\"create\":{\"_index\":\"consumer_lag\",\"_id\":\"%s\"}}\n{\"a\":2}"
		"\n",
		d[0].id, d[1].id);
	assert_string_equal(p->requests[1].body.data, want);
	free(want);
	document_fini(&d[0]);
	document_fini(&d[1]);
	peer_free(p);
	free(answer);
}

static void no_documents_are_no_request(void **state)
{
	struct peer *p = peer_start(NULL, 0);
	const char *urls[] = {p->url};
	struct err err = ERR_INIT;
	int64_t wish = 0;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_bulk(c.e, NULL, 0, NULL, &wish, SECONDS(1), &err),
			 WHOLE_ITEMS);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 0);
	peer_free(p);
}

static void a_batch_across_midnight_prepares_both_indices(void **state)
{
	char *answer =
		peer_answer(200, "",
			    "{\"items\":[{\"create\":{\"status\":201}},{\"create\":"
			    "{\"status\":201}}]}");
	const struct peer_step steps[] = {{.raw = EMPTY(200)},
					  {.raw = EMPTY(404)},
					  {.raw = EMPTY(200)},
					  {.raw = answer}};
	struct peer *p = peer_start(steps, 4);
	const char *urls[] = {p->url};
	struct document d[2] = {make_document(1798761599999, "1", "{}"),
				make_document(1798761600000, "2", "{}")};
	struct bulk_item v[2];
	struct err err = ERR_INIT;
	int64_t wish;
	struct cluster c;

	(void)state;
	cluster_open(&c, "lag-{yyyy.MM.dd}", 1, urls);
	assert_int_equal(elastic_prepare(c.e, d[0].t, SECONDS(1), &err), 0);
	assert_int_equal(elastic_bulk(c.e, d, 2, v, &wish, SECONDS(1), &err),
			 WHOLE_ITEMS);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 4);
	assert_string_equal(p->requests[1].path, "/lag-2027.01.01");
	assert_string_equal(p->requests[2].path, "/lag-2027.01.01");
	assert_non_null(strstr(p->requests[3].body.data, "lag-2026.12.31"));
	assert_non_null(strstr(p->requests[3].body.data, "lag-2027.01.01"));
	document_fini(&d[0]);
	document_fini(&d[1]);
	peer_free(p);
	free(answer);
}

static void an_index_found_gone_is_looked_for_at_once(void **state)
{
	char *gone = peer_answer(
		200, "",
		"{\"errors\":true,\"items\":[{\"create\":{\"status\":404,\"error\":"
		"{\"type\":\"index_not_found_exception\",\"reason\":\"x\"}}}]}");
	const struct peer_step steps[] = {{.raw = EMPTY(200)},
					  {.raw = gone},
					  {.raw = EMPTY(404)},
					  {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 4);
	const char *urls[] = {p->url};
	struct document d = make_document(T.ms, "1", "{}");
	struct bulk_item v;
	struct err err = ERR_INIT;
	int64_t wish;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(1), &err),
			 WHOLE_ITEMS);
	assert_int_equal(v.pace, PACE_BOOTSTRAP);
	assert_int_equal(elastic_prepare(c.e, T, SECONDS(1), &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 4);
	document_fini(&d);
	peer_free(p);
	free(gone);
}

static void an_answer_that_is_cut_or_too_long_settles_nothing(void **state)
{
	char *ok = peer_answer(200, "", "{\"items\":[{\"create\":{\"status\":201}}]}");
	struct buf huge = BUF_INIT(1 << 20);
	struct peer_step steps[6];
	struct peer *p;
	const char *urls[1];
	struct document d = make_document(T.ms, "1", "{}");
	struct bulk_item v;
	struct err err = ERR_INIT;
	int64_t wish;
	struct cluster c;

	(void)state;
	buf_addstr(&huge, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (int i = 0; i < 80000; i++)
		buf_addch(&huge, ' ');
	steps[0] = (struct peer_step){.raw = EMPTY(200)};
	steps[1] = (struct peer_step){.raw = ok, .cut = strlen(ok) - 3};
	steps[2] = steps[0];
	steps[3] = (struct peer_step){.raw = huge.data, .len = huge.len};
	steps[4] = steps[0];
	steps[5] = (struct peer_step){.raw = ok};
	p = peer_start(steps, 6);
	urls[0] = p->url;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(1), &err),
			 WHOLE_AGAIN);
	assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(9), &err),
			 WHOLE_AGAIN);
	assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(19), &err),
			 WHOLE_ITEMS);
	cluster_close(&c);
	document_fini(&d);
	peer_free(p);
	buf_free(&huge);
	free(ok);
}

static void a_refusal_of_the_whole_and_its_wish_are_passed_on(void **state)
{
	static const struct {
		int status;
		const char *headers;
		enum bulk_whole want;
		int64_t wish;
	} rows[] = {
		{429, "Retry-After: 17\r\n", WHOLE_AGAIN, 17000},
		{503, "", WHOLE_AGAIN, -1},
		{413, "", WHOLE_HALVE, -1},
		{400, "", WHOLE_BISECT, -1},
		{401, "", WHOLE_SLOW, -1},
		{407, "", WHOLE_SLOW, -1},
		{301, "Location: http://127.0.0.1:1/\r\n", WHOLE_SLOW, -1},
	};
	struct document d = make_document(T.ms, "1", "{}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *answer = peer_answer(rows[i].status, rows[i].headers, "");
		const struct peer_step steps[] = {{.raw = EMPTY(200)}, {.raw = answer}};
		struct peer *p = peer_start(steps, 2);
		const char *urls[] = {p->url};
		struct bulk_item v;
		struct err err = ERR_INIT;
		int64_t wish = 0;
		struct cluster c;

		cluster_open(&c, "consumer_lag", 1, urls);
		assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(1), &err),
				 rows[i].want);
		assert_int_equal(wish, rows[i].wish);
		assert_non_null(strstr(err.text, p->url));
		cluster_close(&c);
		peer_free(p);
		free(answer);
	}
	document_fini(&d);
}

/* --- nodes --- */

/* Look at a new index at time `s`, so that exactly one request goes out. */
static int poke(struct cluster *c, int64_t ms, struct err *err)
{
	pool_turn(c->e);
	return elastic_prepare(c->e, T, mono_add_ms(SECONDS(1), ms), err);
}

/* The look at the index and the bulk that follows it meet the same node. */
static void batches_go_round_the_nodes(void **state)
{
	char *stored =
		peer_answer(200, "", "{\"items\":[{\"create\":{\"status\":201}}]}");
	const struct peer_step steps[] = {{.raw = EMPTY(200)},
					  {.raw = stored},
					  {.raw = EMPTY(200)},
					  {.raw = stored}};
	struct document d = make_document(T.ms, "1", "{}");
	struct peer *p[2];
	const char *urls[2];
	struct err err = ERR_INIT;
	struct bulk_item v;
	struct cluster c;
	int64_t wish;

	(void)state;
	for (int i = 0; i < 2; i++) {
		p[i] = peer_start(steps, 4);
		urls[i] = p[i]->url;
	}
	cluster_open(&c, "consumer_lag", 2, urls);
	for (int i = 0; i < 4; i++)
		assert_int_equal(elastic_bulk(c.e, &d, 1, &v, &wish, SECONDS(i + 1),
					      &err),
				 WHOLE_ITEMS);
	cluster_close(&c);
	for (int i = 0; i < 2; i++) {
		peer_end(p[i]);
		assert_int_equal(p[i]->n, 4);
		for (size_t r = 0; r < 4; r++)
			assert_string_equal(p[i]->requests[r].method,
					    r % 2 == 0 ? "HEAD" : "POST");
		peer_free(p[i]);
	}
	document_fini(&d);
	free(stored);
}

static void a_node_that_refuses_is_passed_over_in_the_same_call(void **state)
{
	const struct peer_step steps[] = {{.raw = EMPTY(200)}, {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 2);
	int port, fd = peer_listen(&port);
	char *closed = mem_printf("http://127.0.0.1:%d", port);
	const char *urls[] = {closed, p->url};
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	close(fd);
	cluster_open(&c, "consumer_lag", 2, urls);
	assert_int_equal(poke(&c, 0, &err), 0);
	assert_int_equal(poke(&c, 900, &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 2);
	peer_free(p);
	free(closed);
}

static void a_dead_node_rests_longer_each_time_up_to_a_minute(void **state)
{
	static const struct peer_step bad[] = {{.silent = true}, {.silent = true},
					       {.silent = true}, {.silent = true},
					       {.silent = true}, {.silent = true},
					       {.silent = true}, {.silent = true},
					       {.silent = true}, {.silent = true},
					       {.silent = true}, {.silent = true}};
	struct peer_step good[60];
	struct peer *a = peer_start(bad, ARRAY_LEN(bad)), *b;
	const char *urls[2] = {a->url};
	struct err err = ERR_INIT;
	struct cluster c;
	int64_t failed_at = 0, ms = 0;
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		good[i] = (struct peer_step){.raw = EMPTY(200)};
	b = peer_start(good, ARRAY_LEN(good));
	urls[1] = b->url;
	cluster_open(&c, "consumer_lag", 2, urls);
	/* Steps of half a rest: the dead node is asked at each second one only. */
	for (int64_t rest = 0; failures < 9;) {
		if (poke(&c, ms, &err) != 0) {
			assert_true(ms - failed_at >= rest);
			failed_at = ms;
			rest = rest == 0 ? 1000 : rest * 2 > 60000 ? 60000 : rest * 2;
			failures++;
		} else {
			assert_true(ms - failed_at <= rest + rest);
		}
		ms += rest / 2 + 1;
	}
	cluster_close(&c);
	peer_end(a);
	assert_int_equal(a->n, 9);
	peer_free(a);
	peer_free(b);
}

static void when_all_are_dead_the_one_due_first_is_asked(void **state)
{
	static const struct peer_step first[] = {{.silent = true}, {.raw = EMPTY(200)}};
	static const struct peer_step second[] = {{.silent = true},
						  {.raw = EMPTY(200)}};
	struct peer *a = peer_start(first, 2), *b = peer_start(second, 2);
	const char *urls[] = {a->url, b->url};
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 2, urls);
	assert_int_equal(poke(&c, 0, &err), ERR_RETRY); /* a, due at 1000 */
	assert_int_equal(err.code, TROUBLE_UNREACHABLE);
	assert_int_equal(poke(&c, 100, &err), ERR_RETRY); /* b, due at 1100 */
	assert_int_equal(poke(&c, 200, &err), 0);         /* a */
	cluster_close(&c);
	peer_end(a);
	peer_end(b);
	assert_int_equal(a->n, 2);
	assert_int_equal(b->n, 1);
	peer_free(a);
	peer_free(b);
}

/* --- looking ahead --- */

struct findings {
	struct buf text; /* "LEVEL subject: text\n" each */
	int worst;
};

static void collect(void *arg, enum finding_level level, const char *subject,
		    const char *text)
{
	struct findings *f = arg;

	buf_printf(&f->text, "%d %s: %s\n", (int)level, subject, text);
	if ((int)level > f->worst)
		f->worst = (int)level;
}

static void expect_line(const struct findings *f, const char *begin, const char *words)
{
	for (const char *line = buf_str(&f->text); *line != '\0';) {
		size_t len = strcspn(line, "\n");

		if (strncmp(line, begin, strlen(begin)) == 0) {
			char *one = mem_strndup(line, len);
			bool found = strstr(one, words) != NULL;

			free(one);
			if (found)
				return;
		}
		line += len + (line[len] == '\n');
	}
	fail_msg("no line \"%s… %s\" in:\n%s", begin, words, buf_str(&f->text));
}

#define ROOT_8                                                                     \
	"{\"name\":\"n1\",\"version\":{\"number\":\"8.19.16\"},\"tagline\":\"You " \
	"Know, for "                                                               \
	"Search\"}"

/* Run a preflight against one node that answers these bodies in turn. */
static struct findings preflight(const char *const *bodies, const int *statuses,
				 size_t n, int partitions, int64_t lag)
{
	struct peer_step steps[8] = {0};
	char *raw[8];
	struct findings f = {BUF_INIT(1 << 16), 0};
	struct peer *p;
	const char *urls[1];
	struct cluster c;

	for (size_t i = 0; i < n; i++) {
		raw[i] = peer_answer(statuses[i], "", bodies[i]);
		steps[i].raw = raw[i];
	}
	p = peer_start(steps, n);
	urls[0] = p->url;
	cluster_open(&c, "consumer_lag", 1, urls);
	elastic_preflight(c.e, partitions, lag, 86400 * 365, collect, &f);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, n);
	for (size_t i = 0; i < p->n; i++)
		assert_true(strcmp(p->requests[i].method, "GET") == 0);
	peer_free(p);
	for (size_t i = 0; i < n; i++)
		free(raw[i]);
	return f;
}

static void our_own_mapping_fits_and_lacks_nothing(void **state)
{
	json_t *ours = json_loads(elastic_builtin_mapping, 0, NULL);
	json_t *answer = json_pack("{s:{s:O}}", "consumer_lag", "mappings",
				   json_object_get(ours, "mappings"));
	char *mapping = json_dumps(answer, 0);
	const char *bodies[] = {
		ROOT_8, mapping,
		"{\"consumer_lag\":{\"settings\":{\"index.mapping.total_fields."
		"limit\":\"2000\"}}}"};
	const int statuses[] = {200, 200, 200};
	struct findings f = preflight(bodies, statuses, 3, 100, INT64_MAX);

	(void)state;
	assert_int_equal(f.worst, FINDING_OK);
	expect_line(&f, "0 http://", "Elasticsearch 8.19.16");
	expect_line(&f, "0 mapping: consumer_lag", "takes our documents");
	expect_line(&f, "0 fields", "of 2000");
	expect_line(&f, "0 documents", "31536000 a year");
	buf_free(&f.text);
	free(mapping);
	json_decref(answer);
	json_decref(ours);
}

#define TEAM_INDEX                                                                   \
	"{\"consumer_lag\":{\"mappings\":{\"properties\":{\"@timestamp\":{\"type\":" \
	"\"date\"},"                                                                 \
	"\"topic\":{\"type\":\"text\",\"analyzer\":\"simple\"},\"p0\":{\"type\":"    \
	"\"integer\"},"                                                              \
	"\"p1\":{\"type\":\"integer\",\"ignore_malformed\":true},\"p2\":{\"type\":"  \
	"\"long\"},"                                                                 \
	"\"cluster\":{\"type\":\"keyword\"},\"lag_sum\":{\"type\":\"keyword\"}}}}}"

static void the_index_of_a_team_is_judged_field_by_field(void **state)
{
	const char *bodies[] = {ROOT_8, TEAM_INDEX, "{}"};
	const int statuses[] = {200, 200, 200};
	struct findings f = preflight(bodies, statuses, 3, 18, 5);

	(void)state;
	assert_int_equal(f.worst, FINDING_WARNING);
	expect_line(&f, "1 topic", "topic.keyword");
	expect_line(&f, "1 p0…", "1 of them are integer");
	expect_line(&f, "1 p0…", "no dynamic template");
	expect_line(&f, "1 lag_sum", "keyword where we write long");
	expect_line(&f, "1 mapping", "of our fields are not in it");
	expect_line(&f, "0 fields", "of 1000");
	buf_free(&f.text);

	f = preflight(bodies, statuses, 3, 18, 3000000000);
	expect_line(&f, "2 p0…", "integer");
	buf_free(&f.text);

	f = preflight(bodies, statuses, 3, 1200, 5);
	expect_line(&f, "2 fields", "limit is 1000");
	buf_free(&f.text);
}

static void what_would_be_refused_is_a_failure(void **state)
{
	const char *bodies[] = {ROOT_8,
				"{\"consumer_lag\":{\"mappings\":{\"dynamic\":"
				"\"strict\",\"properties\":{"
				"\"@timestamp\":{\"type\":\"keyword\"},\"topic\":{"
				"\"type\":\"long\"},\"p0\":{\"type"
				"\":\"date\"},\"p1\":{\"type\":\"text\"},\"host\":{"
				"\"properties\":{\"name\":{\"type"
				"\":\"keyword\"}}}}}}}",
				"{}"};
	const int statuses[] = {200, 200, 200};
	struct findings f = preflight(bodies, statuses, 3, 2, 5);

	(void)state;
	expect_line(&f, "2 mapping", "strict");
	expect_line(&f, "2 @timestamp", "keyword where we write date");
	expect_line(&f, "2 topic", "long where we write keyword");
	expect_line(&f, "2 host", "object where we write keyword");
	expect_line(&f, "2 p0…", "no numbers");
	expect_line(&f, "1 p0…", "are strings");
	buf_free(&f.text);
}

static void what_may_not_be_seen_is_a_warning_that_names_the_privilege(void **state)
{
	const char *bodies[] = {"{\"error\":{\"type\":\"security_exception\","
				"\"reason\":\"x\"},\"status\":403}",
				"{\"error\":{\"type\":\"security_exception\","
				"\"reason\":\"x\"},\"status\":403}"};
	const int statuses[] = {403, 403};
	struct findings f = preflight(bodies, statuses, 2, 18, 5);

	(void)state;
	assert_int_equal(f.worst, FINDING_WARNING);
	expect_line(&f, "1 http://", "monitor");
	expect_line(&f, "1 mapping", "view_index_metadata");
	buf_free(&f.text);
}

static void servers_of_other_kinds_are_taken_as_they_are(void **state)
{
	static const struct {
		const char *root, *want;
		int status;
	} rows[] = {
		{"{\"version\":{\"distribution\":\"opensearch\",\"number\":\"2.19.4\"}"
		 "}",
		 "OpenSearch 2.19.4", 200},
		{"{\"version\":{\"number\":\"1.0\"},\"tagline\":\"Hello\"}", "neither",
		 200},
		{"{\"error\":\"Incorrect HTTP method\",\"status\":405}", "does not say",
		 405},
		{"<html>", "does not say", 200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *bodies[] = {rows[i].root, "{\"error\":{},\"status\":404}"};
		const int statuses[] = {rows[i].status, 404};
		struct findings f = preflight(bodies, statuses, 2, 18, 5);

		assert_true(f.worst <= FINDING_WARNING);
		expect_line(&f, i == 0 ? "0 http://" : "1 http://", rows[i].want);
		expect_line(&f, "0 mapping", "will be created");
		expect_line(&f, "0 fields", "of 2000");
		buf_free(&f.text);
	}
}

static void a_cluster_that_cannot_be_reached_is_a_failure(void **state)
{
	int port, fd = peer_listen(&port);
	char *closed = mem_printf("http://127.0.0.1:%d", port);
	const char *urls[] = {closed};
	struct findings f = {BUF_INIT(1 << 16), 0};
	struct cluster c;

	(void)state;
	close(fd);
	cluster_open(&c, "consumer_lag", 1, urls);
	elastic_preflight(c.e, 1, 1, 1, collect, &f);
	expect_line(&f, "2 http://", "is the server up");
	cluster_close(&c);
	buf_free(&f.text);
	free(closed);
}

static void privileges_are_asked_for_when_there_is_a_user(void **state)
{
	char path[] = "/tmp/mmlag-test-password-XXXXXX";
	int fd = mkstemp(path);
	char user[] = "mmlag", index[] = "consumer_lag";
	char *root = peer_answer(200, "", ROOT_8), *absent = peer_answer(404, "", "{}");
	char *has = peer_answer(
		200, "",
		"{\"has_all_requested\":false,\"index\":{\"consumer_lag\":{"
		"\"create_doc\":false,\"create_index\":false,\"view_index_metadata\":"
		"true,\"auto_configure\":true}}}");
	const struct peer_step steps[] = {{.raw = root}, {.raw = has}, {.raw = absent}};
	struct peer *p = peer_start(steps, 3);
	char *hosts[] = {p->url};
	struct config_elastic config = {.hosts = {hosts, 1},
					.index = index,
					.username = user,
					.password_file = path};
	struct findings f = {BUF_INIT(1 << 16), 0};
	struct elastic *e = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(write(fd, "secret", 6), 6);
	close(fd);
	assert_int_equal(elastic_open(&e, &config, NULL, &err), 0);
	unlink(path);
	elastic_preflight(e, 1, 1, 1, collect, &f);
	elastic_close(e);
	peer_end(p);
	assert_string_equal(p->requests[1].path, "/_security/user/_has_privileges");
	expect_line(&f, "2 privileges", "create_doc on consumer_lag is missing");
	expect_line(&f, "1 privileges", "create_index");
	assert_null(strstr(f.text.data, "secret"));
	buf_free(&f.text);
	peer_free(p);
	free(root);
	free(has);
	free(absent);
}

static void a_block_is_seen_before_it_refuses_anything(void **state)
{
	const char *bodies[] = {
		ROOT_8, TEAM_INDEX,
		"{\"consumer_lag\":{\"settings\":{\"index.blocks.read_only_"
		"allow_delete\":\"true\",\"index.blocks.write\":\"false\"}}"
		"}"};
	const int statuses[] = {200, 200, 200};
	struct findings f = preflight(bodies, statuses, 3, 18, 5);

	(void)state;
	assert_int_equal(f.worst, FINDING_FAILURE);
	expect_line(&f, "2 blocks", "read_only_allow_delete of consumer_lag is set");
	assert_null(strstr(buf_str(&f.text), "blocks.write"));
	buf_free(&f.text);
}

/* What the daemon does at its start; `user` as in a configuration, or NULL. */
static int look_ahead(const char *const *answers, size_t n, char *user,
		      struct findings *f, struct err *err)
{
	char path[] = "/tmp/mmlag-test-password-XXXXXX", index[] = "consumer_lag";
	struct peer_step steps[4] = {0};
	int fd = mkstemp(path), rc;
	struct elastic *e = NULL;
	struct peer *p;

	for (size_t i = 0; i < n; i++)
		steps[i].raw = answers[i];
	p = peer_start(steps, n);
	char *hosts[] = {p->url};
	struct config_elastic config = {.hosts = {hosts, 1},
					.index = index,
					.username = user,
					.password_file = user != NULL ? path : NULL};
	assert_int_equal(write(fd, "secret", 6), 6);
	close(fd);
	assert_int_equal(elastic_open(&e, &config, NULL, err), 0);
	unlink(path);
	rc = elastic_look_ahead(e, 40, INT64_C(1) << 31, 1000, collect, f, err);
	elastic_close(e);
	peer_end(p);
	assert_int_equal(p->n, n);
	peer_free(p);
	return rc;
}

static void the_start_says_nothing_of_a_server_that_is_not_ready(void **state)
{
	static const int statuses[] = {401, 429, 500, 503};

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(statuses); i++) {
		char *raw = i < ARRAY_LEN(statuses)
				    ? error_answer(statuses[i], "x", "y")
				    : mem_strdup("HTTP/1.1 200 OK\r\nContent-Le");
		const char *answers[] = {raw};
		struct findings f = {BUF_INIT(1 << 16), 0};
		struct err err = ERR_INIT;

		assert_int_equal(look_ahead(answers, 1, NULL, &f, &err), ERR_RETRY);
		assert_int_equal(f.text.len, 0);
		buf_free(&f.text);
		free(raw);
	}
}

static void the_start_says_what_would_be_refused(void **state)
{
	char user[] = "mmlag", *mapping = peer_answer(200, "", TEAM_INDEX);
	char *settings = peer_answer(200, "",
				     "{\"consumer_lag\":{\"settings\":{\"index.blocks."
				     "write\":\"true\",\"index.mapping.total_fields."
				     "limit\":\"20\"}}}");
	char *has =
		peer_answer(200, "",
			    "{\"index\":{\"consumer_lag\":{\"create_doc\":true,\"view_"
			    "index_metadata\":true}}}");
	char *page = peer_answer(200, "", "<html>sign in</html>");
	const char *answers[] = {mapping, settings, has},
		   *odd[] = {mapping, settings, page};
	struct findings f = {BUF_INIT(1 << 16), 0};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(look_ahead(answers, 3, user, &f, &err), 0);
	expect_line(&f, "1 topic", "topic.keyword");
	expect_line(&f, "2 blocks", "index.blocks.write");
	expect_line(&f, "2 fields", "7 are mapped, 37 partitions and ");
	expect_line(&f, "2 fields", "other fields are to come, and the limit is 20");
	expect_line(&f, "2 p0…", "a lag of 2147483648");
	expect_line(&f, "0 documents", "1000 a year, and nothing ends them");
	/* what the answer does not grant is not there */
	expect_line(&f, "1 privileges", "auto_configure");
	expect_line(&f, "1 privileges", "create_index");
	assert_null(strstr(buf_str(&f.text), "create_doc"));
	buf_reset(&f.text);
	assert_int_equal(look_ahead(odd, 3, user, &f, &err), 0);
	expect_line(&f, "1 privileges", "does not tell");
	buf_free(&f.text);
	free(mapping);
	free(settings);
	free(has);
	free(page);
}

static void fixing_adds_what_lacks_and_keeps_what_is_there(void **state)
{
	char *mapping = peer_answer(200, "", TEAM_INDEX);
	const struct peer_step steps[] = {{.raw = mapping},
					  {.raw = mapping},
					  {.raw = EMPTY(200)}};
	struct peer *p = peer_start(steps, 3);
	const char *urls[] = {p->url};
	struct buf shown = BUF_INIT(1 << 16), sent = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct cluster c;
	json_t *body, *properties;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_fix_mapping(c.e, false, &shown, &err), 0);
	assert_int_equal(elastic_fix_mapping(c.e, true, &sent, &err), 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 3);
	assert_string_equal(p->requests[2].method, "PUT");
	assert_string_equal(p->requests[2].path, "/consumer_lag/_mapping");
	assert_string_equal(p->requests[2].body.data, shown.data);
	body = json_loads(shown.data, 0, NULL);
	properties = json_object_get(body, "properties");
	assert_non_null(
		json_object_get(json_object_get(json_object_get(properties, "topic"),
						"fields"),
				"keyword"));
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(properties, "topic"), "analyzer")),
			    "simple");
	assert_true(json_is_true(json_object_get(json_object_get(properties, "p0"),
						 "ignore_malformed")));
	assert_null(json_object_get(properties, "p1"));
	assert_null(json_object_get(properties, "p2"));
	assert_null(json_object_get(properties, "cluster"));
	assert_null(json_object_get(properties, "lag_sum"));
	assert_non_null(json_object_get(properties, "lag_max"));
	assert_non_null(strstr(shown.data, "^p[0-9]+$"));
	json_decref(body);
	buf_free(&shown);
	buf_free(&sent);
	peer_free(p);
	free(mapping);
}

static void nothing_is_fixed_where_nothing_lacks_or_nothing_is(void **state)
{
	json_t *ours = json_loads(elastic_builtin_mapping, 0, NULL);
	json_t *answer = json_pack("{s:{s:O}}", "consumer_lag", "mappings",
				   json_object_get(ours, "mappings"));
	char *text = json_dumps(answer, 0);
	char *mapping = peer_answer(200, "", text);
	const struct peer_step steps[] = {{.raw = mapping}, {.raw = EMPTY(404)}};
	struct peer *p = peer_start(steps, 2);
	const char *urls[] = {p->url};
	struct buf out = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct cluster c;

	(void)state;
	cluster_open(&c, "consumer_lag", 1, urls);
	assert_int_equal(elastic_fix_mapping(c.e, true, &out, &err), 0);
	assert_int_equal(elastic_fix_mapping(c.e, true, &out, &err), 0);
	assert_int_equal(out.len, 0);
	cluster_close(&c);
	peer_end(p);
	assert_int_equal(p->n, 2);
	peer_free(p);
	free(mapping);
	free(text);
	json_decref(answer);
	json_decref(ours);
}

/* --- a real server --- */

struct live {
	struct cluster c;
	struct http *http;
	const char *url;
	char index[64];
};

static json_t *live_call(struct live *l, const char *method, const char *path,
			 const char *body, int *status)
{
	char *url = mem_printf("%s%s", l->url, path);
	struct http_request r = {.method = method,
				 .url = url,
				 .content_type = "application/json",
				 .body = body,
				 .body_len = body != NULL ? strlen(body) : 0,
				 .answer_max = 1 << 20};
	struct http_answer a;
	struct err err = ERR_INIT;
	json_t *root;

	if (http_exchange(l->http, &r, &a, &err) != 0)
		fail_msg("%s", err.text);
	root = json_loadb(buf_str(&a.body), a.body.len, 0, NULL);
	*status = a.status;
	http_answer_fini(&a);
	free(url);
	return root;
}

static void live_do(struct live *l, const char *method, const char *path,
		    const char *body)
{
	int status;

	json_decref(live_call(l, method, path, body, &status));
	if (status < 200 || status > 299)
		fail_msg("%s %s: %d", method, path, status);
}

static int64_t live_count(struct live *l)
{
	char *path = mem_printf("/%s/_refresh", l->index);
	int status;
	json_t *root;
	int64_t n;

	live_do(l, "POST", path, "");
	free(path);
	path = mem_printf("/%s/_count", l->index);
	root = live_call(l, "GET", path, NULL, &status);
	n = json_integer_value(json_object_get(root, "count"));
	json_decref(root);
	free(path);
	return n;
}

static void live_cluster(struct cluster *c, const char *index, const char *url)
{
	struct err err = ERR_INIT;

	cluster_set(c, index, 1, &url);
	c->config.gzip = true;
	c->config.username = getenv("MMLAG_TEST_ES_USER");
	c->config.password_file = getenv("MMLAG_TEST_ES_PASSWORD_FILE");
	c->config.ca_file = getenv("MMLAG_TEST_ES_CA");
	if (elastic_open(&c->e, &c->config, NULL, &err) != 0)
		fail_msg("elastic_open: %s", err.text);
}

static void live_open(struct live *l, const char *kind)
{
	struct http_options o = {.username = getenv("MMLAG_TEST_ES_USER"),
				 .password_file = getenv("MMLAG_TEST_ES_PASSWORD_FILE"),
				 .ca_file = getenv("MMLAG_TEST_ES_CA")};
	struct err err = ERR_INIT;
	uint64_t nonce;

	l->url = getenv("MMLAG_TEST_ES");
	if (l->url == NULL || *l->url == '\0')
		skip();
	random_bytes(&nonce, sizeof(nonce));
	snprintf(l->index, sizeof(l->index), "mmlag-test-%s-%016llx", kind,
		 (unsigned long long)nonce);
	live_cluster(&l->c, l->index, l->url);
	assert_int_equal(http_open(&l->http, &o, NULL, &err), 0);
}

static void live_close(struct live *l)
{
	http_close(l->http);
	cluster_close(&l->c);
}

/* A document as the tailer makes it. */
static struct document live_document(int64_t ms, const char *key, int64_t lag)
{
	struct partition row = {.number = 0, .has_lag = true, .lag = lag};
	const struct label label = {"since", "2026-11-21"};
	const struct origin o = {.cluster = "c",
				 .group = "g",
				 .topic = "orders",
				 .host = "h",
				 .labels = &label,
				 .label_count = 1};
	struct sample s = {
		.taken = {ms}, .sample_ms = 5, .members = 1, .rows = &row, .n = 1};
	struct buf b = BUF_INIT(4096);

	document_sample(&b, &o, &s, NULL);
	return document_make(s.taken, &o, "sample", key, &b);
}

static void live_ship(struct live *l, struct document *d, size_t n,
		      const enum bulk_verdict *want)
{
	struct bulk_item v[8];
	struct err err = ERR_INIT;
	int64_t wish;

	if (elastic_prepare(l->c.e, d[0].t, clock_mono(), &err) != 0 ||
	    elastic_bulk(l->c.e, d, n, v, &wish, clock_mono(), &err) != WHOLE_ITEMS)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < n; i++)
		if (v[i].verdict != want[i])
			fail_msg("item %zu: %d %s", i, v[i].status, err.text);
}

static void live_created_from_the_mapping_and_never_stored_twice(void **state)
{
	static const enum bulk_verdict once[] = {BULK_DONE, BULK_DONE, BULK_DUPLICATE};
	static const enum bulk_verdict again[] = {BULK_DUPLICATE, BULK_DUPLICATE,
						  BULK_DUPLICATE};
	struct live l;
	struct document d[3];
	struct findings f = {BUF_INIT(1 << 16), 0};
	char *path;
	json_t *root;
	const char *type;
	int status;

	(void)state;
	live_open(&l, "plain");
	d[0] = live_document(T.ms, "1", 3000000000);
	d[1] = live_document(T.ms, "2", -1);
	d[2] = live_document(T.ms, "1", 3000000000);
	live_ship(&l, d, 3, once);
	live_ship(&l, d, 3, again);
	assert_int_equal(live_count(&l), 2);
	path = mem_printf("/%s/_mapping", l.index);
	root = live_call(&l, "GET", path, NULL, &status);
	assert_int_equal(json_unpack(root, "{s:{s:{s:{s:{s:s}}}}}", l.index, "mappings",
				     "properties", "p0", "type", &type),
			 0);
	assert_string_equal(type, "long");
	assert_int_equal(json_unpack(root, "{s:{s:{s:{s:{s:{s:{s:s}}}}}}}", l.index,
				     "mappings", "properties", "labels", "properties",
				     "since", "type", &type),
			 0);
	assert_string_equal(type, "keyword");
	json_decref(root);
	elastic_preflight(l.c.e, 18, INT64_MAX, 1, collect, &f);
	if (f.worst == FINDING_FAILURE) /* some builds do not answer GET / */
		fail_msg("%s", f.text.data);
	expect_line(&f, "0 mapping", "takes our documents");
	expect_line(&f, "0 fields", "of 2000");
	if (getenv("MMLAG_TEST_ES_USER") != NULL)
		expect_line(&f, "0 privileges", "all that are needed");
	buf_free(&f.text);
	free(path);
	path = mem_printf("/%s", l.index);
	live_do(&l, "DELETE", path, NULL);
	free(path);
	for (size_t i = 0; i < 3; i++)
		document_fini(&d[i]);
	live_close(&l);
}

struct creator {
	struct cluster c;
	pthread_barrier_t *both;
	struct err err;
	int rc;
	pthread_t thread;
};

static void *create_index(void *arg)
{
	struct creator *k = arg;

	pthread_barrier_wait(k->both);
	k->rc = elastic_prepare(k->c.e, T, SECONDS(1), &k->err);
	return NULL;
}

static void live_two_creators_at_once_are_both_content(void **state)
{
	struct live l;
	pthread_barrier_t both;

	(void)state;
	live_open(&l, "race");
	assert_int_equal(pthread_barrier_init(&both, NULL, 2), 0);
	for (int round = 0; round < 4; round++) {
		struct creator k[2] = {{.both = &both}, {.both = &both}};
		char *path = mem_printf("/%s", l.index);

		for (int i = 0; i < 2; i++) {
			live_cluster(&k[i].c, l.index, l.url);
			assert_int_equal(pthread_create(&k[i].thread, NULL,
							create_index, &k[i]),
					 0);
		}
		for (int i = 0; i < 2; i++) {
			assert_int_equal(pthread_join(k[i].thread, NULL), 0);
			if (k[i].rc != 0)
				fail_msg("%s", k[i].err.text);
			cluster_close(&k[i].c);
		}
		live_do(&l, "DELETE", path, NULL);
		free(path);
	}
	pthread_barrier_destroy(&both);
	live_close(&l);
}

static void live_an_index_of_a_team_is_written_to_and_can_be_fixed(void **state)
{
	static const enum bulk_verdict before[] = {BULK_DONE, BULK_REJECT};
	static const enum bulk_verdict after[] = {BULK_DUPLICATE, BULK_DONE};
	struct live l;
	struct document d[2];
	struct buf out = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	char *path;

	(void)state;
	live_open(&l, "team");
	path = mem_printf("/%s", l.index);
	live_do(&l, "PUT", path,
		"{\"mappings\":{\"dynamic_templates\":[{\"mine\":{\"match\":\"zzz*\","
		"\"mapping\":"
		"{\"type\":\"keyword\"}}}],\"properties\":{\"topic\":{\"type\":"
		"\"text\"},\"p0\":{"
		"\"type\":\"integer\"},\"p1\":{\"type\":\"integer\"}}}}");
	d[0] = live_document(T.ms, "1", 12);
	d[1] = live_document(T.ms, "2", 3000000000);
	live_ship(&l, d, 2, before);
	assert_int_equal(elastic_fix_mapping(l.c.e, true, &out, &err), 0);
	assert_non_null(strstr(out.data, "ignore_malformed"));
	assert_non_null(strstr(out.data, "\"mine\""));
	live_ship(&l, d, 2, after);
	assert_int_equal(live_count(&l), 2);
	buf_reset(&out);
	assert_int_equal(elastic_fix_mapping(l.c.e, true, &out, &err), 0);
	assert_string_equal(buf_str(&out), "");
	buf_free(&out);
	live_do(&l, "DELETE", path, NULL);
	free(path);
	document_fini(&d[0]);
	document_fini(&d[1]);
	live_close(&l);
}

static void live_an_alias_is_taken_as_it_stands(void **state)
{
	static const enum bulk_verdict want[] = {BULK_DONE};
	struct live l;
	struct document d;
	char *path, *body;

	(void)state;
	live_open(&l, "alias");
	path = mem_printf("/%s-000001", l.index);
	body = mem_printf("{\"aliases\":{\"%s\":{\"is_write_index\":true}}}", l.index);
	live_do(&l, "PUT", path, body);
	d = live_document(T.ms, "1", 12);
	live_ship(&l, &d, 1, want);
	assert_int_equal(live_count(&l), 1);
	live_do(&l, "DELETE", path, NULL);
	document_fini(&d);
	free(path);
	free(body);
	live_close(&l);
}

static void live_a_data_stream_is_taken_as_it_stands(void **state)
{
	static const enum bulk_verdict want[] = {BULK_DONE};
	struct live l;
	struct document d;
	char *path, *body;
	int status;

	(void)state;
	live_open(&l, "stream");
	path = mem_printf("/_index_template/%s", l.index);
	body = mem_printf(
		"{\"index_patterns\":[\"%s\"],\"data_stream\":{},\"priority\":500}",
		l.index);
	json_decref(live_call(&l, "PUT", path, body, &status));
	if (status ==
	    200) { /* the integration-test build of 7.17 has no data streams */
		d = live_document(T.ms, "1", 12);
		live_ship(&l, &d, 1, want);
		assert_int_equal(live_count(&l), 1);
		document_fini(&d);
	}
	free(path);
	free(body);
	live_close(&l);
}

static int begin(void **state)
{
	(void)state;
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	return http_global_init(NULL);
}

static int end(void **state)
{
	(void)state;
	http_global_fini();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_index_that_is_there_is_left_alone),
		cmocka_unit_test(an_absent_index_is_created_from_the_mapping),
		cmocka_unit_test(what_is_answered_to_a_create_decides),
		cmocka_unit_test(
			the_index_is_looked_at_before_each_bulk_and_made_again),
		cmocka_unit_test(where_it_may_not_look_it_looks_once_a_minute),
		cmocka_unit_test(a_mapping_file_replaces_the_built_in_one),
		cmocka_unit_test(a_bulk_names_index_and_id_and_brings_a_verdict_each),
		cmocka_unit_test(no_documents_are_no_request),
		cmocka_unit_test(a_batch_across_midnight_prepares_both_indices),
		cmocka_unit_test(an_index_found_gone_is_looked_for_at_once),
		cmocka_unit_test(an_answer_that_is_cut_or_too_long_settles_nothing),
		cmocka_unit_test(a_refusal_of_the_whole_and_its_wish_are_passed_on),
		cmocka_unit_test(batches_go_round_the_nodes),
		cmocka_unit_test(a_node_that_refuses_is_passed_over_in_the_same_call),
		cmocka_unit_test(a_dead_node_rests_longer_each_time_up_to_a_minute),
		cmocka_unit_test(when_all_are_dead_the_one_due_first_is_asked),
		cmocka_unit_test(our_own_mapping_fits_and_lacks_nothing),
		cmocka_unit_test(the_index_of_a_team_is_judged_field_by_field),
		cmocka_unit_test(what_would_be_refused_is_a_failure),
		cmocka_unit_test(
			what_may_not_be_seen_is_a_warning_that_names_the_privilege),
		cmocka_unit_test(servers_of_other_kinds_are_taken_as_they_are),
		cmocka_unit_test(a_cluster_that_cannot_be_reached_is_a_failure),
		cmocka_unit_test(a_block_is_seen_before_it_refuses_anything),
		cmocka_unit_test(the_start_says_nothing_of_a_server_that_is_not_ready),
		cmocka_unit_test(the_start_says_what_would_be_refused),
		cmocka_unit_test(privileges_are_asked_for_when_there_is_a_user),
		cmocka_unit_test(fixing_adds_what_lacks_and_keeps_what_is_there),
		cmocka_unit_test(nothing_is_fixed_where_nothing_lacks_or_nothing_is),
		cmocka_unit_test(live_created_from_the_mapping_and_never_stored_twice),
		cmocka_unit_test(live_two_creators_at_once_are_both_content),
		cmocka_unit_test(
			live_an_index_of_a_team_is_written_to_and_can_be_fixed),
		cmocka_unit_test(live_an_alias_is_taken_as_it_stands),
		cmocka_unit_test(live_a_data_stream_is_taken_as_it_stands),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
