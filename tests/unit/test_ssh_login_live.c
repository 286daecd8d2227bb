/* SPDX-License-Identifier: MIT
 * Logging in to a real sshd: with every kind of key, and only to the right host. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "support/session.c"

/* Keys */

static const struct {
	const char *file;
	bool encrypted;
	bool leaks; /* libssh2 1.10 forgets two numbers for each use of such a key */
} kinds[] = {
	{"rsa_pem", false, false},        {"rsa_pkcs8", false, false},
	{"rsa_openssh", false, false},    {"ed25519", false, false},
	{"ecdsa", false, true},           {"ecdsa_pem", false, false},
	{"rsa_pem_enc", true, false},     {"rsa_pkcs8_enc", true, false},
	{"rsa_openssh_enc", true, false}, {"ed25519_enc", true, false},
	{"ecdsa_enc", true, true},        {"ed25519_gcm", true, false},
};

#ifdef __SANITIZE_ADDRESS__
void __lsan_disable(void);
void __lsan_enable(void);
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable() ((void)0)
#endif

static void every_kind_of_key_logs_in(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct config_topic t = make_topic(kinds[i].file);

		if (kinds[i].encrypted)
			t.passphrase_file = in_dir("passphrase");
		if (kinds[i].leaks)
			__lsan_disable();
		expect_login(&t, kinds[i].file);
		if (kinds[i].leaks)
			__lsan_enable();
		drop_topic(&t);
	}
}

static void a_wrong_passphrase_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct config_topic t = make_topic(kinds[i].file);

		t.passphrase_file = in_dir("wrong");
		if (kinds[i].encrypted)
			expect_refusal(&t, kinds[i].file, ERR_PERMANENT,
				       REASON_SSH_AUTH,
				       "passphrase_file is not its passphrase");
		drop_topic(&t);
	}
}

static void a_missing_passphrase_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct config_topic t = make_topic(kinds[i].file);

		if (kinds[i].encrypted)
			expect_refusal(&t, kinds[i].file, ERR_PERMANENT,
				       REASON_SSH_AUTH,
				       "is encrypted: set passphrase_file");
		drop_topic(&t);
	}
}

static const struct {
	const char *file, *words;
} bad_keys[] = {
	{"no-such-file", "No such file"},     {"readable", "lets others read it"},
	{"garbage", "is no private key"},     {"damaged", "is damaged"},
	{"damaged_openssh", "is damaged"},    {"putty", "is PuTTY's"},
	{"blanks", "has blanks at the ends"}, {"public", "is a public key"},
	{"stranger", "is refused"},           {"stranger_rsa", "is refused"},
};

static void a_key_that_is_no_good_is_refused_with_the_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_keys); i++) {
		struct config_topic t = make_topic(bad_keys[i].file);

		expect_refusal(&t, bad_keys[i].file, ERR_PERMANENT, REASON_SSH_AUTH,
			       bad_keys[i].words);
		drop_topic(&t);
	}
}

static void a_key_that_is_right_is_not_blamed(void **state)
{
	static const struct {
		const char *config, *words;
		bool root;
	} rows[] = {
		{"KbdInteractiveAuthentication yes\n"
		 "AuthenticationMethods publickey,keyboard-interactive",
		 "wants more (AuthenticationMethods): keyboard-interactive", false},
		{"KbdInteractiveAuthentication yes\nPubkeyAuthentication no",
		 "the server takes only keyboard-interactive", false},
		{"PermitRootLogin no", "is right, but the user may not log in", true},
	};
	static const char *const keys[] = {"ed25519", "rsa_openssh"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *line;

		if (rows[i].root && geteuid() != 0)
			continue;
		sshd_stop(&server);
		sshd_start(&server, rows[i].config);
		line = known_line("ed25519");
		put_file("known_hosts", line);
		free(line);
		for (size_t j = 0; j < ARRAY_LEN(keys); j++) {
			struct config_topic t = make_topic(keys[j]);

			expect_refusal(&t, keys[j], ERR_PERMANENT, REASON_SSH_AUTH,
				       rows[i].words);
			drop_topic(&t);
		}
	}
	sshd_stop(&server);
	sshd_start(&server, "");
}

