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
#include "base/mem.h"
#include "lag/table.h"
#include "unit/cli_printer.h"

#include "banned.h"

#define HEADER                                                                         \
	"\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET " \
	" "                                                                            \
	"LAG             CONSUMER-ID     HOST            CLIENT-ID\n"

static struct table *read_text(const char *out, const char *err, const char *group)
{
	struct cli_output run = {out, strlen(out), err, err != NULL ? strlen(err) : 0,
				 -1};

	return table_read(&run, group);
}

/* The sample as text: "number=lag …" */
static char *show(const struct table *t, const char *group, const char *topic)
{
	struct buf b = BUF_INIT(1 << 20);
	struct sample s;
	struct gap gap;

	if (table_sample(t, group, topic, &s, &gap) != REASON_NONE)
		buf_addstr(&b, reason_name(gap.reason));
	for (size_t i = 0; i < s.n; i++) {
		buf_printf(&b, "%s%d=", i > 0 ? " " : "", (int)s.rows[i].number);
		buf_printf(&b, s.rows[i].has_lag ? "%lld" : "-",
			   (long long)s.rows[i].lag);
	}
	sample_fini(&s);
	return buf_take(&b);
}

static void assert_sample(const struct table *t, const char *group, const char *topic,
			  const char *want)
{
	char *got = show(t, group, topic);

	assert_string_equal(got, want);
	free(got);
}

static void assert_state(const struct table *t, const char *group, const char *topic,
			 enum group_state state, int members)
{
	struct sample s;
	struct gap gap;

	assert_int_equal(table_sample(t, group, topic, &s, &gap), REASON_NONE);
	assert_string_equal(group_state_name(s.state), group_state_name(state));
	assert_int_equal(s.members, members);
	sample_fini(&s);
}

