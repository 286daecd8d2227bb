/* SPDX-License-Identifier: MIT
 * Silences: what is accepted, what they cover, and the mailbox that carries them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "board/board.h"
#include "document/silence.h"

#define NOW ((struct wall){1000000})

static const struct {
	const char *label, *json;
	int64_t until; /* -1: refused */
	const char *says;
} rows[] = {
	{"for", "{\"topic\":\"t\",\"for\":\"2h\"}", 1000000 + 7200000, ""},
	{"parts of a duration", "{\"rule\":\"r\",\"for\":\"1h30m5s\"}",
	 1000000 + 5405000, ""},
	{"until", "{\"host\":\"h\",\"until\":1000001}", 1000001, ""},
	{"null is as left out",
	 "{\"host\":\"h\",\"topic\":null,\"for\":null,\"until\":1000001}", 1000001, ""},
	{"the end of one", "{\"id\":\"a-1\",\"until\":0}", 0, ""},
	{"no time", "{\"topic\":\"t\"}", -1, "until when"},
	{"both times", "{\"topic\":\"t\",\"for\":\"1h\",\"until\":2000000}", -1,
	 "exclude"},
	{"a time that has passed", "{\"topic\":\"t\",\"until\":1000000}", -1, "ahead"},
	{"ten years", "{\"topic\":\"t\",\"for\":\"3650d\"}", -1, "duration"},
	{"a bare number", "{\"topic\":\"t\",\"for\":\"90\"}", -1, "duration"},
	{"a strange unit", "{\"topic\":\"t\",\"for\":\"9sm\"}", -1, "duration"},
	{"a negative time", "{\"topic\":\"t\",\"until\":-5}", -1, "milliseconds"},
	{"everything", "{\"for\":\"1h\"}", -1, "of what"},
	{"an end without id", "{\"topic\":\"t\",\"until\":0}", -1, "which one"},
	{"a hostile id", "{\"id\":\"a\\nb\",\"topic\":\"t\",\"for\":\"1h\"}", -1,
	 "none of ours"},
	{"an unknown member", "{\"tpoic\":\"t\",\"for\":\"1h\"}", -1, "tpoic"},
	{"a number for a name", "{\"topic\":3,\"for\":\"1h\"}", -1, "string"},
	{"a name with NUL", "{\"topic\":\"a\\u0000b\",\"for\":\"1h\"}", -1, "body"},
	{"an array", "[]", -1, "object"},
	{"nothing", "", -1, "object"},
};

static void a_silence_is_read_or_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		struct silence s;
		int rc =
			silence_read(rows[i].json, strlen(rows[i].json), NOW, &s, &err);

		if ((rc == 0) != (rows[i].until >= 0) ||
		    (rc == 0 && s.until.ms != rows[i].until) ||
		    strstr(err.text, rows[i].says) == NULL)
			fail_msg("%s: rc %d, until %lld, \"%s\"", rows[i].label, rc,
				 (long long)s.until.ms, err.text);
		silence_fini(&s);
	}
}

static void what_was_written_is_read_as_the_same(void **state)
{
	static const char json[] =
		"{\"id\":\"7\",\"until\":2000000,\"cluster\":null,\"group\":\"g\","
		"\"topic\":\"t\",\"host\":null,\"rule\":\"stopped\","
		"\"comment\":\"we \\\"know\\\"\",\"by\":\"me\"}";
	struct buf out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct silence s;

	(void)state;
	assert_int_equal(silence_read(json, strlen(json), NOW, &s, &err), 0);
	silence_write(&out, &s);
	assert_string_equal(buf_str(&out), json);
	buf_free(&out);
	silence_fini(&s);
}

static void it_covers_what_it_names_until_its_end(void **state)
{
	static char topic[] = "t", rule[] = "stopped";
	const struct silence s = {.until = {2000}, .topic = topic, .rule = rule};
	const struct silence_subject is = {"c", "g", "t", "h", "stopped"};
	const struct silence_subject other = {"c", "g", "t2", "h", "stopped"};

	(void)state;
	assert_true(silence_covers(&s, &is, (struct wall){1999}));
	assert_false(silence_covers(&s, &is, (struct wall){2000}));
	assert_false(silence_covers(&s, &other, (struct wall){1999}));
}

static void requests_are_taken_in_order_and_bounded(void **state)
{
	struct board *b = board_new();
	struct buf out = BUF_INIT(4096);
	uint64_t before = board_version(b);

	(void)state;
	assert_false(board_asked(b, BOARD_ASK_SILENCE, &out));
	assert_int_equal(board_ask(b, BOARD_ASK_SILENCE, "one", 3), 0);
	assert_true(board_version(b) > before);
	for (int i = 1; i < BOARD_ASKED_MAX; i++)
		assert_int_equal(board_ask(b, BOARD_ASK_SILENCE, "more", 4), 0);
	assert_int_equal(board_ask(b, BOARD_ASK_SILENCE, "x", 1), ERR_AGAIN);
	assert_true(board_asked(b, BOARD_ASK_SILENCE, &out));
	assert_string_equal(buf_str(&out), "one");
	buf_reset(&out);
	assert_true(board_asked(b, BOARD_ASK_SILENCE, &out));
	assert_string_equal(buf_str(&out), "more");
	buf_free(&out);
	board_free(b); /* what waits goes with it */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silence_is_read_or_refused_with_a_reason),
		cmocka_unit_test(what_was_written_is_read_as_the_same),
		cmocka_unit_test(it_covers_what_it_names_until_its_end),
		cmocka_unit_test(requests_are_taken_in_order_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
