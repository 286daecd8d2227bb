/* SPDX-License-Identifier: MIT
 * Burrow's API beside what Burrow 1.9.5 really answered (tests/data/burrow): the same
 * paths, status, keys in the same order, kinds of values, and words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "base/file.h"
#include "serve/serve_int.h"
#include "support/views.h"

/* A cluster as the recorded one was, as far as we know it. */
static char local[] = "local", group[] = "oasis-group", server[] = "127.0.0.1:9092";
static char listen_on[] = "127.0.0.1:18000";
static struct config_topic topic = {.cluster = local,
				    .group = group,
				    .bootstrap_server = server,
				    .interval_ms = 10000};
static const struct config config = {.topics = &topic,
				     .topic_count = 1,
				     .http = {.listen = listen_on}};

static struct board *board;
static struct board_slot *slots[4];
static const struct serve serve = {.parts = {.config = &config}, .host = "vm"};

static void window(struct view *v, size_t i, enum verdict verdict, int32_t n)
{
	struct partition_state *p = &v->partitions[i];

	p->verdict = verdict;
	p->complete = n == 0 ? 0 : 1;
	p->n_commits = n;
	for (int32_t c = 0; c < n; c++)
		p->commits[c] = (struct commit){100 + c, 1000 * c, c % 2 ? c : -1};
}

static int setup(void **state)
{
	struct view *orders =
		views_make("local", "oasis-group", "orders", "110:117:7 55:55:0 -:3:-");
	struct view *payments =
		views_make("local", "oasis-group", "payments", "5:6:1 x 9:12:3");
	struct view *lost = views_make("local", "other", "orders", "5:118:113");

	(void)state;
	for (size_t i = 0; i < 3; i++)
		window(orders, i, VERDICT_OK, i == 2 ? 0 : 10);
	window(payments, 0, VERDICT_OK, 2);
	window(payments, 1, VERDICT_OK, 2);
	window(lost, 0, VERDICT_STALL, 3);
	lost->sample.taken.ms += 1000;
	views_lost(lost, REASON_SSH_LOST);
	board = board_new();
	slots[0] = views_show(board, orders);
	slots[1] = views_show(board, payments);
	slots[2] = views_show(board, lost);
	slots[3] = views_show(board, views_make("local", "never", "seen", ""));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slots); i++)
		board_drop(board, slots[i]);
	board_free(board);
	return 0;
}

static unsigned ask(const char *uri, struct buf *out, const char **type)
{
	struct board_views views = board_look(board);
	struct target t;
	struct scene scene = {&serve, &views, &t};
	unsigned status;

	assert_int_equal(target_parse(&t, uri), 0);
	status = burrow_answer(&scene, out, type);
	target_fini(&t);
	board_views_fini(&views);
	return status;
}

static json_t *ask_json(const char *uri, unsigned status)
{
	struct buf out = BUF_INIT(1 << 22);
	const char *type;
	json_error_t e;
	json_t *j;

	assert_int_equal(ask(uri, &out, &type), status);
	assert_string_equal(type, TYPE_JSON);
	j = json_loadb(buf_str(&out), out.len, JSON_REJECT_DUPLICATES, &e);
	if (j == NULL)
		fail_msg("%s: %s", e.text, buf_str(&out));
	buf_free(&out);
	return j;
}

/* ---- key by key ---- */

static int kind(const json_t *j)
{
	if (json_is_boolean(j))
		return JSON_TRUE;
	if (json_is_number(j))
		return JSON_INTEGER;
	return json_typeof(j);
}

static void same_shape(const char *where, json_t *ours, json_t *theirs);

/* Keys that are names of topics may differ. */
static void same_keys(const char *where, json_t *ours, json_t *theirs)
{
	void *a = json_object_iter(ours), *b = json_object_iter(theirs);
	bool names = strcmp(where, "topics") == 0;

	for (; a != NULL && b != NULL;
	     a = json_object_iter_next(ours, a), b = json_object_iter_next(theirs, b)) {
		const char *key = json_object_iter_key(b);

		if (!names && strcmp(json_object_iter_key(a), key) != 0)
			fail_msg("in %s: %s instead of %s", where,
				 json_object_iter_key(a), key);
		same_shape(key, json_object_iter_value(a), json_object_iter_value(b));
	}
	if (!names && (a != NULL || b != NULL))
		fail_msg("in %s: more or fewer keys", where);
}

