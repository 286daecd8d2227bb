/* SPDX-License-Identifier: MIT
 * Sessions on a real sshd: streaming, and how they end; and servers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/filter.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ssh/ssh_int.h"
#include "support/session.c"

/* Streaming */

static void heartbeats_go_out_and_data_comes_in(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct err err = ERR_INIT;
	struct ssh *s;
	const char *data;
	size_t len;

	(void)state;
	assert_int_equal(ssh_open(&s, &t, "cat", &wake, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(next_event(s, true, &data, &len, &err), SSH_DATA);
		assert_int_equal(len, 1);
		assert_int_equal(data[0], '\n');
	}
	ssh_close(s);
	drop_topic(&t);
}

static void stderr_does_not_block_and_its_end_is_kept(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s = open_script(&t, "head -c 4000000 /dev/zero | tr '\\0' x >&2\n"
					"echo done\necho last words >&2\nexit 7");
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	const char *text;
	size_t len;

	(void)state;
	assert_int_equal(read_all(s, &out, &err), SSH_ENDED);
	assert_string_equal(buf_str(&out), "done\n");
	assert_int_equal(ssh_exit_code(s), 7);
	text = ssh_stderr(s, &len);
	assert_int_equal(len, 16384);
	assert_string_equal(text + len - 12, "xlast words\n");
	ssh_stderr_reset(s);
	ssh_stderr(s, &len);
	assert_int_equal(len, 0);
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

static void much_output_comes_whole(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s = open_script(&t, "for i in {1..300000}; do echo $i; done");
	struct buf out = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;
	const char *p;

	(void)state;
	assert_int_equal(read_all(s, &out, &err), SSH_ENDED);
	assert_int_equal(ssh_exit_code(s), 0);
	p = out.data;
	for (long i = 1; i <= 300000; i++) {
		char *end;

		if (strtol(p, &end, 10) != i || *end != '\n')
			fail_msg("line %ld is '%.20s'", i, p);
		p = end + 1;
	}
	assert_int_equal(*p, '\0');
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

/* Longer than the watchdog's patience, so that only heartbeats can keep it alive. */
static void a_reader_that_stops_reading_keeps_the_session_alive(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s;
	struct buf out = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;
	struct mono until;
	const char *data;
	size_t len;

	(void)state;
	t.watchdog_ms = 2000;
	s = open_script(&t, "head -c 6000000 /dev/zero; echo end");
	until = mono_add_ms(clock_mono(), 3500);
	while (mono_before(clock_mono(), until)) {
		struct step next;

		assert_int_equal(ssh_step(s, clock_mono(), false, &data, &len, &err),
				 SSH_WAIT);
		next = ssh_poll(s, clock_mono());
		next.until = mono_min(next.until, until);
		wake_wait(&wake, next);
	}
	assert_int_equal(read_all(s, &out, &err), SSH_ENDED);
	assert_int_equal(out.len, 6000004);
	assert_int_equal(ssh_exit_code(s), 0);
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

static void an_exit_by_a_signal_has_no_code(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s = open_script(&t, "kill -TERM $$");
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(read_all(s, &out, &err), SSH_ENDED);
	assert_int_equal(ssh_exit_code(s), -1);
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

static void a_broken_connection_is_lost(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s = NULL;
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(ssh_open(&s, &t, "kill -KILL $PPID; exec sleep 1", &wake,
				  &err),
			 0);
	assert_int_equal(read_all(s, &out, &err), SSH_FAILED);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.code, REASON_SSH_LOST);
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

/* Links that nobody has closed */

/* The session's own server process stands still; the host's kernel goes on to
 * acknowledge, so that TCP sees nothing. */
static void a_host_that_only_its_kernel_speaks_for_is_lost(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s;
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct mono begin;
	pid_t pid;

	(void)state;
	t.watchdog_ms = 2000;
	s = open_script(&t, "echo $PPID; exec sleep 1000");
	read_line(s, &out);
	pid = (pid_t)strtol(buf_str(&out), NULL, 10);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	begin = clock_mono();
	assert_int_equal(read_all(s, &out, &err), SSH_FAILED);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_true(mono_diff_ms(clock_mono(), begin) < 3 * t.watchdog_ms + 1000);
	assert_int_equal(err.class, ERR_RETRY);
	assert_int_equal(err.code, REASON_SSH_LOST);
	assert_non_null(strstr(err.text, "does not answer"));
	ssh_close(s);
	buf_free(&out);
	drop_topic(&t);
}

/* The kernel at the far end drops each packet unseen: neither data nor a refusal comes
 * back, and the keep-alive of TCP does not run while data waits to be acknowledged. */
static void data_that_nobody_acknowledges_ends_the_connection(void **state)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog drop = {1, &nothing};
	struct ssh_wait wait = {&wake, mono_add_ms(clock_mono(), PATIENCE_MS)};
	struct err err = ERR_INIT;
	struct pollfd p = {.events = POLLIN};
	int port, listener = listen_somewhere(&port), far;
	char byte = 'x';

	(void)state;
	assert_int_equal(connect_host("127.0.0.1", port, 1000, &wait, &p.fd, &err), 0);
	far = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(setsockopt(far, SOL_SOCKET, SO_ATTACH_FILTER, &drop,
				    sizeof(drop)),
			 0);
	assert_int_equal(send(p.fd, &byte, 1, 0), 1);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(p.fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(p.fd);
	close(far);
	close(listener);
}

/* A box on the way that acknowledges what it no longer forwards. */
struct box {
	int listener, port; /* port: of the server behind it */
	atomic_bool swallows;
};

static void *stand_between(void *arg)
{
	struct box *b = arg;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)b->port)};
	int near = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
	int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd p[] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
	bool open = near >= 0;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	open = open && connect(far, (struct sockaddr *)&to, sizeof(to)) == 0;
	while (open && poll(p, ARRAY_LEN(p), -1) > 0) {
		for (size_t i = 0; open && i < ARRAY_LEN(p); i++) {
			char data[8192];
			ssize_t n;

			if (p[i].revents == 0)
				continue;
			n = recv(p[i].fd, data, sizeof(data), 0);
			if (n <= 0 && i == 1) /* the server: nobody is told */
				p[1].fd = -1;
			else if (n <= 0 ||
				 (!b->swallows &&
				  send(p[1 - i].fd, data, (size_t)n, MSG_NOSIGNAL) < 0))
				open = false;
		}
	}
	close(near);
	close(far);
	return NULL;
}

static void a_box_that_stops_forwarding_is_noticed(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct box b = {.port = server.port};
	struct ssh *s;
	struct buf line = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct mono begin;
	pthread_t thread;
	char *known;

	(void)state;
	t.watchdog_ms = 2000;
	b.listener = listen_somewhere(&t.port);
	known = known_line_at("ed25519", t.port);
	put_file("known_hosts", known);
	free(known);
	assert_int_equal(pthread_create(&thread, NULL, stand_between, &b), 0);
	s = open_script(&t, "echo ready; exec sleep 1000");
	read_line(s, &line);
	b.swallows = true;
	begin = clock_mono();
	assert_int_equal(read_all(s, &line, &err), SSH_FAILED);
	assert_true(mono_diff_ms(clock_mono(), begin) < 3 * t.watchdog_ms + 1000);
	assert_int_equal(err.code, REASON_SSH_LOST);
	assert_non_null(strstr(err.text, "does not answer"));
	ssh_close(s);
	pthread_join(thread, NULL);
	close(b.listener);
	buf_free(&line);
	drop_topic(&t);
}

/* The remote side is gone */

static const char lingering[] = "trap '' TERM HUP INT PIPE\n"
				"set -m; sleep 1000 & set +m\n"
				"echo $$ $!\n"
				"while :; do sleep 1001; done\n";

static void open_pids(const char *line, int fds[2])
{
	char *end;
	long pid = strtol(line, &end, 10);

	fds[0] = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	pid = strtol(end, &end, 10);
	fds[1] = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
}

static void expect_gone(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		struct pollfd p = {fds[i], POLLIN, 0};

		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		close(fds[i]);
	}
}

static void a_close_ends_every_remote_process(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct ssh *s = open_script(&t, lingering);
	struct buf line = BUF_INIT(100);
	int fds[2];

	(void)state;
	read_line(s, &line);
	open_pids(buf_str(&line), fds);
	ssh_close(s);
	expect_gone(fds);
	buf_free(&line);
	drop_topic(&t);
}

static void a_kill_of_ours_ends_every_remote_process(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct buf line = BUF_INIT(100);
	int fds[2], channel[2];
	char text[100];
	ssize_t n;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct ssh *s = open_script(&t, lingering);

		read_line(s, &line);
		if (write(channel[1], line.data, line.len) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	close(channel[1]);
	n = read(channel[0], text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	open_pids(text, fds);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	expect_gone(fds);
	close(channel[0]);
	drop_topic(&t);
}

/* Servers that misbehave */

struct rude {
	int fd;
	const char *text;
};

static void *answer_once(void *arg)
{
	struct rude *r = arg;
	int fd = accept4(r->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0 && send(fd, r->text, strlen(r->text), MSG_NOSIGNAL) >= 0)
		close(fd);
	return NULL;
}

static const struct {
	const char *text;
	enum err_class class;
	enum reason reason;
	const char *words;
} rudes[] = {
	{"Exceeded MaxStartups\r\n", ERR_RETRY, REASON_SSH_BUSY, "MaxStartups"},
	{"Not allowed at this time\r\n", ERR_RETRY, REASON_SSH_BUSY,
	 "PerSourcePenalties"},
	{"", ERR_RETRY, REASON_SSH_BUSY, "before its banner"},
	{"SSH-2.0-x\r\n", ERR_RETRY, REASON_SSH_LOST, "key exchange"},
	{"220 mail ESMTP\r\n", ERR_RETRY, REASON_SSH_UNREACHABLE,
	 "no SSH server; it begins with '220 mail ESMTP'"},
};

static void what_a_server_says_instead_of_its_banner_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rudes); i++) {
		struct config_topic t = make_topic("ed25519");
		struct rude r = {.text = rudes[i].text};
		pthread_t thread;

		r.fd = listen_somewhere(&t.port);
		assert_int_equal(pthread_create(&thread, NULL, answer_once, &r), 0);
		expect_refusal(&t, rudes[i].text, rudes[i].class, rudes[i].reason,
			       rudes[i].words);
		pthread_join(thread, NULL);
		close(r.fd);
		drop_topic(&t);
	}
}

