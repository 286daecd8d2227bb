/* SPDX-License-Identifier: MIT
 * `mmlag judge`: Burrow's public vectors, bad lines, and the stream of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/compiler.h"
#include "cli/commands.h"
#include "cli/judge.h"

#define TS5 "100000,200000,300000,400000,500000"
#define UP5 "1000,2000,3000,4000,5000"
#define FLAT5 "1000,1000,1000,1000,1000"
#define TS10 "100000,150000,200000,250000,300000,350000,400000,450000,500000,550000"
#define TS15                                                                     \
	"1512224618356,1512224619362,1512224620366,1512224621367,1512224622370," \
	"1512224623373,1512224624378,1512224625379,1512224626383,1512224627383," \
	"1512224628383,1512224629388,1512224630391,1512224631394,1512224632397"
#define OFF15                                                                    \
	"792748079,792748080,792748081,792748082,792748083,792748084,792748085," \
	"792748086,792748087,792748088,792748089,792748090,792748091,792748092," \
	"792748093"
#define ZERO15 "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0"
#define FAR15 "792749024,792749000,792748800,792748600,792748500"
#define NEAR15 "792748094,792748093,792748093,792748093"

static const struct {
	const char *offsets, *timestamps, *lags, *ends, *current, *now, *allowed;
	const char *status, *rule;
} vectors[] = {
	{UP5, TS5, "0,50,100,150,200", "5200", "200", "600", "0", "OK", "lag_was_zero"},
	{UP5, TS5, "0,50,100,150,200", "5200", "200", "900", "0", "OK", "lag_was_zero"},
	{UP5, TS5, "0,50,100,150,200", "5200", "200", "1000", "0", "STOP", "stopped"},
	{UP5, TS5, "50,100,150,200,250", "5250", "250", "1000", "0", "STOP", "stopped"},
	{FLAT5, TS5, "0,50,100,150,200", "1200", "200", "600", "0", "OK",
	 "lag_was_zero"},
	{FLAT5, TS5, "100,150,200,250,300", "1300", "300", "600", "0", "STALL",
	 "stalled"},
	{FLAT5, TS5, "100,100,100,100,100", "1100", "100", "600", "0", "STALL",
	 "stalled"},
	{"1000,2000,3000,2000,4000", TS5, "100,150,200,1250,300", "4300", "300", "600",
	 "0", "OK", "lag_falling"},
	{UP5, TS5, "50,100,150,200,250", "5250", "0", "1000", "0", "OK", "lag_allowed"},
	{OFF15, TS15, ZERO15, FAR15, "931", "1512224650", "0", "STOP", "stopped"},
	{OFF15, TS15, ZERO15, NEAR15, "1", "1512224650", "0", "OK", "lag_was_zero"},
	{"1000,1500,2000,2500,3000,3500,4000,4500,5000,5500", TS10,
	 "0,null,50,null,100,null,150,null,200,null", "5700", "200", "600", "0", "OK",
	 "lag_was_zero"},
	{"1000,2000,2000", "100000,200000,300000", "2,1,1", "2001", "1", "550", "1",
	 "OK", "lag_allowed"},
	{FLAT5, TS5, "100,150,200,250,300", "1300", "300", "600", "99", "STALL",
	 "stalled"},
	{"1000,2000,3000,2000,4000", TS5, "100,150,200,1250,300", "4300", "300", "600",
	 "99", "OK", "lag_falling"},
	{"1000,2000,3000,2000,2500", TS5, "100,150,200,1250,300", "4300", "300", "600",
	 "0", "REWIND", "rewound"},
};

static char *answer_to(const char *line, size_t len, bool *good)
{
	struct buf b = BUF_INIT(8192);

	*good = judge_line(line, len, &b);
	assert_false(b.failed);
	return buf_take(&b);
}

static void all_sixteen_public_vectors_come_out_as_burrow_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		char line[2048], want[128];
		char *answer;
		bool good;

		snprintf(line, sizeof(line),
			 "{\"offsets\":[%s],\"timestamps\":[%s],\"lags\":[%s],"
			 "\"log_end_offsets\":[%s],\"current_lag\":%s,\"now\":%s,"
			 "\"allowed_lag\":%s}",
			 vectors[i].offsets, vectors[i].timestamps, vectors[i].lags,
			 vectors[i].ends, vectors[i].current, vectors[i].now,
			 vectors[i].allowed);
		snprintf(want, sizeof(want), "{\"status\":\"%s\",\"rule\":\"%s\"}",
			 vectors[i].status, vectors[i].rule);
		answer = answer_to(line, strlen(line), &good);
		if (strcmp(answer, want) != 0)
			fail_msg("vector %zu: %s, not %s", i, answer, want);
		assert_true(good);
		free(answer);
	}
}

#define HEAD "{\"offsets\":[1,2],\"timestamps\":[1,2],\"lags\":[5,6],"
#define ENDS "\"log_end_offsets\":[9],"
#define TAIL "\"current_lag\":5,\"now\":0"

static const struct {
	const char *line, *want;
} good_lines[] = {
	{HEAD ENDS TAIL "}", "lag_not_falling"},
	{"  " HEAD ENDS TAIL " } \r", "lag_not_falling"},
	{HEAD ENDS "\"current_lag\":5,\"now\":0.0}", "lag_not_falling"},
	{HEAD ENDS "\"current_lag\":5,\"now\":1e3}", "stopped"},
	{HEAD ENDS TAIL ",\"complete\":0.25,\"minimum_complete\":0.5}", "incomplete"},
	{HEAD ENDS TAIL ",\"complete\":0.5,\"minimum_complete\":0.5}",
	 "lag_not_falling"},
	{HEAD ENDS TAIL ",\"complete\":0,\"minimum_complete\":1}", "incomplete"},
	{HEAD ENDS TAIL ",\"complete\":0}", "lag_not_falling"},
	{HEAD ENDS TAIL ",\"allowed_lag\":5}", "lag_allowed"},
	{HEAD ENDS TAIL ",\"other\":{\"a\":[null,\"\\u0000\",-0.5]}}",
	 "lag_not_falling"},
	{HEAD "\"log_end_offsets\":[]," TAIL "}", "lag_not_falling"},
	{HEAD ENDS "\"current_lag\":-5,\"now\":0}", "lag_allowed"},
	{"{\"offsets\":[],\"timestamps\":[],\"lags\":[],\"log_end_offsets\":[]," TAIL
	 "}",
	 "incomplete"},
	{"{\"offsets\":[1,1],\"timestamps\":[1,2],\"lags\":[-3,6]," ENDS TAIL "}",
	 "lag_was_zero"},
	{"{\"offsets\":[1,2],\"timestamps\":[1,2],\"lags\":[null,null]," ENDS TAIL "}",
	 "lag_not_falling"},
	{"{\"offsets\":[-9223372036854775808,9223372036854775807],"
	 "\"timestamps\":[-9223372036854775808,9223372036854775807],"
	 "\"lags\":[9223372036854775807,1],"
	 "\"log_end_offsets\":[9223372036854775807],"
	 "\"current_lag\":9223372036854775807,\"now\":9223372036854775807}",
	 "lag_falling"},
	{"{\"offsets\":[1,2],\"timestamps\":[9223372036854775806,9223372036854775807],"
	 "\"lags\":[7,7]," ENDS "\"current_lag\":7,\"now\":9223372036854775807}",
	 "stopped"},
	{"{\"offsets\":[1,2],\"timestamps\":[9223372036854775806,9223372036854775807],"
	 "\"lags\":[7,7]," ENDS "\"current_lag\":7,\"now\":-9223372036854775808}",
	 "lag_not_falling"},
};

static void a_good_line_is_answered_by_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good_lines); i++) {
		char want[64];
		bool good;
		char *answer = answer_to(good_lines[i].line, strlen(good_lines[i].line),
					 &good);

		snprintf(want, sizeof(want), "\"rule\":\"%s\"}", good_lines[i].want);
		if (!good || strstr(answer, want) == NULL)
			fail_msg("%s: %s", good_lines[i].line, answer);
		free(answer);
	}
}

static const struct {
	const char *line, *want; /* what the error says */
} bad_lines[] = {
	{"", "empty"},
	{" \t\r", "empty"},
	{"hello", "not JSON"},
	{"{", "not JSON"},
	{"[1]", "no JSON object"},
	{"17", "no JSON object"},
	{"null", "no JSON object"},
	{HEAD ENDS TAIL "} trailing", "not JSON"},
	{HEAD ENDS TAIL "}" HEAD ENDS TAIL "}", "not JSON"},
	{HEAD ENDS "\"current_lag\":NaN,\"now\":0}", "not JSON"},
	{HEAD ENDS "\"current_lag\":5,\"now\":Infinity}", "not JSON"},
	{HEAD ENDS "\"current_lag\":05,\"now\":0}", "not JSON"},
	{HEAD ENDS "\"current_lag\":\"\xff\",\"now\":0}", "not JSON"},
	{HEAD ENDS "\"current_lag\":99999999999999999999,\"now\":0}", "out of range"},
	{HEAD ENDS "\"current_lag\":-99999999999999999999,\"now\":0}", "out of range"},
	{HEAD ENDS "\"current_lag\":5,\"now\":1e999}", "out of range"},
	{HEAD ENDS "\"current_lag\":5,\"now\":1e30}", "now is out of range"},
	{HEAD ENDS TAIL ",\"now\":1}", "twice"},
	{HEAD ENDS "\"current_lag\":5,\"now\":1.5}", "now is not whole seconds"},
	{HEAD ENDS "\"current_lag\":5,\"now\":\"1\"}", "now is not a number"},
	{HEAD ENDS "\"current_lag\":5}", "now is missing"},
	{HEAD ENDS "\"now\":0}", "current_lag is missing"},
	{HEAD ENDS "\"current_lag\":null,\"now\":0}", "current_lag is not an integer"},
	{HEAD ENDS "\"current_lag\":true,\"now\":0}", "current_lag is not an integer"},
	{HEAD ENDS "\"current_lag\":1.5,\"now\":0}", "current_lag is not an integer"},
	{HEAD TAIL "}", "log_end_offsets is missing"},
	{HEAD "\"log_end_offsets\":9," TAIL "}", "log_end_offsets is not an array"},
	{HEAD "\"log_end_offsets\":[null]," TAIL "}", "log_end_offsets[0]"},
	{"{}", "offsets is missing"},
	{"{\"offsets\":{}}", "offsets is not an array"},
	{"{\"offsets\":[]}", "timestamps is missing"},
	{"{\"offsets\":[],\"timestamps\":[]}", "lags is missing"},
	{"{\"offsets\":[1],\"timestamps\":[],\"lags\":[1]," ENDS TAIL "}",
	 "length: 1, 0, 1"},
	{"{\"offsets\":[1],\"timestamps\":[1],\"lags\":[]," ENDS TAIL "}",
	 "length: 1, 1, 0"},
	{"{\"offsets\":[null],\"timestamps\":[1],\"lags\":[1]," ENDS TAIL "}",
	 "offsets[0]"},
	{"{\"offsets\":[1,[]],\"timestamps\":[1,2],\"lags\":[1,2]," ENDS TAIL "}",
	 "offsets[1]"},
	{"{\"offsets\":[1],\"timestamps\":[1.5],\"lags\":[1]," ENDS TAIL "}",
	 "timestamps[0]"},
	{"{\"offsets\":[1],\"timestamps\":[1],\"lags\":[\"1\"]," ENDS TAIL "}",
	 "lags[0]"},
	{HEAD ENDS TAIL ",\"allowed_lag\":-1}", "allowed_lag is out of range"},
	{HEAD ENDS TAIL ",\"allowed_lag\":null}", "allowed_lag is not an integer"},
	{HEAD ENDS TAIL ",\"complete\":1.1}", "complete is out of range"},
	{HEAD ENDS TAIL ",\"complete\":\"1\"}", "complete is not a number"},
	{HEAD ENDS TAIL ",\"minimum_complete\":-0.1}",
	 "minimum_complete is out of range"},
};

