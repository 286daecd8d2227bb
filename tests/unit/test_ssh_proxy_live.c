/* SPDX-License-Identifier: MIT
 * Through bastions and ProxyCommands to a real sshd. One server plays all parts: a
 * bastion that connects us to itself is as good as another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/session.c"

static struct config_topic topic_through(const char *jump)
{
	struct config_topic t = make_topic("ed25519");

	t.proxy_jump = mem_strdup(jump);
	return t;
}

static void drop(struct config_topic *t)
{
	free(t->proxy_jump);
	drop_topic(t);
}

static char *bastion(const char *format)
{
	char text[200];

	snprintf(text, sizeof(text), "127.0.0.1:%d", server.port);
	return strcmp(format, "two") == 0 ? mem_printf("%s@%s,%s", user, text, text)
					  : mem_strdup(text);
}

/* Is there a process of the proxy's kind for our server? */
static bool proxy_runs(void)
{
	char script[300];
	struct buf out = BUF_INIT(10000);
	bool found;

	snprintf(script, sizeof(script),
		 "for p in /proc/[0-9]*; do\n"
		 "tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep '^ssh .*-W "
		 ".127.0.0.1.:%d' || true\n"
		 "done\n",
		 server.port);
	sshd_script(&server, script, &out);
	found = out.len > 0;
	buf_free(&out);
	return found;
}

/* No child beside the server: neither dead nor alive. */
static void expect_nothing_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), 0);
	assert_false(proxy_runs());
}

static void a_host_is_reached_through_one_bastion_and_through_two(void **state)
{
	static const char *const ways[] = {"one", "two"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		char *jump = bastion(ways[i]);
		struct config_topic t = topic_through(jump);
		size_t before = open_descriptors();

		expect_login(&t, ways[i]);
		expect_nothing_left();
		assert_int_equal(open_descriptors(), before);
		drop(&t);
		free(jump);
	}
}

static void the_hosts_own_key_is_checked_behind_a_bastion(void **state)
{
	char *jump = bastion("one"), *line = known_line("ecdsa");
	struct config_topic t = topic_through(jump);
	struct buf key = BUF_INIT(4096);
	char *wrong;

	(void)state;
	/* The bastion is told as localhost, and is known; the host behind it is not. */
	free(t.proxy_jump);
	t.proxy_jump = mem_printf("localhost:%d", server.port);
	sshd_script(&server, "cut -d' ' -f1,2 host_ed25519.pub | tr -d '\\n'", &key);
	wrong = mem_printf("[localhost]:%d %s\n", server.port, buf_str(&key));
	put_file("known_hosts", wrong);
	expect_refusal(&t, "unknown", ERR_PERMANENT, REASON_SSH_HOST_KEY, "127.0.0.1");
	free(wrong);
	buf_free(&key);
	free(line);
	free(jump);
	drop(&t);
}

static void what_a_bastion_refuses_has_a_reason_and_words(void **state)
{
	struct config_topic t = topic_through("none");
	char *jump;

	(void)state;
	free(t.proxy_jump);
	t.proxy_jump = mem_printf("localhost:%d", server.port);
	expect_refusal(&t, "unknown bastion", ERR_PERMANENT, REASON_SSH_HOST_KEY,
		       "a bastion's host key");
	free(t.proxy_jump);
	open_gate(); /* the gate has closed */
	t.proxy_jump = mem_printf("nobody-there@127.0.0.1:%d", server.port);
	expect_refusal(&t, "login", ERR_PERMANENT, REASON_SSH_AUTH,
		       "a bastion refuses the login");
	free(t.proxy_jump);
	open_gate();
	t.proxy_jump = mem_strdup("127.0.0.1:1");
	expect_refusal(&t, "down", ERR_RETRY, REASON_SSH_UNREACHABLE,
		       "Connection refused");
	free(t.proxy_jump);
	jump = bastion("one");
	t.proxy_jump = jump;
	t.port = 1;
	expect_refusal(&t, "host down", ERR_RETRY, REASON_SSH_UNREACHABLE,
		       "the bastion does not reach the host");
	drop(&t);
}

static void a_bastion_that_does_not_forward_is_told(void **state)
{
	struct config_topic t;
	char *jump, *line;

	(void)state;
	sshd_stop(&server);
	sshd_start(&server, "AllowTcpForwarding no");
	line = known_line("ed25519");
	put_file("known_hosts", line);
	jump = bastion("one");
	t = topic_through(jump);
	expect_refusal(&t, "no forwarding", ERR_PERMANENT, REASON_SSH_UNREACHABLE,
		       "AllowTcpForwarding");
	sshd_stop(&server);
	sshd_start(&server, "");
	free(line);
	free(jump);
	drop(&t);
}

