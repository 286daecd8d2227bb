/* SPDX-License-Identifier: MIT */
#include "ssh/agent_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "lag/reason.h"

#include "banned.h"

#define REQUEST_IDENTITIES 11
#define IDENTITIES_ANSWER 12
#define SIGN_REQUEST 13
#define SIGN_RESPONSE 14
#define FLAG_RSA_SHA2_256 2
#define FLAG_RSA_SHA2_512 4
#define MESSAGE_MAX (256 * 1024)

static void agent_init(struct agent *a, const struct ssh_wait *w)
{
	memset(a, 0, sizeof(*a));
	a->fd = -1;
	a->wait = *w;
	buf_init(&a->list, MESSAGE_MAX);
}

void agent_close(struct agent *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	proc_end(a->own);
	a->own = NULL;
	buf_free(&a->list);
}

static int failed(struct err *err, int rc, const char *what)
{
	if (rc == ERR_AGAIN)
		return err_set(err, ERR_AGAIN, "told to stop");
	return err_set_code(err, ERR_PERMANENT, REASON_SSH_AUTH, "ssh-agent: %s", what);
}

static int connect_socket(struct agent *a, const char *path, struct err *err)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(name.sun_path))
		return failed(err, 0, "the name of its socket is too long");
	memcpy(name.sun_path, path, strlen(path) + 1);
	a->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (a->fd >= 0 && connect(a->fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return 0;
	err_set_errno(err, ERR_PERMANENT, errno, "ssh-agent at %s", path);
	err->code = REASON_SSH_AUTH;
	return ERR_PERMANENT;
}

int agent_open(struct agent *a, const struct ssh_wait *w, struct err *err)
{
	const char *path = getenv("SSH_AUTH_SOCK");

	agent_init(a, w);
	if (path == NULL || *path == '\0')
		return failed(err, 0,
			      "it is to be asked (agent: true, or no IdentityFile of "
			      "ssh_config is there), but SSH_AUTH_SOCK is not set");
	return connect_socket(a, path, err);
}

/* Move exactly `n` bytes, one way or the other. */
static int transfer(struct agent *a, bool out, char *p, size_t n, struct err *err)
{
	while (n > 0) {
		ssize_t moved =
			out ? send(a->fd, p, n, MSG_NOSIGNAL) : recv(a->fd, p, n, 0);
		int rc = 0;

		if (moved > 0) {
			p += moved;
			n -= (size_t)moved;
			continue;
		}
		if (moved == 0 || (errno != EAGAIN && errno != EINTR))
			return failed(err, 0, "it closed the connection");
		if (errno == EAGAIN)
			rc = ssh_wait_fd(&a->wait, a->fd, out ? POLLOUT : POLLIN);
		if (rc != 0)
			return failed(err, rc, "it does not answer");
	}
	return 0;
}

/* One question and its answer, without the length in front, which must be of `type`. */
static int talk(struct agent *a, const struct buf *request, unsigned char type,
		struct buf *answer, struct err *err)
{
	struct buf framed = BUF_INIT(MESSAGE_MAX + 4);
	unsigned char head[4];
	struct wire w = {head, sizeof(head), false};
	uint32_t n;
	int rc;

	wire_add_string(&framed, request->data, request->len);
	rc = framed.failed ? failed(err, 0, "the request is too long")
			   : transfer(a, true, framed.data, framed.len, err);
	buf_free(&framed);
	if (rc == 0)
		rc = transfer(a, false, (char *)head, sizeof(head), err);
	if (rc != 0)
		return rc;
	n = wire_u32(&w);
	if (n == 0 || n > MESSAGE_MAX || buf_reserve(answer, n) != 0)
		return failed(err, 0, "its answer makes no sense");
	rc = transfer(a, false, answer->data, n, err);
	if (rc != 0)
		return rc;
	answer->len = n;
	answer->data[n] = '\0';
	if ((unsigned char)answer->data[0] != type)
		return failed(err, 0,
			      "it refuses (is the key confirmed, the agent unlocked?)");
	return 0;
}

int agent_keys(struct agent *a, struct span *blobs, int max, struct err *err)
{
	struct buf request = BUF_INIT(16);
	struct wire w;
	uint32_t n;
	int got = 0, rc;

	buf_addch(&request, REQUEST_IDENTITIES);
	rc = talk(a, &request, IDENTITIES_ANSWER, &a->list, err);
	buf_free(&request);
	if (rc != 0)
		return rc;
	w = (struct wire){(unsigned char *)a->list.data + 1, a->list.len - 1, false};
	for (n = wire_u32(&w); n > 0 && got < max; n--) {
		struct span blob = wire_string(&w);

		wire_string(&w); /* comment */
		if (w.failed)
			return failed(err, 0, "its list of keys makes no sense");
		blobs[got++] = blob;
	}
	return got;
}

int agent_sign(struct agent *a, struct span blob, struct span algorithm,
	       struct span data, struct buf *out, struct err *err)
{
	struct buf request = BUF_INIT(MESSAGE_MAX), answer = BUF_INIT(MESSAGE_MAX);
	struct wire w;
	struct span signature;
	int rc;

	buf_addch(&request, SIGN_REQUEST);
	wire_add_string(&request, blob.p, blob.len);
	wire_add_string(&request, data.p, data.len);
	wire_add_u32(&request, span_is(algorithm, "rsa-sha2-512")   ? FLAG_RSA_SHA2_512
			       : span_is(algorithm, "rsa-sha2-256") ? FLAG_RSA_SHA2_256
								    : 0);
	rc = talk(a, &request, SIGN_RESPONSE, &answer, err);
	if (rc == 0) {
		w = (struct wire){(unsigned char *)answer.data + 1, answer.len - 1,
				  false};
		signature = wire_string(&w);
		w = (struct wire){signature.p, signature.len, false};
		/* An agent that does not know the flag signs with SHA-1. */
		if (!span_is(wire_string(&w), "ssh-rsa"))
			signature = wire_string(&w);
		else
			w.failed = true;
		if (w.failed || buf_add(out, signature.p, signature.len) != 0)
			rc = failed(err, 0, "it signs with SHA-1 only");
	}
	buf_free(&request);
	buf_free(&answer);
	return rc;
}

/* The directory of a private agent: its socket, and the program that ssh-add asks for
 * the passphrase, which has it in its environment (readable by ourselves and root only,
 * like the file it came from). After a wrong one it is asked again, for ever. */
struct nest {
	char dir[64], socket[80], askpass[80];
};

static const char askpass_text[] = "#!/bin/sh\n"
				   "case $1 in Bad*) exit 1;; esac\n"
				   "printf '%s\\n' \"$MMLAG_PASSPHRASE\"\n";

static int make_nest(struct nest *n, struct err *err)
{
	const char *base = getenv("RUNTIME_DIRECTORY");
	int fd;

	/* Names of sockets are short. */
	if (base == NULL || *base != '/' || strlen(base) > 32 ||
	    strchr(base, ':') != NULL)
		base = "/tmp";
	snprintf(n->dir, sizeof(n->dir), "%s/mmlag-agent-XXXXXX", base);
	if (mkdtemp(n->dir) == NULL) {
		err_set_errno(err, ERR_RETRY, errno, "%s", n->dir);
		return ERR_RETRY;
	}
	snprintf(n->socket, sizeof(n->socket), "%s/agent", n->dir);
	snprintf(n->askpass, sizeof(n->askpass), "%s/askpass", n->dir);
	fd = open(n->askpass, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (fd >= 0) {
		ssize_t w = write(fd, askpass_text, strlen(askpass_text));

		if (close(fd) == 0 && w == (ssize_t)strlen(askpass_text))
			return 0;
	}
	return err_set_errno(err, ERR_RETRY, errno, "%s", n->askpass);
}

static void remove_nest(const struct nest *n)
{
	(void)unlink(n->socket);
	(void)unlink(n->askpass);
	(void)rmdir(n->dir);
}

/* ssh-agent says its socket's name once it listens there. */
static int start_agent(struct agent *a, const struct nest *n, struct err *err)
{
	const char *const argv[] = {"ssh-agent", "-D", "-a", n->socket, NULL};
	struct proc_spec spec = {argv, NULL};
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "ssh-agent: no pipe");
	rc = proc_start(&a->own, &spec, (int[]){-1, fds[1], -1}, err);
	close(fds[1]);
	if (rc == 0) {
		rc = ssh_wait_fd(&a->wait, fds[0], POLLIN);
		if (rc != 0)
			rc = failed(err, rc, "it does not start");
	}
	close(fds[0]);
	return rc != 0 ? rc : connect_socket(a, n->socket, err);
}

static int add_key(const struct agent *a, const struct nest *n, const struct keyfile *k,
		   struct err *err)
{
	const char *const argv[] = {"ssh-add", "-q", "-t", "60", "-", NULL};
	char *secret = mem_printf("MMLAG_PASSPHRASE=%s", buf_str(&k->passphrase));
	char *sock = mem_printf("SSH_AUTH_SOCK=%s", n->socket);
	char *askpass = mem_printf("SSH_ASKPASS=%s", n->askpass);
	const char *const env[] = {sock,         askpass, "SSH_ASKPASS_REQUIRE=force",
				   "DISPLAY=:0", secret,  NULL};
	struct proc_spec spec = {argv, env};
	struct proc_result result;
	struct buf said = BUF_INIT(400);
	int rc = proc_run(&spec, k->text.data, k->text.len, a->wait.deadline,
			  a->wait.wake, NULL, &said, &result, err);

	mem_wipe(secret, strlen(secret));
	free(secret);
	free(sock);
	free(askpass);
	if (rc == 0 && result.exit_code != 0) {
		bool wrong =
			said.len == 0 || strstr(buf_str(&said), "passphrase") != NULL;

		for (char *p = said.data; said.len > 0 && *p != '\0'; p++)
			if (*p == '\n' || *p == '\r')
				*p = ' ';
		rc = wrong ? err_set_code(
				     err, ERR_PERMANENT, REASON_SSH_AUTH,
				     "key %s cannot be decrypted: passphrase_file is not "
				     "its passphrase",
				     k->path)
			   : err_set_code(err, ERR_PERMANENT, REASON_SSH_AUTH,
					  "key %s: ssh-add: %s", k->path,
					  buf_str(&said));
	}
	buf_free(&said);
	return rc;
}

int agent_open_private(struct agent *a, const struct keyfile *k,
		       const struct ssh_wait *w, struct err *err)
{
	struct nest nest = {"", "", ""};
	int rc;

	agent_init(a, w);
	rc = make_nest(&nest, err);
	if (rc == 0)
		rc = start_agent(a, &nest, err);
	if (rc == 0)
		rc = add_key(a, &nest, k, err);
	remove_nest(&nest);
	if (rc == ERR_PERMANENT && err->code == 0) {
		err_wrap(
			err,
			"key %s is one that libssh2 %s cannot decrypt; install "
			"openssh-client, or convert it with ssh-keygen -p -m PEM -f KEY",
			k->path, libssh2_version(0));
		err->code = REASON_SSH_AUTH;
	}
	return rc;
}