/* One text, one topic, what must come out. */
static void tables_of_all_kinds_are_read(void **state)
{
	static const struct {
		const char *label, *out, *group, *topic, *sample;
	} rows[] = {
		{"rows in any order, single blanks",
		 "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\n"
		 "g t 2 1 3 2\ng t 0 1 1 0\ng t 1 5 8 3\n",
		 "g", "t", "0=0 1=3 2=2"},
		{"no final newline",
		 "TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\nt 0 1 3 2", NULL,
		 "t", "0=2"},
		{"carriage returns",
		 "TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\r\nt 0 1 3 2\r\nt "
		 "1 1 1 0\r\n",
		 "g", "t", "0=2 1=0"},
		{"columns in another order",
		 "TOPIC PARTITION LAG LOG-END-OFFSET CURRENT-OFFSET\nt 0 7 10 3\n",
		 NULL, "t", "0=7"},
		{"topic equal to the group, and a prefix of another",
		 HEADER
		 "a a 0 1 2 1 a-1 /a a\na ab 0 1 9 8 a-1 /a a\na a.b 0 1 7 6 - - -\n",
		 "a", "a", "0=1"},
		{"a dot is a dot", HEADER "g aXb 0 1 2 1 - - -\n", "g", "a.b",
		 "topic_absent"},
		{"no value",
		 HEADER "g t 0 - 5 - - - -\ng t 1 unknown 5 unknown - - -\n", "g", "t",
		 "0=- 1=-"},
		{"negative and 64-bit lags",
		 HEADER "g t 0 9 4 -5 - - -\ng t 1 0 9223372036854775807 "
			"9223372036854775807 - - -\n",
		 "g", "t", "0=-5 1=9223372036854775807"},
		{"out of range is no number",
		 HEADER "g t 0 1 2 9223372036854775808 - - -\ng t 1 "
			"99999999999999999999 1 - - - -\n",
		 "g", "t", "0=- 1=-"},
		{"a lag that is no number", HEADER "g t 0 1 2 x1 - - -\n", "g", "t",
		 "0=-"},
		{"a partition twice",
		 HEADER "g t 0 1 2 1 - - -\ng t 0 - 3 - - - -\n"
			"g t 1 - 3 - - - -\ng t 1 1 5 4 - - -\ng t 2 1 2 1 - - -\ng t "
			"2 1 3 2 - - -\n",
		 "g", "t", "0=1 1=4 2=2"},
		{"partitions that are none",
		 HEADER "g t -1 1 2 1 - - -\ng t 1x 1 2 1 - - -\n"
			"g t 1000000 1 2 1 - - -\ng t 999999 1 2 1 - - -\n",
		 "g", "t", "999999=1"},
		{"a header repeated",
		 HEADER "g t 0 1 2 1 - - -\n" HEADER "g t 1 1 2 1 - - -\n", "g", "t",
		 "0=1 1=1"},
		{"another header takes over",
		 HEADER
		 "g t 0 1 2 1 - - -\n\nGROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS\n"
		 "g t 1 1 2 1 - - -\n",
		 "g", "t", "0=1"},
		{"--members and then offsets",
		 "GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS\ng c /h c 3\n" HEADER
		 "g t 0 1 2 1 - - -\n",
		 "g", "t", "0=1"},
		{"messages all around",
		 "Last login: today\nPicked up JAVA_TOOL_OPTIONS: "
		 "-Da=b\n[0.012s][warning][cds] no\n"
		 "OpenJDK 64-Bit Server VM warning: x\n" HEADER "g t 0 1 2 1 - - -\n"
		 "[2026-11-21 03:36:10,123] WARN Connection to node 3 1 2 1 "
		 "(x)\nSLF4J: t 1 1 2 1\n"
		 "Error: nothing\ng t 1 1 2 1 - - -\n",
		 "g", "t", "0=1 1=1"},
		{"a record behind the last row",
		 HEADER "g t 0 1 2 1 - - -[2026-11-21 03:36:10,123] WARN t 1 1 2 1\n",
		 "g", "t", "0=1"},
		{"a record behind the header",
		 "GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID "
		 "HOST "
		 "CLIENT-ID[2026-11-21 03:36:10,123] WARN x\ng t 0 1 2 1 - - -\n",
		 "g", "t", "0=1"},
		{"a record that splits a row",
		 HEADER
		 "g               t               1[2026-11-21 03:36:10,123] WARN x\n"
		 "[2026-11-21 03:36:10,124] WARN y\n"
		 "2         10              20              10              -  -  -\n"
		 "g               t               0          1               2         "
		 "      1  "
		 "- - -\n",
		 "g", "t", "0=1 12=10"},
		{"a record that splits a number",
		 HEADER "g t 0 1000 2000 1[2026-11-21 03:36:10,123] WARN x\n", "g", "t",
		 "0=-"},
		{"output cut off within the lag",
		 HEADER "g t 1 1 2 1 - - -\ng t 0 1000 2000 10", "g", "t", "0=- 1=1"},
		{"output cut off before the lag",
		 HEADER "g t 1 1 2 1 - - -\ng t 0 1000 20", "g", "t", "1=1"},
		{"a byte order mark",
		 "\xef\xbb\xbfTOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\n"
		 "t 0 1 2 1\n",
		 NULL, "t", "0=1"},
		{"an indented copy",
		 "   GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\n"
		 "   g t 0 1 2 1\n",
		 "g", "t", "0=1"},
		{"the empty group id", HEADER "                t  0 1 2 1 - - -\n", "",
		 "t", "0=1"},
		{"a group with blanks",
		 HEADER "my group 1      t  0 1 2 1 - - -\n"
			"my group        t  1 1 2 1 - - -\n",
		 "my group 1", "t", "0=1"},
		{"a group with blanks at its ends",
		 HEADER " my group       t  0 1 2 1 - - -\n"
			"my group        t  1 1 2 1 - - -\n",
		 " my group ", "t", "0=1"},
		{"a group that begins another",
		 HEADER "g 0 1 2 1 x     t  0 1 2 1 - - -\n"
			"g               t  1 1 2 1 - - -\n",
		 "g", "t", "1=1"},
		{"a share group", "GROUP TOPIC PARTITION START-OFFSET LAG\ng t 0 1 2\n",
		 "g", "t", "bad_output"},
		{"a streams group", "GROUP TOPIC PARTITION OFFSET-LAG\ng t 0 1\n", "g",
		 "t", "bad_output"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct table *t = read_text(rows[i].out, NULL, rows[i].group);

		print_message("# %s\n", rows[i].label);
		assert_sample(t, rows[i].group, rows[i].topic, rows[i].sample);
		table_free(t);
	}
}

static uint64_t next_random(uint64_t *r)
{
	*r ^= *r << 13;
	*r ^= *r >> 7;
	*r ^= *r << 17;
	return *r;
}

static const char *pick(uint64_t *r, const char *const *list, size_t n)
{
	return list[next_random(r) % n];
}

/* A table as the CLI could print it. */
static void random_row(struct cli_row *row, uint64_t *r, const char *group,
		       int partition)
{
	static const char *const topics[] = {
		"orders", "orders-retry",
		"g",      "a.topic.with-a_name.longer.than.30.characters",
		"0",      "TOPIC"};
	static const char *const members[] = {
		"mm-0-2b4a", "mm-1-77aa", "client with blanks-0",
		"a-consumer-id-of-more-than-fifty-characters-0123456789-abcdef"};

	*row = (struct cli_row){.group = group,
				.topic = pick(r, topics, ARRAY_LEN(topics)),
				.partition = partition};
	row->values[0] = (int64_t)(next_random(r) >> (1 + next_random(r) % 63));
	row->values[1] = (int64_t)(next_random(r) >> (1 + next_random(r) % 63));
	row->values[2] = row->values[1] - row->values[0];
	row->committed = next_random(r) % 5 != 0;
	row->end = next_random(r) % 9 != 0;
	row->lag = row->committed && row->end;
	if (next_random(r) % 3 != 0)
		row->member = pick(r, members, ARRAY_LEN(members));
}

/* After each line break of `in`, maybe a message of one line. */
static void mix_in(struct buf *out, const struct buf *in, uint64_t *r)
{
	static const char *const messages[] = {
		"[2026-11-21 03:36:10,123] WARN [AdminClient] orders 1 2 3 1 (x)\n",
		"\n",
		"SLF4J: Class path contains multiple bindings.\n",
		"\xff\xfe\n",
		"Note: This will not show information about old consumers.\n",
		"\tat java.lang.Thread.run(Thread.java:748)\n",
		"orders\n",
		"- - - - -\n"};

	for (size_t i = 0; i < in->len; i++) {
		buf_addch(out, in->data[i]);
		if (in->data[i] == '\n' && next_random(r) % 4 == 0)
			buf_addstr(out, pick(r, messages, ARRAY_LEN(messages)));
	}
}

static void assert_reads_back(const struct table *t, const char *group,
			      const struct cli_row *rows, size_t n, bool members)
{
	for (size_t i = 0; i < n; i++) {
		struct sample s;
		struct gap gap;
		size_t k = 0;

		assert_int_equal(table_sample(t, group, rows[i].topic, &s, &gap),
				 REASON_NONE);
		while (k < s.n && s.rows[k].number != rows[i].partition)
			k++;
		assert_true(k < s.n);
		assert_int_equal(s.rows[k].has_lag, rows[i].lag);
		assert_int_equal(s.rows[k].has_committed, rows[i].committed);
		assert_int_equal(s.rows[k].has_end, rows[i].end);
		assert_true(!rows[i].lag || s.rows[k].lag == rows[i].values[2]);
		assert_true(!rows[i].end || s.rows[k].end == rows[i].values[1]);
		assert_true(!members || s.knows_members);
		assert_true(!members ||
			    (s.rows[k].member != 0) == (rows[i].member != NULL));
		sample_fini(&s);
	}
}

static int distinct_members(const struct cli_row *rows, size_t n)
{
	int count = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < i && rows[k].member != rows[i].member)
			k++;
		count += rows[i].member != NULL && k == i;
	}
	return count;
}

