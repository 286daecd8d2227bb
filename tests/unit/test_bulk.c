/* SPDX-License-Identifier: MIT
 * Every answer that a server, a proxy, or a broken line may give to a bulk request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "document/bulk.h"

/* 2026-11-21T03:36:10.123Z */
static const struct wall T = {1795232170123};

#define FLOOD                                                                          \
	"index [c] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage " \
	"watermark, index has read-only-allow-delete block];"

static void an_item_is_judged_by_status_and_type(void **state)
{
	static const struct {
		const char *label;
		int status;
		const char *type, *reason;
		enum bulk_verdict verdict;
		enum bulk_pace pace;
	} rows[] = {
		{"stored", 201, NULL, NULL, BULK_DONE, PACE_AGAIN},
		{"stored, 200", 200, NULL, NULL, BULK_DONE, PACE_AGAIN},
		{"was there", 409, "version_conflict_engine_exception", "exists",
		 BULK_DUPLICATE, PACE_AGAIN},
		{"was there, an old server", 409, "document_already_exists_exception",
		 "exists", BULK_DUPLICATE, PACE_AGAIN},
		{"queue full", 429, "es_rejected_execution_exception", "q", BULK_RETRY,
		 PACE_AGAIN},
		{"queue full, OpenSearch", 429, "rejected_execution_exception", "q",
		 BULK_RETRY, PACE_AGAIN},
		{"breaker", 429, "circuit_breaking_exception", "m", BULK_RETRY,
		 PACE_AGAIN},
		{"disk", 429, "cluster_block_exception", FLOOD, BULK_RETRY, PACE_SLOW},
		{"disk, old", 403, "cluster_block_exception", "FORBIDDEN/12/x",
		 BULK_RETRY, PACE_SLOW},
		{"write block", 403, "cluster_block_exception",
		 "FORBIDDEN/8/index write", BULK_RETRY, PACE_SLOW},
		{"create block", 403, "index_create_block_exception", "FORBIDDEN/10",
		 BULK_RETRY, PACE_SLOW},
		{"credentials", 401, "security_exception", "x", BULK_RETRY, PACE_SLOW},
		{"privilege", 403, "security_exception", "x", BULK_RETRY, PACE_SLOW},
		{"403 of any type", 403, "something_new", "x", BULK_RETRY, PACE_SLOW},
		{"no index", 404, "index_not_found_exception", "no such index",
		 BULK_RETRY, PACE_BOOTSTRAP},
		{"404 of any type", 404, "something_new", "x", BULK_RETRY,
		 PACE_BOOTSTRAP},
		{"mapping, 7", 400, "mapper_parsing_exception", "p0", BULK_REJECT,
		 PACE_AGAIN},
		{"mapping, 8", 400, "document_parsing_exception", "p0", BULK_REJECT,
		 PACE_AGAIN},
		{"mapping, quoting the document", 400, "document_parsing_exception",
		 "preview of field's value: 'no write index'", BULK_REJECT, PACE_AGAIN},
		{"strict", 400, "strict_dynamic_mapping_exception", "x", BULK_REJECT,
		 PACE_AGAIN},
		{"field limit", 400, "illegal_argument_exception",
		 "Limit of total fields [1000] has been exceeded", BULK_REJECT,
		 PACE_AGAIN},
		{"field limit, 8", 400, "document_parsing_exception",
		 "Limit of total fields [1000] has been exceeded", BULK_REJECT,
		 PACE_AGAIN},
		{"shard limit", 400, "validation_exception",
		 "Validation Failed: 1: this action would add [2] total shards, but "
		 "this "
		 "cluster currently has [1000]/[1000] maximum shards open;",
		 BULK_RETRY, PACE_SLOW},
		{"shard limit, cut", 400, "validation_exception",
		 "this action would add [2] total shards, but", BULK_RETRY, PACE_SLOW},
		{"another validation", 400, "validation_exception", "nonsense",
		 BULK_REJECT, PACE_AGAIN},
		{"closed", 400, "index_closed_exception", "closed", BULK_RETRY,
		 PACE_SLOW},
		{"alias without a write index", 400, "illegal_argument_exception",
		 "no write index is defined for alias [c]", BULK_RETRY, PACE_SLOW},
		{"pipeline gone", 400, "illegal_argument_exception",
		 "pipeline with id [x] does not exist", BULK_RETRY, PACE_SLOW},
		{"routing wanted", 400, "routing_missing_exception",
		 "routing is required", BULK_RETRY, PACE_SLOW},
		{"no licence", 403, "security_exception",
		 "current license is non-compliant for [security]", BULK_RETRY,
		 PACE_SLOW},
		{"without its time, in a data stream", 400,
		 "illegal_argument_exception",
		 "data stream timestamp field [@timestamp] is missing", BULK_REJECT,
		 PACE_AGAIN},
		{"too large for the server's memory", 413,
		 "es_rejected_execution_exception", "operation too large", BULK_REJECT,
		 PACE_AGAIN},
		{"a write block of the whole cluster", 403, "cluster_block_exception",
		 "FORBIDDEN/6/cluster read-only (api)", BULK_RETRY, PACE_SLOW},
		{"not recovered", 503, "cluster_block_exception",
		 "SERVICE_UNAVAILABLE/1/state not recovered", BULK_RETRY, PACE_AGAIN},
		{"unknown 400", 400, "something_new", "x", BULK_REJECT, PACE_AGAIN},
		{"unknown 422", 422, "something_new", "x", BULK_REJECT, PACE_AGAIN},
		{"locked", 423, "something_new", "x", BULK_REJECT, PACE_AGAIN},
		{"409 of another kind", 409, "something_new", "x", BULK_REJECT,
		 PACE_AGAIN},
		{"copies missing", 503, "unavailable_shards_exception", "x", BULK_RETRY,
		 PACE_AGAIN},
		{"500", 500, "null_pointer_exception", "x", BULK_RETRY, PACE_AGAIN},
		{"an error in a success", 201, "something_new", "x", BULK_RETRY,
		 PACE_AGAIN},
		{"a redirection", 301, NULL, NULL, BULK_RETRY, PACE_AGAIN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bulk_item item;
		struct err err = ERR_INIT;
		char *body;

		body = rows[i].type == NULL
			       ? mem_printf(
					 "{\"items\":[{\"create\":{\"status\":%d}}]}",
					 rows[i].status)
			       : mem_printf("{\"errors\":true,\"items\":[{\"create\":{"
					    "\"status\":"
					    "%d,\"error\":{\"type\":\"%s\",\"reason\":"
					    "\"%s\"}}}]}",
					    rows[i].status, rows[i].type,
					    rows[i].reason);
		if (bulk_read(200, body, strlen(body), NULL, &item, 1, &err) !=
		    WHOLE_ITEMS)
			fail_msg("%s: not WHOLE_ITEMS", rows[i].label);
		if (item.verdict != rows[i].verdict || item.pace != rows[i].pace)
			fail_msg("%s: verdict %d pace %d", rows[i].label,
				 (int)item.verdict, (int)item.pace);
		assert_int_equal(item.status, rows[i].status);
		if (rows[i].type != NULL) {
			assert_string_equal(item.type, rows[i].type);
			assert_string_equal(item.reason, rows[i].reason);
		}
		if ((item.verdict == BULK_DONE || item.verdict == BULK_DUPLICATE) !=
		    (err.class == ERR_OK))
			fail_msg("%s: words for what is well, or none: %s",
				 rows[i].label, err.text);
		free(body);
	}
}

static void one_answer_may_hold_five_fates(void **state)
{
	static const char body[] =
		"{\"errors\":true,\"took\":3,\"items\":[{\"create\":{\"status\":201}},"
		"{\"create\":{\"status\":429,\"error\":{\"type\":\"es_rejected_"
		"execution_"
		"exception\",\"reason\":\"full\"}}},"
		"{\"create\":{\"status\":400,\"error\":{\"type\":\"mapper_parsing_"
		"exception\","
		"\"reason\":\"bad p0\"}}},"
		"{\"create\":{\"status\":409,\"error\":{\"type\":\"version_conflict_"
		"engine_"
		"exception\",\"reason\":\"exists\"}}},"
		"{\"create\":{\"status\":503,\"error\":{\"type\":\"unavailable_shards_"
		"exception\",\"reason\":\"none\"}}}]}";
	struct bulk_item v[5];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(bulk_read(200, body, strlen(body), NULL, v, 5, &err),
			 WHOLE_ITEMS);
	assert_int_equal(v[0].verdict, BULK_DONE);
	assert_int_equal(v[1].verdict, BULK_RETRY);
	assert_int_equal(v[2].verdict, BULK_REJECT);
	assert_int_equal(v[3].verdict, BULK_DUPLICATE);
	assert_int_equal(v[4].verdict, BULK_RETRY);
	assert_string_equal(err.text, "429 es_rejected_execution_exception: full");
	assert_int_equal(err.class, ERR_RETRY);
}

static void the_shapes_of_all_servers_are_read(void **state)
{
	static const char *const bodies[] = {
		"{\"took\":1,\"errors\":false,\"items\":[{\"create\":{\"_index\":\"c\","
		"\"_type\":"
		"\"_doc\",\"_id\":\"1\",\"_version\":1,\"result\":\"created\",\"_"
		"shards\":{\"total"
		"\":2},\"_seq_no\":0,\"_primary_term\":1,\"status\":201}}]}",
		"{\"items\":[{\"index\":{\"status\":200}}],\"errors\":false}",
		"{\"items\":[{\"whatever\":{\"status\":201,\"error\":null}}],\"new\":["
		"1]}",
		" {\"items\" : [ {\"create\" : {\"failure_store\":\"used\",\"status\" "
		": 201} } ] } ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct bulk_item v;
		struct err err = ERR_INIT;

		assert_int_equal(bulk_read(200, bodies[i], strlen(bodies[i]), NULL, &v,
					   1, &err),
				 WHOLE_ITEMS);
		assert_int_equal(v.verdict, BULK_DONE);
		assert_int_equal(err.class, ERR_OK);
	}
}

static void an_error_may_be_a_string(void **state)
{
	static const char body[] = "{\"items\":[{\"create\":{\"status\":400,\"error\":"
				   "\"MapperParsing[x]\"}}]}";
	struct bulk_item v;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(bulk_read(200, body, strlen(body), NULL, &v, 1, &err),
			 WHOLE_ITEMS);
	assert_int_equal(v.verdict, BULK_REJECT);
	assert_string_equal(v.type, "");
	assert_string_equal(v.reason, "MapperParsing[x]");
}

static void the_hint_that_there_are_no_errors_is_not_believed(void **state)
{
	static const char *const bodies[] = {
		"{\"errors\":false,\"items\":[{\"create\":{\"status\":429,\"error\":{"
		"\"type\":\"es_rejected_execution_exception\"}}}]}",
		"{\"errors\":false,\"items\":[{\"create\":{\"status\":429}}]}",
		"{\"errors\":false,\"items\":[{\"create\":{\"status\":201,"
		"\"error\":{}}}]}",
		"{\"errors\":\"no\",\"took\":-1,\"items\":[{\"create\":{\"status\":500,"
		"\"error\":\"x\"}}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct bulk_item v;
		struct err err = ERR_INIT;

		assert_int_equal(bulk_read(200, bodies[i], strlen(bodies[i]), NULL, &v,
					   1, &err),
				 WHOLE_ITEMS);
		assert_int_equal(v.verdict, BULK_RETRY);
	}
}

static void items_of_other_documents_settle_nothing(void **state)
{
	static const struct {
		const char *label, *first, *second;
		enum bulk_whole want;
	} rows[] = {
		{"in order", "\"_id\":\"1-a\",", "\"_id\":\"2-b\",", WHOLE_ITEMS},
		{"not told", "", "", WHOLE_ITEMS},
		{"no text", "\"_id\":7,", "\"_id\":null,", WHOLE_ITEMS},
		{"one told", "", "\"_id\":\"2-b\",", WHOLE_ITEMS},
		{"the other order", "\"_id\":\"2-b\",", "\"_id\":\"1-a\",",
		 WHOLE_AGAIN},
		{"one twice", "\"_id\":\"1-a\",", "\"_id\":\"1-a\",", WHOLE_AGAIN},
		{"a stranger", "\"_id\":\"1-a\",", "\"_id\":\"x\",", WHOLE_AGAIN},
	};
	const struct document sent[2] = {{.id = "1-a"}, {.id = "2-b"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *body = mem_printf("{\"items\":[{\"create\":{%s\"status\":201}},"
					"{\"create\":{%s\"status\":429}}]}",
					rows[i].first, rows[i].second);
		struct bulk_item v[2];
		struct err err = ERR_INIT;

		if (bulk_read(200, body, strlen(body), sent, v, 2, &err) !=
		    rows[i].want)
			fail_msg("%s", rows[i].label);
		free(body);
	}
}

static void an_answer_that_cannot_be_trusted_settles_nothing(void **state)
{
	static const struct {
		const char *label, *body;
	} rows[] = {
		{"nothing", ""},
		{"no JSON", "OK"},
		{"a page", "<html><body>Welcome</body></html>"},
		{"null", "null"},
		{"an array", "[]"},
		{"no items", "{\"errors\":false,\"took\":1}"},
		{"items of another type",
		 "{\"items\":{\"0\":{\"create\":{\"status\":201}}}}"},
		{"too few", "{\"items\":[{\"create\":{\"status\":201}}]}"},
		{"too many",
		 "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{\"status\":"
		 "201}},{\"create\":{\"status\":201}}]}"},
		{"no status",
		 "{\"items\":[{\"create\":{\"status\":201}},{\"create\":{}}]}"},
		{"a status in words", "{\"items\":[{\"create\":{\"status\":201}},{"
				      "\"create\":{\"status\":\"201\"}}]}"},
		{"a status out of range", "{\"items\":[{\"create\":{\"status\":201}},{"
					  "\"create\":{\"status\":99999999999}}]}"},
		{"a number that is none of ours",
		 "{\"took\":99999999999999999999,\"items\":[{\"create\":{\"status\":"
		 "201}},{\"create\":{\"status\":201}}]}"},
		{"a status with a fraction",
		 "{\"items\":[{\"create\":{\"status\":201}},{"
		 "\"create\":{\"status\":201.0}}]}"},
		{"an empty item", "{\"items\":[{\"create\":{\"status\":201}},{}]}"},
		{"an item that is none",
		 "{\"items\":[{\"create\":{\"status\":201}},201]}"},
		{"two members in an item", "{\"items\":[{\"create\":{\"status\":201}},{"
					   "\"create\":{\"status\":201},"
					   "\"index\":{\"status\":400}}]}"},
		{"something behind", "{\"items\":[{\"create\":{\"status\":201}},{"
				     "\"create\":{\"status\":201}}]}x"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bulk_item v[2];
		struct err err = ERR_INIT;

		if (bulk_read(200, rows[i].body, strlen(rows[i].body), NULL, v, 2,
			      &err) != WHOLE_AGAIN)
			fail_msg("%s", rows[i].label);
		assert_int_equal(err.class, ERR_RETRY);
		assert_string_not_equal(err.text, "");
	}
}

static void an_answer_cut_anywhere_settles_nothing(void **state)
{
	static const char body[] =
		"{\"errors\":false,\"items\":[{\"create\":{\"status\":201}},"
		"{\"create\":{\"status\":201}}]}";
	struct bulk_item v[2];
	struct err err = ERR_INIT;

	(void)state;
	for (size_t len = 0; len < strlen(body); len++)
		assert_int_equal(bulk_read(200, body, len, NULL, v, 2, &err),
				 WHOLE_AGAIN);
	assert_int_equal(bulk_read(200, body, strlen(body), NULL, v, 2, &err),
			 WHOLE_ITEMS);
}

#define ERROR(type, reason)                                                        \
	"{\"error\":{\"root_cause\":[],\"type\":\"" type "\",\"reason\":\"" reason \
	"\"},\"status\":1}"

static void a_whole_refusal_is_judged_by_status_and_type(void **state)
{
	static const struct {
		const char *label;
		int status;
		const char *body;
		enum bulk_whole want;
	} rows[] = {
		{"malformed line", 400,
		 ERROR("illegal_argument_exception", "Malformed action"), WHOLE_BISECT},
		{"400 without a word", 400, "", WHOLE_BISECT},
		{"400 in text", 400, "Bad Request", WHOLE_BISECT},
		{"400 of a proxy, plain HTTP to a TLS port", 400,
		 "<html><head><title>400 The plain HTTP request was sent to HTTPS port",
		 WHOLE_SLOW},
		{"a long id", 400,
		 ERROR("action_request_validation_exception", "id is too long"),
		 WHOLE_BISECT},
		{"shard limit", 400,
		 ERROR("validation_exception", "add [2] total shards, but"),
		 WHOLE_SLOW},
		{"too large, empty", 413, "", WHOLE_HALVE},
		{"too large, nginx", 413, "<html>413</html>", WHOLE_HALVE},
		{"credentials", 401, ERROR("security_exception", "x"), WHOLE_SLOW},
		{"credentials, OpenSearch", 401, "Unauthorized", WHOLE_SLOW},
		{"privilege", 403, ERROR("security_exception", "x"), WHOLE_SLOW},
		{"block", 403, ERROR("cluster_block_exception", "FORBIDDEN/13"),
		 WHOLE_SLOW},
		{"403 of a proxy", 403, "<html>", WHOLE_SLOW},
		{"no index", 404, ERROR("index_not_found_exception", "no such index"),
		 WHOLE_BOOTSTRAP},
		{"404 of a proxy", 404, "<html>", WHOLE_SLOW},
		{"404 without a type", 404, "", WHOLE_SLOW},
		{"405", 405, "{\"error\":\"Incorrect HTTP method\",\"status\":405}",
		 WHOLE_SLOW},
		{"header", 406,
		 "{\"error\":\"Content-Type header [x] is not "
		 "supported\",\"status\":406}",
		 WHOLE_SLOW},
		{"gzip refused", 415, "", WHOLE_SLOW},
		{"the proxy wants credentials", 407, "", WHOLE_SLOW},
		{"timeout of a proxy", 408, "", WHOLE_AGAIN},
		{"busy", 429, ERROR("circuit_breaking_exception", "x"), WHOLE_AGAIN},
		{"busy, 8", 429, ERROR("es_rejected_execution_exception", "x"),
		 WHOLE_AGAIN},
		{"busy proxy", 429, "", WHOLE_AGAIN},
		{"disk", 429,
		 ERROR("cluster_block_exception", "read-only-allow-delete"),
		 WHOLE_SLOW},
		{"not recovered", 503,
		 ERROR("cluster_block_exception", "state not recovered"), WHOLE_AGAIN},
		{"bad gateway", 502, "<html>", WHOLE_AGAIN},
		{"500", 500, "", WHOLE_AGAIN},
		{"599", 599, "", WHOLE_AGAIN},
		{"redirected", 301, "", WHOLE_SLOW},
		{"redirected to a login", 302, "<html>", WHOLE_SLOW},
		{"closed", 400, ERROR("index_closed_exception", "closed"), WHOLE_SLOW},
		{"bad name", 400, ERROR("invalid_index_name_exception", "x"),
		 WHOLE_SLOW},
		{"no place to write", 400,
		 ERROR("illegal_argument_exception", "no write index is defined"),
		 WHOLE_SLOW},
		{"no pipeline", 400,
		 ERROR("illegal_argument_exception", "pipeline with id [x] does not"),
		 WHOLE_SLOW},
		{"no licence", 403,
		 ERROR("security_exception", "current license is non-compliant"),
		 WHOLE_SLOW},
		{"conflict", 409, "", WHOLE_SLOW},
		{"locked", 423, "", WHOLE_SLOW},
		{"for legal reasons", 451, "<html>", WHOLE_SLOW},
		{"503 in HTML", 503, "<html><h1>Service Unavailable", WHOLE_AGAIN},
		{"unknown", 418, "", WHOLE_SLOW},
		{"no content", 204, "", WHOLE_AGAIN},
		{"continue", 100, "", WHOLE_AGAIN},
		{"beyond HTTP", 999, "", WHOLE_AGAIN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bulk_item v;
		struct err err = ERR_INIT;
		char number[16];

		if (bulk_read(rows[i].status, rows[i].body, strlen(rows[i].body), NULL,
			      &v, 1, &err) != rows[i].want)
			fail_msg("%s", rows[i].label);
		assert_int_not_equal(err.class, ERR_OK);
		snprintf(number, sizeof(number), "%d", rows[i].status);
		if (strstr(err.text, number) == NULL)
			fail_msg("%s: the status is not told: %s", rows[i].label,
				 err.text);
	}
}

static void an_operator_is_told_what_to_do(void **state)
{
	static const char body[] =
		ERROR("security_exception", "action is unauthorized");
	struct bulk_item v;
	struct err err = ERR_INIT;

	(void)state;
	(void)bulk_read(403, body, strlen(body), NULL, &v, 1, &err);
	assert_string_equal(err.text,
			    "403 security_exception: action is unauthorized; grant "
			    "create_doc and create_index on the index");
	assert_int_equal(err.class, ERR_PERMANENT);
}

static void long_words_are_cut_at_a_character(void **state)
{
	struct bulk_item v;
	struct err err = ERR_INIT;
	struct buf body = BUF_INIT(1 << 16);

	(void)state;
	buf_addstr(&body,
		   "{\"items\":[{\"create\":{\"status\":400,\"error\":{\"type\":\"");
	for (int i = 0; i < 100; i++)
		buf_addstr(&body, "t");
	buf_addstr(&body, "\",\"reason\":\"");
	for (int i = 0; i < 500; i++)
		buf_addstr(&body, "\xe2\x82\xac");
	buf_addstr(&body, "\"}}}]}");
	assert_int_equal(bulk_read(200, body.data, body.len, NULL, &v, 1, &err),
			 WHOLE_ITEMS);
	assert_int_equal(strlen(v.type), 63);
	assert_int_equal(strlen(v.reason), 255);
	assert_int_equal(strlen(v.reason) % 3, 0);
	buf_free(&body);
}

static void a_body_is_action_and_source_lines_that_end_with_a_newline(void **state)
{
	struct buf out = BUF_INIT(4096);

	(void)state;
	assert_int_equal(bulk_add(&out, "consumer_lag", "1-a", "{\"a\":1}", 7), 0);
	assert_int_equal(bulk_add(&out, "lag-2026.11.21", "2-b", "{\"b\":22}XX", 8), 0);
	assert_string_equal(
		out.data,
		"{\"create\":{\"_index\":\"consumer_lag\",\"_id\":\"1-a\"}}\n{\"a\":1}"
		"\n"
		"{\"create\":{\"_index\":\"lag-2026.11.21\",\"_id\":\"2-b\"}}\n"
		"{\"b\":22}\n");
	buf_free(&out);
}

static void what_does_not_fit_leaves_the_body_as_it_was(void **state)
{
	struct buf out = BUF_INIT(100);
	size_t before;

	(void)state;
	assert_int_equal(bulk_add(&out, "c", "1", "{}", 2), 0);
	before = out.len;
	assert_int_equal(bulk_add(&out, "c", "2",
				  "{\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
				  68),
			 -1);
	assert_int_equal(out.len, before);
	assert_int_equal(strlen(out.data), before);
	assert_int_equal(bulk_add(&out, "c", "3", "{}", 2), 0);
	assert_false(out.failed);
	buf_free(&out);
}

static void an_index_name_takes_its_date_from_the_document(void **state)
{
	static const struct {
		const char *pattern;
		int64_t ms;
		const char *want;
	} rows[] = {
		{"consumer_lag", 0, "consumer_lag"},
		{"lag-{yyyy.MM}", 1795232170123, "lag-2026.11"},
		{"lag-{yyyy.MM.dd}-x", 1795232170123, "lag-2026.11.21-x"},
		{"{yyyy.MM.dd}", 1798761599999, "2026.12.31"},
		{"{yyyy.MM.dd}", 1798761600000, "2027.01.01"},
		{"a{b}", 0, "a{b}"},
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(bulk_index_name(rows[i].pattern,
						 (struct wall){rows[i].ms}, name,
						 sizeof(name)),
				 0);
		assert_string_equal(name, rows[i].want);
	}
	assert_int_equal(bulk_index_name("lag-{yyyy.MM.dd}", T, name, 14), -1);
	assert_int_equal(bulk_index_name("lag-{yyyy.MM.dd}", T, name, 15), 0);
	assert_int_equal(bulk_index_name("consumer_lag", T, name, 12), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_is_judged_by_status_and_type),
		cmocka_unit_test(one_answer_may_hold_five_fates),
		cmocka_unit_test(the_shapes_of_all_servers_are_read),
		cmocka_unit_test(an_error_may_be_a_string),
		cmocka_unit_test(the_hint_that_there_are_no_errors_is_not_believed),
		cmocka_unit_test(items_of_other_documents_settle_nothing),
		cmocka_unit_test(an_answer_that_cannot_be_trusted_settles_nothing),
		cmocka_unit_test(an_answer_cut_anywhere_settles_nothing),
		cmocka_unit_test(a_whole_refusal_is_judged_by_status_and_type),
		cmocka_unit_test(an_operator_is_told_what_to_do),
		cmocka_unit_test(long_words_are_cut_at_a_character),
		cmocka_unit_test(
			a_body_is_action_and_source_lines_that_end_with_a_newline),
		cmocka_unit_test(what_does_not_fit_leaves_the_body_as_it_was),
		cmocka_unit_test(an_index_name_takes_its_date_from_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
