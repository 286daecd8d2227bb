/* SPDX-License-Identifier: MIT
 * Children: what they get, what comes back, and that nothing of them stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/proc.h"

static struct mono soon(int64_t ms)
{
	return mono_add_ms(clock_mono(), ms);
}

static int run_sh(const char *script, const char *input, const char *const *env,
		  struct buf *out, struct buf *errout, struct proc_result *result)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct proc_spec spec = {argv, env};
	struct err err = ERR_INIT;

	return proc_run(&spec, input, input != NULL ? strlen(input) : 0, soon(20000),
			NULL, out, errout, result, &err);
}

static const struct {
	const char *label, *script, *input, *out, *errout;
	int exit_code;
} rows[] = {
	{"nothing", ":", NULL, "", "", 0},
	{"both outputs", "echo one; echo two >&2", NULL, "one\n", "two\n", 0},
	{"a code", "exit 7", NULL, "", "", 7},
	{"a signal", "kill -TERM $$", NULL, "", "", 128 + SIGTERM},
	{"no input is the end of file", "cat", NULL, "", "", 0},
	{"input", "cat; echo end", "some\ninput", "some\ninputend\n", "", 0},
	{"input that is not read", "echo done", "xxx", "done\n", "", 0},
};

static void output_and_code_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = BUF_INIT(1000), errout = BUF_INIT(1000);
		struct proc_result result;

		assert_int_equal(run_sh(rows[i].script, rows[i].input, NULL, &out,
					&errout, &result),
				 0);
		if (strcmp(buf_str(&out), rows[i].out) != 0 ||
		    strcmp(buf_str(&errout), rows[i].errout) != 0 ||
		    result.exit_code != rows[i].exit_code || result.cut)
			fail_msg("%s: '%s' '%s' %d", rows[i].label, buf_str(&out),
				 buf_str(&errout), result.exit_code);
		buf_free(&out);
		buf_free(&errout);
	}
}

static void much_output_is_cut_and_does_not_block(void **state)
{
	struct buf out = BUF_INIT(1000);
	struct proc_result result;

	(void)state;
	assert_int_equal(run_sh("yes | head -c 1000000; echo >&2; exit 3", NULL, NULL,
				&out, NULL, &result),
			 0);
	assert_int_equal(out.len, 1000);
	assert_true(result.cut);
	assert_int_equal(result.exit_code, 3);
	buf_free(&out);
}

static void the_environment_is_ours_with_changes(void **state)
{
	static const char *const env[] = {"MMLAG_A=new", "MMLAG_B=", NULL};
	struct buf out = BUF_INIT(1000);
	struct proc_result result;

	(void)state;
	setenv("MMLAG_A", "old", 1);
	setenv("MMLAG_AA", "kept", 1);
	assert_int_equal(
		run_sh("echo $MMLAG_A ${MMLAG_B-unset} $MMLAG_AA; env | grep -c "
		       "^MMLAG_A=",
		       NULL, env, &out, NULL, &result),
		0);
	assert_string_equal(buf_str(&out), "new kept\n1\n");
	buf_free(&out);
}

static void no_descriptor_signal_mask_or_disposition_is_inherited(void **state)
{
	struct buf out = BUF_INIT(1000);
	struct proc_result result;
	sigset_t all, old;
	int leak = open("/dev/null", O_RDONLY);

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	/* 32 and 33 are libc's own. */
	assert_int_equal(
		run_sh("ls /proc/self/fd | wc -l\n"
		       "grep -Eq 'SigBlk:.0{16}' /proc/self/status && echo mask\n"
		       "grep -Eq 'SigIgn:.0{7}[01][08]0{7}' /proc/self/status && "
		       "echo dispositions\n"
		       "read -r l </proc/$$/stat; set -- ${l##*) }\n"
		       "[ $3 = $$ ] && echo leads",
		       NULL, NULL, &out, NULL, &result),
		0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	/* ls has one of its own */
	assert_string_equal(buf_str(&out), "4\nmask\ndispositions\nleads\n");
	close(leak);
	buf_free(&out);
}

static void at_the_deadline_the_whole_group_is_killed(void **state)
{
	const char *const argv[] = {"sh", "-c",
				    "trap '' TERM; sleep 1000 & echo $!; wait", NULL};
	struct proc_spec spec = {argv, NULL};
	struct buf out = BUF_INIT(1000);
	struct proc_result result;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(proc_run(&spec, NULL, 0, soon(300), NULL, &out, NULL, &result,
				  &err),
			 ERR_RETRY);
	assert_non_null(strstr(err.text, "did not end in time"));
	assert_int_equal(result.exit_code, 128 + SIGKILL);
	if (out.len > 0) {
		int fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(out.data, NULL, 10),
				      0);
		struct pollfd p = {fd, POLLIN, 0};

		if (fd >= 0) {
			assert_int_equal(poll(&p, 1, 20000), 1);
			close(fd);
		}
	}
	buf_free(&out);
}

static void a_grandchild_that_keeps_the_pipe_is_not_waited_for(void **state)
{
	struct buf out = BUF_INIT(1000);
	struct proc_result result;

	(void)state;
	assert_int_equal(run_sh("sleep 1000 & echo done", NULL, NULL, &out, NULL,
				&result),
			 0);
	assert_string_equal(buf_str(&out), "done\n");
	buf_free(&out);
}

static void a_stop_ends_it(void **state)
{
	const char *const argv[] = {"sleep", "1000", NULL};
	struct proc_spec spec = {argv, NULL};
	struct proc_result result;
	struct err err = ERR_INIT;
	struct wake wake;

	(void)state;
	assert_int_equal(wake_init(&wake), 0);
	wake_stop(&wake);
	assert_int_equal(proc_run(&spec, NULL, 0, soon(20000), &wake, NULL, NULL,
				  &result, &err),
			 ERR_AGAIN);
	wake_fini(&wake);
}

static void a_program_that_is_not_there_is_named(void **state)
{
	const char *const argv[] = {"mmlag-no-such-program", NULL};
	struct proc_spec spec = {argv, NULL};
	struct proc_result result;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(proc_run(&spec, NULL, 0, soon(20000), NULL, NULL, NULL,
				  &result, &err),
			 ERR_PERMANENT);
	assert_string_equal(
		err.text,
		"cannot start mmlag-no-such-program: No such file or directory");
}

static void one_that_runs_beside_us_ends_when_told(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo up; exec sleep 1000", NULL};
	struct proc_spec spec = {argv, NULL};
	struct err err = ERR_INIT;
	struct proc *p;
	int fds[2];
	char text[8] = "";

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(proc_start(&p, &spec, (int[]){-1, fds[1], -1}, &err), 0);
	close(fds[1]);
	assert_int_equal(read(fds[0], text, 3), 3);
	assert_string_equal(text, "up\n");
	proc_end(p);
	assert_int_equal(read(fds[0], text, 1), 0); /* its end of the pipe is gone */
	close(fds[0]);
	proc_end(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_code_come_back),
		cmocka_unit_test(much_output_is_cut_and_does_not_block),
		cmocka_unit_test(the_environment_is_ours_with_changes),
		cmocka_unit_test(no_descriptor_signal_mask_or_disposition_is_inherited),
		cmocka_unit_test(at_the_deadline_the_whole_group_is_killed),
		cmocka_unit_test(a_grandchild_that_keeps_the_pipe_is_not_waited_for),
		cmocka_unit_test(a_stop_ends_it),
		cmocka_unit_test(a_program_that_is_not_there_is_named),
		cmocka_unit_test(one_that_runs_beside_us_ends_when_told),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
