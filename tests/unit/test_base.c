/* SPDX-License-Identifier: MIT
 * The ground floor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/size.h"
#include "base/wake.h"

static void a_buffer_never_grows_past_its_maximum(void **state)
{
	struct buf b = BUF_INIT(10);

	(void)state;
	assert_int_equal(buf_addstr(&b, "12345"), 0);
	assert_int_equal(buf_addstr(&b, "67890"), 0);
	assert_int_equal(buf_addch(&b, 'x'), -1);
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "1234567890");
	buf_reset(&b);
	assert_false(b.failed);
	assert_int_equal(buf_printf(&b, "%010d", 7), 0);
	assert_int_equal(buf_printf(&b, "%d", 7), -1);
	assert_string_equal(buf_str(&b), "0000000007");
	buf_free(&b);
}

static void a_buffer_keeps_nul_bytes_and_drops_from_the_front(void **state)
{
	struct buf b = BUF_INIT(100);
	char *s;

	(void)state;
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	buf_consume(&b, 2);
	assert_string_equal(buf_str(&b), "b");
	s = buf_take(&b);
	assert_string_equal(s, "b");
	assert_int_equal(b.len, 0);
	free(s);
	s = buf_take(&b);
	assert_string_equal(s, "");
	free(s);
}

static void an_error_gains_context_from_the_outside_in(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set_code(&e, ERR_REJECT, 7, "no %s", "luck"), ERR_REJECT);
	assert_int_equal(err_wrap(&e, "topic %s", "orders"), ERR_REJECT);
	assert_string_equal(e.text, "topic orders: no luck");
	assert_int_equal(e.code, 7);
	err_set_errno(&e, ERR_RETRY, ENOENT, "/no/file");
	assert_string_equal(e.text, "/no/file: No such file or directory");
	assert_int_equal(err_set(NULL, ERR_BUG, "dropped"), ERR_BUG);
}

static void a_long_error_is_cut_not_overrun(void **state)
{
	struct err e = ERR_INIT;
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&e, ERR_RETRY, "%s", longer);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	err_wrap(&e, "context");
	assert_int_equal(strncmp(e.text, "context: xxx", 12), 0);
	err_wrap(&e, "%s", longer);
	assert_int_equal(strncmp(e.text, "context: xxx", 12), 0);
}

static void wall_time_goes_to_text_and_back(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:00.000Z", 0},
		{"2026-11-21T03:36:10.123Z", 1795232170123},
		{"2000-02-29T23:59:59.999Z", 951868799999},
		{"1969-12-31T23:59:59.999Z", -1},
		{"0001-01-01T00:00:00.000Z", -62135596800000},
		{"9999-12-31T23:59:59.999Z", 253402300799999},
	};
	char text[WALL_TEXT];
	struct wall t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		wall_format((struct wall){rows[i].ms}, text);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(wall_parse(rows[i].text, &t), 0);
		assert_true(t.ms == rows[i].ms);
	}
	wall_format((struct wall){INT64_MAX}, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void wall_time_is_read_in_every_offset(void **state)
{
	static const char *const same[] = {"2026-11-21T03:36:10Z",
					   "2026-11-21t03:36:10.000000000z",
					   "2026-11-21T12:36:10+09:00",
					   "2026-11-20 22:06:10.0-05:30"};
	static const char *const wrong[] = {"",
					    "2026-11-21",
					    "2026-11-21T03:36:10",
					    "2026-13-21T03:36:10Z",
					    "2026-11-21T24:36:10Z",
					    "2026-11-21T03:36:10.Z",
					    "2026-11-21T03:36:10Zx",
					    "2026-11-21T03:36:10+9:00",
					    "2026-02-30T03:36:10Z",
					    "2026-04-31T00:00:00Z",
					    "26-11-21T03:36:10Z",
					    "now"};
	struct wall t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_int_equal(wall_parse(same[i], &t), 0);
		assert_true(t.ms == 1795232170000);
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(wall_parse(wrong[i], &t), -1);
}

static void json_is_written_with_its_commas(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct jsonw w = jsonw_start(&b);

	(void)state;
	jsonw_object(&w);
	jsonw_key_int(&w, "a", -9223372036854775807 - 1);
	jsonw_key(&w, "b");
	jsonw_array(&w);
	jsonw_real(&w, 41.5, 3);
	jsonw_real(&w, 0, 3);
	jsonw_real(&w, -0.0001, 1);
	jsonw_real(&w, NAN, 3);
	jsonw_bool(&w, true);
	jsonw_object(&w);
	jsonw_end(&w);
	jsonw_end(&w);
	jsonw_key_str(&w, "c", NULL);
	jsonw_end(&w);
	assert_string_equal(buf_str(&b),
			    "{\"a\":-9223372036854775808,\"b\":[41.5,0.0,0.0,"
			    "null,true,{}],\"c\":null}");
	buf_free(&b);
}

static void json_strings_are_always_valid(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{"plain", 5, "\"plain\""},
		{"q\"b\\n\n\t\r\x01\x7f", 10, "\"q\\\"b\\\\n\\n\\t\\r\\u0001\\u007f\""},
		{"a\0b", 3, "\"a\\u0000b\""},
		{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		 "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xff\xc3", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xc0\x80\xed\xa0\x80", 5,
		 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"", 0, "\"\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = BUF_INIT(1000);

		jsonw_quote(&b, rows[i].in, rows[i].len);
		assert_string_equal(buf_str(&b), rows[i].out);
		buf_free(&b);
	}
}

static void text_is_cut_between_characters(void **state)
{
	(void)state;
	assert_int_equal(utf8_cut("abc", 3, 10), 3);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4, 3), 1);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4, 4), 4);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 5);
}

static void hashes_match_their_published_values(void **state)
{
	unsigned char sum[HASH_SHA256_LEN];
	char hex[2 * HASH_SHA256_LEN + 1];

	(void)state;
	hash_sha256("abc", 3, sum);
	hash_hex(sum, sizeof(sum), hex);
	assert_string_equal(
		hex,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(hash_fnv64("a", 1, 0) == 0xaf63dc4c8601ec8cU);
	assert_true(hash_fnv64("ab", 2, 0) ==
		    hash_fnv64("b", 1, hash_fnv64("a", 1, 0)));
}

static void a_backoff_doubles_up_to_its_cap_and_jitters(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct backoff b = BACKOFF_INIT(1000, 60000);

		for (int i = 0; i < 70; i++) {
			int64_t bound = i < 6 ? 1000LL << i : 60000,
				ms = backoff_next(&b);

			assert_in_range(ms, bound / 2, bound);
		}
		backoff_reset(&b);
		assert_in_range(backoff_next(&b), 500, 1000);
	}
}

static void waking_is_not_lost_when_it_comes_before_the_sleep(void **state)
{
	struct wake w;
	struct mono before = clock_mono();

	(void)state;
	assert_int_equal(wake_init(&w), 0);
	wake_signal(&w);
	wake_wait(&w, STEP_UNTIL(MONO_NEVER));
	assert_false(wake_stopping(&w));
	wake_stop(&w);
	wake_wait(&w, STEP_UNTIL(MONO_NEVER));
	assert_true(wake_stopping(&w));
	wake_wait(&w, STEP_NOW);
	wake_wait(&w, STEP_UNTIL(mono_add_ms(before, -5)));
	wake_fini(&w);
}

static void a_wait_ends_at_its_deadline(void **state)
{
	struct wake w;
	struct mono until = mono_add_ms(clock_mono(), 20);

	(void)state;
	assert_int_equal(wake_init(&w), 0);
	wake_wait(&w, STEP_UNTIL(until));
	assert_false(mono_before(clock_mono(), until));
	wake_fini(&w);
}

static void metrics_come_out_with_help_once_a_family(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	const char *first;

	(void)state;
	metrics_reset();
	metrics_add(METRIC_DOC_INDEXED, 3);
	metrics_write(&b);
	assert_non_null(
		strstr(buf_str(&b), "mmlag_documents_total{outcome=\"indexed\"} 3\n"));
	assert_non_null(
		strstr(buf_str(&b), "mmlag_documents_total{outcome=\"expired\"} 0\n"));
	first = strstr(buf_str(&b), "# HELP mmlag_documents_total ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "# HELP mmlag_documents_total "));
	metrics_reset();
	buf_free(&b);
}

static char *temp_file(const char *text, mode_t mode)
{
	char *path = mem_strdup("/tmp/mmlag-test-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	return path;
}

static void a_secret_loses_one_newline_and_must_be_private(void **state)
{
	struct err err = ERR_INIT;
	struct buf b;
	char *path = temp_file("geheim\n\n", 0600);

	(void)state;
	assert_int_equal(file_read_secret(path, &b, &err), 0);
	assert_string_equal(buf_str(&b), "geheim\n");
	buf_free(&b);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(file_read_secret(path, &b, &err), ERR_PERMANENT);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(file_check_secret(path, &err), ERR_PERMANENT);
	unlink(path);
	assert_int_equal(file_check_secret(path, &err), ERR_PERMANENT);
	assert_non_null(strstr(err.text, "No such file"));
	free(path);
	assert_int_equal(file_check_secret("/dev/null", &err), ERR_PERMANENT);
	path = temp_file("geheim \r\r\n", 0600);
	assert_int_equal(file_read_secret(path, &b, &err), 0);
	assert_string_equal(buf_str(&b), "geheim \r");
	buf_free(&b);
	unlink(path);
	free(path);
	path = temp_file("\r\n", 0600);
	assert_int_equal(file_read_secret(path, &b, &err), ERR_PERMANENT);
	assert_int_equal(file_check_secret(path, &err), ERR_PERMANENT);
	unlink(path);
	free(path);
	path = temp_file("", 0600);
	assert_int_equal(file_read_secret(path, &b, &err), ERR_PERMANENT);
	assert_int_equal(file_check_secret(path, &err), ERR_PERMANENT);
	assert_non_null(strstr(err.text, "is empty"));
	unlink(path);
	free(path);
}

static void a_credential_is_found_in_its_directory(void **state)
{
	struct err err = ERR_INIT;
	char *path = NULL;

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(file_secret_path("credential:es", &path, &err), ERR_PERMANENT);
	setenv("CREDENTIALS_DIRECTORY", "/run/c", 1);
	assert_int_equal(file_secret_path("credential:es", &path, &err), 0);
	assert_string_equal(path, "/run/c/es");
	free(path);
	assert_int_equal(file_secret_path("credential:../es", &path, &err),
			 ERR_PERMANENT);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void a_file_larger_than_its_bound_is_refused(void **state)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT(4);
	char *path = temp_file("12345", 0600);

	(void)state;
	assert_int_equal(file_read(path, &b, &err), ERR_REJECT);
	buf_free(&b);
	buf_init(&b, 5);
	assert_int_equal(file_read(path, &b, &err), 0);
	assert_string_equal(buf_str(&b), "12345");
	buf_free(&b);
	unlink(path);
	free(path);
}

static void a_size_reads_as_people_say_it(void **state)
{
	static const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {{0, "0 B"},
		    {-5, "0 B"},
		    {1023, "1023 B"},
		    {1024, "1 KiB"},
		    {1536, "1.5 KiB"},
		    {INT64_C(512) << 20, "512 MiB"},
		    {(INT64_C(1) << 30) - 1, "1023 MiB"},
		    {INT64_C(150) << 29, "75 GiB"},
		    {INT64_MAX, "7.9 EiB"}};
	char text[SIZE_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_text(rows[i].bytes, text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_never_grows_past_its_maximum),
		cmocka_unit_test(a_buffer_keeps_nul_bytes_and_drops_from_the_front),
		cmocka_unit_test(an_error_gains_context_from_the_outside_in),
		cmocka_unit_test(a_long_error_is_cut_not_overrun),
		cmocka_unit_test(wall_time_goes_to_text_and_back),
		cmocka_unit_test(wall_time_is_read_in_every_offset),
		cmocka_unit_test(json_is_written_with_its_commas),
		cmocka_unit_test(json_strings_are_always_valid),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(hashes_match_their_published_values),
		cmocka_unit_test(a_backoff_doubles_up_to_its_cap_and_jitters),
		cmocka_unit_test(waking_is_not_lost_when_it_comes_before_the_sleep),
		cmocka_unit_test(a_wait_ends_at_its_deadline),
		cmocka_unit_test(metrics_come_out_with_help_once_a_family),
		cmocka_unit_test(a_secret_loses_one_newline_and_must_be_private),
		cmocka_unit_test(a_credential_is_found_in_its_directory),
		cmocka_unit_test(a_file_larger_than_its_bound_is_refused),
		cmocka_unit_test(a_size_reads_as_people_say_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
