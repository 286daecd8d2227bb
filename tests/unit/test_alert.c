/* SPDX-License-Identifier: MIT
 * The life of one alert: stories second by second, and what holds for any story. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"
#include "lag/alert.h"

#define WALL0 INT64_C(1795220000000)

/* A story: one character a second. H holds, a away, b between, ? unknown. What comes
 * out: . stays, P begins, F fires, d drops, R resolves, x fades. */
static const struct {
	const char *label;
	int64_t for_s, hold_s, keep_s;
	const char *facts, *events;
} rows[] = {
	{"nothing", 0, 0, 9, "aab??", "....."},
	{"fires at once, resolves at once", 0, 0, 9, "HHaa", "F.R."},
	{"only what lasts fires", 3, 0, 9, "HHHHHa", "P..F.R"},
	{"what is short never fires", 3, 0, 9, "HHaHHHa", "P.dP..d"},
	{"it ends after the hold", 0, 3, 9, "Haaaaaa", "F...R.."},
	{"a return within the hold is no new incident, and doubles it", 0, 2, 9,
	 "HaHaaaaaa", "F......R."},
	{"two returns", 0, 1, 9, "HaHaHaaaaaa", "F........R."},
	{"the space between the levels begins nothing", 0, 0, 9, "bbbb", "...."},
	{"and ends nothing", 0, 0, 9, "Hbbba", "F...R"},
	{"a pending one waits there, and does not fire", 2, 0, 9, "HbbbbHa", "P....FR"},
	{"the unknown changes nothing", 0, 0, 9, "H????Ha", "F.....R"},
	{"for as long as it may", 0, 0, 3, "H?????", "F..x.."},
	{"a pending one fades too", 9, 0, 3, "H?????", "P..d.."},
	{"time goes on for a pending one", 3, 0, 9, "H????H", "P....F"},
	{"a second incident", 1, 0, 9, "HHaHHa", "PFRPF."},
};

static char letter(enum alert_event e)
{
	static const char letters[] = {
		[ALERT_STAYS] = '.',  [ALERT_BEGINS] = 'P',   [ALERT_FIRES] = 'F',
		[ALERT_DROPS] = 'd',  [ALERT_RESOLVES] = 'R', [ALERT_FADES] = 'x',
		[ALERT_FORGETS] = 'f'};

	return letters[e];
}

static enum alert_fact fact(char c)
{
	return c == 'H'   ? FACT_HOLDS
	       : c == 'a' ? FACT_AWAY
	       : c == 'b' ? FACT_BETWEEN
			  : FACT_UNKNOWN;
}

static struct alert_now at(int64_t ms)
{
	return (struct alert_now){ms, {WALL0 + ms}};
}

static void stories_second_by_second(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct alert_policy p = {rows[i].for_s * 1000,
					       rows[i].hold_s * 1000,
					       rows[i].keep_s * 1000};
		struct alert_life a = {0};
		char seen[64] = "";

		for (size_t k = 0; rows[i].facts[k] != '\0'; k++)
			seen[k] = letter(alert_step(&a, &p, fact(rows[i].facts[k]),
						    (struct wall){0},
						    at(1000 + (int64_t)k * 1000)));
		if (strcmp(seen, rows[i].events) != 0)
			fail_msg("%s: %s gave %s, not %s", rows[i].label, rows[i].facts,
				 seen, rows[i].events);
	}
}

static void what_began_before_fires_earlier(void **state)
{
	const struct alert_policy p = {60000, 0, 60000};
	struct alert_life a = {0};
	struct alert_now now = at(1000000);

	(void)state;
	assert_int_equal(alert_step(&a, &p, FACT_HOLDS,
				    (struct wall){now.wall.ms - 59000}, now),
			 ALERT_BEGINS);
	assert_int_equal(alert_step(&a, &p, FACT_HOLDS, now.wall, at(1000999)),
			 ALERT_STAYS);
	assert_int_equal(alert_step(&a, &p, FACT_HOLDS, now.wall, at(1001000)),
			 ALERT_FIRES);
	assert_int_equal(a.since.ms, now.wall.ms - 59000);
}

static void a_time_ahead_is_no_beginning(void **state)
{
	const struct alert_policy p = {1000, 0, 1000};
	struct alert_life a = {0};
	struct alert_now now = at(1000000);

	(void)state;
	(void)alert_step(&a, &p, FACT_HOLDS, (struct wall){now.wall.ms + 99999}, now);
	assert_int_equal(a.since.ms, now.wall.ms);
}

static void a_restart_neither_resolves_nor_fires(void **state)
{
	const struct alert_policy p = {180000, 60000, 3600000};
	struct alert_life a = {0};

	(void)state;
	(void)alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(1000));
	assert_int_equal(alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(200000)),
			 ALERT_FIRES);
	(void)alert_step(&a, &p, FACT_AWAY, (struct wall){0}, at(201000));
	/* ten hours later */
	alert_wake_up(&a, at(36200000));
	assert_int_equal(alert_step(&a, &p, FACT_UNKNOWN, (struct wall){0},
				    at(36201000)),
			 ALERT_STAYS);
	assert_int_equal(alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(36202000)),
			 ALERT_STAYS);
	assert_int_equal(a.since.ms, WALL0 + 1000);
	assert_int_equal(a.state, ALERT_FIRING);
}