static void the_way_through_a_bastion_ends_with_us(void **state)
{
	char *jump = bastion("two");
	struct config_topic t = topic_through(jump);
	struct mono deadline;
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) { /* a process that is killed while it streams */
		struct ssh *s;
		struct err err = ERR_INIT;

		if (ssh_open(&s, &t, "cat", &wake, &err) != 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	deadline = mono_add_ms(clock_mono(), 2000);
	while (proxy_runs())
		if (!mono_before(clock_mono(), deadline))
			fail_msg("a proxy is left behind");
	free(jump);
	drop(&t);
}

/* ssh reads a configuration of the test's own, since it does not ask $HOME. */
static void use_ssh_config(const char *text)
{
	struct buf config = BUF_INIT(10000);
	char *path = mem_printf("%s:%s", server.dir, "/usr/bin:/bin");
	char *wrapper = mem_printf("#!/bin/sh\nexec /usr/bin/ssh -F %s/config \"$@\"\n",
				   server.dir);
	char *file = in_dir("ssh");

	buf_printf(&config, "%s", text);
	put_file("config", buf_str(&config));
	put_file("ssh", wrapper);
	assert_int_equal(chmod(file, 0700), 0);
	setenv("PATH", path, 1);
	buf_free(&config);
	free(path);
	free(wrapper);
	free(file);
}

static void an_alias_of_the_ssh_configuration_is_followed(void **state)
{
	struct config_topic t = {.name = mem_strdup("orders"),
				 .host = mem_strdup("mirror"),
				 .port = 22,
				 .ssh_config = true,
				 .watchdog_ms = 4000};
	struct config_topic bad = t;
	char *text;

	(void)state;
	text = mem_printf("Host bastion\nHostName 127.0.0.1\n"
			  "Host mirror\nHostName 127.0.0.1\nProxyJump bastion\n"
			  "Host *\nUser %s\nPort %d\nIdentityFile %s/ed25519\n"
			  "UserKnownHostsFile %s/known_hosts\n"
			  "StrictHostKeyChecking yes\n",
			  user, server.port, server.dir, server.dir);
	use_ssh_config(text);
	free(text);
	expect_login(&t, "alias");
	text = mem_printf("Host *\nHostName 127.0.0.1\nUser %s\nPort %d\n"
			  "IdentityFile %s/ed25519\nUserKnownHostsFile %s/known_hosts\n"
			  "HostKeyAlias somebody\n",
			  user, server.port, server.dir, server.dir);
	use_ssh_config(text);
	free(text);
	expect_refusal(&bad, "key alias", ERR_PERMANENT, REASON_SSH_HOST_KEY,
		       "somebody");
	use_ssh_config("Port what\n");
	expect_refusal(&bad, "broken", ERR_PERMANENT, REASON_SOURCE_ERROR,
		       "ssh -G mirror");
	free(t.name);
	free(t.host);
}

/* What the host's entry says beside name, user and port; what known_hosts calls the
 * host
 * ("": nothing, NULL: by its address and port); and the words of a refusal, or NULL. */
static const struct {
	const char *options, *known, *words;
	enum reason reason;
} entries[] = {
	{"IdentityFile ${KEYS}/none\nIdentityFile ${KEYS}/%n.pem\n", NULL, NULL,
	 REASON_NONE},
	{"IdentityFile ${KEYS}/stranger\n", NULL, "is refused", REASON_SSH_AUTH},
	{"IdentityFile ${KEYS}/ed25519\nHostKeyAlias Cluster\n", "cluster", NULL,
	 REASON_NONE},
	{"IdentityFile ${KEYS}/ed25519\nStrictHostKeyChecking yes\n", "", "is unknown",
	 REASON_SSH_HOST_KEY},
	{"IdentityFile ${KEYS}/ed25519\nStrictHostKeyChecking accept-new\n", "", NULL,
	 REASON_NONE},
	{"IdentityFile ${KEYS}/ed25519\nProxyCommand "
	 "ssh -i $KEYS/ed25519 -o UserKnownHostsFile=$KEYS/known_hosts "
	 "-o ProxyCommand=none -W %h:%p %r@%n\n",
	 NULL, NULL, REASON_NONE},
	{"IdentityFile ${KEYS}/ed25519\nHost mirror\nProxyJump one,two\n", NULL, NULL,
	 REASON_NONE},
	{"IdentityFile ${KEYS}/ed25519\nProxyCommand echo no way to %n >&2\n", NULL,
	 "no way to mirror", REASON_SSH_UNREACHABLE},
};

static void each_option_of_the_ssh_configuration_counts(void **state)
{
	struct config_topic t = {.name = mem_strdup("orders"),
				 .host = mem_strdup("mirror"),
				 .port = 22,
				 .ssh_config = true,
				 .watchdog_ms = 4000};
	char *line = known_line("ed25519");

	(void)state;
	setenv("KEYS", server.dir, 1);
	sshd_script(&server, "cp ed25519 mirror.pem", NULL);
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		const char *known = entries[i].known;
		char *text =
			mem_printf("Host mirror one two\nHostName 127.0.0.1\n"
				   "User %s\n"
				   "Port %d\nUserKnownHostsFile %s/known_hosts\n%s",
				   user, server.port, server.dir, entries[i].options);
		char *named = mem_printf("%s%s", known != NULL ? known : "",
					 strchr(line, ' '));

		put_file("known_hosts", known == NULL    ? line
					: *known == '\0' ? ""
							 : named);
		use_ssh_config(text);
		if (entries[i].words == NULL)
			expect_login(&t, entries[i].options);
		else
			expect_answer(&t, entries[i].options,
				      entries[i].reason == REASON_SSH_UNREACHABLE
					      ? ERR_RETRY
					      : ERR_PERMANENT,
				      entries[i].reason, entries[i].words);
		open_gate();
		free(named);
		free(text);
	}
	put_file("known_hosts", line);
	unsetenv("KEYS");
	free(line);
	free(t.name);
	free(t.host);
}

