/* SPDX-License-Identifier: MIT
 * The command line that is sent to a host, read by every shell that is installed here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/proc.h"
#include "base/wake.h"
#include "ssh/remote.h"

static const char *const shells[] = {"bash", "dash", "zsh",  "tcsh", "bsd-csh",
				     "csh",  "fish", "mksh", "ksh",  "sh"};

static bool is_installed(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *p = path; p != NULL && *p != '\0';) {
		size_t n = strcspn(p, ":");
		char file[4096];

		snprintf(file, sizeof(file), "%.*s/%s", (int)n, p, name);
		if (access(file, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

/* A session as sshd would start one for `shell -c line`, with a pipe as its stdin and
 * one as its stdout. Never in the session of this test: it may be killed. */
struct session {
	struct proc *proc;
	int in, out;
};

static void start_session(struct session *s, const char *shell, const char *line,
			  const char *const *env)
{
	const char *const argv[] = {"setsid", "-w", shell, "-c", line, NULL};
	struct proc_spec spec = {argv, env};
	struct err err = ERR_INIT;
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	if (proc_start(&s->proc, &spec, (int[]){in[0], out[1], -1}, &err) != 0)
		fail_msg("%s", err.text);
	close(in[0]);
	close(out[1]);
	s->in = in[1];
	s->out = out[0];
	assert_int_equal(fcntl(s->out, F_SETFL, O_NONBLOCK), 0);
}

/* Append what it writes, up to `stop` (as a byte) or the end of the pipe, which comes
 * when its last holder is gone. Fails after 20 s. */
static void read_until(struct session *s, int stop, struct buf *out)
{
	struct mono deadline = mono_add_ms(clock_mono(), 20000);
	struct wake w;
	char c;

	assert_int_equal(wake_init(&w), 0);
	for (;;) {
		ssize_t got = read(s->out, &c, 1);

		if (got == 0 || (got == 1 && (unsigned char)c == stop))
			break;
		if (got == 1)
			buf_addch(out, c);
		else
			wake_wait(&w, (struct step){s->out, POLLIN, deadline, false});
		if (!mono_before(clock_mono(), deadline))
			fail_msg("nothing within 20 s");
	}
	wake_fini(&w);
}

static void end_session(struct session *s)
{
	if (s->in >= 0)
		close(s->in);
	close(s->out);
	proc_end(s->proc);
}

/* All that `shell -c line` prints.  */
static void run_shell(const char *shell, const char *line, struct buf *out)
{
	struct session s;

	start_session(&s, shell, line, NULL);
	read_until(&s, -1, out);
	end_session(&s);
}

static const struct {
	const char *value, *quoted;
} quotes[] = {
	{"", "$''"},
	{"plain-1._/:@%+=, x", "$'plain-1._/:@%+=, x'"},
	{"it's", "$'it\\047s'"},
	{"a\nb\\c!d", "$'a\\012b\\134c\\041d'"},
	{"$(reboot) `x` \"y\" *",
	 "$'\\044\\050reboot\\051 \\140x\\140 \\042y\\042 \\052'"},
	{"\xc3\xa9\xff\x01", "$'\\303\\251\\377\\001'"},
};

static void every_byte_but_the_plain_ones_is_an_octal_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++) {
		struct buf b = BUF_INIT(1000);

		remote_quote(&b, quotes[i].value);
		assert_string_equal(buf_str(&b), quotes[i].quoted);
		buf_free(&b);
	}
}

static void assert_safe_line(const char *line)
{
	assert_null(strpbrk(line, "\n\r!"));
	assert_null(strstr(line, "\\\\"));
}

static uint64_t seed = 20261121;

static unsigned next_random(unsigned bound)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % bound;
}

/* Bytes that shells treat specially come up often. */
static void make_random(char *s, size_t n)
{
	static const char nasty[] = "'\"\\!$`\n\t*?[]{}()<>|&;#~ ^%=\x7f\x01\x80\xff";

	for (size_t i = 0; i < n; i++)
		s[i] = next_random(2) == 0 ? nasty[next_random(sizeof(nasty) - 1)]
					   : (char)(1 + next_random(255));
	s[n] = '\0';
}

