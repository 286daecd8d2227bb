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
#include "lag/frame.h"

#include "banned.h"

#define NONCE "c0ffee"
#define RUN_MAX 100

#define B(n, t) "\n@mmlag " NONCE " B " #n " " t "\n"
#define X(n, c) "\n@mmlag " NONCE " X " #n " " c "\n"
#define E(n, t) "\n@mmlag " NONCE " E " #n " " t "\n"
#define A(n, c) "\n@mmlag " NONCE " A " #n " " c "\n"
#define RUN(n, text) B(n, "1700000000.5") text X(n, "0") E(n, "1700000003.25")

/* Feed and write down what happens, a line an event. */
static void feed(struct frame *f, const char *p, size_t n, struct buf *log)
{
	struct frame_run run;
	enum frame_event event;

	while ((event = frame_next(f, &p, &n, &run)) != FRAME_MORE) {
		if (event == FRAME_BEGIN)
			buf_printf(log, "begin %d\n", (int)run.number);
		else if (event == FRAME_RUN)
			buf_printf(log, "run %d exit %d %lld-%lld [%.*s]\n",
				   (int)run.number, run.exit_code,
				   (long long)run.begin_ms, (long long)run.end_ms,
				   (int)run.out_len, run.out);
		else
			buf_printf(log, "broken %d: %s\n", (int)run.number, run.broken);
	}
	assert_int_equal(n, 0);
}

/* All of `text`, `step` bytes at a time; the caller frees the log. */
static char *replay(const char *text, size_t len, size_t step)
{
	struct buf log = BUF_INIT(65536);
	struct frame *f = frame_new(NONCE, RUN_MAX);

	for (size_t i = 0; i < len; i += step)
		feed(f, text + i, len - i < step ? len - i : step, &log);
	frame_free(f);
	return buf_take(&log);
}

#define TIMES "1700000000500-1700000003250"

