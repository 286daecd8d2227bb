/* SPDX-License-Identifier: MIT */
#include "support/sshd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSHD "/usr/sbin/sshd"

const char *sshd_missing(void)
{
	if (access(SSHD, X_OK) != 0)
		return SSHD " is not installed";
	if (geteuid() == 0 && mkdir("/run/sshd", 0755) != 0 &&
	    access("/run/sshd", F_OK) != 0)
		return "/run/sshd cannot be made";
	return NULL;
}

void sshd_script(struct sshd *s, const char *script, struct buf *out)
{
	struct buf text = BUF_INIT(65536), said = BUF_INIT(4096);
	struct proc_result result;
	struct err err = ERR_INIT;

	buf_printf(&text, "set -e; cd %s; umask 077\n%s", s->dir, script);
	{
		const char *const argv[] = {"sh", "-c", buf_str(&text), NULL};
		struct proc_spec spec = {argv, NULL};

		if (proc_run(&spec, NULL, 0, mono_add_ms(clock_mono(), 60000), NULL,
			     out != NULL ? out : &said, &said, &result, &err) != 0)
			fail_msg("%s", err.text);
	}
	if (result.exit_code != 0)
		fail_msg("script exits with %d: %s", result.exit_code, buf_str(&said));
	buf_free(&text);
	buf_free(&said);
}

void sshd_make_dir(struct sshd *s)
{
	*s = (struct sshd){.dir = "/tmp/mmlag-sshd-XXXXXX", .log = -1};
	assert_non_null(mkdtemp(s->dir));
	sshd_script(s,
		    "for t in ed25519 ecdsa rsa; do\n"
		    "ssh-keygen -q -t $t -N '' -C '' -f host_$t\n"
		    "done\n",
		    NULL);
}

int listen_somewhere(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	assert_int_equal(listen(fd, 5), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static int free_port(void)
{
	int port;

	close(listen_somewhere(&port));
	return port;
}

static void write_config(const struct sshd *s, const char *config)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/sshd_config", s->dir);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
		"%s\n"
		"Port %d\n"
		"ListenAddress 127.0.0.1\n"
		"HostKey %s/host_ed25519\n"
		"HostKey %s/host_ecdsa\n"
		"HostKey %s/host_rsa\n"
		"AuthorizedKeysFile %s/authorized_keys\n"
		"PidFile none\n"
		"StrictModes no\n"
		"UsePAM no\n"
		"PasswordAuthentication no\n"
		"KbdInteractiveAuthentication no\n"
		"PermitRootLogin yes\n"
		"MaxStartups 100\n"
		"UseDNS no\n",
		config, s->port, s->dir, s->dir, s->dir, s->dir);
	assert_int_equal(fclose(f), 0);
}

/* Until the log says that it listens; false when it ended instead. */
static bool listens(const struct sshd *s)
{
	struct mono deadline = mono_add_ms(clock_mono(), 20000);
	char text[4096];
	size_t n = 0;

	for (;;) {
		int64_t left = mono_diff_ms(deadline, clock_mono());
		struct pollfd p = {s->log, POLLIN, 0};
		ssize_t got;

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			fail_msg("sshd does not start: %.*s", (int)n, text);
		got = read(s->log, text + n, sizeof(text) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		text[n] = '\0';
		if (strstr(text, "Server listening") != NULL)
			return true;
	}
}

void sshd_start(struct sshd *s, const char *config)
{
	char path[100];
	const char *const argv[] = {SSHD, "-D", "-e", "-f", path, NULL};
	struct proc_spec spec = {argv, NULL};
	struct err err = ERR_INIT;

	snprintf(path, sizeof(path), "%s/sshd_config", s->dir);
	/* Between our look and its start, somebody else may take the port. */
	for (int i = 0; i < 5; i++) {
		int fds[2];

		s->port = free_port();
		write_config(s, config);
		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		if (proc_start(&s->proc, &spec, (int[]){-1, -1, fds[1]}, &err) != 0)
			fail_msg("%s", err.text);
		close(fds[1]);
		s->log = fds[0];
		if (listens(s))
			return;
		sshd_stop(s);
	}
	fail_msg("sshd ends at once");
}

void sshd_stop(struct sshd *s)
{
	proc_end(s->proc);
	s->proc = NULL;
	if (s->log >= 0)
		close(s->log);
	s->log = -1;
}

void sshd_remove_dir(struct sshd *s)
{
	sshd_script(s, "cd /; rm -rf \"$OLDPWD\"", NULL);
}
