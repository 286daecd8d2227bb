/* SPDX-License-Identifier: MIT
 * The gate, asked at made-up times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "lag/reason.h"
#include "ssh/gate_int.h"

#define CALLERS 12

struct fixture {
	struct gate *gate;
	struct wake wakes[CALLERS];
	struct gate_pass passes[CALLERS];
	struct err err;
	int64_t ms;
};

static const struct err refused = {ERR_PERMANENT, REASON_SSH_AUTH, "login refused"};
static const struct err down = {ERR_RETRY, REASON_SSH_UNREACHABLE, "host is down"};
static const struct err stopped = {ERR_AGAIN, 0, "told to stop"};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.gate = gate_new();
	f.ms = 1000;
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(wake_init(&f.wakes[i]), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < CALLERS; i++)
		wake_fini(&f->wakes[i]);
	gate_free(f->gate);
	return 0;
}

static struct mono at(const struct fixture *f)
{
	return (struct mono){f->ms * 1000000};
}

static int ask(struct fixture *f, int i, const char *host, const char *login)
{
	return gate_ask(f->gate, &f->passes[i], host, 22, login, &f->wakes[i], at(f),
			&f->err);
}

static int ask_again(struct fixture *f, int i)
{
	return gate_ask_again(f->gate, &f->passes[i], at(f), &f->err);
}

static void leave(struct fixture *f, int i, const struct err *failure)
{
	gate_leave(f->gate, &f->passes[i], failure, at(f));
}

static bool is_woken(struct fixture *f, int i)
{
	struct pollfd p = {f->wakes[i].fd, POLLIN, 0};

	return poll(&p, 1, 0) == 1;
}

/* Let one succeed, so that four may go. */
static void prove(struct fixture *f, const char *host)
{
	assert_int_equal(ask(f, CALLERS - 1, host, "l"), 0);
	leave(f, CALLERS - 1, NULL);
}

static void the_first_one_goes_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_AGAIN);
	assert_int_equal(ask(f, 2, "other", "l"), 0);
	leave(f, 0, NULL);
	assert_true(is_woken(f, 1));
	assert_int_equal(ask_again(f, 1), 0);
	leave(f, 1, NULL);
	leave(f, 2, NULL);
}

static void four_are_in_flight_and_the_rest_goes_in_order(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(f, i, "h", "l"), 0);
	assert_int_equal(ask(f, 4, "h", "l"), ERR_AGAIN);
	assert_int_equal(ask(f, 5, "h", "l"), ERR_AGAIN);
	leave(f, 2, NULL);
	assert_true(is_woken(f, 4));
	assert_false(is_woken(f, 5));
	assert_int_equal(ask_again(f, 5), ERR_AGAIN);
	assert_int_equal(ask_again(f, 4), 0);
	assert_int_equal(ask_again(f, 5), ERR_AGAIN);
	leave(f, 0, NULL);
	leave(f, 1, NULL);
	assert_int_equal(ask_again(f, 5), 0);
	leave(f, 3, NULL);
	leave(f, 4, NULL);
	leave(f, 5, NULL);
}

static void one_that_gives_up_lets_the_next_through(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_AGAIN);
	assert_int_equal(ask(f, 2, "h", "l"), ERR_AGAIN);
	leave(f, 0, NULL);
	gate_give_up(f->gate, &f->passes[1]);
	assert_true(is_woken(f, 2));
	assert_int_equal(ask_again(f, 2), 0);
	leave(f, 2, NULL);
}

static void a_refused_login_stops_all_with_that_login(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_AGAIN);
	leave(f, 0, &refused);
	assert_true(is_woken(f, 1));
	assert_int_equal(ask_again(f, 1), ERR_PERMANENT);
	assert_int_equal(f->err.code, REASON_SSH_AUTH);
	assert_string_equal(f->err.text, "login refused");
	assert_int_equal(ask(f, 0, "h", "l"), ERR_PERMANENT);
	f->ms += 14999;
	assert_int_equal(ask(f, 2, "h", "l"), ERR_PERMANENT);
	assert_int_equal(ask(f, 3, "h", "another"), 0);
	leave(f, 3, NULL);
	assert_int_equal(ask(f, 2, "h", "l"), ERR_PERMANENT);
}

static void after_the_pause_one_goes_to_look(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	assert_int_equal(ask(f, 0, "h", "l"), 0);
	leave(f, 0, &refused);
	f->ms += 30001;
	assert_int_equal(ask(f, 1, "h", "l"), 0);
	assert_int_equal(ask(f, 2, "h", "l"), ERR_PERMANENT);
	leave(f, 1, NULL);
	assert_int_equal(ask(f, 2, "h", "l"), 0);
	assert_int_equal(ask(f, 3, "h", "l"), 0);
	leave(f, 2, NULL);
	leave(f, 3, NULL);
}

static void the_pause_doubles_to_ten_minutes(void **state)
{
	struct fixture *f = *state;
	int64_t bound = 30000;

	for (int round = 0; round < 8; round++) {
		assert_int_equal(ask(f, 0, "h", "l"), 0);
		leave(f, 0, &refused);
		f->ms += bound / 2 - 1;
		assert_int_equal(ask(f, 0, "h", "l"), ERR_PERMANENT);
		f->ms += bound / 2 + 2;
		bound = bound * 2 < 600000 ? bound * 2 : 600000;
	}
}

static void failures_of_one_moment_count_once(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(f, i, "h", "l"), 0);
	for (int i = 0; i < 4; i++)
		leave(f, i, &refused);
	f->ms += 30001;
	assert_int_equal(ask(f, 0, "h", "l"), 0);
	leave(f, 0, NULL);
}