static void nobody_there_is_unreachable(void **state)
{
	struct config_topic t = make_topic("ed25519");
	int fd = listen_somewhere(&t.port);

	(void)state;
	close(fd);
	expect_refusal(&t, "closed port", ERR_RETRY, REASON_SSH_UNREACHABLE, "refused");
	free(t.host);
	t.host = mem_strdup("no-such-host.invalid");
	expect_refusal(&t, "no such name", ERR_RETRY, REASON_SSH_UNREACHABLE,
		       "cannot be resolved");
	drop_topic(&t);
}

static void every_address_of_a_name_is_tried(void **state)
{
	struct config_topic t = make_topic("ed25519");

	(void)state;
	free(t.host);
	t.host = mem_strdup("localhost"); /* often ::1 first, where nobody listens */
	put_file("known_hosts", "");
	t.host_key = HOST_KEY_ACCEPT_NEW;
	expect_login(&t, "localhost");
	drop_topic(&t);
}

static void *stop_soon(void *arg)
{
	int fd = accept4(*(int *)arg, NULL, NULL, SOCK_CLOEXEC);

	wake_stop(&wake);
	return (void *)(intptr_t)fd;
}

static void a_stop_ends_a_set_up_that_hangs(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct err err = ERR_INIT;
	struct ssh *s;
	pthread_t thread;
	void *fd;
	int listener = listen_somewhere(&t.port);

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, stop_soon, &listener), 0);
	assert_int_equal(ssh_open(&s, &t, "true", &wake, &err), ERR_AGAIN);
	assert_null(s);
	pthread_join(thread, &fd);
	close((int)(intptr_t)fd);
	close(listener);
	wake_fini(&wake);
	assert_int_equal(wake_init(&wake), 0);
	drop_topic(&t);
}