/* Start a server that asks a script for the user's keys, once for the key and once more
 * for the signature. */
static void start_with_script(const char *script)
{
	char *path = in_dir("keys.sh"), *line;
	char *config = mem_printf("AuthorizedKeysFile none\n"
				  "AuthorizedKeysCommand /bin/sh %s\n"
				  "AuthorizedKeysCommandUser %s",
				  path, user);

	put_file("keys.sh", script);
	sshd_stop(&server);
	sshd_start(&server, config);
	line = known_line("ed25519");
	put_file("known_hosts", line);
	free(line);
	free(config);
	free(path);
}

/* As it does for an account that has expired: behind the signature. Before it, it says
 * nothing about the key. */
static void
a_server_that_closes_during_the_login_has_refused_only_a_signature(void **state)
{
	static const char *const keys[] = {"ed25519", "rsa_openssh"};

	(void)state;
	start_with_script(
		"cd ${0%/*}; cat authorized_keys; echo >>asked\n"
		"test $(wc -l <asked) -lt $(cat closes) || kill -KILL $PPID\n");
	for (size_t i = 0; i < 2 * ARRAY_LEN(keys); i++) {
		struct config_topic t = make_topic(keys[i / 2]);
		bool signs = i % 2 == 1;

		put_file("asked", "");
		put_file("closes", signs ? "2" : "1");
		if (signs)
			expect_answer(&t, keys[i / 2], ERR_PERMANENT, REASON_SSH_AUTH,
				      "is right, but the server closed the connection");
		else
			expect_answer(&t, keys[i / 2], ERR_RETRY, REASON_SSH_LOST,
				      "closed the connection during log-in");
		open_gate();
		drop_topic(&t);
	}
	sshd_stop(&server);
	sshd_start(&server, "");
}

static void *stop_when_asked(void *arg)
{
	int fd = open(arg, O_RDONLY | O_CLOEXEC); /* waits for the script */

	wake_stop(&wake);
	return (void *)(intptr_t)fd;
}

static void a_stop_during_the_login_is_no_refusal(void **state)
{
	static const char *const keys[] = {"ed25519", "rsa_openssh"};
	char *pipe = in_dir("pipe");

	(void)state;
	assert_int_equal(mkfifo(pipe, 0600), 0);
	start_with_script("echo >${0%/*}/pipe; sleep 2");
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct config_topic t = make_topic(keys[i]);
		pthread_t thread;
		void *fd;

		assert_int_equal(pthread_create(&thread, NULL, stop_when_asked, pipe),
				 0);
		expect_answer(&t, keys[i], ERR_AGAIN, REASON_NONE, "told to stop");
		pthread_join(thread, &fd);
		close((int)(intptr_t)fd);
		wake_fini(&wake);
		assert_int_equal(wake_init(&wake), 0);
		drop_topic(&t);
	}
	free(pipe);
	sshd_stop(&server);
	sshd_start(&server, "");
}

static void a_private_agent_leaves_nothing_behind(void **state)
{
	struct config_topic t = make_topic("rsa_openssh_enc");
	struct buf before = BUF_INIT(65536), after = BUF_INIT(65536);
	static const char look[] =
		"ls -d /tmp/mmlag-agent-* 2>/dev/null || :\n"
		"for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f 2>/dev/null | grep "
		"mmlag-agent- || :; done\n";

	(void)state;
	sshd_script(&server, look, &before);
	t.passphrase_file = in_dir("passphrase");
	expect_login(&t, "private agent");
	free(t.passphrase_file);
	t.passphrase_file = in_dir("wrong");
	expect_refusal(&t, "wrong", ERR_PERMANENT, REASON_SSH_AUTH, "passphrase");
	sshd_script(&server, look, &after);
	assert_string_equal(buf_str(&after), buf_str(&before));
	buf_free(&before);
	buf_free(&after);
	drop_topic(&t);
}