static void any_bytes_come_back_from_bash_unchanged(void **state)
{
	char all[256];

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct buf line = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);

		if (round == 0) {
			for (int i = 0; i < 255; i++)
				all[i] = (char)(i + 1);
			all[255] = '\0';
		} else {
			make_random(all, next_random(200));
		}
		buf_addstr(&line, "printf %s ");
		remote_quote(&line, all);
		run_shell("bash", buf_str(&line), &out);
		assert_string_equal(buf_str(&out), all);
		buf_free(&line);
		buf_free(&out);
	}
}

/* A script that holds every byte. */
static void make_script(struct buf *script, const char *value)
{
	buf_addstr(script, "# it's a \"comment\"! \\\\ `x`\n"
			   "v=$(printf '%s\\n' one two | tail -n 1)\n"
			   "printf '%s ' \"$v\"; printf %s ");
	remote_quote(script, value);
	buf_addstr(script, "\ncat\n");
}

static void a_script_survives_every_login_shell(void **state)
{
	char value[256], expected[300];

	(void)state;
	for (int i = 0; i < 255; i++)
		value[i] = (char)(i + 1);
	value[255] = '\0';
	snprintf(expected, sizeof(expected), "two %s", value);
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		struct buf script = BUF_INIT(1 << 16), line = BUF_INIT(1 << 17);
		struct buf out = BUF_INIT(1 << 16);

		if (!is_installed(shells[i]))
			continue;
		make_script(&script, value);
		remote_command(&line, buf_str(&script), NULL, 4000);
		assert_safe_line(buf_str(&line));
		run_shell(shells[i], buf_str(&line), &out);
		if (strcmp(buf_str(&out), expected) != 0)
			fail_msg("%s: '%s'", shells[i], buf_str(&out));
		buf_free(&script);
		buf_free(&line);
		buf_free(&out);
	}
}

static void a_long_script_survives_every_login_shell(void **state)
{
	struct buf script = BUF_INIT(1 << 17), line = BUF_INIT(1 << 18);

	(void)state;
	for (int i = 0; i < 300; i++)
		buf_addstr(&script, "x='a\\b!' # a line of some length\n");
	buf_addstr(&script, "printf done");
	remote_command(&line, buf_str(&script), NULL, 4000);
	assert_safe_line(buf_str(&line));
	for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
		struct buf out = BUF_INIT(1 << 16);

		if (!is_installed(shells[i]))
			continue;
		run_shell(shells[i], buf_str(&line), &out);
		if (strcmp(buf_str(&out), "done") != 0)
			fail_msg("%s: '%s'", shells[i], buf_str(&out));
		buf_free(&out);
	}
	buf_free(&script);
	buf_free(&line);
}

/* A directory of programs that the remote side may find beside its own. */
static void put_program(char *dir, const char *name, const char *text)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void sudo_gets_the_user_and_the_whole_script(void **state)
{
	static const char *const users[] = {"kafka", "svc_kafka$", "it's \\\\ a!user",
					    "-x"};
	char dir[] = "/tmp/mmlag-remote-XXXXXX", path[4096], file[64];
	const char *const env[] = {path, NULL};

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_program(
		dir, "sudo",
		"#!/bin/bash\nprintf '%s|' \"$1\" \"$2\" \"$3\" \"$4\"; shift 3; exec \"$@\"\n");
	snprintf(path, sizeof(path), "PATH=%s:%s", dir, getenv("PATH"));
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		struct buf line = BUF_INIT(1 << 16), out = BUF_INIT(1000);
		struct session s;
		char expected[200];

		remote_command(&line, "echo 'hi!'", users[i], 2000);
		assert_safe_line(buf_str(&line));
		if (i == 0)
			assert_ptr_equal(strstr(buf_str(&line),
						"exec sudo -n -u kafka bash -c '"),
					 buf_str(&line));
		start_session(&s, "sh", buf_str(&line), env);
		read_until(&s, -1, &out);
		end_session(&s);
		snprintf(expected, sizeof(expected), "-n|-u|%s|bash|hi!\n", users[i]);
		assert_string_equal(buf_str(&out), expected);
		buf_free(&line);
		buf_free(&out);
	}
	snprintf(file, sizeof(file), "%s/sudo", dir);
	unlink(file);
	rmdir(dir);
}

