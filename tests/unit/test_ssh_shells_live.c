/* SPDX-License-Identifier: MIT
 * No orphan, whatever the login shell: a real sshd that runs each shell as the user's,
 * on a host whose PATH has neither pkill nor timeout, and a command that ignores what
 * can be ignored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ssh/remote.h"
#include "support/session.c"

#define KILLED_MS 2000 /* after kill -9 of us */
#define CUT_MS 6000    /* after our last sign of life, with a watchdog of 4 s */

/* A pipeline, a job with a process group of its own, and a loop; deaf to signals. */
static const char deaf[] = "trap '' TERM HUP INT PIPE\n"
			   "set -m; sleep 1000 | sleep 1001 & set +m\n"
			   "echo $$ $!\n"
			   "while :; do sleep 1002; done\n";

static bool start_with_shell(const char *shell)
{
	char path[64], *config;

	snprintf(path, sizeof(path), "/usr/bin/%s", shell);
	if (access(path, X_OK) != 0)
		return false;
	sshd_stop(&server);
	config = mem_printf("SetEnv PATH=%s/bin HOME=%s\n"
			    "ForceCommand exec %s -c \"$SSH_ORIGINAL_COMMAND\"",
			    server.dir, server.dir, path);
	sshd_start(&server, config);
	free(config);
	config = known_line("ed25519");
	put_file("known_hosts", config);
	free(config);
	return true;
}

/* In a child: start the command, tell its two processes, beat until the end. */
static void stream_for_ever(int to)
{
	struct config_topic t = make_topic("ed25519");
	struct buf command = BUF_INIT(65536);
	struct err err = ERR_INIT;
	struct ssh *s;
	const char *data;
	size_t len;

	remote_command(&command, deaf, NULL, t.watchdog_ms);
	if (ssh_open(&s, &t, buf_str(&command), &wake, &err) != 0)
		_exit(1);
	for (;;) {
		if (ssh_step(s, clock_mono(), true, &data, &len, &err) == SSH_DATA &&
		    write(to, data, len) < 0)
			_exit(1);
		wake_wait(&wake, ssh_poll(s, clock_mono()));
	}
}

/* How long the two processes live after the signal, in ms. */
static int64_t life_after(int sig, int64_t limit_ms)
{
	int channel[2];
	char text[100], *end;
	struct pollfd p[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
	struct mono began;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		stream_for_ever(channel[1]);
	close(channel[1]);
	n = read(channel[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	end = text;
	for (size_t i = 0; i < 2; i++) {
		p[i].fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(end, &end, 10), 0);
		assert_true(p[i].fd >= 0);
	}
	began = clock_mono();
	assert_int_equal(kill(pid, sig), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(poll(&p[i], 1, (int)limit_ms), 1);
		close(p[i].fd);
	}
	limit_ms = mono_diff_ms(clock_mono(), began);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(channel[0]);
	return limit_ms;
}

static void nothing_outlives_us_under_any_login_shell(void **state)
{
	static const struct {
		const char *shell;
		bool cut; /* try this too: it takes its time */
	} rows[] = {{"bash", true}, {"dash", false}, {"zsh", false}, {"tcsh", false}};

	(void)state;
	sshd_script(
		&server,
		"mkdir bin; for p in bash sleep; do ln -s $(command -v $p) bin; done",
		NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config_topic t;

		if (!start_with_shell(rows[i].shell))
			continue;
		t = make_topic("ed25519");
		expect_login(&t, rows[i].shell);
		drop_topic(&t);
		if (life_after(SIGKILL, KILLED_MS) > KILLED_MS)
			fail_msg("%s: too late after kill -9", rows[i].shell);
		/* A process that is stopped is silent as behind a cut network. */
		if (rows[i].cut && life_after(SIGSTOP, CUT_MS) > CUT_MS)
			fail_msg("%s: too late after a cut", rows[i].shell);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(nothing_outlives_us_under_any_login_shell),
	};

	return run_live("ssh shells", tests, ARRAY_LEN(tests));
}
