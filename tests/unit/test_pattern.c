/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/match.h"
#include "follow/pattern.h"
#include "follow/stream.h"
#include "source/source.h"

/* The configuration owns its strings; these are literals that nobody frees. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_topic entry(const char *name, const char *match,
				 const char *cluster, const char *group)
{
	return (struct config_topic){.name = text(name),
				     .match = text(match),
				     .cluster = text(cluster),
				     .group = text(group),
				     .host = text("mm1"),
				     .interval_ms = 10000,
				     .timeout_ms = 60000};
}

/* A source that says what the test has put there. */
static const char *table_text;
static bool told;

struct source *source_new(const struct config_topic *t, struct wake *wake,
			  int64_t first_delay_ms)
{
	(void)t;
	(void)wake;
	(void)first_delay_ms;
	return NULL;
}

struct source *source_new_ends(const struct config_topic *t, struct wake *wake,
			       int64_t first_delay_ms)
{
	return source_new(t, wake, first_delay_ms);
}

void source_aim(struct source *s, const struct config_topic *t, const char *name)
{
	(void)s;
	(void)t;
	(void)name;
}

void source_close(struct source *s)
{
	(void)s;
}

int source_cores(const struct source *s)
{
	(void)s;
	return 0;
}

void reading_fini(struct reading *r)
{
	table_free(r->table);
}

enum source_event source_step(struct source *s, struct mono now, bool read_more,
			      struct reading *reading, struct gap *gap,
			      struct step *next)
{
	struct cli_output run = {.out = table_text, .out_len = strlen(table_text)};

	(void)s;
	(void)read_more;
	(void)gap;
	*next = STEP_UNTIL(mono_add_ms(now, 1000));
	if (told)
		return SOURCE_WAIT;
	told = true;
	*reading = (struct reading){.table = table_read(&run, "g"),
				    .sample = SAMPLE_INIT,
				    .taken = clock_wall(),
				    .taken_mono = now,
				    .key = "1"};
	return SOURCE_READING;
}

static void look(struct stream *s, struct findings *out)
{
	told = false;
	findings_reset(out);
	stream_step(s, true, out);
}

static void a_pattern_is_over_the_whole_name(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"orders", "orders", true},
		{"orders", "my-orders", false},
		{"orders", "orders-eu", false},
		{"a|b", "ab", false},
		{"a|b", "b", true},
		{"^orders$", "orders", true},
		{"orders[.](eu|us)[.][0-9]+", "orders.us.17", true},
		{"orders[.](eu|us)[.][0-9]+", "orders.us.", false},
		{".*", "x", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		regex_t r;

		assert_int_equal(match_compile(&r, rows[i].pattern, &err), 0);
		if ((regexec(&r, rows[i].name, 0, NULL, 0) == 0) != rows[i].matches)
			fail_msg("%s on %s", rows[i].pattern, rows[i].name);
		regfree(&r);
	}
}

static void what_is_no_pattern_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *pattern, *words;
	} rows[] = {
		{"", "1 to 1000 bytes"},       {"a[", "no regular expression"},
		{"(a", "Unmatched ("},         {"a)|(b", "no regular expression"},
		{"(a)\\1", "back-reference"},  {"a{2,1}", "Invalid content of \\{\\}"},
		{"a\\", "Trailing backslash"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err = ERR_INIT;
		regex_t r;

		assert_int_equal(match_compile(&r, rows[i].pattern, &err), ERR_REJECT);
		if (strstr(err.text, rows[i].words) == NULL)
			fail_msg("%s: %s", rows[i].pattern, err.text);
	}
}

static void names_come_before_patterns_and_patterns_in_order_of_the_file(void **state)
{
	struct config_topic t[] = {
		entry(NULL, "a.*", "dc1", "g"),    entry(NULL, ".*b", "dc1", "g"),
		entry("axb", NULL, "dc1", "g"),    entry("bb", NULL, "dc2", "g"),
		entry("cb", NULL, "dc1", "other"),
	};
	struct config c = {.topics = t, .topic_count = ARRAY_LEN(t)};
	struct pattern *first = pattern_new(&c, &t[0]),
		       *second = pattern_new(&c, &t[1]);

	(void)state;
	assert_true(pattern_takes(first, "a1"));
	assert_true(pattern_takes(first, "ab"));
	assert_false(pattern_takes(second, "ab"));
	assert_false(pattern_takes(first, "axb"));
	assert_false(pattern_takes(second, "axb"));
	/* of another cluster, of another group */
	assert_true(pattern_takes(second, "bb"));
	assert_true(pattern_takes(second, "cb"));
	pattern_free(first);
	pattern_free(second);
}

static char *make_table(size_t topics)
{
	struct buf b = BUF_INIT(16 << 20);

	buf_addstr(&b, "\nGROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG "
		       "CONSUMER-ID HOST CLIENT-ID\n");
	for (size_t i = 0; i < topics; i++)
		buf_printf(&b, "g t%zu 0 1 2 1 - - -\n", i);
	return buf_take(&b);
}

static size_t notices(const struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].notice != NULL;
	return n;
}

static void
a_pattern_follows_ten_thousand_topics_and_says_once_that_there_are_more(void **state)
{
	struct config_topic t[] = {entry(NULL, "t.*", "dc1", "g")};
	const struct config_topic *list[] = {&t[0]};
	struct config c = {.topics = t, .topic_count = 1};
	struct plan_stream p = {&c, list, 1, 0};
	struct board *board = board_new();
	struct stream *s = stream_new(&p, NULL, NULL, 0, board);
	struct findings found = {NULL, 0, 0};
	struct board_views views;
	char *big = make_table(STREAM_FOUND_MAX + 5);

	(void)state;
	table_text = big;
	look(s, &found);
	assert_int_equal(found.n, STREAM_FOUND_MAX + 1);
	assert_int_equal(notices(&found), 1);
	assert_string_equal(found.v[0].name, "t.*");
	assert_non_null(strstr(found.v[0].notice, "more than 10000 topics"));
	views = board_look(board);
	assert_int_equal(views.n, STREAM_FOUND_MAX);
	board_views_fini(&views);
	look(s, &found);
	assert_int_equal(found.n, STREAM_FOUND_MAX);
	assert_int_equal(notices(&found), 0);
	stream_close(s);
	views = board_look(board);
	assert_int_equal(views.n, 0);
	board_views_fini(&views);
	board_free(board);
	findings_fini(&found);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pattern_is_over_the_whole_name),
		cmocka_unit_test(what_is_no_pattern_is_refused_with_the_reason),
		cmocka_unit_test(
			names_come_before_patterns_and_patterns_in_order_of_the_file),
		cmocka_unit_test(
			a_pattern_follows_ten_thousand_topics_and_says_once_that_there_are_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