static void after_a_refused_login_the_others_are_told_at_once(void **state)
{
	struct config_topic t = make_topic("stranger");

	(void)state;
	expect_answer(&t, "first", ERR_PERMANENT, REASON_SSH_AUTH, "is refused");
	sshd_stop(&server); /* so that a second try would find nobody */
	expect_answer(&t, "second", ERR_PERMANENT, REASON_SSH_AUTH, "is refused");
	sshd_start(&server, "");
	drop_topic(&t);
}

static void no_common_algorithm_is_said_with_names(void **state)
{
	struct config_topic t;

	(void)state;
	sshd_stop(&server);
	sshd_start(&server, "KexAlgorithms sntrup761x25519-sha512@openssh.com");
	t = make_topic("ed25519");
	expect_refusal(&t, "sntrup only", ERR_PERMANENT, REASON_SSH_ALGORITHM,
		       "sntrup761x25519-sha512@openssh.com");
	drop_topic(&t);
	sshd_stop(&server);
	sshd_start(&server, "");
}

static void a_session_that_is_not_granted_is_said(void **state)
{
	struct config_topic t;
	char *line;

	(void)state;
	sshd_stop(&server);
	sshd_start(&server, "MaxSessions 0");
	line = known_line("ed25519");
	put_file("known_hosts", line);
	t = make_topic("ed25519");
	expect_refusal(&t, "MaxSessions 0", ERR_RETRY, REASON_SSH_SESSIONS,
		       "MaxSessions");
	free(line);
	drop_topic(&t);
	sshd_stop(&server);
	sshd_start(&server, "");
}

