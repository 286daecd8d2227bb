/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "cli/cells.h"
#include "cli/tail.h"
#include "cli/toptable.h"

#include "banned.h"

#define NOW ((struct wall){1795220010000})

static const char topics[] =
	"{\"topics\":["
	"{\"cluster\":\"dc1\",\"group\":\"g\",\"topic\":\"a\",\"host\":\"mm1\",\"status\":\"OK\","
	"\"lag_sum\":5,\"time_lag_ms\":900,\"sample_at\":1795220000000,\"partitions\":3,"
	"\"produced_per_sec\":41.5,\"consumed_per_sec\":41},"
	"{\"cluster\":\"dc1\",\"group\":\"g\",\"topic\":\"b\",\"host\":\"mm2\",\"status\":\"ERR\","
	"\"lag_sum\":48211,\"time_lag_ms\":null,\"sample_at\":1795220000000},"
	"{\"cluster\":\"dc1\",\"group\":\"g\",\"topic\":\"c\",\"host\":\"mm1\",\"status\":\"NODATA\","
	"\"reason\":\"ssh_lost\",\"message\":\"cut\\u001b[2J\"},"
	"{\"cluster\":\"dc1\",\"group\":\"g\",\"topic\":\"d\",\"host\":\"mm1\",\"status\":\"OK\","
	"\"lag_sum\":70}]}";

static void take(struct top_table *t, const char *json)
{
	json_t *o = json_loads(json, 0, NULL);

	assert_non_null(o);
	top_take_topics(t, o);
	json_decref(o);
}

static const char *at(const struct top_table *t, size_t i)
{
	return t->topics[t->shown[i]].topic;
}

