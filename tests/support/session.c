/* SPDX-License-Identifier: MIT
 * session: what the tests with a real sshd share: its keys, topics to log in with, and
 * steps with a deadline. Included as source, after cmocka. */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>

#include "base/file.h"
#include "base/mem.h"
#include "lag/reason.h"
#include "ssh/remote.h"
#include "ssh/ssh.h"

#include "support/sshd.c"

#define PATIENCE_MS 20000

static struct sshd server;
static char user[64];
static struct wake wake;

/* Key kinds; the encrypted ones have the passphrase in the file `passphrase`. */
static const char make_keys[] =
	"printf \"it's a secret\\n\" >passphrase\n"
	"printf wrong >wrong\n"
	"p=\"it's a secret\"\n"
	"ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f rsa_openssh\n"
	"for f in rsa_pem rsa_pkcs8; do cp rsa_openssh $f; done\n"
	"ssh-keygen -q -p -P '' -N '' -m PEM -f rsa_pem >&2\n"
	"ssh-keygen -q -p -P '' -N '' -m PKCS8 -f rsa_pkcs8 >&2\n"
	"ssh-keygen -q -t ed25519 -N '' -C '' -f ed25519\n"
	"ssh-keygen -q -t ecdsa -N '' -C '' -f ecdsa\n"
	"cp ecdsa ecdsa_pem; ssh-keygen -q -p -P '' -N '' -m PEM -f ecdsa_pem >&2\n"
	"for f in rsa_openssh ed25519 ecdsa; do\n"
	"cp $f ${f}_enc; ssh-keygen -q -p -P '' -N \"$p\" -f ${f}_enc >&2\n"
	"done\n"
	"cp ed25519 ed25519_gcm\n"
	"ssh-keygen -q -p -P '' -N \"$p\" -Z aes256-gcm@openssh.com -f ed25519_gcm >&2\n"
	"cp rsa_pem rsa_pem_enc; ssh-keygen -q -p -P '' -N \"$p\" -m PEM -f rsa_pem_enc >&2\n"
	"cp rsa_pkcs8 rsa_pkcs8_enc\n"
	"ssh-keygen -q -p -P '' -N \"$p\" -m PKCS8 -f rsa_pkcs8_enc >&2\n"
	"cat rsa_openssh.pub ed25519.pub ecdsa.pub |"
	"sed s/^/restrict,port-forwarding\\ / >authorized_keys\n"
	"ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f stranger_rsa\n"
	"ssh-keygen -q -t ed25519 -N '' -C '' -f stranger\n"
	"cp ed25519 readable; chmod 644 readable\n"
	"echo garbage >garbage\n"
	"head -c 200 rsa_pem >damaged\n"
	"head -n 3 rsa_openssh >damaged_openssh; tail -n 1 rsa_openssh >>damaged_openssh\n"
	"printf 'PuTTY-User-Key-File-3: ssh-ed25519\\n' >putty\n"
	"cp ed25519.pub public\n"
	"sed 's/$/ /' ed25519 >blanks\n";

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", server.dir, name);
}