static void assert_is_error(const char *answer, const char *want)
{
	json_t *o = json_loads(answer, 0, NULL);
	const char *text = json_string_value(json_object_get(o, "error"));

	if (text == NULL || strchr(answer, '\n') != NULL || strstr(text, want) == NULL)
		fail_msg("%s: no word of '%s'", answer, want);
	assert_int_equal(json_object_size(o), 1);
	json_decref(o);
}

static void a_bad_line_says_what_is_wrong_with_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_lines); i++) {
		bool good;
		char *answer =
			answer_to(bad_lines[i].line, strlen(bad_lines[i].line), &good);

		assert_is_error(answer, bad_lines[i].want);
		assert_false(good);
		free(answer);
	}
}

static void a_nul_byte_or_deep_nesting_is_an_error_and_no_crash(void **state)
{
	static const char nul[] = HEAD "\0" ENDS TAIL "}";
	size_t n = 100000;
	char *deep = malloc(n);
	char *answer;
	bool good;

	(void)state;
	answer = answer_to(nul, sizeof(nul) - 1, &good);
	assert_is_error(answer, "not JSON");
	free(answer);
	memset(deep, '[', n);
	answer = answer_to(deep, n, &good);
	assert_is_error(answer, "not JSON");
	assert_false(good);
	free(answer);
	free(deep);
}