static void count_topic(void *arg, const char *group, const char *topic)
{
	(void)group;
	(void)topic;
	++*(int *)arg;
}

static void what_any_version_prints_is_read_back(void **state)
{
	static const char *const groups[] = {
		"oasis-group",
		"g",
		"my group",
		"Stra\xc3\x9f\x65 1",
		"orders",
		"1 2 3",
		"a-group-id-that-is-longer-than-thirty-characters"};
	uint64_t r = 88172645463325252;

	(void)state;
	for (int round = 0; round < 1500; round++) {
		enum cli_version v = (enum cli_version)(round % VERSIONS);
		const char *group = pick(&r, groups, ARRAY_LEN(groups));
		struct cli_row rows[20];
		size_t n = 1 + next_random(&r) % ARRAY_LEN(rows);
		struct buf plain = BUF_INIT(1 << 20), mixed = BUF_INIT(1 << 20);
		int members, topics = 0, again = 0;
		struct table *t;

		for (size_t i = 0; i < n; i++) /* in an order that jumps */
			random_row(&rows[i], &r, group, (int)(i * 7 % 20));
		members = distinct_members(rows, n);
		put_table(&plain, rows, n, v);
		mix_in(&mixed, &plain, &r);
		for (int named = 0; named < 2; named++) {
			t = read_text(mixed.data, NULL, named ? group : NULL);
			assert_int_equal(table_failure(t)->reason, REASON_NONE);
			assert_reads_back(t,
					  named || v < V0_10_2 || v > V1_1 ? group
									   : NULL,
					  rows, n, true);
			assert_state(t, NULL, rows[0].topic,
				     members > 0 ? GROUP_STABLE : GROUP_UNKNOWN,
				     members > 0 ? members : -1);
			table_each(t, count_topic, named ? &again : &topics);
			table_free(t);
		}
		assert_int_equal(topics, again);
		buf_free(&plain);
		buf_free(&mixed);
	}
}