static void runs_are_cut_out_of_the_stream(void **state)
{
	static const struct {
		const char *label, *stream, *events;
	} rows[] = {
		{"a run", RUN(1, "a\nb\n"),
		 "begin 1\nrun 1 exit 0 " TIMES " [a\nb\n]\n"},
		{"the last row has no newline", RUN(1, "a\nb"),
		 "begin 1\nrun 1 exit 0 " TIMES " [a\nb]\n"},
		{"nothing printed", RUN(1, ""), "begin 1\nrun 1 exit 0 " TIMES " []\n"},
		{"an empty line printed", RUN(1, "\n"),
		 "begin 1\nrun 1 exit 0 " TIMES " [\n]\n"},
		{"two runs", "motd\n" RUN(1, "a") "noise" RUN(2, "b"),
		 "begin 1\nrun 1 exit 0 " TIMES " [a]\nbegin 2\nrun 2 exit 0 " TIMES
		 " [b]\n"},
		{"a number is left out", RUN(1, "a") RUN(7, "b"),
		 "begin 1\nrun 1 exit 0 " TIMES " [a]\nbegin 7\nrun 7 exit 0 " TIMES
		 " [b]\n"},
		{"no newline before the first mark",
		 "@mmlag " NONCE " B 1 5\nx" X(1, "3") E(1, "6"),
		 "begin 1\nrun 1 exit 3 5000-6000 [x]\n"},
		{"a mark of another nonce is text", RUN(1, "@mmlag dead X 1 0"),
		 "begin 1\nrun 1 exit 0 " TIMES " [@mmlag dead X 1 0]\n"},
		{"a mark within a line is text", RUN(1, "x@mmlag " NONCE " E 1 0"),
		 "begin 1\nrun 1 exit 0 " TIMES " [x@mmlag " NONCE " E 1 0]\n"},
		{"a mark that makes no sense is text", RUN(1, "@mmlag " NONCE " Q 1 0"),
		 "begin 1\nrun 1 exit 0 " TIMES " [@mmlag " NONCE " Q 1 0]\n"},
		{"text behind the exit mark",
		 B(1, "1") "a" X(1, "0") "late\n" E(1, "2"),
		 "begin 1\nrun 1 exit 0 1000-2000 [a]\n"},
		{"carriage returns in marks",
		 "\n@mmlag " NONCE " B 1 1\r\na" X(1, "0") "\n@mmlag " NONCE
							   " E 1 2\r\n",
		 "begin 1\nrun 1 exit 0 1000-2000 [a]\n"},
		{"clocks of all kinds",
		 B(1, "1700000000.N") X(1, "0") E(1, "1700000000,987654"),
		 "begin 1\nrun 1 exit 0 1700000000000-1700000000987 []\n"},
		{"no clock", B(1, "") X(1, "x") E(1, "now"),
		 "begin 1\nrun 1 exit -1 -1--1 []\n"},
		{"a time out of range", B(1, "99999999999999") X(1, "0") E(1, "-5"),
		 "begin 1\nrun 1 exit 0 -1--1 []\n"},
		{"no end", B(1, "1") "a" RUN(2, "b"),
		 "begin 1\nbroken 1: it was cut off: the next run began before its "
		 "end\n"
		 "begin 2\nrun 2 exit 0 " TIMES " [b]\n"},
		{"no exit mark", B(1, "1") "a" E(1, "2"),
		 "begin 1\nbroken 1: its marks are out of order\n"},
		{"the end of another run", B(1, "1") "a" X(1, "0") E(2, "2") RUN(3, ""),
		 "begin 1\nbroken 1: its marks are out of order\n"
		 "begin 3\nrun 3 exit 0 " TIMES " []\n"},
		{"two exit marks", B(1, "1") X(1, "0") X(1, "0") E(1, "2"),
		 "begin 1\nbroken 1: its marks are out of order\n"},
		{"numbers fall", RUN(5, "") RUN(4, "") RUN(6, ""),
		 "begin 5\nrun 5 exit 0 " TIMES " []\n"
		 "broken 4: the numbers of the runs do not rise\n"
		 "begin 6\nrun 6 exit 0 " TIMES " []\n"},
		{"marks without a run", X(1, "0") E(1, "0") "\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		print_message("# %s\n", rows[i].label);
		for (size_t step = 1; step < 200; step += step < 9 ? 1 : 61) {
			char *log =
				replay(rows[i].stream, strlen(rows[i].stream), step);

			assert_string_equal(log, rows[i].events);
			free(log);
		}
	}
}

static void a_run_may_have_just_as_many_bytes_as_its_limit(void **state)
{
	(void)state;
	for (size_t n = RUN_MAX - 2; n < 3 * RUN_MAX; n++) {
		struct buf b = BUF_INIT(4096);
		char *log;

		buf_addstr(&b, B(1, "1"));
		for (size_t i = 0; i < n; i++)
			buf_addch(&b, i % 30 == 29 ? '\n' : '@');
		buf_addstr(&b, X(1, "0") E(1, "2") RUN(2, "ok"));
		log = replay(b.data, b.len, 17);
		if (n <= RUN_MAX)
			assert_non_null(strstr(log, "run 1 exit 0 1000-2000 [@"));
		else
			assert_non_null(strstr(log, "broken 1: its output is longer"));
		assert_non_null(strstr(log, "run 2 exit 0 " TIMES " [ok]"));
		free(log);
		buf_free(&b);
	}
}

static void nul_bytes_are_bytes_of_a_run(void **state)
{
	static const char stream[] = B(1, "1") "a\0b" X(1, "0") E(1, "2");
	struct frame *f = frame_new(NONCE, RUN_MAX);
	const char *p = stream;
	size_t n = sizeof(stream) - 1;
	struct frame_run run;

	(void)state;
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BEGIN);
	assert_string_equal(run.begin_mark, "1");
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_RUN);
	assert_int_equal(run.out_len, 3);
	assert_memory_equal(run.out, "a\0b", 3);
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_MORE);
	frame_free(f);
}