/* Feeds `text` through judge_stream; the caller frees the answers. */
static char *stream(const char *text, size_t len, int *rc)
{
	char *answers = NULL;
	size_t n = 0;
	FILE *in = tmpfile();
	FILE *out = open_memstream(&answers, &n);

	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, in), len);
	rewind(in);
	*rc = judge_stream(in, out);
	fclose(in);
	fclose(out);
	return answers;
}

#define GOOD HEAD ENDS TAIL "}"
#define GOOD_ANSWER "{\"status\":\"WARN\",\"rule\":\"lag_not_falling\"}\n"

static void answers_come_one_a_line_in_order(void **state)
{
	int rc;
	char *out = stream(GOOD "\n\n" GOOD, strlen(GOOD "\n\n" GOOD), &rc);

	(void)state;
	assert_int_equal(rc, EXIT_DATA);
	assert_string_equal(out, GOOD_ANSWER
			    "{\"error\":\"the line is empty\"}\n" GOOD_ANSWER);
	free(out);
	out = stream(GOOD "\r\n", strlen(GOOD "\r\n"), &rc);
	assert_int_equal(rc, 0);
	assert_string_equal(out, GOOD_ANSWER);
	free(out);
	out = stream("", 0, &rc);
	assert_int_equal(rc, 0);
	assert_string_equal(out, "");
	free(out);
}

