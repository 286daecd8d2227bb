/* SPDX-License-Identifier: MIT
 * What a report leaves out, and what it keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "cli/redact.h"

static void check(const struct redact *r, const char *text, const char *want)
{
	struct buf out = BUF_INIT(1 << 16);

	redact_add(r, text, &out);
	assert_string_equal(buf_str(&out), want);
	buf_free(&out);
}

static void what_looks_like_a_secret_is_taken_out(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"http://u:hunter2@es:9200/x, then",
		 "http://[redacted]@es:9200/x, then"},
		{"\"https://u:p@ss/w@es\"", "\"https://[redacted]@es\""},
		{"https://h/a?token=abc&x=1 b", "https://h/a?[redacted] b"},
		{"Authorization: Basic dTpw", "Authorization: [redacted]"},
		{"authorization: Bearer a.b c", "authorization: [redacted]"},
		{"sent Bearer abcdef, got", "sent Bearer [redacted], got"},
		{"ApiKey aWQ6a2V5", "ApiKey [redacted]"},
		{"password=hunter2 x", "password=[redacted] x"},
		{"PASSWORD: 'hun ter' x", "PASSWORD: '[redacted]' x"},
		{"{\"password\": \"a\\\"b\", \"k\": 1}",
		 "{\"password\": \"[redacted]\", \"k\": 1}"},
		{"ssl.keystore.password=a;b", "ssl.keystore.password=[redacted];b"},
		{"X-Api-Key: abc", "X-Api-Key: [redacted]"},
		{"http://u:pa'ss@es:9200/x' y", "http://[redacted]@es:9200/x' y"},
		{"kafka --token abc --pwd 'd e' f",
		 "kafka --token [redacted] --pwd '[redacted]' f"},
		{"pwd=abc; secret_key: def", "pwd=[redacted]; secret_key: [redacted]"},
		{"one\npassword=two\nthree", "one\npassword=[redacted]\nthree"},
	};
	struct redact r = {NULL, 0, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&r, rows[i].text, rows[i].want);
}

static void what_is_no_secret_stays(void **state)
{
	static const char *const rows[] = {
		"http://es1:9200/_bulk",
		"\"password_file\": \"/etc/mmlag/es.pass\"",
		"the password is in /etc/mmlag/es.pass",
		"a token that is none, 'secret keys' and their tokens",
		"ssh mm1:22, key SHA256:abc",
		"kind=\"credentials\"",
		"mail to a@example.org",
		"line\n\nline\n",
	};
	struct redact r = {NULL, 0, 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&r, rows[i], rows[i]);
}

static void a_known_secret_is_found_wherever_it_stands(void **state)
{
	struct redact r = {NULL, 0, 0};

	(void)state;
	redact_know(&r, "gr\"een");
	redact_know(&r, "-----BEGIN\nAAAABBBB\nCCCCDDDD\n");
	redact_know(&r, "abc"); /* too short to be told from text */
	check(&r, "a gr\"eenhouse", "a [redacted]house");
	check(&r, "{\"m\":\"gr\\\"een\"}", "{\"m\":\"[redacted]\"}");
	check(&r, "AAAABBBB CCCCDDDD abc", "[redacted] [redacted] abc");
	check(&r, "http://u:gr\"een@h/", "http://[redacted]@h/");
	redact_fini(&r);
	check(&r, "a gr\"eenhouse", "a gr\"eenhouse");
}

static void of_two_that_begin_alike_the_longer_one_goes(void **state)
{
	struct redact r = {NULL, 0, 0};

	(void)state;
	redact_know(&r, "pass");
	redact_know(&r, "pass-and-more");
	check(&r, "x pass-and-more", "x [redacted]");
	redact_fini(&r);
}

static void nothing_speaks_to_the_terminal(void **state)
{
	struct redact r = {NULL, 0, 0};

	(void)state;
	check(&r, "a\033[2Jb\x7f\nc", "a?[2Jb?\nc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_like_a_secret_is_taken_out),
		cmocka_unit_test(what_is_no_secret_stays),
		cmocka_unit_test(a_known_secret_is_found_wherever_it_stands),
		cmocka_unit_test(of_two_that_begin_alike_the_longer_one_goes),
		cmocka_unit_test(nothing_speaks_to_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
