/* SPDX-License-Identifier: MIT
 * What a view is worth: each rule, whether it holds, is away, or is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "alarm/condition.h"

#define NOW_MS INT64_C(1000000)

struct found {
	const char *rule;
	enum severity severity;
	bool there;
	enum alert_fact fact;
	double value;
	size_t partitions;
	int64_t for_ms;
	char message[CONDITION_MESSAGE_MAX];
};

static void keep(void *arg, const struct condition *c)
{
	struct found *f = arg;

	if (strcmp(c->rule, f->rule) != 0 || c->severity != f->severity)
		return;
	assert_false(f->there); /* each rule speaks once of a topic */
	f->there = true;
	f->fact = c->fact;
	f->value = c->value;
	f->partitions = c->partition_count;
	f->for_ms = c->policy.for_ms;
	memcpy(f->message, c->message, sizeof(f->message));
}

/* A view of three partitions with a lag of 100 each, on which nothing is wrong. */
static struct view *healthy(const struct config_topic *t)
{
	struct partition rows[3];
	struct sample s = SAMPLE_INIT;
	struct view *v = view_new();

	for (int i = 0; i < 3; i++)
		rows[i] = (struct partition){.number = i,
					     .has_committed = true,
					     .has_end = true,
					     .has_lag = true,
					     .committed = 900,
					     .end = 1000,
					     .lag = 100};
	s.rows = rows;
	s.n = 3;
	s.taken.ms = 1795220000000;
	s.state = GROUP_STABLE;
	s.members = 2;
	s.knows_members = true;
	view_set_name(v, "c", "g", "t", "h", NULL);
	view_set_sample(v, &s, (struct mono){NOW_MS * 1000000});
	for (int i = 0; i < 3; i++)
		v->partitions[i] = (struct partition_state){.number = i,
							    .rule = RULE_LAG_FALLING,
							    .verdict = VERDICT_OK,
							    .complete = 1,
							    .time_lag_ms = 5000,
							    .n_commits = 5};
	v->assessment.time_lag_ms = 5000;
	v->config = t;
	return v;
}

static struct store_status store; /* that conditions look at */

static struct found look(const struct view *v, const char *rule, enum severity severity)
{
	const struct view *one[] = {v};
	const struct board_views views = {one, 1, 1};
	const struct condition_facts f = {.mono = {NOW_MS * 1000000},
					  .wall = {1795220000000},
					  .builtin = true,
					  .ships = true,
					  .store = &store};
	struct found found = {.rule = rule, .severity = severity};

	condition_look(&views, &f, keep, &found);
	return found;
}

static struct config_topic topic(void)
{
	return (struct config_topic){.interval_ms = 10000,
				     .timeout_ms = 60000,
				     .rules = ASSESS_RULES_DEFAULT};
}

static void nothing_holds_of_what_is_well(void **state)
{
	static const struct {
		const char *rule;
		enum severity severity;
	} rules[] = {{"stopped", SEVERITY_CRITICAL},
		     {"stalled", SEVERITY_CRITICAL},
		     {"rewound", SEVERITY_WARNING},
		     {"lag_not_falling", SEVERITY_INFO},
		     {"no_owner", SEVERITY_WARNING},
		     {"old_sample", SEVERITY_WARNING},
		     {"no_data", SEVERITY_CRITICAL},
		     {"host_down", SEVERITY_CRITICAL},
		     {"rebalancing", SEVERITY_WARNING},
		     {"spool_old", SEVERITY_WARNING},
		     {"dead_letters", SEVERITY_WARNING},
		     {"spool_in_memory", SEVERITY_WARNING},
		     {"spool_set_aside", SEVERITY_WARNING}};
	const struct config_topic t = topic();
	struct view *v = healthy(&t);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct found f = look(v, rules[i].rule, rules[i].severity);

		if (!f.there || f.fact != FACT_AWAY)
			fail_msg("%s", rules[i].rule);
	}
	view_unref(v);
}