static void expect_order(const struct top_table *t, const char *want)
{
	size_t n = strlen(want);

	assert_int_equal(t->n_shown, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(at(t, i)[0], want[i]);
}

static void type(struct top_table *t, const char *text)
{
	for (; *text != '\0'; text++)
		top_press(t, (unsigned char)*text);
}

/* The lines of a rendering; each is checked for its width. */
static char *render(struct top_table *t, size_t width, size_t height, bool colour)
{
	struct buf out = BUF_INIT(1 << 20);
	char *copy, *line, *rest;
	size_t lines = 0;

	top_render(t, width, height, colour, NOW, &out);
	copy = mem_strdup(buf_str(&out));
	for (rest = copy; !colour && (line = strsep(&rest, "\n")) != NULL; lines++)
		assert_true(cells_width(line) <= width);
	if (!colour)
		assert_int_equal(lines, height);
	free(copy);
	return buf_take(&out);
}

static void the_worst_stands_first(void **state)
{
	struct top_table t = {0};

	(void)state;
	take(&t, topics);
	expect_order(&t, "cbda");
	type(&t, "n");
	expect_order(&t, "abcd");
	type(&t, "l");
	expect_order(&t, "bdac");
	type(&t, "t");
	expect_order(&t, "abcd");
	type(&t, "r");
	expect_order(&t, "abcd");
	type(&t, "s");
	expect_order(&t, "cbda");
	top_fini(&t);
}

static void the_same_key_again_turns_the_order_round(void **state)
{
	struct top_table t = {0};
	char *text;

	(void)state;
	take(&t, topics);
	type(&t, "l");
	expect_order(&t, "bdac");
	type(&t, "l");
	expect_order(&t, "cadb");
	text = render(&t, 80, 8, false);
	assert_non_null(strstr(text, "LAG^"));
	free(text);
	type(&t, "n");
	expect_order(&t, "abcd");
	type(&t, "s");
	expect_order(&t, "cbda");
	type(&t, "s");
	expect_order(&t, "adbc");
	top_fini(&t);
}

static void topics_of_one_name_are_told_apart(void **state)
{
	static const char same[] =
		"{\"topics\":["
		"{\"cluster\":\"dc1\",\"group\":\"g\",\"topic\":\"a\",\"status\":\"OK\"},"
		"{\"cluster\":\"dc1\",\"group\":\"h\",\"topic\":\"a\",\"status\":\"OK\"},"
		"{\"cluster\":\"dc2\",\"group\":\"g\",\"topic\":\"a\",\"status\":\"OK\"},"
		"{\"cluster\":\"dc2\",\"group\":\"g\",\"topic\":\"b\",\"status\":\"OK\"},"
		"{\"cluster\":\"dc2\",\"group\":\"h\",\"topic\":\"b\",\"status\":\"OK\"},"
		"{\"cluster\":\"dc2\",\"group\":\"h\",\"topic\":\"c\",\"status\":\"OK\"}]}";
	static const char *const labels[] = {"dc1/a (g)", "dc1/a (h)", "dc2/a",
					     "b (g)",     "b (h)",     "c"};
	struct top_table t = {0};

	(void)state;
	take(&t, same);
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		assert_string_equal(t.topics[i].label, labels[i]);
	top_fini(&t);
}

static void a_filter_is_typed_kept_and_ended(void **state)
{
	struct top_table t = {0};

	(void)state;
	take(&t, topics);
	type(&t, "/mm1q");
	expect_order(&t, "");
	top_press(&t, KEY_BACKSPACE);
	expect_order(&t, "cda");
	assert_int_equal(top_press(&t, KEY_ENTER), TOP_STAY);
	assert_false(t.typing);
	take(&t, topics);
	expect_order(&t, "cda");
	top_press(&t, KEY_ESC);
	expect_order(&t, "cbda");
	type(&t, "/\xeb\x9e\x99");
	top_press(&t, KEY_BACKSPACE);
	assert_string_equal(t.filter, "");
	for (int i = 0; i < 1000; i++)
		top_press(&t, 'x');
	assert_int_equal(strlen(t.filter), TOP_FILTER_MAX - 1);
	top_fini(&t);
}

static void the_mark_stays_on_its_topic(void **state)
{
	struct top_table t = {0};

	(void)state;
	take(&t, topics);
	top_press(&t, KEY_DOWN);
	assert_string_equal(at(&t, t.cursor), "b");
	type(&t, "n");
	assert_string_equal(at(&t, t.cursor), "b");
	take(&t, "{\"topics\":[{\"topic\":\"z\",\"status\":\"OK\"}]}");
	assert_int_equal(t.cursor, 0);
	take(&t, "{\"topics\":[]}");
	assert_int_equal(top_press(&t, KEY_ENTER), TOP_STAY);
	top_press(&t, KEY_END);
	top_press(&t, KEY_UP);
	free(render(&t, 80, 24, false));
	top_fini(&t);
}

static void a_topic_opens_and_closes(void **state)
{
	struct top_table t = {0};
	struct buf target = BUF_INIT(4096);
	char *text;
	json_t *o;

	(void)state;
	take(&t, "{\"topics\":[{\"cluster\":\"c\",\"group\":\"a b/?\",\"topic\":\"x\","
		 "\"status\":\"ERR\"}]}");
	assert_int_equal(top_press(&t, KEY_ENTER), TOP_ASK);
	top_target(&t, &target);
	assert_non_null(strstr(buf_str(&target),
			       "/api/v1/topics/x?cluster=c&group=a%20b%2F%3F"));
	free(render(&t, 80, 24, false));
	o = json_loads(
		"{\"topic\":{\"topic\":\"x\",\"status\":\"ERR\",\"rule\":\"stopped\"},"
		"\"partitions\":["
		"{\"partition\":0,\"lag\":1,\"status\":\"OK\",\"rule\":\"lag_allowed\"},"
		"{\"partition\":1,\"lag\":null,\"status\":\"OK\"},"
		"{\"partition\":2,\"lag\":9,\"status\":\"STOP\",\"rule\":\"stopped\"}]}",
		0, NULL);
	top_take_topic(&t, o);
	json_decref(o);
	text = render(&t, 80, 24, false);
	assert_non_null(strstr(text, "\np2     STOP"));
	assert_true(strstr(text, "\np2 ") < strstr(text, "\np0 "));
	free(text);
	assert_int_equal(top_press(&t, KEY_ESC), TOP_ASK);
	buf_reset(&target);
	top_target(&t, &target);
	assert_string_equal(buf_str(&target), "/api/v1/topics");
	assert_int_equal(top_press(&t, 'q'), TOP_QUIT);
	buf_free(&target);
	top_fini(&t);
}

static void every_size_of_window_is_filled(void **state)
{
	struct top_table t = {0};

	(void)state;
	take(&t, topics);
	for (size_t width = 0; width < 200; width += width < 40 ? 1 : 7)
		for (size_t height = 1; height < 12; height++)
			if (width > 0)
				free(render(&t, width, height, false));
	type(&t, "?");
	free(render(&t, 20, 5, false));
	type(&t, "?");
	top_press(&t, KEY_ENTER);
	for (size_t width = 1; width < 120; width++)
		free(render(&t, width, 6, false));
	top_fini(&t);
}

static void twenty_columns_show_status_topic_and_lag(void **state)
{
	struct top_table t = {0};
	char *text;

	(void)state;
	take(&t, topics);
	text = render(&t, 20, 8, false);
	assert_non_null(strstr(text, "\n E b          48,211\n"));
	assert_non_null(strstr(text, "1N 1E 0W 2O"));
	free(text);
	top_fini(&t);
}

/* A figure without a head would be anybody's guess. */
static void each_column_of_partitions_has_its_head_or_neither(void **state)
{
	static const struct {
		const char *head, *figure;
	} columns[] = {{"BEHIND", "92ms"},
		       {"COMMITTED", "777,777"},
		       {"LOG END", "777,999"}};
	struct top_table t = {0};
	json_t *o = json_loads(
		"{\"topic\":{\"topic\":\"x\",\"status\":\"OK\"},\"partitions\":["
		"{\"partition\":0,\"lag\":222,\"status\":\"OK\",\"time_lag_ms\":92,"
		"\"committed\":777777,\"end\":777999,\"rule\":\"lag_falling\"}]}",
		0, NULL);

	(void)state;
	take(&t, topics);
	top_press(&t, KEY_ENTER);
	top_take_topic(&t, o);
	json_decref(o);
	for (size_t width = 20; width < 120; width++) {
		char *text = render(&t, width, 8, false);

		for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
			if ((strstr(text, columns[i].head) != NULL) !=
				    (strstr(text, columns[i].figure) != NULL) ||
			    (width > 80 && strstr(text, columns[i].head) == NULL))
				fail_msg("%zu columns, %s:\n%s", width, columns[i].head,
					 text);
		free(text);
	}
	top_fini(&t);
}

static void words_of_others_cannot_speak_to_the_terminal(void **state)
{
	struct top_table t = {0};
	char *text;

	(void)state;
	take(&t, topics);
	text = render(&t, 120, 8, false);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "ssh_lost: cut?[2J"));
	free(text);
	text = render(&t, 120, 8, true);
	assert_null(strstr(text, "\033[2J"));
	assert_non_null(strstr(text, "\033[1;31m"));
	free(text);
	snprintf(t.trouble, sizeof(t.trouble), "gone\nfor good");
	text = render(&t, 120, 8, false);
	assert_non_null(strstr(text, "gone?for good"));
	free(text);
	top_fini(&t);
}