static void same_shape(const char *where, json_t *ours, json_t *theirs)
{
	if (json_is_null(ours) || json_is_null(theirs))
		return; /* a lag, an end, that may be known or not */
	if (kind(ours) != kind(theirs))
		fail_msg("%s is of another kind", where);
	if (json_is_object(theirs))
		same_keys(where, ours, theirs);
	if (json_is_array(theirs) && json_array_size(ours) > 0 &&
	    json_array_size(theirs) > 0)
		same_shape(where, json_array_get(ours, 0), json_array_get(theirs, 0));
}

struct recorded {
	struct buf file;
	char path[200];
	unsigned status;
	const char *type; /* up to its end of line */
	const char *body;
	size_t len;
};

static void read_recorded(int number, struct recorded *r)
{
	char name[100];
	struct err err = ERR_INIT;
	const char *p;

	snprintf(name, sizeof(name), "tests/data/burrow/%02d.txt", number);
	buf_init(&r->file, 1 << 20);
	if (file_read(name, &r->file, &err) != 0)
		fail_msg("%s", err.text);
	assert_non_null(r->file.data);
	p = r->file.data + strlen("GET ");
	snprintf(r->path, sizeof(r->path), "%.*s", (int)strcspn(p, "\r\n"), p);
	r->status = (unsigned)strtoul(strstr(p, "HTTP/1.1 ") + 9, NULL, 10);
	r->type = strstr(p, "Content-Type: ") + strlen("Content-Type: ");
	r->body = strstr(p, "\n\n");
	assert_non_null(r->body);
	r->body += 2;
	r->len = strlen(r->body) - 1; /* the recording's own newline */
}

static void answers_have_the_shape_of_the_recorded_ones(void **state)
{
	(void)state;
	for (int number = 4; number <= 19; number++) {
		struct recorded r;
		json_error_t e;
		json_t *theirs, *ours;

		if (number == 3)
			continue;
		read_recorded(number, &r);
		assert_int_equal(strncmp(r.type, TYPE_JSON, strlen(TYPE_JSON)), 0);
		theirs = json_loadb(r.body, r.len, 0, &e);
		assert_non_null(theirs);
		ours = ask_json(r.path, r.status);
		same_shape(r.path, ours, theirs);
		assert_string_equal(json_string_value(json_object_get(ours, "message")),
				    json_string_value(
					    json_object_get(theirs, "message")));
		assert_true(json_equal(json_object_get(ours, "request"),
				       json_object_get(theirs, "request")));
		json_decref(ours);
		json_decref(theirs);
		buf_free(&r.file);
	}
}

static void refusals_are_the_recorded_ones_byte_for_byte(void **state)
{
	static const int numbers[] = {4, 6, 9, 13, 16, 17, 21};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct buf out = BUF_INIT(1 << 16);
		struct recorded r;
		const char *type;

		read_recorded(numbers[i], &r);
		assert_int_equal(ask(r.path, &out, &type), r.status);
		assert_int_equal(strncmp(r.type, type, strlen(type)), 0);
		if (out.len != r.len || memcmp(out.data, r.body, r.len) != 0)
			fail_msg("%s\n instead of\n%s", buf_str(&out), r.body);
		buf_free(&out);
		buf_free(&r.file);
	}
}

static void the_level_of_the_log_is_told(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct target t;
	struct recorded r;

	(void)state;
	read_recorded(20, &r);
	assert_int_equal(target_parse(&t, r.path), 0);
	burrow_loglevel(&serve, &t, &out);
	assert_int_equal(out.len, r.len);
	assert_memory_equal(out.data, r.body, r.len);
	target_fini(&t);
	buf_free(&out);
	buf_free(&r.file);
}

/* ---- values ---- */

static json_t *status_of(json_t *answer)
{
	return json_object_get(answer, "status");
}

