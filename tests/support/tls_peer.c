/* SPDX-License-Identifier: MIT
 * tls_peer: certificates and TLS servers for tests, by the openssl command; included by
 * tests. A server answers any GET with 200 and a page. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

extern char **environ;

/* Run a shell command line; returns its exit status. */
static int tls_shell(const char *line)
{
	char sh[] = "/bin/sh", c[] = "-c", *copy = mem_strdup(line);
	char *argv[] = {sh, c, copy, NULL};
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		abort();
	free(copy);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In `dir`: an authority ca.crt, another one other.crt, and server certificates
 * (localhost and 127.0.0.1) good, expired, named (for another name), alone (signed by
 * itself), with client.pem for a client. chain.pem is good with its authority. */
static int tls_make_certificates(const char *dir)
{
	char *line = mem_printf(
		"cd '%s' && exec 2>/dev/null >/dev/null && set -e\n"
		"ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
		"-nodes "
		"-days 30 -subj \"/CN=$1\" -keyout $1.key -out $1.crt -addext "
		"keyUsage=critical,keyCertSign,cRLSign; }\n"
		"leaf() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
		"-nodes "
		"-subj \"/CN=$1\" -keyout $1.key -out $1.csr; printf "
		"\"subjectAltName=$2\\n\" > $1.ext; }\n"
		"sign() { openssl x509 -req -in $1.csr -CA ca.crt -CAkey ca.key "
		"-CAcreateserial -extfile $1.ext -out $1.crt -days 30; }\n"
		"ca ca; ca other\n"
		"leaf good DNS:localhost,IP:127.0.0.1; sign good\n"
		"leaf named DNS:es.example.com; sign named\n"
		"leaf client DNS:client; sign client; cat client.crt client.key > "
		"client.pem\n"
		"leaf expired DNS:localhost,IP:127.0.0.1\n"
		"touch index.txt; echo 01 > serial\n"
		"printf "
		"'[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index.txt\\nserial=serial\\n"
		"new_certs_dir=.\\ndefault_md=sha256\\npolicy=p\\n[p]\\ncommonName="
		"supplied\\n' "
		"> ca.cnf\n"
		"openssl ca -batch -config ca.cnf -cert ca.crt -keyfile ca.key -in "
		"expired.csr "
		"-extfile expired.ext -startdate 20200101000000Z -enddate "
		"20200102000000Z "
		"-notext -out expired.crt\n"
		"leaf alone DNS:localhost,IP:127.0.0.1\n"
		"openssl x509 -req -in alone.csr -signkey alone.key -extfile alone.ext "
		"-days 30 "
		"-out alone.crt\n"
		"cat good.crt ca.crt > chain.pem; chmod 600 *.key *.pem\n",
		dir);
	int rc = tls_shell(line);

	free(line);
	return rc;
}

struct tls_peer {
	pid_t pid;
	int out; /* what it writes; open as long as it lives */
	char url[64];
};

/* Start `openssl s_server` with further arguments, in `dir`. */
static struct tls_peer tls_start(const char *dir, const char *args)
{
	struct tls_peer p = {.pid = -1};
	char *line = mem_printf(
		"cd '%s' && exec openssl s_server -accept 127.0.0.1:0 -www %s "
		"2>/dev/null",
		dir, args);
	char sh[] = "/bin/sh", c[] = "-c";
	char *argv[] = {sh, c, line, NULL};
	posix_spawn_file_actions_t fa;
	struct buf out = BUF_INIT(4096);
	const char *found = NULL, *colon;
	int fds[2];
	char ch;

	if (pipe2(fds, O_CLOEXEC) != 0 || posix_spawn_file_actions_init(&fa) != 0)
		abort();
	posix_spawn_file_actions_adddup2(&fa, fds[1], STDOUT_FILENO);
	if (posix_spawn(&p.pid, "/bin/sh", &fa, NULL, argv, environ) != 0)
		abort();
	posix_spawn_file_actions_destroy(&fa);
	close(fds[1]);
	/* "ACCEPT 127.0.0.1:PORT", which ends with its line */
	while (read(fds[0], &ch, 1) == 1) {
		if (ch == '\n' && (found = strstr(buf_str(&out), "ACCEPT ")) != NULL)
			break;
		buf_addch(&out, ch);
	}
	colon = found != NULL ? strrchr(found, ':') : NULL;
	if (colon != NULL)
		snprintf(p.url, sizeof(p.url), "https://127.0.0.1:%s", colon + 1);
	p.out = fds[0];
	buf_free(&out);
	free(line);
	return p;
}

static void tls_end(struct tls_peer *p)
{
	if (p->pid > 0 && kill(p->pid, SIGTERM) == 0)
		waitpid(p->pid, NULL, 0);
	close(p->out);
	p->pid = -1;
}