static void a_pending_one_does_not_outlive_a_long_stop(void **state)
{
	const struct alert_policy p = {180000, 0, 3600000};
	struct alert_life a = {0}, b = {0};

	(void)state;
	(void)alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(1000));
	b = a;
	alert_wake_up(&a, at(1000 + ALERT_FLAP_MS));
	assert_int_equal(a.state, ALERT_NONE);
	alert_wake_up(&b, at(120000));
	assert_int_equal(alert_step(&b, &p, FACT_HOLDS, (struct wall){0}, at(181000)),
			 ALERT_FIRES);
}

/* An hour that goes up and down every two minutes is a handful of incidents. */
static void flapping_is_damped(void **state)
{
	const struct alert_policy p = {0, 60000, 3600000};
	struct alert_life a = {0};
	int fired = 0, resolved = 0;

	(void)state;
	for (int64_t t = 1; t <= 24 * 3600; t++) {
		enum alert_fact f = t / 120 % 2 == 0 ? FACT_HOLDS : FACT_AWAY;
		enum alert_event e =
			alert_step(&a, &p, f, (struct wall){0}, at(t * 1000));

		fired += e == ALERT_FIRES;
		resolved += e == ALERT_RESOLVES;
	}
	assert_in_range(fired, 1, 4);
	assert_in_range(resolved, 0, 3);
}

static void what_was_calm_for_an_hour_is_no_flapping(void **state)
{
	const struct alert_policy p = {0, 60000, 3600000};
	struct alert_life a = {0};
	int64_t t = 1000;

	(void)state;
	(void)alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(t));
	for (int i = 0; i < 5; i++) {
		(void)alert_step(&a, &p, FACT_AWAY, (struct wall){0}, at(t += 1000));
		(void)alert_step(&a, &p, FACT_HOLDS, (struct wall){0}, at(t += 1000));
	}
	t += ALERT_FLAP_MS;
	(void)alert_step(&a, &p, FACT_AWAY, (struct wall){0}, at(t));
	assert_int_equal(alert_step(&a, &p, FACT_AWAY, (struct wall){0}, at(t + 59999)),
			 ALERT_STAYS);
	assert_int_equal(alert_step(&a, &p, FACT_AWAY, (struct wall){0}, at(t + 60000)),
			 ALERT_RESOLVES);
}

/* For any story: firing and resolving take turns, an incident has one beginning, the
 * waiting times are kept. */
static void any_story_is_a_sound_one(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 300; seed++) {
		unsigned short r[3] = {(unsigned short)seed, 77, 4242};
		const struct alert_policy p = {nrand48(r) % 5 * 1000,
					       nrand48(r) % 5 * 1000,
					       (1 + nrand48(r) % 20) * 1000};
		struct alert_life a = {0};
		int64_t t = 5000;
		enum alert_fact f = FACT_AWAY;
		bool firing = false;

		for (int i = 0; i < 500; i++) {
			enum alert_event e;

			if (nrand48(r) % 3 == 0)
				f = (enum alert_fact)(nrand48(r) % 4);
			e = alert_step(&a, &p, f, (struct wall){0}, at(t));
			if (e == ALERT_FIRES) {
				assert_false(firing);
				assert_true(t - a.began_ms >= p.for_ms);
				assert_int_equal(f, FACT_HOLDS);
				firing = true;
			}
			if (e == ALERT_RESOLVES || e == ALERT_FADES) {
				assert_true(firing);
				assert_true(f == FACT_AWAY || f == FACT_UNKNOWN);
				firing = false;
			}
			assert_int_equal(firing, a.state == ALERT_FIRING);
			t += 250 + nrand48(r) % 1000;
		}
	}
}

static char none[] = "";

static void the_incident_is_of_name_and_beginning(void **state)
{
	static char rule[] = "stopped", topic[] = "t", cluster[] = "c";
	struct alert a = {.rule = rule,
			  .cluster = cluster,
			  .group = none,
			  .topic = topic,
			  .host = none,
			  .at = none,
			  .message = none,
			  .changed = none,
			  .life = {.since = {WALL0}}};
	struct alert b = alert_copy(&a);

	(void)state;
	alert_name_incident(&a);
	alert_name_incident(&b);
	assert_string_equal(a.incident, b.incident);
	assert_int_equal(strlen(a.incident), 16);
	assert_int_equal(alert_compare(&a, &b), 0);
	b.life.since.ms++;
	alert_name_incident(&b);
	assert_string_not_equal(a.incident, b.incident);
	b.severity = SEVERITY_CRITICAL;
	assert_true(alert_compare(&b, &a) < 0);
	alert_fini(&b);
}

static void names_are_read_back(void **state)
{
	enum alert_state s;
	enum severity v;

	(void)state;
	for (int i = ALERT_NONE; i <= ALERT_RESOLVED; i++) {
		assert_true(
			alert_state_read(alert_state_name((enum alert_state)i), &s));
		assert_int_equal(s, i);
	}
	for (int i = SEVERITY_INFO; i < SEVERITIES; i++) {
		assert_true(severity_read(severity_name((enum severity)i), &v));
		assert_int_equal(v, i);
	}
	assert_false(alert_state_read("gone", &s));
	assert_false(severity_read("Critical", &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stories_second_by_second),
		cmocka_unit_test(what_began_before_fires_earlier),
		cmocka_unit_test(a_time_ahead_is_no_beginning),
		cmocka_unit_test(a_restart_neither_resolves_nor_fires),
		cmocka_unit_test(a_pending_one_does_not_outlive_a_long_stop),
		cmocka_unit_test(flapping_is_damped),
		cmocka_unit_test(what_was_calm_for_an_hour_is_no_flapping),
		cmocka_unit_test(any_story_is_a_sound_one),
		cmocka_unit_test(the_incident_is_of_name_and_beginning),
		cmocka_unit_test(names_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
