/* SPDX-License-Identifier: MIT
 * The actor that asks for the brokers' rates, against a scripted Prometheus. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/http.h"
#include "alarm/condition.h"
#include "support/http_peer.c"

#define VECTOR(series)                                                                    \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" series \
	"]}}"
#define ONE(i, v) "{\"metric\":{\"instance\":\"" i "\"},\"value\":[60,\"" v "\"]}"

/* What the actor tells after each of `n` answers: "state mean" and the board. */
static void tells(const struct peer_step *steps, size_t n, size_t looks,
		  const char *query, const char *const *said)
{
	struct peer *p = peer_start(steps, n);
	char name[] = "dc1";
	char *own = mem_strdup(query);
	struct config_broker entry = {.name = name,
				      .prometheus = p->url,
				      .query = own,
				      .min_rate = 100,
				      .interval_ms = 1};
	struct config c = {.brokers = &entry, .broker_count = 1};
	struct board *board = board_new();
	struct brokers *b = brokers_new(&c, board);
	struct brokers_status s;

	assert_true(brokers_look(b, 0, &s));
	assert_int_equal(s.state, BROKERS_UNKNOWN);
	assert_false(brokers_look(b, 1, &s));
	for (size_t i = 0; i < looks; i++) {
		struct buf json = BUF_INIT(65536);
		char text[100];
		struct mono due = mono_add_ms(clock_mono(), 2);

		while (mono_before(clock_mono(), due))
			;
		(void)brokers_step(b);
		assert_true(brokers_look(b, 0, &s));
		snprintf(text, sizeof(text), "%s %g", brokers_state_name(s.state),
			 isnan(s.mean) ? -1 : s.mean);
		assert_string_equal(text, said[i]);
		assert_int_equal(*s.message == '\0', s.state == BROKERS_OK);
		board_told(board, BOARD_BROKERS, &json);
		snprintf(text, sizeof(text), "[{\"name\":\"dc1\",\"state\":\"%s\",",
			 brokers_state_name(s.state));
		assert_ptr_equal(strstr(buf_str(&json), text), buf_str(&json));
		buf_free(&json);
	}
	wake_stop(brokers_wake(b));
	assert_true(brokers_step(b).done);
	brokers_free(b);
	board_free(board);
	free(own);
	peer_free(p);
}

static void a_mean_below_the_minimum_is_low_and_nothing_is_no_data(void **state)
{
	char *ok = peer_answer(200, "", VECTOR(ONE("b1", "150") "," ONE("b2", "50")));
	char *low = peer_answer(200, "", VECTOR(ONE("b1", "150") "," ONE("b2", "49")));
	char *none = peer_answer(200, "", VECTOR(""));
	char *nan_only = peer_answer(200, "", VECTOR(ONE("b1", "NaN")));
	char *bad = peer_answer(400, "", "{\"status\":\"error\",\"error\":\"parse\"}");
	const struct peer_step steps[] = {{.raw = ok},   {.raw = low},
					  {.raw = none}, {.raw = nan_only},
					  {.raw = bad},  {.raw = ok}};
	static const char *const said[] = {"ok 100",    "low 99.5",  "nodata -1",
					   "nodata -1", "nodata -1", "ok 100"};

	(void)state;
	tells(steps, ARRAY_LEN(steps), ARRAY_LEN(said), "q", said);
	free(ok);
	free(low);
	free(none);
	free(nan_only);
	free(bad);
}

static void
without_a_query_the_spellings_are_tried_and_the_good_one_is_kept(void **state)
{
	char *ok = peer_answer(200, "", VECTOR(ONE("b1", "150")));
	char *none = peer_answer(200, "", VECTOR(""));
	const struct peer_step steps[] = {{.raw = none},
					  {.raw = none},
					  {.raw = ok},
					  {.raw = ok}};
	static const char *const said[] = {"ok 150", "ok 150"};

	(void)state;
	tells(steps, ARRAY_LEN(steps), ARRAY_LEN(said), NULL, said);
	free(ok);
	free(none);
}

static void note_condition(void *arg, const struct condition *c)
{
	static const char *const facts[] = {"unknown", "away", "between", "holds"};

	assert_string_equal(c->host, "dc1");
	assert_int_equal(c->policy.for_ms, 300000);
	buf_printf(arg, "%s %s ", c->rule, facts[c->fact]);
	if (c->fact == FACT_HOLDS)
		buf_printf(arg, "since %lld: %s ", (long long)c->since.ms, c->message);
}

static void a_state_is_what_an_alert_can_be_made_of(void **state)
{
	static const struct {
		enum brokers_state state;
		const char *said;
	} rows[] = {
		{BROKERS_UNKNOWN, "brokers_low unknown brokers_nodata unknown "},
		{BROKERS_OK, "brokers_low away brokers_nodata away "},
		{BROKERS_LOW,
		 "brokers_low holds since 5: dc1: words brokers_nodata away "},
		{BROKERS_NODATA,
		 "brokers_low unknown brokers_nodata holds since 5: dc1: words "},
	};
	char name[] = "dc1";
	const struct config_broker config = {.name = name, .for_ms = 300000};
	struct buf b = BUF_INIT(4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct brokers_status s = {.config = &config,
						 .state = rows[i].state,
						 .since = {5},
						 .message = "words"};

		buf_reset(&b);
		condition_brokers(&s, note_condition, &b);
		assert_string_equal(buf_str(&b), rows[i].said);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_is_what_an_alert_can_be_made_of),
		cmocka_unit_test(
			a_mean_below_the_minimum_is_low_and_nothing_is_no_data),
		cmocka_unit_test(
			without_a_query_the_spellings_are_tried_and_the_good_one_is_kept),
	};
	struct err err;

	if (http_global_init(&err) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
