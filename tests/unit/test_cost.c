/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "follow/cost.h"

/* The configuration owns its strings; these are literals that nobody frees. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_topic topic(const char *name, enum share share,
				 int64_t interval_ms)
{
	return (struct config_topic){.name = text(name),
				     .host = text("mm1"),
				     .port = 22,
				     .user = text("u"),
				     .cli = text("/k/bin/kafka-consumer-groups.sh"),
				     .bootstrap_server = text("b:9092"),
				     .group = text("g"),
				     .interval_ms = interval_ms,
				     .share = share};
}

static void expect_on(int cores, const struct config_topic *topics, size_t n,
		      bool warns, const char *words)
{
	struct config c = {.topics = (struct config_topic *)(uintptr_t)topics,
			   .topic_count = n};
	char line[256];

	assert_int_equal(cost_describe(&c, &topics[0], cores, line, sizeof(line)),
			 warns);
	assert_string_equal(line, words);
}

static void expect(const struct config_topic *topics, size_t n, bool warns,
		   const char *words)
{
	expect_on(0, topics, n, warns, words);
}

static void the_cost_names_the_chosen_way_and_the_other_one(void **state)
{
	struct config_topic t[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		t[i] = topic("t", SHARE_TOPIC, 40000);
	expect(t, 20, false,
	       "30.0 runs of the CLI a minute, about 0.45 of a core; with `share: group` "
	       "it would be 6.0 runs, 0.09 of a core");
	for (size_t i = 0; i < 20; i++)
		t[i] = topic("t", SHARE_GROUP, 10000);
	expect(t, 20, false,
	       "6.0 runs of the CLI a minute, about 0.09 of a core; with `share: topic` "
	       "it would be 30.0 runs, 0.45 of a core");
	for (size_t i = 0; i < 20; i++) {
		t[i] = topic("t", SHARE_TOPIC, 10000);
		t[i].interval_explicit = true;
	}
	expect(t, 20, true,
	       "120.0 runs of the CLI a minute, about 1.80 of a core; with `share: "
	       "group` it would be 6.0 runs, 0.09 of a core");
}

static void half_of_the_hosts_cores_is_worth_a_warning(void **state)
{
	struct config_topic t[] = {topic("t", SHARE_TOPIC, 1000)};

	(void)state;
	t[0].interval_explicit = true;
	for (int cores = 0; cores < 2; cores++)
		expect_on(cores, t, 1, true,
			  "60.0 runs of the CLI a minute, about 0.90 of a core");
	expect_on(2, t, 1, false,
		  "60.0 runs of the CLI a minute, about 0.90 of one of its 2 cores");
}

static void one_topic_has_no_other_way(void **state)
{
	struct config_topic t[] = {topic("t", SHARE_TOPIC, 10000)};

	(void)state;
	expect(t, 1, false, "6.0 runs of the CLI a minute, about 0.09 of a core");
	t[0].cds_archive = text("/tmp/a.jsa");
	expect(t, 1, false, "6.0 runs of the CLI a minute, about 0.05 of a core");
}

static void a_command_of_the_users_own_is_no_run_of_the_cli(void **state)
{
	struct config_topic t[] = {topic("a", SHARE_TOPIC, 10000),
				   topic("b", SHARE_TOPIC, 10000)};

	(void)state;
	t[0].command = text("while :; do echo 1; sleep 1; done");
	t[0].format = FORMAT_LINE;
	expect(t, 1, false, "1 command of your own, no run of the CLI");
	expect(t, 2, false,
	       "6.0 runs of the CLI a minute, about 0.09 of a core, and 1 command of "
	       "your own");
}

static void a_look_at_the_target_costs_a_run_where_it_is_made(void **state)
{
	struct config_topic t[] = {topic("a", SHARE_TOPIC, 10000),
				   topic("b", SHARE_TOPIC, 10000)};

	(void)state;
	t[0].target.set = true;
	expect(t, 1, false,
	       "12.0 runs of the CLI a minute (6.0 of them look at the target), about "
	       "0.18 of a core");
	t[0].target.host = text("mm2");
	expect(t, 1, false, "6.0 runs of the CLI a minute, about 0.09 of a core");
	t[1].host = text("mm2");
	t[1].interval_explicit = t[0].interval_explicit = true;
	expect(&t[1], 1, false, "6.0 runs of the CLI a minute, about 0.09 of a core");
	{
		struct config c = {.topics = t, .topic_count = 2};
		struct cost cost = cost_of(&c, &t[1], COST_CHOSEN);

		assert_int_equal(cost.runs, 12);
		assert_int_equal(cost.looks, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_cost_names_the_chosen_way_and_the_other_one),
		cmocka_unit_test(half_of_the_hosts_cores_is_worth_a_warning),
		cmocka_unit_test(one_topic_has_no_other_way),
		cmocka_unit_test(a_command_of_the_users_own_is_no_run_of_the_cli),
		cmocka_unit_test(a_look_at_the_target_costs_a_run_where_it_is_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
