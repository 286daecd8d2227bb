/* SPDX-License-Identifier: MIT
 * A good guest at two servers: what is wrong with one has a reason and words, and the
 * session on the other does not notice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "source/source.h"

#include "support/session.c"

/* The other server, with the same guests, behind a line of configuration. */
static void start_other(struct sshd *other, const char *config)
{
	char *script = mem_printf("cp %s/authorized_keys .", server.dir);

	sshd_make_dir(other);
	sshd_script(other, script, NULL);
	sshd_start(other, config);
	free(script);
}

/* Both servers on file; the other one with a key of its own, or the first one's. */
static void know_both(struct sshd *other, bool changed)
{
	struct buf key = BUF_INIT(4096);
	char *line = known_line("ed25519"), *wrong, *both;

	sshd_script(other, "cut -d' ' -f1,2 host_ed25519.pub | tr -d '\\n'", &key);
	wrong = known_line_at("ed25519", other->port);
	both = changed ? mem_printf("%s\n%s\n", line, wrong)
		       : mem_printf("%s\n[127.0.0.1]:%d %s\n", line, other->port,
				    buf_str(&key));
	put_file("known_hosts", both);
	buf_free(&key);
	free(line);
	free(wrong);
	free(both);
}

/* One that logs in and never says who it is: it takes a place of MaxStartups. */
static int loiter(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char banner[100];

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_true(recv(fd, banner, sizeof(banner), 0) > 0);
	return fd;
}

static void expect_echo(struct ssh *s)
{
	struct err err = ERR_INIT;
	const char *data;
	size_t len;

	if (next_event(s, true, &data, &len, &err) != SSH_DATA)
		fail_msg("the other session: %s", err.text);
}

/* sshd says MaxStartups of both of its limits. */
static const struct {
	const char *config, *key;
	bool changed, full;
	enum err_class class;
	enum reason reason;
	const char *words;
} troubles[] = {
	{"PerSourceMaxStartups 1", "ed25519", false, true, ERR_RETRY, REASON_SSH_BUSY,
	 "MaxStartups"},
	{"MaxSessions 0", "ed25519", false, false, ERR_RETRY, REASON_SSH_SESSIONS,
	 "MaxSessions"},
	{"KexAlgorithms sntrup761x25519-sha512@openssh.com", "ed25519", false, false,
	 ERR_PERMANENT, REASON_SSH_ALGORITHM, "key exchange"},
	{"", "ed25519", true, false, ERR_PERMANENT, REASON_SSH_HOST_KEY, "has changed"},
	{"", "stranger", false, false, ERR_PERMANENT, REASON_SSH_AUTH, "is refused"},
};

static void trouble_at_one_host_is_told_and_disturbs_no_other(void **state)
{
	struct config_topic t = make_topic("ed25519");
	struct err err = ERR_INIT;
	struct ssh *s;

	(void)state;
	assert_int_equal(ssh_open(&s, &t, "exec cat", &wake, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(troubles); i++) {
		struct config_topic bad = make_topic(troubles[i].key);
		struct sshd other;
		int fd = -1;

		start_other(&other, troubles[i].config);
		know_both(&other, troubles[i].changed);
		if (troubles[i].full)
			fd = loiter(other.port);
		bad.port = other.port;
		expect_refusal(&bad, troubles[i].words, troubles[i].class,
			       troubles[i].reason, troubles[i].words);
		expect_echo(s);
		expect_login(&t, troubles[i].words);
		if (fd >= 0)
			close(fd);
		sshd_stop(&other);
		sshd_remove_dir(&other);
		drop_topic(&bad);
	}
	ssh_close(s);
	drop_topic(&t);
}

/* What a command of the user's own that ends at once is told as. */
static struct gap gap_of(const char *command)
{
	struct config_topic t = make_topic("ed25519");
	struct mono deadline = mono_add_ms(clock_mono(), PATIENCE_MS);
	struct source *s;
	enum source_event e = SOURCE_WAIT;
	struct reading reading;
	struct step next;
	struct gap gap;

	t.format = FORMAT_LINE;
	t.command = mem_strdup(command);
	t.partitions = 1;
	t.interval_ms = 1000;
	t.timeout_ms = PATIENCE_MS;
	s = source_new(&t, &wake, 0);
	while (e == SOURCE_WAIT && mono_before(clock_mono(), deadline)) {
		e = source_step(s, clock_mono(), true, &reading, &gap, &next);
		if (e == SOURCE_WAIT)
			wake_wait(&wake, next);
	}
	assert_int_equal(e, SOURCE_GAP);
	source_close(s);
	free(t.command);
	drop_topic(&t);
	return gap;
}

static void a_full_disk_on_the_host_has_its_own_reason(void **state)
{
	struct gap gap = gap_of("echo 1 >/dev/full"); /* a stand-in for the disk */

	(void)state;
	assert_string_equal(reason_name(gap.reason), "host_disk_full");
	assert_non_null(strstr(gap.message, "No space left on device"));
}

/* Two lines of sudo for one thing: the first one tells. */
static void an_end_is_told_in_the_words_that_tell_most(void **state)
{
	struct gap gap = gap_of("printf '%s\\n' 'sudo: unknown user x' 'sudo: error "
				"initializing audit plugin sudoers_audit' >&2; exit 1");

	(void)state;
	assert_string_equal(reason_name(gap.reason), "command_ended");
	assert_non_null(strstr(gap.message, "with code 1: sudo: unknown user x;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		live(trouble_at_one_host_is_told_and_disturbs_no_other),
		live(a_full_disk_on_the_host_has_its_own_reason),
		live(an_end_is_told_in_the_words_that_tell_most),
	};

	return run_live("ssh_guest_live", tests, ARRAY_LEN(tests));
}