/* With stderr in the same place, a log record may stand anywhere. */
static void a_log_record_at_any_place_changes_nothing(void **state)
{
	static const struct cli_row rows[] = {
		{"oasis-group", "orders", 3, true, true, true, {184, 190, 6}, "mm-0"},
		{"oasis-group", "orders", 12, true, true, true, {184, 184, 0}, NULL},
		{"oasis-group", "orders", 0, false, true, false, {0, 15, 0}, NULL},
	};

	(void)state;
	for (enum cli_version v = V0_10_0; v < VERSIONS; v++) {
		struct buf plain = BUF_INIT(4096);
		size_t header;

		put_table(&plain, rows, ARRAY_LEN(rows), v);
		header = (size_t)(strstr(plain.data, "orders") - plain.data);
		for (size_t at = 0; at <= plain.len; at++) {
			struct buf b = BUF_INIT(8192);
			struct table *t;

			buf_add(&b, plain.data, at);
			buf_addstr(
				&b,
				"[2026-11-21 03:36:10,123] WARN orders 1 2 3 1 (x)\n");
			buf_addstr(&b, plain.data + at);
			t = read_text(b.data, NULL, at % 2 == 0 ? "oasis-group" : NULL);
			/* a header cut behind LAG has no column for members */
			assert_reads_back(t, NULL, rows, ARRAY_LEN(rows), at > header);
			table_free(t);
			buf_free(&b);
		}
		buf_free(&plain);
	}
}

struct listing {
	struct buf b;
};

static void list(void *arg, const char *group, const char *topic)
{
	buf_printf(&((struct listing *)arg)->b, "%s/%s;", group, topic);
}

static void several_groups_are_kept_apart(void **state)
{
	static const struct cli_row a = {"a",  "t",  0,         true,
					 true, true, {1, 2, 1}, "c-1"};
	static const struct cli_row ab = {"a b", "t",  0,         true,
					  true,  true, {1, 4, 3}, NULL};
	static const struct cli_row abc = {"a b 1 2 3 1", "t",  0,         true,
					   true,          true, {1, 6, 5}, NULL};

	(void)state;
	for (enum cli_version v = V2_3; v < VERSIONS; v++) {
		struct listing l = {BUF_INIT(4096)};
		struct buf b = BUF_INIT(4096);
		struct table *t;

		put_table(&b, &a, 1, v);
		put_table(&b, &ab, 1, v);
		put_table(&b, &abc, 1, v);
		t = read_text(
			b.data,
			"\nConsumer group 'a b' has no active members.\n"
			"\nWarning: Consumer group 'a b 1 2 3 1' is rebalancing.\n",
			NULL);
		table_each(t, list, &l);
		assert_string_equal(l.b.data, "a/t;a b/t;a b 1 2 3 1/t;");
		assert_sample(t, "a", "t", "0=1");
		assert_sample(t, "a b", "t", "0=3");
		assert_sample(t, "a b 1 2 3 1", "t", "0=5");
		assert_sample(t, NULL, "t", "0=1");
		assert_state(t, "a", "t", GROUP_STABLE, 1);
		assert_state(t, "a b", "t", GROUP_EMPTY, 0);
		assert_state(t, "a b 1 2 3 1", "t", GROUP_REBALANCING, -1);
		table_free(t);
		t = read_text(b.data, NULL, "a b");
		assert_sample(t, "a b", "t", "0=3");
		assert_sample(t, "a", "t", "topic_absent");
		table_free(t);
		buf_free(&b);
		buf_free(&l.b);
	}
}