static void expect_line(const char *json, size_t width, bool colour, const char *want)
{
	struct buf out = BUF_INIT(1 << 16);
	json_t *o = json_loads(json, 0, NULL);

	assert_non_null(o);
	tail_line(o, width, colour, false, &out);
	assert_string_equal(buf_str(&out), want);
	if (width > 0 && !colour)
		assert_true(cells_width(buf_str(&out)) <= width);
	json_decref(o);
	buf_free(&out);
}

#define SAMPLE                                                                            \
	"{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"topic\":\"orders\",\"p0\":12,"    \
	"\"lag_sum\":49196,\"lag_max\":48211,\"lag_max_partition\":3,\"status\":\"ERR\"," \
	"\"time_lag_ms\":1260000,\"produced_per_sec\":41.5,\"consumed_per_sec\":0.0}"

static void a_document_is_a_line(void **state)
{
	(void)state;
	expect_line(SAMPLE, 0, false,
		    "03:36:10 ERR      orders  lag 49,196, most p3 48,211, 21m behind, "
		    "in 41.5/s, out 0.0/s");
	expect_line(SAMPLE, 0, true,
		    "03:36:10 \033[1;31mERR     \033[0m orders  lag 49,196, most p3 "
		    "48,211, 21m behind, in 41.5/s, out 0.0/s");
	expect_line(SAMPLE, 30, false, "03:36:10 ERR      orders  lag\xe2\x80\xa6");
	expect_line(SAMPLE, 12, false, "orders");
	expect_line(
		"{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"topic\":\"x\","
		"\"status\":\"NODATA\",\"reason\":\"ssh_lost\",\"message\":\"a\\u0007b\"}",
		0, false, "03:36:10 NODATA   x  ssh_lost: a?b");
	expect_line(
		"{\"@timestamp\":\"2026-11-21T03:36:10.123Z\",\"event\":\"alert\","
		"\"state\":\"firing\",\"severity\":\"critical\",\"rule\":\"host_down\","
		"\"host\":\"mm1\",\"message\":\"gone\"}",
		0, false, "03:36:10 firing   mm1  alert critical host_down: gone");
	expect_line("{\"topic\":7}", 0, false, "--:--:--          ?  lag -");
}

static void json_stays_the_same_value_and_is_harmless(void **state)
{
	static const char text[] =
		"{\"a\":\"\\u001b[2J\\u009b\\u202e\\u007f\xeb\x9e\x99"
		"\",\"b\":0.0,\"c\":41.5,\"d\":9223372036854775807}";
	struct buf out = BUF_INIT(1 << 16);
	json_t *o = json_loads(text, 0, NULL), *back;

	(void)state;
	tail_json(o, &out);
	assert_string_equal(buf_str(&out),
			    "{\"a\":\"\\u001B[2J\\u009b\\u202e\\u007f\xeb\x9e\x99"
			    "\",\"b\":0.0,\"c\":41.5,\"d\":9223372036854775807}");
	back = json_loads(buf_str(&out), 0, NULL);
	assert_true(json_equal(o, back));
	json_decref(o);
	json_decref(back);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_stands_first),
		cmocka_unit_test(the_same_key_again_turns_the_order_round),
		cmocka_unit_test(topics_of_one_name_are_told_apart),
		cmocka_unit_test(a_filter_is_typed_kept_and_ended),
		cmocka_unit_test(the_mark_stays_on_its_topic),
		cmocka_unit_test(a_topic_opens_and_closes),
		cmocka_unit_test(every_size_of_window_is_filled),
		cmocka_unit_test(twenty_columns_show_status_topic_and_lag),
		cmocka_unit_test(each_column_of_partitions_has_its_head_or_neither),
		cmocka_unit_test(words_of_others_cannot_speak_to_the_terminal),
		cmocka_unit_test(a_document_is_a_line),
		cmocka_unit_test(json_stays_the_same_value_and_is_harmless),
	};

	setenv("TZ", "UTC", 1);
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