/* Of no reason known: a named one is a gap. */
static void a_sample_that_grows_old_is_an_alarm(void **state)
{
	static const struct {
		int64_t interval_ms, timeout_ms, age_ms;
		enum alert_fact fact;
	} rows[] = {
		{10000, 60000, 299999, FACT_AWAY},
		{10000, 60000, 300000, FACT_HOLDS},
		{60000, 60000, 599999, FACT_AWAY}, /* ten intervals */
		{60000, 60000, 600000, FACT_HOLDS},
		{10000, 240000, 479999, FACT_AWAY}, /* two time-outs */
		{10000, 240000, 480000, FACT_HOLDS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_topic t = topic();
		struct view *v = healthy(&t);
		struct found f;

		t.interval_ms = rows[i].interval_ms;
		t.timeout_ms = rows[i].timeout_ms;
		v->sample_seen.ns = (NOW_MS - rows[i].age_ms) * 1000000;
		f = look(v, "old_sample", SEVERITY_WARNING);
		if (!f.there || f.fact != rows[i].fact)
			fail_msg("row %zu", i);
		v->gap.reason = REASON_SSH_LOST;
		assert_int_equal(look(v, "old_sample", SEVERITY_WARNING).fact,
				 FACT_UNKNOWN);
		view_unref(v);
	}
}

static void a_store_that_is_not_well_is_an_alarm(void **state)
{
	const struct store_status ill = {.degraded = true,
					 .trouble = "no room left",
					 .set_aside = "mmlag.db.torn-1"};
	const struct config_topic t = topic();
	struct view *v = healthy(&t);
	struct found f;

	(void)state;
	store = ill;
	f = look(v, "spool_in_memory", SEVERITY_WARNING);
	assert_int_equal(f.fact, FACT_HOLDS);
	assert_non_null(strstr(f.message, "no room left"));
	f = look(v, "spool_set_aside", SEVERITY_WARNING);
	assert_int_equal(f.fact, FACT_HOLDS);
	assert_non_null(strstr(f.message, "mmlag.db.torn-1"));
	store = (struct store_status){.dead = 1};
	f = look(v, "dead_letters", SEVERITY_WARNING);
	assert_non_null(strstr(f.message, "1 document was refused for good and kept as "
					  "a dead letter: see"));
	store.dead = 2;
	f = look(v, "dead_letters", SEVERITY_WARNING);
	assert_non_null(strstr(f.message,
			       "2 documents were refused for good and kept as "
			       "dead letters: see"));
	store = (struct store_status){.dead = 0};
	view_unref(v);
}

static void a_verdict_holds_for_its_partitions(void **state)
{
	const struct config_topic t = topic();
	struct view *v = healthy(&t);
	struct found f;

	(void)state;
	v->partitions[1].verdict = v->partitions[2].verdict = VERDICT_STOP;
	v->partitions[1].rule = v->partitions[2].rule = RULE_STOPPED;
	f = look(v, "stopped", SEVERITY_CRITICAL);
	assert_int_equal(f.fact, FACT_HOLDS);
	assert_int_equal(f.partitions, 2);
	assert_true(f.value == 200);
	assert_int_equal(look(v, "stalled", SEVERITY_CRITICAL).fact, FACT_AWAY);
	view_unref(v);
}

static void what_is_not_known_is_not_away(void **state)
{
	const struct config_topic t = topic();
	struct view *v = healthy(&t);

	(void)state;
	v->partitions[0].rule = RULE_INCOMPLETE; /* after a restart */
	v->partitions[0].complete = 0.1;
	assert_int_equal(look(v, "stopped", SEVERITY_CRITICAL).fact, FACT_UNKNOWN);
	v->sample.rows[0].lag = 0; /* with no lag there is nothing to decide */
	assert_int_equal(look(v, "stopped", SEVERITY_CRITICAL).fact, FACT_AWAY);
	(void)gap_set(&v->gap, REASON_TOPIC_ABSENT, "gone");
	assert_int_equal(look(v, "stopped", SEVERITY_CRITICAL).fact, FACT_UNKNOWN);
	assert_int_equal(look(v, "no_data", SEVERITY_CRITICAL).fact, FACT_HOLDS);
	assert_int_equal(look(v, "host_down", SEVERITY_CRITICAL).fact, FACT_AWAY);
	(void)gap_set(&v->gap, REASON_SSH_LOST, "gone");
	assert_int_equal(look(v, "host_down", SEVERITY_CRITICAL).fact, FACT_HOLDS);
	assert_int_equal(look(v, "no_data", SEVERITY_CRITICAL).fact, FACT_UNKNOWN);
	view_unref(v);
}

static const struct {
	const char *label;
	enum threshold_on on;
	enum threshold_of of;
	double level;
	const char *rule;
	enum alert_fact want;
} levels[] = {
	{"a partition at the level", THRESHOLD_PARTITION, THRESHOLD_MESSAGES, 100,
	 "partition_lag", FACT_HOLDS},
	{"just below", THRESHOLD_PARTITION, THRESHOLD_MESSAGES, 101, "partition_lag",
	 FACT_BETWEEN},
	{"at 80 % of it", THRESHOLD_PARTITION, THRESHOLD_MESSAGES, 125, "partition_lag",
	 FACT_BETWEEN},
	{"below 80 %", THRESHOLD_PARTITION, THRESHOLD_MESSAGES, 126, "partition_lag",
	 FACT_AWAY},
	{"the sum of a topic", THRESHOLD_TOPIC, THRESHOLD_MESSAGES, 300, "topic_lag",
	 FACT_HOLDS},
	{"the sum of a group", THRESHOLD_GROUP, THRESHOLD_MESSAGES, 300, "group_lag",
	 FACT_HOLDS},
	{"time", THRESHOLD_PARTITION, THRESHOLD_TIME, 5000, "partition_time_lag",
	 FACT_HOLDS},
	{"time of a topic", THRESHOLD_TOPIC, THRESHOLD_TIME, 50000, "topic_time_lag",
	 FACT_AWAY},
};

static void a_level_is_entered_and_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		struct config_threshold th = {.on = levels[i].on,
					      .of = levels[i].of,
					      .warning = __builtin_nan(""),
					      .critical = levels[i].level,
					      .leave = 0.8,
					      .for_ms = 180000};
		struct config_topic t = topic();
		struct view *v;
		struct found f;

		t.thresholds = &th;
		t.threshold_count = 1;
		v = healthy(&t);
		f = look(v, levels[i].rule, SEVERITY_CRITICAL);
		if (!f.there || f.fact != levels[i].want || f.for_ms != 180000)
			fail_msg("%s: %d", levels[i].label, (int)f.fact);
		assert_false(look(v, levels[i].rule, SEVERITY_WARNING).there);
		view_unref(v);
	}
}

