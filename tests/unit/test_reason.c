/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/jsonw.h"
#include "lag/reason.h"

#include "banned.h"

static void the_names_are_those_of_the_gap_documents(void **state)
{
	(void)state;
	assert_string_equal(reason_name(REASON_SSH_UNREACHABLE), "ssh_unreachable");
	assert_string_equal(reason_name(REASON_MIRRORMAKER2), "mirrormaker2");
	assert_string_equal(reason_name(REASON_SOURCE_ERROR), "source_error");
	for (int a = 0; a < REASON_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(reason_name((enum reason)a),
						reason_name((enum reason)b));
}

static void a_host_without_a_session_has_failed_as_a_whole(void **state)
{
	(void)state;
	for (int r = 0; r < REASON_COUNT; r++) {
		const char *name = reason_name((enum reason)r);

		assert_int_equal(reason_is_host((enum reason)r),
				 strncmp(name, "ssh_", 4) == 0 ||
					 strcmp(name, "host_disk_full") == 0);
	}
}

static void a_message_becomes_one_line_of_valid_utf8(void **state)
{
	struct gap g;

	(void)state;
	assert_int_equal(gap_set(&g, REASON_CLI_ERROR, "a\nb\tc\x01%s", "\xff\xc3"),
			 REASON_CLI_ERROR);
	assert_int_equal(g.reason, REASON_CLI_ERROR);
	assert_string_equal(g.message, "a b c \xef\xbf\xbd\xef\xbf\xbd");
	gap_set(&g, REASON_CLI_ERROR,
		"Gr\xc3\xb6\xc3\x9f"
		"e\r\n\n");
	assert_string_equal(g.message, "Gr\xc3\xb6\xc3\x9f"
				       "e");
}

static void a_long_message_is_cut_between_characters(void **state)
{
	char text[900];
	struct gap g;

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		memset(text, 'x', lead);
		for (size_t i = lead; i + 4 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		gap_set(&g, REASON_BAD_OUTPUT, "%s", text);
		assert_true(strlen(g.message) <= REASON_MESSAGE_MAX);
		assert_true(strlen(g.message) > REASON_MESSAGE_MAX - 3);
		assert_int_equal((strlen(g.message) - lead) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_names_are_those_of_the_gap_documents),
		cmocka_unit_test(a_host_without_a_session_has_failed_as_a_whole),
		cmocka_unit_test(a_message_becomes_one_line_of_valid_utf8),
		cmocka_unit_test(a_long_message_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