static void a_host_that_is_down_is_tried_by_the_one_that_found_it(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	leave(f, 0, &down);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_RETRY);
	assert_int_equal(f->err.code, REASON_SSH_UNREACHABLE);
	assert_int_equal(ask(f, 0, "h", "l"), 0);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_RETRY);
	leave(f, 0, NULL);
	assert_int_equal(ask(f, 1, "h", "l"), 0);
	leave(f, 1, NULL);
}

static void another_may_look_after_the_pause(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	leave(f, 0, &down);
	f->ms += 1001;
	assert_int_equal(ask(f, 1, "h", "l"), 0);
	assert_int_equal(ask(f, 2, "h", "l"), ERR_RETRY);
	leave(f, 1, &down);
	assert_int_equal(ask(f, 2, "h", "l"), ERR_RETRY);
}

static void logins_that_may_be_refused_go_one_at_a_time(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	assert_int_equal(ask(f, 0, "h", "a"), 0);
	assert_int_equal(ask(f, 1, "h", "b"), ERR_AGAIN);
	assert_int_equal(ask(f, 2, "h", "l"), 0);
	assert_int_equal(ask(f, 3, "h", "l"), 0);
	leave(f, 0, NULL);
	assert_true(is_woken(f, 1));
	assert_int_equal(ask_again(f, 1), 0);
	leave(f, 1, NULL);
	leave(f, 2, NULL);
	leave(f, 3, NULL);
}

static void after_two_refused_logins_no_other_is_risked_for_a_while(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	assert_int_equal(ask(f, 0, "h", "a"), 0);
	leave(f, 0, &refused);
	assert_int_equal(ask(f, 1, "h", "b"), 0);
	leave(f, 1, &refused);
	assert_int_equal(ask(f, 2, "h", "c"), ERR_AGAIN);
	assert_int_equal(mono_diff_ms(f->passes[2].until, at(f)), 4000);
	assert_int_equal(ask(f, 3, "h", "l"), 0);
	leave(f, 3, NULL);
	f->ms += 3999;
	assert_int_equal(ask_again(f, 2), ERR_AGAIN);
	f->ms += 1;
	assert_int_equal(ask_again(f, 2), 0);
	leave(f, 2, &refused);
	assert_int_equal(ask(f, 4, "h", "d"), ERR_AGAIN);
	f->ms += 6000;
	assert_int_equal(ask_again(f, 4), 0);
	leave(f, 4, NULL);
}

/* A key may have been taken away meanwhile: not four are refused, but one. */
static void a_success_speaks_for_the_next_ones_for_ten_seconds(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	f->ms += 10000;
	assert_int_equal(ask(f, 0, "h", "l"), 0);
	assert_int_equal(ask(f, 1, "h", "l"), ERR_AGAIN);
	leave(f, 0, NULL);
	assert_int_equal(ask_again(f, 1), 0);
	assert_int_equal(ask(f, 2, "h", "l"), 0);
	leave(f, 1, NULL);
	leave(f, 2, NULL);
}

static void a_stop_says_nothing_about_the_host(void **state)
{
	struct fixture *f = *state;

	prove(f, "h");
	assert_int_equal(ask(f, 0, "h", "l"), 0);
	leave(f, 0, &stopped);
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(f, i, "h", "l"), 0);
	for (int i = 0; i < 4; i++)
		leave(f, i, NULL);
}

static void a_stop_ends_the_wait(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 0, "h", "l"), 0);
	wake_stop(&f->wakes[1]);
	assert_int_equal(gate_enter(f->gate, &f->passes[1], "h", 22, "l", &f->wakes[1],
				    &f->err),
			 ERR_AGAIN);
	leave(f, 0, NULL);
}

static void *enter_and_leave(void *arg)
{
	struct fixture *f = arg;
	struct gate_pass pass;
	struct wake wake;
	struct err err = ERR_INIT;

	if (wake_init(&wake) != 0)
		return NULL;
	for (int i = 0; i < 50; i++)
		if (gate_enter(f->gate, &pass, "h", 22, "l", &wake, &err) == 0)
			gate_leave(f->gate, &pass, NULL, clock_mono());
	wake_fini(&wake);
	return f;
}

static void many_threads_all_get_their_turn(void **state)
{
	pthread_t threads[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave,
						*state),
				 0);
	for (int i = 0; i < CALLERS; i++) {
		void *done;

		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_non_null(done);
	}
}

#define gate_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		gate_test(the_first_one_goes_alone),
		gate_test(four_are_in_flight_and_the_rest_goes_in_order),
		gate_test(one_that_gives_up_lets_the_next_through),
		gate_test(a_refused_login_stops_all_with_that_login),
		gate_test(after_the_pause_one_goes_to_look),
		gate_test(the_pause_doubles_to_ten_minutes),
		gate_test(failures_of_one_moment_count_once),
		gate_test(a_host_that_is_down_is_tried_by_the_one_that_found_it),
		gate_test(another_may_look_after_the_pause),
		gate_test(logins_that_may_be_refused_go_one_at_a_time),
		gate_test(after_two_refused_logins_no_other_is_risked_for_a_while),
		gate_test(a_success_speaks_for_the_next_ones_for_ten_seconds),
		gate_test(a_stop_says_nothing_about_the_host),
		gate_test(a_stop_ends_the_wait),
		gate_test(many_threads_all_get_their_turn),
	};

	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
