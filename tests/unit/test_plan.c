/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "follow/plan.h"

/* The configuration owns its strings; these are literals that nobody frees. */
static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static struct config_topic topic(const char *name, const char *host, enum share share)
{
	return (struct config_topic){.name = text(name),
				     .host = text(host),
				     .port = 22,
				     .user = text("u"),
				     .cli = text("/k/bin/kafka-consumer-groups.sh"),
				     .bootstrap_server = text("b:9092"),
				     .group = text("g"),
				     .interval_ms = 9000,
				     .share = share};
}

static void each_topic_has_a_stream_of_its_own_unless_it_shares(void **state)
{
	struct config_topic t[] = {topic("a", "mm1", SHARE_TOPIC),
				   topic("b", "mm1", SHARE_TOPIC)};
	struct config c = {.topics = t, .topic_count = 2};
	struct plan p = plan_make(&c, PLAN_AS_CONFIGURED);

	(void)state;
	assert_int_equal(p.n, 2);
	plan_free(&p);
	p = plan_make(&c, PLAN_SHARED);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.streams[0].n, 2);
	assert_ptr_equal(p.streams[0].topics[1], &t[1]);
	plan_free(&p);
}

static void a_target_is_looked_at_from_its_own_host_where_it_has_one(void **state)
{
	struct config_topic t = topic("a", "mm1", SHARE_GROUP), place;

	(void)state;
	assert_false(plan_target_place(&t, &place)); /* no target */
	t.target.set = true;
	assert_false(plan_target_place(&t, &place)); /* from the topic's own host */
	t.target.host = text("mm1");
	assert_false(plan_target_place(&t, &place));
	t.target.host = text("mm2");
	t.host_key = HOST_KEY_PINNED;
	t.host_key_pin = text("SHA256:x");
	t.command = text("echo");
	assert_true(plan_target_place(&t, &place));
	assert_string_equal(place.host, "mm2");
	assert_string_equal(place.user, "u");
	assert_int_equal(place.port, 22);
	assert_int_equal(place.host_key, HOST_KEY_STRICT); /* another host's key */
	assert_null(place.host_key_pin);
	assert_null(place.command);
	t.target.host = text("mm1");
	t.target.user = text("u");
	assert_false(plan_target_place(&t, &place));
	t.target.user = text("w");
	assert_true(
		plan_target_place(&t, &place)); /* another account of the same one */
	t.target.port = 2222;
	t.target.user = text("v");
	assert_true(plan_target_place(&t, &place)); /* another door of the same one */
	assert_int_equal(place.port, 2222);
	assert_string_equal(place.user, "v");
}

static void topics_that_share_meet_in_one_stream_and_others_stay_apart(void **state)
{
	struct config_topic t[] = {topic("a", "mm1", SHARE_GROUP),
				   topic("b", "mm1", SHARE_TOPIC),
				   topic("c", "mm1", SHARE_GROUP),
				   topic("d", "mm2", SHARE_GROUP)};
	struct config c = {.topics = t, .topic_count = 4};
	struct plan p = plan_make(&c, PLAN_AS_CONFIGURED);

	(void)state;
	assert_int_equal(p.n, 3);
	assert_int_equal(p.streams[0].n, 2);
	assert_ptr_equal(p.streams[0].topics[1], &t[2]);
	plan_free(&p);
}

static void whatever_changes_the_remote_command_parts_them(void **state)
{
	struct config_pair env = {text("A"), text("1")};
	struct config_topic a = topic("a", "mm1", SHARE_GROUP);
	struct config_topic rows[10];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		rows[i] = topic("b", "mm1", SHARE_GROUP);
	assert_true(plan_can_share(&a, &rows[0]));
	rows[n++].port = 2222;
	rows[n++].user = text("v");
	rows[n++].cli = text("/other");
	rows[n++].bootstrap_server = text("b:9093");
	rows[n++].group = text("h");
	rows[n++].command_config = text("x");
	rows[n++].run_as = text("kafka");
	rows[n++].proxy_jump = text("bastion");
	rows[n].env = &env;
	rows[n++].env_count = 1;
	rows[n++].format = FORMAT_LINE;
	for (size_t i = 0; i < n; i++)
		if (plan_can_share(&a, &rows[i]))
			fail_msg("row %zu shares", i);
}

static void another_target_parts_them(void **state)
{
	struct config_topic t[] = {topic("a", "mm1", SHARE_GROUP),
				   topic("b", "mm1", SHARE_GROUP),
				   topic("c", "mm1", SHARE_GROUP)};
	struct config c = {.topics = t, .topic_count = 3};
	struct plan p;

	(void)state;
	t[0].target = t[1].target =
		(struct config_target){.set = true, .bootstrap_server = text("t:1")};
	t[1].target.topic = text("x.{topic}"); /* only the name differs */
	p = plan_make(&c, PLAN_AS_CONFIGURED);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.streams[0].n, 2);
	plan_free(&p);
}

static void the_begins_of_a_host_are_spread_over_the_interval(void **state)
{
	struct config_topic t[] = {topic("a", "mm1", SHARE_TOPIC),
				   topic("b", "mm2", SHARE_TOPIC),
				   topic("c", "mm1", SHARE_TOPIC),
				   topic("d", "mm1", SHARE_TOPIC)};
	struct config c = {.topics = t, .topic_count = 4};
	struct plan p = plan_make(&c, PLAN_AS_CONFIGURED);

	(void)state;
	assert_int_equal(p.streams[0].first_delay_ms, 0);
	assert_int_equal(p.streams[1].first_delay_ms, 0);
	assert_int_equal(p.streams[2].first_delay_ms, 3000);
	assert_int_equal(p.streams[3].first_delay_ms, 6000);
	plan_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_target_is_looked_at_from_its_own_host_where_it_has_one),
		cmocka_unit_test(each_topic_has_a_stream_of_its_own_unless_it_shares),
		cmocka_unit_test(
			topics_that_share_meet_in_one_stream_and_others_stay_apart),
		cmocka_unit_test(whatever_changes_the_remote_command_parts_them),
		cmocka_unit_test(another_target_parts_them),
		cmocka_unit_test(the_begins_of_a_host_are_spread_over_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