static void the_state_of_the_group_is_what_the_messages_say(void **state)
{
	static const char rows[] =
		HEADER "g t 0 1 2 1 c-1 /h c\ng u 0 1 2 1 c-2 /h c\n";
	static const char idle[] = "\nTOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET "
				   "LAG CONSUMER-ID HOST CLIENT-ID\n"
				   "- - - - - c-9 /h c\nt 0 1 2 1 c-1 /h c\n";
	static const char none[] = HEADER "g t 0 1 2 1 - - -\n";
	static const struct {
		const char *label, *out, *err;
		enum group_state state;
		int members;
	} cases[] = {
		{"members of other topics count", rows, NULL, GROUP_STABLE, 2},
		{"idle members count", idle, NULL, GROUP_STABLE, 2},
		{"nobody, no message", none, NULL, GROUP_UNKNOWN, -1},
		{"empty", none, "\nConsumer group 'g' has no active members.\n",
		 GROUP_EMPTY, 0},
		{"rebalancing", none, "Warning: Consumer group 'g' is rebalancing.\n",
		 GROUP_REBALANCING, -1},
		{"rebalancing with ids", rows,
		 "\nWarning: Consumer group 'g' is rebalancing.\n", GROUP_REBALANCING,
		 2},
		{"another group's message", rows,
		 "Consumer group 'h' has no active members.\n", GROUP_STABLE, 2},
		{"on stdout too",
		 "\nConsumer group 'g' has no active members.\n" HEADER
		 "g t 0 1 2 1 - - -\n",
		 NULL, GROUP_EMPTY, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct table *t = read_text(cases[i].out, cases[i].err, "g");

		print_message("# %s\n", cases[i].label);
		assert_state(t, "g", "t", cases[i].state, cases[i].members);
		table_free(t);
	}
}

static void nul_bytes_and_a_giant_line_are_text(void **state)
{
	static const char out[] =
		"\0\nTOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\n"
		"t 0 1 2 1\0\nt\0x 1 1 2 1\n\0t 2 1 2 1\nt 3 1 4 3\n";
	struct cli_output run = {out, sizeof(out) - 1, NULL, 0, 0};
	struct table *t = table_read(&run, NULL);
	size_t giant = 20u << 20;
	char *line = mem_calloc(giant, 1);

	(void)state;
	assert_sample(t, NULL, "t", "0=- 3=3");
	table_free(t);
	memset(line, '[', giant);
	run.out = line;
	run.out_len = giant;
	t = table_read(&run, NULL);
	assert_int_equal(table_failure(t)->reason, REASON_BAD_OUTPUT);
	table_free(t);
	free(line);
}

static void sum_topic(void *arg, const char *group, const char *topic)
{
	struct sample s;
	struct gap gap;
	void **a = arg;

	assert_int_equal(table_sample(a[0], group, topic, &s, &gap), REASON_NONE);
	*(size_t *)a[1] += s.n;
	sample_fini(&s);
}

static void a_row_that_is_none_is_not_read_one_word_further_on(void **state)
{
	static const char *const rows[] = {"g t x 1 2 1 - - -\n",
					   "g bad/topic 0 1 2 1 - - -\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("%s%s", HEADER, rows[i]);
		struct table *t = read_text(text, NULL, NULL);
		size_t topics = 0;
		void *arg[2] = {t, &topics};

		table_each(t, sum_topic, arg);
		assert_int_equal(topics, 0);
		table_free(t);
		free(text);
	}
}

static void a_hundred_thousand_topics_and_groups_take_no_time(void **state)
{
	struct buf b = BUF_INIT(64u << 20);
	struct cli_output run = {.exit_code = 0};
	struct table *t;
	size_t rows = 0;
	void *arg[2];

	(void)state;
	buf_addstr(&b, HEADER);
	for (int i = 0; i < 100000; i++)
		buf_printf(&b, "g%d t%d %d 1 2 1 c-%d /h c\n", i % 50000, i % 70000,
			   i % 3, i);
	run.out = b.data;
	run.out_len = b.len;
	t = table_read(&run, NULL);
	arg[0] = t;
	arg[1] = &rows;
	table_each(t, sum_topic, arg);
	assert_int_equal(rows, 100000);
	table_free(t);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_of_all_kinds_are_read),
		cmocka_unit_test(what_any_version_prints_is_read_back),
		cmocka_unit_test(a_log_record_at_any_place_changes_nothing),
		cmocka_unit_test(several_groups_are_kept_apart),
		cmocka_unit_test(the_state_of_the_group_is_what_the_messages_say),
		cmocka_unit_test(nul_bytes_and_a_giant_line_are_text),
		cmocka_unit_test(a_row_that_is_none_is_not_read_one_word_further_on),
		cmocka_unit_test(a_hundred_thousand_topics_and_groups_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