static void what_goes_wrong_with_a_proxy_command_has_a_reason_and_words(void **state)
{
	static const struct {
		const char *command, *words;
		bool slow;
	} rows[] = {
		{"echo hello; sleep 30", "no SSH server; it begins with 'hello'", true},
		{"echo hello", "no SSH server; it begins with 'hello'", false},
		{"echo out of order >&2; exit 3", "proxy ended: out of order", false},
		{"true", "proxy ended without a word", false},
		{"/no/such/program", "not found", false},
		{"kill -9 $$", "proxy ended without a word", false},
		{"sleep 60", "nothing comes through the proxy within 25 s", true},
	};
	struct config_topic t = make_topic("ed25519");

	(void)state;
	t.ssh_config = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = mem_printf("Host *\nUser x\nProxyCommand %s\n",
					rows[i].command);

		if (rows[i].slow && getenv("ALL") == NULL) {
			free(text);
			continue;
		}
		use_ssh_config(text);
		free(text);
		expect_refusal(&t, rows[i].command, ERR_RETRY, REASON_SSH_UNREACHABLE,
			       rows[i].words);
		expect_nothing_left();
		open_gate();
	}
	drop_topic(&t);
}

static bool has_ipv6(void)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6,
				 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void an_ipv6_address_is_a_host_and_a_bastion(void **state)
{
	struct config_topic t;
	struct buf key = BUF_INIT(4096);
	char *line;

	(void)state;
	if (!has_ipv6())
		skip();
	sshd_stop(&server);
	sshd_start(&server, "ListenAddress ::1");
	sshd_script(&server, "cut -d' ' -f1,2 host_ed25519.pub | tr -d '\n'", &key);
	line = mem_printf("[::1]:%d %s\n", server.port, buf_str(&key));
	put_file("known_hosts", line);
	t = make_topic("ed25519");
	free(t.host);
	t.host = mem_strdup("::1");
	expect_login(&t, "host");
	t.proxy_jump = mem_printf("[::1]:%d", server.port);
	expect_login(&t, "bastion");
	sshd_stop(&server);
	sshd_start(&server, "");
	buf_free(&key);
	free(line);
	drop(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(a_host_is_reached_through_one_bastion_and_through_two),
		live(the_hosts_own_key_is_checked_behind_a_bastion),
		live(what_a_bastion_refuses_has_a_reason_and_words),
		live(a_bastion_that_does_not_forward_is_told),
		live(the_way_through_a_bastion_ends_with_us),
		live(an_ipv6_address_is_a_host_and_a_bastion),
		live(an_alias_of_the_ssh_configuration_is_followed),
		live(each_option_of_the_ssh_configuration_counts),
		live(what_goes_wrong_with_a_proxy_command_has_a_reason_and_words),
	};

	return run_live("ssh proxy", tests, ARRAY_LEN(tests));
}