static struct proc *agent;

static int end_the_agent(void **state)
{
	proc_end(agent);
	agent = NULL;
	unsetenv("SSH_AUTH_SOCK");
	return teardown(state);
}

static void the_users_agent_signs(void **state)
{
	static const char *const files[] = {"rsa_openssh", "ed25519", "ecdsa"};
	char *sock = in_dir("agent");
	const char *const argv[] = {"ssh-agent", "-D", "-a", sock, NULL};
	struct proc_spec spec = {argv, NULL};
	struct config_topic t = make_topic(NULL);
	struct err err = ERR_INIT;
	char c;
	int fds[2];

	(void)state;
	t.agent = true;
	unsetenv("SSH_AUTH_SOCK");
	expect_refusal(&t, "no agent", ERR_PERMANENT, REASON_SSH_AUTH, "SSH_AUTH_SOCK");
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(proc_start(&agent, &spec, (int[]){-1, fds[1], -1}, &err), 0);
	assert_int_equal(read(fds[0], &c, 1), 1);
	setenv("SSH_AUTH_SOCK", sock, 1);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char script[100];

		open_gate(); /* the gate remembers refusals */
		sshd_script(&server, "ssh-add -q -D; ssh-add -q stranger", NULL);
		expect_refusal(&t, files[i], ERR_PERMANENT, REASON_SSH_AUTH,
			       "none of the 1");
		snprintf(script, sizeof(script), "ssh-add -q %s", files[i]);
		sshd_script(&server, script, NULL);
		free(t.key_file);
		t.key_file = in_dir(files[i]); /* by its .pub */
		expect_login(&t, files[i]);
		free(t.key_file);
		t.key_file = NULL;
	}
	close(fds[0]);
	close(fds[1]);
	free(sock);
	drop_topic(&t);
}

/* Host keys */

static void an_unknown_host_is_refused_and_the_line_it_shows_lets_it_in(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct err err = ERR_INIT;
	struct ssh *s;
	char *line = known_line("ed25519"), *added;

	(void)state;
	put_file("known_hosts", "");
	expect_refusal(&t, "unknown", ERR_PERMANENT, REASON_SSH_HOST_KEY, "is unknown");
	open_gate();
	expect_refusal(&t, "unknown", ERR_PERMANENT, REASON_SSH_HOST_KEY, line);
	assert_int_equal(ssh_open(&s, &t, "true", &wake, &err), ERR_PERMANENT);
	added = strstr(err.text, "[127.0.0.1]:");
	added = strstr(added + 1, "[127.0.0.1]:");
	put_file("known_hosts", added);
	open_gate();
	expect_login(&t, "with the line");
	free(line);
	drop_topic(&t);
}

static void accept_new_adds_one_line(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct buf text = BUF_INIT(4096);
	char *line = known_line("ed25519"), *expected;

	(void)state;
	put_file("known_hosts", "# no newline at the end");
	t.host_key = HOST_KEY_ACCEPT_NEW;
	expect_login(&t, "new");
	expect_login(&t, "known");
	t.host_key = HOST_KEY_STRICT;
	expect_login(&t, "strict");
	assert_int_equal(file_read(t.known_hosts.v[0], &text, NULL), 0);
	expected = mem_printf("# no newline at the end\n%s\n", line);
	assert_string_equal(buf_str(&text), expected);
	free(line);
	free(expected);
	buf_free(&text);
	drop_topic(&t);
}