static void *log_in_often(void *arg)
{
	const struct config_topic *t = arg;
	struct wake own;
	intptr_t good = 0;

	if (wake_init(&own) != 0)
		return NULL;
	for (int i = 0; i < 3; i++) {
		struct err err = ERR_INIT;
		struct ssh *s = NULL;

		if (ssh_open(&s, t, "exec cat", &own, &err) == 0)
			good++;
		ssh_close(s);
	}
	wake_fini(&own);
	return (void *)good;
}

static void many_threads_log_in_beside_each_other(void **state)
{
	struct config_topic t = make_topic("rsa_pem");
	struct buf text = BUF_INIT(4096);
	char *line = known_line("ed25519"), *expected = mem_printf("%s\n", line);
	pthread_t threads[8];

	(void)state;
	put_file("known_hosts", "");
	t.host_key = HOST_KEY_ACCEPT_NEW;
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_in_often, &t),
				 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *good;

		pthread_join(threads[i], &good);
		assert_int_equal((intptr_t)good, 3);
	}
	assert_int_equal(file_read(t.known_hosts.v[0], &text, NULL), 0);
	assert_string_equal(buf_str(&text), expected);
	free(line);
	free(expected);
	buf_free(&text);
	drop_topic(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(heartbeats_go_out_and_data_comes_in),
		live(stderr_does_not_block_and_its_end_is_kept),
		live(much_output_comes_whole),
		live(a_reader_that_stops_reading_keeps_the_session_alive),
		live(an_exit_by_a_signal_has_no_code),
		live(a_broken_connection_is_lost),
		live(a_host_that_only_its_kernel_speaks_for_is_lost),
		live(data_that_nobody_acknowledges_ends_the_connection),
		live(a_box_that_stops_forwarding_is_noticed),
		live(a_close_ends_every_remote_process),
		live(a_kill_of_ours_ends_every_remote_process),
		live(what_a_server_says_instead_of_its_banner_is_understood),
		live(nobody_there_is_unreachable),
		live(every_address_of_a_name_is_tried),
		live(a_stop_ends_a_set_up_that_hangs),
		live(after_a_refused_login_the_others_are_told_at_once),
		live(no_common_algorithm_is_said_with_names),
		live(a_session_that_is_not_granted_is_said),
		live(many_threads_log_in_beside_each_other),
	};

	return run_live("ssh_live", tests, ARRAY_LEN(tests));
}
