/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ship/standing.h"

#include "banned.h"

static json_t *told(struct board *b)
{
	struct buf out = BUF_INIT(1 << 16);
	json_t *v;

	board_told(b, BOARD_SHIPPER, &out);
	v = json_loadb(buf_str(&out), out.len, 0, NULL);
	assert_true(json_is_object(v));
	buf_free(&out);
	return v;
}

static void expect(struct board *b, bool ok, const char *kind, const char *pace)
{
	json_t *v = told(b);
	const char *text = json_string_value(json_object_get(v, "trouble"));

	assert_true(json_is_boolean(json_object_get(v, "configured")));
	assert_int_equal(json_is_true(json_object_get(v, "ok")), ok);
	assert_int_equal(text != NULL, kind != NULL);
	assert_int_equal(json_is_integer(json_object_get(v, "since")), kind != NULL);
	if (kind != NULL) {
		assert_string_equal(json_string_value(json_object_get(v, "kind")),
				    kind);
		assert_string_equal(json_string_value(json_object_get(v, "pace")),
				    pace);
	} else {
		assert_true(json_is_null(json_object_get(v, "kind")));
		assert_true(json_is_null(json_object_get(v, "pace")));
	}
	json_decref(v);
}

static void the_board_shows_what_holds_documents_up_and_when_it_ends(void **state)
{
	struct board *b = board_new();
	struct standing s;
	struct err why = ERR_INIT;
	uint64_t version;
	json_t *v;

	(void)state;
	metrics_reset();
	standing_init(&s, b);
	expect(b, true, NULL, NULL);
	v = told(b);
	assert_true(json_is_null(json_object_get(v, "last_success")));
	json_decref(v);

	err_set_code(&why, ERR_RETRY, TROUBLE_UNREACHABLE, "http://e:9200: refused");
	assert_true(standing_refused(&s, PACE_AGAIN, &why));
	standing_tell(&s);
	expect(b, false, "unreachable", "backoff");
	assert_int_equal(metrics_get(METRIC_TROUBLE_UNREACHABLE), 1);

	/* the same from another node is no news, and no change */
	version = board_version(b);
	err_set_code(&why, ERR_RETRY, TROUBLE_UNREACHABLE, "http://f:9200: refused");
	assert_false(standing_refused(&s, PACE_AGAIN, &why));
	standing_tell(&s);
	assert_int_equal(board_version(b), version);

	err_set_code(&why, ERR_PERMANENT, TROUBLE_CREDENTIALS, "401 \"x\"\n\x01");
	assert_true(standing_refused(&s, PACE_SLOW, &why));
	standing_tell(&s);
	expect(b, false, "credentials", "slow");
	assert_int_equal(metrics_get(METRIC_TROUBLE_UNREACHABLE), 0);
	assert_int_equal(metrics_get(METRIC_TROUBLE_CREDENTIALS), 1);

	standing_accepted(&s);
	standing_tell(&s);
	expect(b, true, NULL, NULL);
	v = told(b);
	assert_true(json_integer_value(json_object_get(v, "last_success")) > 0);
	json_decref(v);
	assert_int_equal(metrics_get(METRIC_TROUBLE_CREDENTIALS), 0);
	assert_true(metrics_get(METRIC_BULK_SUCCESS_MS) > 0);
	board_free(b);
}

static void what_waits_apart_is_trouble_until_the_last_of_it_is_taken(void **state)
{
	struct board *b = board_new();
	struct standing s;
	struct err why = ERR_INIT;
	json_t *v;

	(void)state;
	metrics_reset();
	standing_init(&s, b);
	err_set_code(&why, ERR_PERMANENT, TROUBLE_BLOCKED, "403 read-only");
	assert_true(standing_partly(&s, PACE_SLOW, &why, 1, 3));
	assert_false(standing_partly(&s, PACE_SLOW, &why, 2, 3));
	standing_accepted(&s); /* the others */
	standing_parked(&s, 2);
	standing_tell(&s);
	expect(b, true, "blocked", "slow");
	v = told(b);
	assert_int_equal(json_integer_value(json_object_get(v, "parked")), 2);
	json_decref(v);
	assert_int_equal(metrics_get(METRIC_BULK_PARKED), 2);
	assert_int_equal(metrics_get(METRIC_TROUBLE_BLOCKED), 1);

	standing_stuck(&s); /* and now nothing at all goes */
	standing_tell(&s);
	expect(b, false, "blocked", "slow");

	standing_accepted(&s);
	standing_parked(&s, 0);
	standing_tell(&s);
	expect(b, true, NULL, NULL);
	assert_int_equal(metrics_get(METRIC_TROUBLE_BLOCKED), 0);
	board_free(b);
}

static void words_that_are_too_long_or_no_text_are_still_json(void **state)
{
	struct board *b = board_new();
	struct standing s;
	struct err why = ERR_INIT;

	(void)state;
	standing_init(&s, b);
	err_set_code(&why, ERR_RETRY, TROUBLE_SERVER, "503");
	memset(why.text, 0x01, sizeof(why.text) - 1);
	why.text[sizeof(why.text) - 1] = '\0';
	standing_refused(&s, PACE_AGAIN, &why);
	standing_tell(&s);
	expect(b, false, "server", "backoff");
	board_free(b);
}

static void without_a_board_nothing_is_told(void **state)
{
	struct standing s;

	(void)state;
	standing_init(&s, NULL);
	standing_accepted(&s);
	standing_tell(&s);
	assert_true(s.last_success.ms > 0);
}

static void no_server_is_no_trouble(void **state)
{
	struct board *b = board_new();

	(void)state;
	standing_without_server(b);
	expect(b, true, NULL, NULL);
	board_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_board_shows_what_holds_documents_up_and_when_it_ends),
		cmocka_unit_test(
			what_waits_apart_is_trouble_until_the_last_of_it_is_taken),
		cmocka_unit_test(words_that_are_too_long_or_no_text_are_still_json),
		cmocka_unit_test(no_server_is_no_trouble),
		cmocka_unit_test(without_a_board_nothing_is_told),
	};

	log_open(LOG_ERROR, LOG_TEXT, false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
