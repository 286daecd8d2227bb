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
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "lag/table.h"

#include "banned.h"

#define HEADER                                                                         \
	"\nGROUP           TOPIC           PARTITION  CURRENT-OFFSET  LOG-END-OFFSET " \
	" "                                                                            \
	"LAG             CONSUMER-ID     HOST            CLIENT-ID\n"

static void a_run_without_rows_says_why(void **state)
{
	static const struct {
		const char *out, *err;
		int exit_code;
		const char *reason, *says;
	} rows[] = {
		{"", "", 0, "bad_output", "printed nothing"},
		{"", "", -1, "bad_output", "by hand"},
		{"\n", "\nConsumer group 'g' has no active members.\n", 0, "bad_output",
		 "no active"},
		{"garbage \x80 here\n", "", 0, "bad_output", "garbage"},
		{"\n\nError: Consumer group 'g' does not exist.\n", "", 0,
		 "group_not_found", "too old to see it; check `group`"},
		{"Consumer group `g` does not exist or is rebalancing.\n", "", 0,
		 "group_not_found", "does not exist"},
		{"Consumer group `g` is rebalancing.\n", "", 0, "bad_output",
		 "rebalancing"},
		{"\nError: Executing consumer group command failed due to "
		 "org.apache.kafka.common.errors.GroupIdNotFoundException: Group g not "
		 "found.\n",
		 "", 0, "group_not_found", "Group g not found"},
		{"Error: Executing consumer group command failed due to "
		 "java.lang.IllegalArgumentException: GroupId g is not a consumer "
		 "group (connect).\n",
		 "", 0, "mirrormaker2", "prometheus"},
		{"Error: x: Group g is not a consumer group.\n", "", 0,
		 "not_a_consumer_group", "`group`"},
		{HEADER "g mm2-offsets.a.internal 0 1 2 1 - - -\n", "", 0,
		 "mirrormaker2", "prometheus"},
		{"Error: Executing consumer group command failed due to "
		 "java.util.concurrent.TimeoutException: Call timed out\n",
		 "", 0, "broker_unreachable", "bootstrap_server"},
		{"Error while executing consumer group command Request METADATA failed "
		 "on brokers "
		 "List(h:9092)\njava.lang.RuntimeException: x\n\tat kafka.admin.A\n",
		 "", 0, "broker_unreachable", "failed on brokers"},
		{"Error: Executing consumer group command failed due to "
		 "org.apache.kafka.common.KafkaException: Failed to create new "
		 "KafkaAdminClient\n",
		 "", 0, "broker_unreachable", "KafkaAdminClient"},
		{"Error: Executing consumer group command failed due to "
		 "org.apache.kafka.common.KafkaException: No node available\n",
		 "", 0, "broker_unreachable", "No node"},
		{"Error: Executing consumer group command failed due to "
		 "java.net.NoRouteToHostException: No route to host\n",
		 "", 0, "broker_unreachable", "No route"},
		{"Error: Executing consumer group command failed due to "
		 "org.apache.kafka.common.errors.BrokerNotAvailableException: The "
		 "broker is not available.\n",
		 "", 0, "broker_unreachable", "not available"},
		{"Error: x: Failed to create new KafkaAdminClient\n",
		 "Caused by: java.nio.channels.UnresolvedAddressException\n", 0,
		 "broker_unreachable", "resolve"},
		{"Error: x: Failed to create new KafkaAdminClient\n",
		 "Caused by: org.apache.kafka.common.config.ConfigException: No "
		 "resolvable bootstrap "
		 "urls given in bootstrap.servers\n",
		 0, "broker_unreachable", "resolve"},
		{"Error: x: Failed to create new KafkaAdminClient\n",
		 "Caused by: java.nio.file.NoSuchFileException: /x.jks\n", 0,
		 "cli_error", "/x.jks"},
		{"Error: x: Failed to create new KafkaAdminClient\n",
		 "Caused by: java.lang.IllegalArgumentException: No enum constant\n", 0,
		 "cli_error", "No enum constant"},
		{"",
		 "[2026-11-21 03:36:10,123] WARN Connection to node -1 (h) could not "
		 "be "
		 "established. Broker may not be available.\n",
		 124, "broker_unreachable", "Connection to node"},
		{"", "", 124, "cli_timeout", "`timeout`"},
		{"", "", 137, "cli_error", "killed"},
		{"", "", 143, "cli_error", "signal 15"},
		{"", "", 1, "cli_error", "exit code 1"},
		{"", "sudo: a password is required\n", 1, "cli_error", "a password"},
		{"", "Missing required argument \"[group]\"\nOption    Description\n",
		 1, "cli_usage", "Missing required"},
		{"", "new-consumer is not a recognized option\n", 1, "cli_usage",
		 "new-consumer"},
		{"", "", 127, "cli_missing", "kafka_home"},
		{"", "", 126, "cli_missing", "kafka_home"},
		{"",
		 "bash: /k/bin/kafka-consumer-groups.sh: No such file or directory\n",
		 -1, "cli_missing", "/k/bin"},
		{"", "/k/bin/kafka-run-class.sh: line 342: exec: java: not found\n", -1,
		 "cli_missing", "java"},
		{"", "java.io.IOException: No space left on device\n", 1,
		 "host_disk_full", "space"},
		{"",
		 "Error: JMX connector server communication error: "
		 "service:jmx:rmi://h:9999\n",
		 1, "cli_error", "JMX_PORT"},
		{"Error occurred during initialization of VM\n", "", 1, "cli_error",
		 "VM"},
		{"Error: x.GroupAuthorizationException: Not authorized to access "
		 "group: g\n",
		 "", 0, "cli_error", "DESCRIBE"},
		{"Error: something new\n", "", 0, "cli_error", "something new"},
		{"\nGROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS\ng c /h c 3\n", "", 0,
		 "bad_output", "--members"},
		{"\nGROUP COORDINATOR (ID) ASSIGNMENT-STRATEGY STATE #MEMBERS\ng h:1 "
		 "(0) Stable 1\n",
		 "", 0, "bad_output", "--state"},
		{HEADER, "", 0, "topic_absent", "no rows"},
		{HEADER, "", 124, "cli_timeout", "timeout"},
		{HEADER "other t 0 1 2 1 - - -\n", "", 0, "topic_absent", "'other'"},
		/* rows that nothing can be read of are no absence */
		{HEADER "g t x y z w - - -\n", "", 0, "bad_output", "g t x y z w"},
		{HEADER "g t 0 1\n", "", 0, "bad_output", "cannot be read"},
		{HEADER "g a 0 1 2 1 - - -\ng t x 1 2 1 - - -\n", "", 0, "bad_output",
		 "g t x 1 2 1"},
		{HEADER "g a 0 1 2 1 - - -\ng tt x 1 2 1 - - -\n", "", 0,
		 "topic_absent", "there are a"},
		{HEADER "some words of another program\n", "", 0, "topic_absent",
		 "no rows"},
		{"Error: Consumer group 'g' does not exist.\n" HEADER
		 "other t 0 1 2 1 - - -\n",
		 "", 0, "group_not_found", "'g' does not exist"},
		{HEADER "g a 0 1 2 1 - - -\ng b 0 1 2 1 - - -\n", "", 0, "topic_absent",
		 "there are a, b"},
		{HEADER "g a 0 1 2 1 - - -\n", "", 137, "cli_error", "killed"},
		{HEADER "g a 0 1 2 1 - - -\n",
		 "[x] WARN Connection to node 3 timed out\n", 0, "topic_absent",
		 "there are a"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cli_output run = {rows[i].out, strlen(rows[i].out), rows[i].err,
					 strlen(rows[i].err), rows[i].exit_code};
		struct table *t = table_read(&run, "g");
		struct sample s;
		struct gap gap = {REASON_NONE, ""};

		print_message("# %zu: %s: %s\n", i, rows[i].reason, rows[i].says);
		table_sample(t, "g", "t", &s, &gap);
		assert_string_equal(reason_name(gap.reason), rows[i].reason);
		assert_non_null(strstr(gap.message, rows[i].says));
		table_free(t);
	}
}

static bool read_recording(const char *name, const char *kind, struct buf *b)
{
	char *path = mem_printf("tests/data/cli/%s.%s", name, kind);
	struct err err = ERR_INIT;
	int r = file_read(path, b, &err);

	free(path);
	return r == 0;
}

static const char *const versions[] = {"2.2.2", "2.6.2", "3.9.1", "4.1.1"};

/* A recorded run, read and asked for a topic. False where there is none. */
static bool understand(const char *version, const char *situation, const char *group,
		       const char *topic, struct sample *s, struct gap *gap)
{
	char *name = mem_printf("%s-%s", version, situation);
	struct buf out = BUF_INIT(1 << 20), err = BUF_INIT(1 << 20), rc = BUF_INIT(16);
	bool there = read_recording(name, "out", &out) &&
		     read_recording(name, "err", &err) &&
		     read_recording(name, "rc", &rc);

	*gap = (struct gap){REASON_NONE, ""};
	*s = (struct sample)SAMPLE_INIT;
	if (there) {
		struct cli_output run = {out.data, out.len, err.data, err.len,
					 (int)strtol(rc.data, NULL, 10)};
		struct table *t = table_read(&run, group);

		table_sample(t, group, topic, s, gap);
		table_free(t);
		print_message("# %s: %s: %s\n", name, reason_name(gap->reason),
			      gap->message);
	}
	buf_free(&out);
	buf_free(&err);
	buf_free(&rc);
	free(name);
	return there;
}

static void recordings_of_real_runs_are_understood(void **state)
{
	static const struct {
		const char *situation, *group, *reason; /* reason NULL: a sample */
		size_t rows;                            /* of orders */
		int members;                            /* -1 unknown */
	} cases[] = {
		{"normal", "oasis-group", NULL, 18, 2},
		{"verbose", "oasis-group", NULL, 18, 2},
		{"no-members", "oasis-group", NULL, 18, 0},
		{"members", "oasis-group", "bad_output", 0, 0},
		{"state", "oasis-group", "bad_output", 0, 0},
		{"unknown-group", "nobody", "group_not_found", 0, 0},
		{"odd-group-posix",
		 "gro\xc3\x9f"
		 "e Gruppe 1",
		 "group_not_found", 0, 0},
		{"odd-group",
		 "gro\xc3\x9f"
		 "e Gruppe 1",
		 "topic_absent", 0, 0},
		{"no-group", NULL, "cli_usage", 0, 0},
		{"topic-option", "oasis-group", "cli_usage", 0, 0},
		{"unknown-option", "oasis-group", "cli_usage", 0, 0},
		{"config-missing", "oasis-group", "cli_error", 0, 0},
		{"host-unresolved", "oasis-group", "broker_unreachable", 0, 0},
		{"broker-down", "oasis-group", "broker_unreachable", 0, 0},
		{"jmx-port-taken", "oasis-group", "cli_error", 0, 0},
		{"heap-too-small", "oasis-group", "cli_error", 0, 0},
		{"connect-group", "source-mm2", "mirrormaker2", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(versions); i++) {
		const char *version = versions[i % ARRAY_LEN(versions)];
		size_t c = i / ARRAY_LEN(versions);
		struct sample s;
		struct gap gap;

		if (!understand(version, cases[c].situation, cases[c].group, "orders",
				&s, &gap)) {
			/* 2.2.2 has no Connect group to look at */
			assert_string_equal(cases[c].situation, "connect-group");
			assert_string_equal(version, "2.2.2");
			continue;
		}
		assert_string_equal(reason_name(gap.reason),
				    cases[c].reason != NULL ? cases[c].reason : "none");
		assert_int_equal(s.n, cases[c].rows);
		if (cases[c].reason == NULL)
			assert_int_equal(s.members, cases[c].members);
		sample_fini(&s);
	}
}

/* What a host gives that is not let in, cannot start the tool, or sees a cluster in
 * pieces; each version has its own way to say it. */
static void recordings_of_trouble_have_their_reasons(void **state)
{
	static const struct {
		const char *situation, *group;
		const char *reason[ARRAY_LEN(versions)]; /* "": there is none */
		const char *says;                        /* the newest of them */
	} cases[] = {
		{"group-refused",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "DESCRIBE"},
		{"topics-refused",
		 "here",
		 {"bad_output", "bad_output", "bad_output", "bad_output"},
		 "DESCRIBE"},
		{"login-refused",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "refused the CLI's login"},
		{"login-missing",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "JAAS"},
		{"tls-untrusted",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "truststore"},
		{"tls-to-plain",
		 "here",
		 {"broker_unreachable", "broker_unreachable", "broker_unreachable",
		  "broker_unreachable"},
		 "`bootstrap_server`"},
		{"plain-to-tls",
		 "here",
		 {"cli_error", "broker_unreachable", "broker_unreachable",
		  "broker_unreachable"},
		 "TLS port"},
		{"controller-port",
		 "here",
		 {"cli_error", "broker_unreachable", "cli_error", "cli_error"},
		 "METADATA"},
		{"truststore-missing",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "/nonexistent/trust.p12"},
		{"settings-wrong",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "security.protocol"},
		{"config-unreadable",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "AccessDenied"},
		{"java-missing",
		 "here",
		 {"cli_missing", "cli_missing", "cli_missing", "cli_missing"},
		 "/nonexistent/bin/java"},
		{"heap-exhausted",
		 "here",
		 {"none", "cli_error", "cli_error", "cli_error"},
		 "by hand"},
		{"jvm-option-wrong",
		 "here",
		 {"cli_error", "cli_error", "cli_error", "cli_error"},
		 "Java"},
		{"home-missing",
		 "here",
		 {"", "", "cli_missing", ""},
		 "/nonexistent/bin/kafka-consumer-groups.sh"},
		{"topic-deleted",
		 "bereft",
		 {"group_not_found", "group_not_found", "group_not_found",
		  "group_not_found"},
		 "bereft"},
		{"topic-deleted-beside", "half", {"none", "none", "none", "none"}, ""},
		{"leaderless",
		 "here",
		 {"broker_unreachable", "broker_unreachable", "broker_unreachable",
		  "broker_unreachable"},
		 "leader"},
		{"coordinator-gone",
		 "yonder",
		 {"broker_unreachable", "broker_unreachable", "broker_unreachable",
		  "broker_unreachable"},
		 "`bootstrap_server`"},
		{"broker-paused",
		 "here",
		 {"broker_unreachable", "broker_unreachable", "broker_unreachable",
		  "broker_unreachable"},
		 "`bootstrap_server`"},
		{"modern-protocol",
		 "modern",
		 {"group_not_found", "group_not_found", "topic_absent", "topic_absent"},
		 "there are orders-retry"},
		{"share-group",
		 "shared",
		 {"group_not_found", "group_not_found", "", "not_a_consumer_group"},
		 "of another kind"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(versions); i++) {
		size_t c = i / ARRAY_LEN(versions), v = i % ARRAY_LEN(versions);
		struct sample s;
		struct gap gap;

		if (!understand(versions[v], cases[c].situation, cases[c].group,
				"orders", &s, &gap)) {
			assert_string_equal(cases[c].reason[v], "");
			continue;
		}
		assert_string_equal(reason_name(gap.reason), cases[c].reason[v]);
		assert_true((gap.reason == REASON_NONE) == (s.n > 0));
		if (v + 1 == ARRAY_LEN(versions))
			assert_non_null(strstr(gap.message, cases[c].says));
		sample_fini(&s);
	}
}

/* A partition that was added has no row until the group commits it. */
static void partitions_that_were_added_have_no_rows_yet(void **state)
{
	(void)state;
	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		struct sample s;
		struct gap gap;

		if (!understand(versions[v], "partitions-grown", "growing", "clicks.v1",
				&s, &gap)) {
			assert_string_equal(versions[v], "2.6.2"); /* not recorded */
			continue;
		}
		assert_int_equal(s.n, 2);
		assert_int_equal(s.rows[0].number, 0);
		assert_int_equal(s.rows[1].number, 11);
		sample_fini(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_without_rows_says_why),
		cmocka_unit_test(recordings_of_real_runs_are_understood),
		cmocka_unit_test(recordings_of_trouble_have_their_reasons),
		cmocka_unit_test(partitions_that_were_added_have_no_rows_yet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