static void an_overlong_line_is_one_error_and_the_next_line_is_whole(void **state)
{
	size_t n = JUDGE_LINE_MAX + 10;
	char *text = malloc(n + strlen(GOOD));
	char *out;
	int rc;

	(void)state;
	memset(text, ' ', n);
	text[n - 1] = '\n';
	memcpy(text + n, GOOD, strlen(GOOD));
	out = stream(text, n + strlen(GOOD), &rc);
	assert_int_equal(rc, EXIT_DATA);
	assert_string_equal(
		out,
		"{\"error\":\"the line is longer than 16777216 bytes\"}\n" GOOD_ANSWER);
	free(out);
	free(text);
}

static void an_answer_is_flushed_before_the_next_line_is_read(void **state)
{
	char answers[256] = "";
	FILE *in = tmpfile();
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(in);
	assert_non_null(out);
	assert_true(fputs(GOOD "\n" GOOD "\n", in) >= 0);
	rewind(in);
	/* were it buffered, the disk's refusal would not be seen before the end */
	assert_int_equal(judge_stream(in, out), 1);
	assert_non_null(fgets(answers, sizeof(answers), in));
	assert_string_equal(answers, GOOD "\n");
	fclose(in);
	fclose(out);
}

static void usage_errors_are_64(void **state)
{
	char name[] = "judge", option[] = "--frobnicate", word[] = "file.ndjson";
	char *with_option[] = {name, option, NULL};
	char *with_word[] = {name, word, NULL};

	(void)state;
	optind = 1;
	assert_int_equal(cli_judge(2, with_option), EXIT_USAGE);
	optind = 1;
	assert_int_equal(cli_judge(2, with_word), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sixteen_public_vectors_come_out_as_burrow_says),
		cmocka_unit_test(a_good_line_is_answered_by_its_rule),
		cmocka_unit_test(a_bad_line_says_what_is_wrong_with_it),
		cmocka_unit_test(a_nul_byte_or_deep_nesting_is_an_error_and_no_crash),
		cmocka_unit_test(answers_come_one_a_line_in_order),
		cmocka_unit_test(
			an_overlong_line_is_one_error_and_the_next_line_is_whole),
		cmocka_unit_test(an_answer_is_flushed_before_the_next_line_is_read),
		cmocka_unit_test(usage_errors_are_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