static void a_second_threshold_of_a_kind_has_a_name_of_its_own(void **state)
{
	struct config_threshold th[2] = {{.on = THRESHOLD_TOPIC,
					  .warning = 10,
					  .critical = __builtin_nan(""),
					  .leave = 0.8},
					 {.on = THRESHOLD_TOPIC,
					  .warning = 1000,
					  .critical = __builtin_nan(""),
					  .leave = 0.8}};
	struct config_topic t = topic();
	struct view *v;

	(void)state;
	t.thresholds = th;
	t.threshold_count = 2;
	v = healthy(&t);
	assert_int_equal(look(v, "topic_lag", SEVERITY_WARNING).fact, FACT_HOLDS);
	assert_int_equal(look(v, "topic_lag_2", SEVERITY_WARNING).fact, FACT_AWAY);
	view_unref(v);
}

static void an_objective_is_missed_when_its_budget_is_spent(void **state)
{
	struct config_topic t = topic();
	struct found f = {.rule = "objective", .severity = SEVERITY_WARNING};
	struct view *v;

	(void)state;
	t.objective.set = true;
	t.objective.lag_max = 10;
	t.objective.share = 0.99;
	t.objective.over_ms = 3600000; /* 36 s are allowed */
	v = healthy(&t);
	condition_objective(v, (struct objective_sums){1000, 35000}, keep, &f);
	assert_int_equal(f.fact, FACT_AWAY);
	f.there = false;
	condition_objective(v, (struct objective_sums){0, 37000}, keep, &f);
	assert_int_equal(f.fact, FACT_HOLDS);
	f.there = false;
	condition_objective(v, (struct objective_sums){0, 0}, keep, &f);
	assert_int_equal(f.fact, FACT_UNKNOWN);
	view_unref(v);
}

static void what_is_committed_and_does_not_arrive_holds(void **state)
{
	static const struct {
		bool asked, known;
		int64_t missing, consumed;
		bool there;
		enum alert_fact fact;
	} rows[] = {
		{false, false, -1, 0, false, FACT_UNKNOWN},
		{true, false, 900, 1000, true, FACT_UNKNOWN},
		{true, true, -1, 0, true, FACT_UNKNOWN},
		{true, true, 0, 0, true, FACT_AWAY},
		{true, true, 100, 1000, true, FACT_AWAY},
		{true, true, 101, 1000, true, FACT_HOLDS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view *v = healthy(NULL);
		struct found f;

		v->assessment.delivered =
			(struct delivered){.asked = rows[i].asked,
					   .known = rows[i].known,
					   .missing = rows[i].missing,
					   .consumed = rows[i].consumed};
		f = look(v, "not_delivered", SEVERITY_WARNING);
		assert_int_equal(f.there, rows[i].there);
		assert_int_equal(f.fact, rows[i].fact);
		view_unref(v);
	}
}

static void a_target_that_cannot_be_read_holds(void **state)
{
	static const struct {
		struct delivered delivered;
		bool there;
		enum alert_fact fact;
	} rows[] = {
		{{.asked = false}, false, FACT_UNKNOWN},
		{{.asked = true, .known = true}, true, FACT_AWAY},
		{{.asked = true}, true, FACT_AWAY}, /* not looked at yet */
		{{.asked = true, .gap = {REASON_TOPIC_ABSENT, "no topic"}},
		 true,
		 FACT_HOLDS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct view *v = healthy(NULL);
		struct found f;

		v->assessment.delivered = rows[i].delivered;
		f = look(v, "target_unread", SEVERITY_WARNING);
		assert_int_equal(f.there, rows[i].there);
		assert_int_equal(f.fact, rows[i].fact);
		view_unref(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_holds_of_what_is_well),
		cmocka_unit_test(a_sample_that_grows_old_is_an_alarm),
		cmocka_unit_test(a_store_that_is_not_well_is_an_alarm),
		cmocka_unit_test(a_verdict_holds_for_its_partitions),
		cmocka_unit_test(what_is_not_known_is_not_away),
		cmocka_unit_test(a_level_is_entered_and_left),
		cmocka_unit_test(a_second_threshold_of_a_kind_has_a_name_of_its_own),
		cmocka_unit_test(what_is_committed_and_does_not_arrive_holds),
		cmocka_unit_test(a_target_that_cannot_be_read_holds),
		cmocka_unit_test(an_objective_is_missed_when_its_budget_is_spent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
