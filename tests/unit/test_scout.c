/* SPDX-License-Identifier: MIT
 * What a look around on a host prints, and the configuration that is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "cli/init_text.h"
#include "config/config.h"
#include "source/scout.h"

#define HEADER                                                                      \
	"GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST " \
	"CLIENT-ID\n"

static struct scout read_text(const char *text)
{
	struct scout s = {.mm2 = false};

	scout_read(&s, text, strlen(text), "@T");
	return s;
}

static void groups_and_their_tables_are_told_apart(void **state)
{
	struct scout s =
		read_text("\n@T version 3.9.1\n\n@T out \na b\nc\n@T err \nWARN x"
			  "\n@T code 0\n"
			  "\n@T out a b\n" HEADER "a$b"
			  "\n@T err \n\n@T code 0\n");

	(void)state;
	assert_string_equal(s.version, "3.9.1");
	assert_int_equal(s.n, 2);
	assert_string_equal(s.groups[0].name, "a b");
	assert_non_null(s.groups[0].table);
	assert_string_equal(s.groups[1].name, "c");
	assert_null(s.groups[1].table);
	assert_int_equal(s.failure.reason, REASON_NONE);
	scout_fini(&s);
}

static void a_list_that_fails_says_why(void **state)
{
	struct scout s = read_text(
		"\n@T out \n\nError: Executing consumer group command failed due to "
		"org.apache.kafka.common.errors.TimeoutException: Timed out\n"
		"@T err \n\n@T code 0\n");

	(void)state;
	assert_int_equal(s.n, 0);
	assert_int_equal(s.failure.reason, REASON_BROKER_UNREACHABLE);
	scout_fini(&s);
}

static void what_is_missing_on_the_host_is_a_sentence(void **state)
{
	struct scout s =
		read_text("banner\n\n@T missing home\n/opt/kafka_2.13\n/opt/kafka\n");

	(void)state;
	assert_string_equal(s.missing,
			    "that directory cannot be entered on the host; it "
			    "has /opt/kafka_2.13 /opt/kafka");
	scout_fini(&s);
	s = read_text("@T missing exec\n");
	assert_non_null(strstr(s.missing, "cannot be executed"));
	scout_fini(&s);
}

static void half_an_output_is_no_crash(void **state)
{
	static const char whole[] =
		"\n@T version 1\n\n@T out \nc\n@T err \n\n@T code 0\n"
		"\n@T out c\n" HEADER "c t 0 1 2 1 - - -\n@T err \n\n@T code 0\n";

	(void)state;
	for (size_t n = 0; n <= sizeof(whole) - 1; n++) {
		struct scout s = {.mm2 = false};
		char *cut = malloc(n + 1);

		memcpy(cut, whole, n);
		scout_read(&s, cut, n, "@T");
		free(cut);
		scout_fini(&s);
	}
}

static struct config *parse(const struct buf *yaml)
{
	struct config_findings found = {NULL, 0};
	struct config *c = NULL;
	struct err err = ERR_INIT;

	if (config_parse("init", buf_str(yaml), yaml->len, &c, &found, &err) != 0)
		fail_msg("%s\n%s", found.n > 0 ? found.v[0].text : err.text,
			 buf_str(yaml));
	config_findings_free(&found);
	return c;
}

static const struct init_target target = {
	.host = "mm1.example.com",
	.port = "2222",
	.user = "ec2-user",
	.key_file = "/etc/mmlag/a key.pem",
	.look = {.kafka_home = "/opt/kafka", .bootstrap_server = "b1:9092,b2:9092"},
};

static void the_configuration_that_is_printed_is_one(void **state)
{
	struct buf yaml = BUF_INIT(1 << 20);
	struct scout s = read_text(
		"\n@T out \ng#1:\n@T err \n\n@T code 0\n\n@T out g#1:\n" HEADER
		"g#1: zebra 0 1 2 1 - - -\ng#1: alpha 0 - 2 - - - -\n"
		"\n@T err \n\n@T code 0\n");
	struct config *c;

	(void)state;
	strcpy(s.fingerprint, "SHA256:7IbTjytxbD+gu4MVYHodxeVbn4TKkvDKylTvqpWPb4M");
	init_print(&target, &s, &yaml);
	c = parse(&yaml);
	assert_non_null(strstr(buf_str(&yaml), "1 partition, lag 1,"));
	assert_non_null(strstr(buf_str(&yaml), "1 partition, no lag known,"));
	assert_int_equal(c->topic_count, 2);
	assert_string_equal(c->topics[0].name, "alpha");
	assert_string_equal(c->topics[0].group, "g#1:");
	assert_int_equal(c->topics[0].port, 2222);
	assert_int_equal(c->topics[0].share, SHARE_GROUP);
	assert_string_equal(c->topics[0].key_file, "/etc/mmlag/a key.pem");
	config_unref(c);
	scout_fini(&s);
	buf_free(&yaml);
}

static void the_configuration_to_look_with_takes_the_script_literally(void **state)
{
	struct buf yaml = BUF_INIT(1 << 20), script = BUF_INIT(1 << 20);
	struct config *c;

	(void)state;
	scout_script(&script, &target.look, "@T");
	init_scout_config(&target, buf_str(&script), "/tmp/x", "300s", &yaml);
	c = parse(&yaml);
	assert_string_equal(c->topics[0].command, buf_str(&script));
	assert_int_equal(c->topics[0].timeout_ms, 300000);
	config_unref(c);
	buf_free(&yaml);
	buf_free(&script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_and_their_tables_are_told_apart),
		cmocka_unit_test(a_list_that_fails_says_why),
		cmocka_unit_test(what_is_missing_on_the_host_is_a_sentence),
		cmocka_unit_test(half_an_output_is_no_crash),
		cmocka_unit_test(the_configuration_that_is_printed_is_one),
		cmocka_unit_test(
			the_configuration_to_look_with_takes_the_script_literally),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