static int64_t integer(json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static const char *string(json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static void a_group_is_summed_up(void **state)
{
	json_t *j = ask_json("/v3/kafka/local/consumer/oasis-group/lag", 200);
	json_t *s = status_of(j), *p = json_object_get(s, "partitions"), *max;

	(void)state;
	assert_string_equal(string(s, "status"), "OK");
	assert_int_equal(json_array_size(p), 6);
	assert_int_equal(integer(s, "partition_count"), 6);
	assert_int_equal(integer(s, "totallag"), 11);
	assert_true(json_number_value(json_object_get(s, "complete")) == 0.6666667);
	max = json_object_get(s, "maxlag");
	assert_string_equal(string(max, "topic"), "orders");
	assert_int_equal(integer(max, "partition"), 0);
	assert_int_equal(integer(max, "current_lag"), 7);
	/* the times of commits are by the wall clock */
	assert_int_equal(integer(json_object_get(max, "start"), "timestamp"),
			 VIEWS_AT - 5000);
	assert_true(
		json_is_null(json_object_get(json_object_get(max, "start"), "lag")));
	assert_int_equal(integer(json_object_get(max, "end"), "lag"), 9);
	/* a partition that nothing is known of */
	assert_true(json_is_null(json_object_get(json_array_get(p, 2), "start")));
	assert_int_equal(integer(json_array_get(p, 2), "current_lag"), 0);
	/* one that the group has nothing to do with */
	assert_int_equal(integer(json_array_get(p, 4), "partition"), 1);
	assert_string_equal(string(json_array_get(p, 4), "status"), "OK");
	assert_true(json_is_null(json_object_get(json_array_get(p, 4), "end")));
	assert_int_equal(integer(json_array_get(p, 5), "partition"), 2);
	json_decref(j);
}

static void status_tells_what_is_not_ok(void **state)
{
	json_t *j = ask_json("/v3/kafka/local/consumer/oasis-group/status", 200);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(status_of(j), "partitions")),
			 0);
	json_decref(j);
	/* without data: what was known last */
	j = ask_json("/v3/kafka/local/consumer/other/status", 200);
	assert_string_equal(string(status_of(j), "status"), "ERR");
	assert_string_equal(
		string(json_array_get(json_object_get(status_of(j), "partitions"), 0),
		       "status"),
		"STALL");
	json_decref(j);
}

static void lists_hold_each_name_once(void **state)
{
	json_t *j = ask_json("/v3/kafka/local/topic", 200), *l;

	(void)state;
	l = json_object_get(j, "topics");
	assert_int_equal(json_array_size(l), 2);
	assert_string_equal(json_string_value(json_array_get(l, 0)), "orders");
	json_decref(j);
	j = ask_json("/v3/kafka/local/topic/orders/consumers", 200);
	assert_int_equal(json_array_size(json_object_get(j, "consumers")), 2);
	json_decref(j);
	j = ask_json("/v3/kafka/local/topic/nix/consumers", 200);
	assert_int_equal(json_array_size(json_object_get(j, "consumers")), 0);
	json_decref(j);
	j = ask_json("/v3/kafka/nix/topic", 404);
	assert_string_equal(string(j, "message"), "cluster not found");
	json_decref(j);
	j = ask_json("/v3/config/cluster", 200);
	assert_string_equal(string(j, "coordinator"), "cluster");
	json_decref(j);
}

static void offsets_are_those_of_the_newest_look(void **state)
{
	json_t *j = ask_json("/v3/kafka/local/topic/orders", 200);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(j, "offsets")), 1);
	assert_int_equal(json_integer_value(
				 json_array_get(json_object_get(j, "offsets"), 0)),
			 118);
	json_decref(j);
}

static void a_consumer_s_partitions_stand_at_their_numbers(void **state)
{
	json_t *j = ask_json("/v3/kafka/local/consumer/oasis-group", 200);
	json_t *p = json_object_get(json_object_get(j, "topics"), "payments");

	(void)state;
	assert_int_equal(json_array_size(p), 3);
	assert_int_equal(json_array_size(
				 json_object_get(json_array_get(p, 1), "offsets")),
			 0);
	assert_int_equal(integer(json_array_get(p, 2), "current-lag"), 3);
	json_decref(j);
}

static void other_paths_are_invalid_requests(void **state)
{
	static const char *const paths[] = {"/v3",
					    "/v3/",
					    "/v3/kafka/",
					    "/v3/kafka/local/",
					    "/v3/kafka/local/x",
					    "/v3/kafka/local/consumer/g/lag/x",
					    "/v3/kafka/local/topic/t/x",
					    "/v3/config/nix"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct buf out = BUF_INIT(1 << 16);
		const char *type;

		assert_int_equal(ask(paths[i], &out, &type), 404);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_have_the_shape_of_the_recorded_ones),
		cmocka_unit_test(refusals_are_the_recorded_ones_byte_for_byte),
		cmocka_unit_test(the_level_of_the_log_is_told),
		cmocka_unit_test(a_group_is_summed_up),
		cmocka_unit_test(status_tells_what_is_not_ok),
		cmocka_unit_test(lists_hold_each_name_once),
		cmocka_unit_test(offsets_are_those_of_the_newest_look),
		cmocka_unit_test(a_consumer_s_partitions_stand_at_their_numbers),
		cmocka_unit_test(other_paths_are_invalid_requests),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