static void a_changed_key_is_refused_whatever_its_type(void **state)
{
	static const char *const files[] = {"stranger.pub", "stranger_rsa.pub"};
	struct config_topic t = make_topic("ed25519");

	(void)state;
	t.host_key = HOST_KEY_ACCEPT_NEW;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf key = BUF_INIT(4096);
		char script[64], *text;

		snprintf(script, sizeof(script), "cut -d' ' -f1,2 %s", files[i]);
		sshd_script(&server, script, &key);
		text = mem_printf("# a comment\n[127.0.0.1]:%d %s", server.port,
				  buf_str(&key));
		put_file("known_hosts", text);
		open_gate();
		expect_refusal(&t, files[i], ERR_PERMANENT, REASON_SSH_HOST_KEY,
			       strstr(files[i], "rsa") != NULL
				       ? "known_hosts:2 knows "
				       : "known_hosts:2 has SHA256:");
		free(text);
		buf_free(&key);
	}
	drop_topic(&t);
}

static void a_revoked_key_is_refused_even_when_it_is_listed(void **state)
{
	struct config_topic t = make_topic("ed25519");
	char *line = known_line("ed25519"), *text = mem_printf("@revoked %s\n", line);

	(void)state;
	put_file("known_hosts", line);
	put_file("known_hosts_2", text);
	expect_refusal(&t, "revoked", ERR_PERMANENT, REASON_SSH_HOST_KEY,
		       "is revoked by");
	put_file("known_hosts_2", "");
	free(line);
	free(text);
	drop_topic(&t);
}

static void the_type_on_file_is_the_one_asked_for(void **state)
{
	struct config_topic t = make_topic("ed25519");
	char *line = known_line("ecdsa"), *text = mem_printf("bad line\n%s\r\n", line);

	(void)state;
	put_file("known_hosts", text);
	expect_login(&t, "ecdsa on file");
	put_file("known_hosts", line);
	sshd_script(&server, "ssh-keygen -q -H -f known_hosts >&2", NULL);
	expect_login(&t, "hashed");
	free(line);
	free(text);
	drop_topic(&t);
}

static void a_pinned_fingerprint_may_be_of_any_type(void **state)
{
	static const char *const types[] = {"ed25519", "ecdsa"};

	(void)state;
	put_file("known_hosts", "");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct config_topic t = make_topic("ed25519");
		struct buf pin = BUF_INIT(200);
		struct err err = ERR_INIT;
		struct ssh *s;
		char script[100];

		snprintf(script, sizeof(script),
			 "ssh-keygen -lf host_%s.pub | cut -d' ' -f2 | tr -d '\\n'",
			 types[i]);
		sshd_script(&server, script, &pin);
		t.host_key = HOST_KEY_PINNED;
		t.host_key_pin = mem_strdup(buf_str(&pin));
		expect_login(&t, types[i]);
		assert_int_equal(ssh_open(&s, &t, "true", &wake, &err), 0);
		assert_string_equal(ssh_fingerprint(s), buf_str(&pin));
		ssh_close(s);
		t.host_key_pin[10] = t.host_key_pin[10] == 'x' ? 'y' : 'x';
		expect_refusal(&t, "wrong pin", ERR_PERMANENT, REASON_SSH_HOST_KEY,
			       "is not the one of host_key");
		buf_free(&pin);
		drop_topic(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(every_kind_of_key_logs_in),
		live(a_wrong_passphrase_is_named),
		live(a_missing_passphrase_is_named),
		live(a_key_that_is_no_good_is_refused_with_the_reason),
		live(a_key_that_is_right_is_not_blamed),
		live(a_server_that_closes_during_the_login_has_refused_only_a_signature),
		live(a_stop_during_the_login_is_no_refusal),
		live(a_private_agent_leaves_nothing_behind),
		cmocka_unit_test_setup_teardown(the_users_agent_signs, setup,
						end_the_agent),
		live(an_unknown_host_is_refused_and_the_line_it_shows_lets_it_in),
		live(accept_new_adds_one_line),
		live(a_changed_key_is_refused_whatever_its_type),
		live(a_revoked_key_is_refused_even_when_it_is_listed),
		live(the_type_on_file_is_the_one_asked_for),
		live(a_pinned_fingerprint_may_be_of_any_type),
	};

	return run_live("ssh_login_live", tests, ARRAY_LEN(tests));
}