/* Its output ends when the last holder of the pipe is gone. */
static const char stubborn[] = "trap '' TERM HUP INT PIPE\n"
			       "set -m\n"
			       "sleep 1000 &\n"
			       "set +m\n"
			       "(sleep 1001; echo never) &\n"
			       "echo up\n"
			       "while :; do sleep 1002; done\n";

/* Start the stubborn script, let `how` be its end, and see that all of it is gone. */
static void expect_end(int64_t watchdog_ms, bool close_stdin, const char *const *env)
{
	struct buf line = BUF_INIT(1 << 17), out = BUF_INIT(100);
	struct session s;

	remote_command(&line, stubborn, NULL, watchdog_ms);
	start_session(&s, "bash", buf_str(&line), env);
	read_until(&s, '\n', &out);
	assert_string_equal(buf_str(&out), "up");
	assert_int_equal(write(s.in, "\n", 1), 1);
	if (close_stdin) {
		close(s.in);
		s.in = -1;
	}
	buf_reset(&out);
	read_until(&s, -1, &out);
	assert_string_equal(buf_str(&out), "");
	end_session(&s);
	buf_free(&line);
	buf_free(&out);
}

static void the_end_of_stdin_ends_every_process(void **state)
{
	(void)state;
	expect_end(60000, true, NULL);
}

static void missing_heartbeats_end_every_process(void **state)
{
	(void)state;
	expect_end(300, false, NULL);
}

static void no_pkill_is_needed(void **state)
{
	char dir[] = "/tmp/mmlag-remote-XXXXXX", path[4096], file[64];
	const char *const env[] = {path, NULL};

	(void)state;
	assert_non_null(mkdtemp(dir));
	put_program(dir, "pkill", "#!/bin/sh\nexit 127\n");
	snprintf(path, sizeof(path), "PATH=%s:%s", dir, getenv("PATH"));
	expect_end(60000, true, env);
	snprintf(file, sizeof(file), "%s/pkill", dir);
	unlink(file);
	rmdir(dir);
}

/* Run the command inside the shell code `around`, as $C; what it prints. */
static void run_inside(const char *around, const char *script, bool close_stdin,
		       struct buf *out)
{
	struct buf command = BUF_INIT(1 << 16);
	struct session s;

	buf_addstr(&command, "C=");
	remote_command(&command, script, NULL, 60000);
	start_session(&s, "bash", around,
		      (const char *const[]){buf_str(&command), NULL});
	if (close_stdin) {
		read_until(&s, '\n', out);
		close(s.in);
		s.in = -1;
	}
	read_until(&s, -1, out);
	end_session(&s);
	buf_free(&command);
}

static void a_session_that_is_not_ours_survives(void **state)
{
	struct buf out = BUF_INIT(100);

	(void)state;
	run_inside("bash -c '(eval \"$C\"); :'; echo alive", stubborn, true, &out);
	assert_string_equal(buf_str(&out), "upalive\n");
	buf_free(&out);
}

static void the_code_of_the_script_is_the_code_of_the_command(void **state)
{
	struct buf out = BUF_INIT(100);

	(void)state;
	run_inside("bash -c '(eval \"$C\"); echo $?'", "echo one; exit 3", false, &out);
	assert_string_equal(buf_str(&out), "one\n3\n");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_but_the_plain_ones_is_an_octal_escape),
		cmocka_unit_test(any_bytes_come_back_from_bash_unchanged),
		cmocka_unit_test(a_script_survives_every_login_shell),
		cmocka_unit_test(a_long_script_survives_every_login_shell),
		cmocka_unit_test(sudo_gets_the_user_and_the_whole_script),
		cmocka_unit_test(the_end_of_stdin_ends_every_process),
		cmocka_unit_test(missing_heartbeats_end_every_process),
		cmocka_unit_test(no_pkill_is_needed),
		cmocka_unit_test(a_session_that_is_not_ours_survives),
		cmocka_unit_test(the_code_of_the_script_is_the_code_of_the_command),
	};

	return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