static void put_file(const char *name, const char *text)
{
	char *path = in_dir(name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	free(path);
}

/* An entry in known_hosts for one of the host's keys, as it is told at a port. */
static char *known_line_at(const char *type, int port)
{
	struct buf key = BUF_INIT(4096);
	char script[100], *line;

	snprintf(script, sizeof(script), "cut -d' ' -f1,2 host_%s.pub | tr -d '\\n'",
		 type);
	sshd_script(&server, script, &key);
	line = mem_printf("[127.0.0.1]:%d %s", port, buf_str(&key));
	buf_free(&key);
	return line;
}

static char *known_line(const char *type)
{
	return known_line_at(type, server.port);
}

/* A topic to log in with; its strings are freed by drop_topic. */
static struct config_topic make_topic(const char *key)
{
	struct config_topic t = {.name = mem_strdup("orders"),
				 .host = mem_strdup("127.0.0.1"),
				 .port = server.port,
				 .user = mem_strdup(user),
				 .watchdog_ms = 4000};

	t.key_file = key != NULL ? in_dir(key) : NULL;
	t.known_hosts.v = mem_calloc(2, sizeof(char *));
	t.known_hosts.v[0] = in_dir("known_hosts");
	t.known_hosts.v[1] = in_dir("known_hosts_2");
	t.known_hosts.n = 2;
	return t;
}

static void drop_topic(struct config_topic *t)
{
	free(t->name);
	free(t->host);
	free(t->user);
	free(t->key_file);
	free(t->passphrase_file);
	free(t->host_key_pin);
	free(t->known_hosts.v[0]);
	free(t->known_hosts.v[1]);
	free(t->known_hosts.v);
}

__attribute__((unused)) static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* The next event but SSH_WAIT. */
static enum ssh_event next_event(struct ssh *s, bool read_stdout, const char **data,
				 size_t *len, struct err *err)
{
	struct mono deadline = mono_add_ms(clock_mono(), PATIENCE_MS);

	for (;;) {
		enum ssh_event e =
			ssh_step(s, clock_mono(), read_stdout, data, len, err);

		if (e != SSH_WAIT)
			return e;
		if (!mono_before(clock_mono(), deadline))
			fail_msg("nothing from the host within %d s",
				 PATIENCE_MS / 1000);
		wake_wait(&wake, ssh_poll(s, clock_mono()));
	}
}

/* All of stdout, to the end of the command. */
static enum ssh_event read_all(struct ssh *s, struct buf *out, struct err *err)
{
	const char *data;
	size_t len;
	enum ssh_event e;

	while ((e = next_event(s, true, &data, &len, err)) == SSH_DATA)
		assert_int_equal(buf_add(out, data, len), 0);
	return e;
}

/* Log in and say hello. */
__attribute__((unused)) static void expect_login(const struct config_topic *t,
						 const char *label)
{
	struct buf out = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct ssh *s = NULL;

	if (ssh_open(&s, t, "echo hello", &wake, &err) != 0)
		fail_msg("%s: %s: %s", label, reason_name((enum reason)err.code),
			 err.text);
	assert_int_equal(read_all(s, &out, &err), SSH_ENDED);
	assert_string_equal(buf_str(&out), "hello\n");
	assert_int_equal(ssh_exit_code(s), 0);
	buf_free(&out);
	ssh_close(s);
}

/* The gate remembers nothing: neither a closed host, nor what is held against us. */
__attribute__((unused)) static void open_gate(void)
{
	struct err err = ERR_INIT;

	ssh_global_fini();
	assert_int_equal(ssh_global_init(&err), 0);
}

/* What an attempt to log in gives. */
__attribute__((unused)) static void expect_answer(const struct config_topic *t,
						  const char *label,
						  enum err_class class,
						  enum reason reason, const char *words)
{
	struct err err = ERR_INIT;
	struct ssh *s = NULL;
	int rc = ssh_open(&s, t, "echo hello", &wake, &err);

	if (s != NULL)
		fail_msg("%s: let in instead of '%s'", label, words);
	if (rc != (int)class || err.code != (int)reason ||
	    strstr(err.text, words) == NULL)
		fail_msg("%s: class %d, %s, '%s' instead of '%s'", label, rc,
			 err.code < REASON_COUNT ? reason_name((enum reason)err.code)
						 : "?",
			 err.text, words);
}

/* The same, and forgotten: the next one must not wait for it. */
__attribute__((unused)) static void
expect_refusal(const struct config_topic *t, const char *label, enum err_class class,
	       enum reason reason, const char *words)
{
	expect_answer(t, label, class, reason, words);
	if (reason == REASON_SSH_AUTH)
		open_gate();
}

/* Up to and without a newline. */
__attribute__((unused)) static void read_line(struct ssh *s, struct buf *line)
{
	const char *data;
	size_t len;
	struct err err = ERR_INIT;

	while (line->len == 0 || memchr(line->data, '\n', line->len) == NULL) {
		if (next_event(s, true, &data, &len, &err) != SSH_DATA)
			fail_msg("no line: %s", err.text);
		assert_int_equal(buf_add(line, data, len), 0);
	}
	line->len = (size_t)(strchr(line->data, '\n') - line->data);
	line->data[line->len] = '\0';
}

/* The script under its watchdog, as a source starts one. */
__attribute__((unused)) static struct ssh *open_script(const struct config_topic *t,
						       const char *script)
{
	struct buf command = BUF_INIT(65536);
	struct err err = ERR_INIT;
	struct ssh *s = NULL;

	remote_command(&command, script, NULL, t->watchdog_ms);
	if (ssh_open(&s, t, buf_str(&command), &wake, &err) != 0)
		fail_msg("%s: %s", reason_name((enum reason)err.code), err.text);
	buf_free(&command);
	return s;
}

/* Each test begins with an open gate and the host's key on file. */
static int setup(void **state)
{
	struct err err = ERR_INIT;
	char *line = known_line("ed25519");

	(void)state;
	put_file("known_hosts", line);
	free(line);
	if (wake_init(&wake) != 0)
		return -1;
	return ssh_global_init(&err);
}

static int teardown(void **state)
{
	(void)state;
	ssh_global_fini();
	wake_fini(&wake);
	return 0;
}

static int group_setup(void **state)
{
	const struct passwd *pw = getpwuid(geteuid());

	(void)state;
	assert_non_null(pw);
	snprintf(user, sizeof(user), "%s", pw->pw_name);
	sshd_make_dir(&server);
	sshd_script(&server, make_keys, NULL);
	sshd_start(&server, "");
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	sshd_stop(&server);
	sshd_remove_dir(&server);
	return 0;
}

#define live(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int run_live(const char *name, const struct CMUnitTest *tests, size_t n)
{
	const char *missing = sshd_missing();

	if (missing != NULL) {
		printf("skipped: %s\n", missing);
		return 0;
	}
	return _cmocka_run_group_tests(name, tests, n, group_setup, group_teardown);
}