static void the_host_tells_its_cores(void **state)
{
	static const struct {
		const char *text;
		int cores;
	} rows[] = {
		{"welcome\n@mmlag " NONCE " C 16\n", 16},
		{"@mmlag " NONCE " C many\n", 0},
		{"@mmlag " NONCE " C 99999999999\n", 0},
		{RUN(1, "x"), 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct frame *f = frame_new(NONCE, RUN_MAX);
		struct buf log = BUF_INIT(65536);

		feed(f, rows[i].text, strlen(rows[i].text), &log);
		assert_int_equal(frame_cores(f), rows[i].cores);
		buf_free(&log);
		frame_free(f);
	}
}

static void stray_text_is_kept_for_the_error_message(void **state)
{
	struct frame *f = frame_new(NONCE, RUN_MAX);
	struct buf log = BUF_INIT(65536);
	char flood[10000];

	(void)state;
	assert_string_equal(frame_stray(f), "");
	feed(f, RUN(1, "x"), strlen(RUN(1, "x")), &log);
	assert_string_equal(frame_stray(f), "");
	feed(f, "no\0 such\nshell", 14, &log);
	assert_string_equal(frame_stray(f), "no  such\nshell");
	memset(flood, 'z', sizeof(flood));
	for (int i = 0; i < 100; i++)
		feed(f, flood, sizeof(flood), &log);
	assert_int_equal(strlen(frame_stray(f)), 4096);
	feed(f, RUN(2, "still"), strlen(RUN(2, "still")), &log);
	assert_non_null(strstr(buf_str(&log), "run 2 exit 0 " TIMES " [still]"));
	buf_free(&log);
	frame_free(f);
}

static void lines_come_out_however_they_were_cut(void **state)
{
	static const char text[] = "one\r\n\ntw\0o\n\r\n12345678\r\n123456789\n"
				   "a line that is too long\nend\nrest";
	static const char events[] = "[one][][tw|o][][12345678]<long><long>[end]";

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct lines *l = lines_new(8);
		struct buf log = BUF_INIT(4096);

		for (size_t i = 0; i < sizeof(text) - 1; i += step) {
			const char *p = text + i;
			size_t n = sizeof(text) - 1 - i < step ? sizeof(text) - 1 - i
							       : step;
			const char *line;
			size_t len;
			enum line_event event;

			while ((event = lines_next(l, &p, &n, &line, &len)) !=
			       LINE_MORE) {
				buf_addstr(&log, event == LINE_FULL ? "[" : "<long>");
				for (size_t k = 0; event == LINE_FULL && k < len; k++)
					buf_addch(&log,
						  line[k] != '\0' ? line[k] : '|');
				if (event == LINE_FULL)
					buf_addch(&log, ']');
			}
			assert_int_equal(n, 0);
		}
		assert_string_equal(buf_str(&log), events);
		buf_free(&log);
		lines_free(l);
	}
}

static void what_the_target_said_stands_apart_from_the_run(void **state)
{
	static const char stream[] = B(1, "5") "t:0:7" A(1, "3") "row" X(1, "0")
		E(1, "6") RUN(2, "b") B(3, "7") A(3, "0") A(3, "0");
	struct frame *f = frame_new(NONCE, RUN_MAX);
	const char *p = stream;
	size_t n = strlen(stream);
	struct frame_run run;

	(void)state;
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BEGIN);
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_RUN);
	assert_true(run.aside);
	assert_string_equal(run.said, "t:0:7");
	assert_int_equal(run.said_code, 3);
	assert_string_equal(run.out, "row");
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BEGIN);
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_RUN);
	assert_false(run.aside);
	assert_string_equal(run.out, "b");
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BEGIN);
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BROKEN);
	frame_free(f);
}

/* Too much from the target is the target's trouble alone. */
static void a_target_that_says_too_much_spoils_no_run(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct frame *f = frame_new(NONCE, RUN_MAX);
	struct frame_run run;
	const char *p;
	size_t n;

	(void)state;
	buf_addstr(&b, B(1, "5"));
	for (int i = 0; i < 2 * RUN_MAX; i++)
		buf_addstr(&b, "x\n");
	buf_addstr(&b, A(1, "0") "row" X(1, "0") E(1, "6"));
	p = b.data;
	n = b.len;
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_BEGIN);
	assert_int_equal(frame_next(f, &p, &n, &run), FRAME_RUN);
	assert_string_equal(run.out, "row");
	assert_int_equal(run.said_len, 0);
	frame_free(f);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_are_cut_out_of_the_stream),
		cmocka_unit_test(a_run_may_have_just_as_many_bytes_as_its_limit),
		cmocka_unit_test(what_the_target_said_stands_apart_from_the_run),
		cmocka_unit_test(a_target_that_says_too_much_spoils_no_run),
		cmocka_unit_test(nul_bytes_are_bytes_of_a_run),
		cmocka_unit_test(the_host_tells_its_cores),
		cmocka_unit_test(stray_text_is_kept_for_the_error_message),
		cmocka_unit_test(lines_come_out_however_they_were_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
