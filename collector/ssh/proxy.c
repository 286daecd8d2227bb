/* SPDX-License-Identifier: MIT */
#include "ssh/proxy_int.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/jump.h"
#include "lag/reason.h"
#include "ssh/ssh_int.h"

#include "banned.h"

#define WORDS_MAX 2048
#define LAST_WORDS_MS 1000
#define LINE_MAX_LEN (64 << 10) /* of a command */
#define ARGS_MAX 64

static bool has_jump(const struct route *r)
{
	return r->t.proxy_jump != NULL && strcasecmp(r->t.proxy_jump, "none") != 0;
}

bool proxy_wanted(const struct route *r)
{
	return has_jump(r) || r->command != NULL;
}

/* A word of the command line. */
static void add(struct buf *out, const char *word)
{
	buf_add(out, word, strlen(word) + 1);
}

static void add_option(struct buf *out, const char *option)
{
	add(out, "-o");
	add(out, option);
}

/* No question may be asked, nothing may stay behind, and a dead bastion is noticed. */
static void add_manners(struct buf *out)
{
	add_option(out, "BatchMode=yes");
	add_option(out, "ConnectTimeout=10");
	add_option(out, "ServerAliveInterval=5");
	add_option(out, "ServerAliveCountMax=3");
	add_option(out, "ControlMaster=no");
	add_option(out, "ControlPath=none");
	add_option(out, "PermitLocalCommand=no");
	add_option(out, "UpdateHostKeys=no");
	add_option(out, "LogLevel=INFO");
}

/* Our known_hosts files, for a list in which blanks separate and % begins a token. */
static void add_known_hosts(struct buf *out, const struct config_strings *files)
{
	struct buf b = BUF_INIT(LINE_MAX_LEN);

	buf_addstr(&b, "UserKnownHostsFile=");
	for (size_t i = 0; i < files->n; i++) {
		buf_addstr(&b, i > 0 ? " \"" : "\"");
		for (const char *p = files->v[i]; *p != '\0'; p++) {
			if (*p == '%')
				buf_addch(&b, '%');
			buf_addch(&b, *p);
		}
		buf_addch(&b, '"');
	}
	add_option(out, buf_str(&b));
	buf_free(&b);
	add_option(out, "GlobalKnownHostsFile=/dev/null");
}

static int add_identity(struct buf *out, const struct config_topic *t, struct err *err)
{
	char *path;

	if (!t->agent)
		add_option(out, "IdentityAgent=none");
	if (t->key_file == NULL)
		return 0;
	if (file_secret_path(t->key_file, &path, err) != 0)
		return err->class;
	add_option(out, "IdentitiesOnly=yes");
	add(out, "-i");
	add(out, path);
	free(path);
	return 0;
}

/* One word for a shell, inside a ProxyCommand, where % begins a token. */
static void quote(struct buf *out, const char *word)
{
	buf_addch(out, '\'');
	for (const char *p = word; *p != '\0'; p++)
		if (*p == '\'')
			buf_addstr(out, "'\\''");
		else if (*p == '%')
			buf_addstr(out, "%%");
		else
			buf_addch(out, *p);
	buf_addch(out, '\'');
}

/* The words as one ProxyCommand. */
static void add_proxy_command(struct buf *out, const struct buf *words)
{
	struct buf b = BUF_INIT(LINE_MAX_LEN);

	buf_addstr(&b, "ProxyCommand=");
	for (size_t i = 0; i < words->len; i += strlen(words->data + i) + 1) {
		if (i > 0)
			buf_addch(&b, ' ');
		quote(&b, words->data + i);
	}
	add_option(out, buf_str(&b));
	buf_free(&b);
}

static void add_hop(struct buf *out, const struct jump_hop *hop, const char *user,
		    const char *host, int port)
{
	char text[400];

	snprintf(text, sizeof(text), "[%.300s]:%d", host, port);
	add(out, "-W");
	add(out, text);
	if (*hop->user != '\0' || user != NULL) {
		add(out, "-l");
		add(out, *hop->user != '\0' ? hop->user : user);
	}
	if (hop->port > 0) {
		snprintf(text, sizeof(text), "%d", hop->port);
		add(out, "-p");
		add(out, text);
	}
	add(out, hop->host);
}

/* Without the user's ssh_config all is said on the command line, which ssh -J would
 * keep from the bastions before the last: each is the ProxyCommand of the next. */
static int add_ours(struct buf *out, const struct route *r, const struct jump_hop *hops,
		    int n, struct err *err)
{
	const struct config_topic *t = &r->t;
	struct buf before = BUF_INIT(LINE_MAX_LEN);
	int rc = 0;

	for (int i = 0; i < n && rc == 0; i++) {
		struct buf words = BUF_INIT(LINE_MAX_LEN);
		bool last = i == n - 1;

		add(&words, "ssh");
		add(&words, "-F");
		add(&words, "/dev/null");
		add_manners(&words);
		add_known_hosts(&words, &t->known_hosts);
		add_option(&words, t->host_key == HOST_KEY_ACCEPT_NEW
					   ? "StrictHostKeyChecking=accept-new"
					   : "StrictHostKeyChecking=yes");
		rc = add_identity(&words, t, err);
		if (i > 0)
			add_proxy_command(&words, &before);
		add_hop(&words, &hops[i], t->user, last ? t->host : hops[i + 1].host,
			last                   ? t->port
			: hops[i + 1].port > 0 ? hops[i + 1].port
					       : 22);
		buf_free(&before);
		before = words;
	}
	buf_add(out, before.data, before.len);
	buf_free(&before);
	return rc;
}

/* With it, ssh knows by itself what each bastion wants. */
static void add_theirs(struct buf *out, const struct route *r,
		       const struct jump_hop *hops, int n)
{
	const char *comma = strrchr(r->t.proxy_jump, ',');

	add(out, "ssh");
	add_manners(out);
	if (n > 1) {
		char *first =
			mem_strndup(r->t.proxy_jump, (size_t)(comma - r->t.proxy_jump));

		add(out, "-J");
		add(out, first);
		free(first);
	}
	add_hop(out, &hops[n - 1], NULL, r->t.host, r->t.port);
}

int proxy_command_line(const struct route *r, struct buf *out, struct err *err)
{
	struct jump_hop hops[JUMP_HOPS_MAX];
	int n, rc = 0;

	if (!has_jump(r)) {
		char *line = mem_printf("exec %s", r->command);

		add(out, "/bin/sh");
		add(out, "-c");
		add(out, line);
		free(line);
		return 0;
	}
	n = jump_read(r->t.proxy_jump, hops, err);
	if (n < 0)
		return err->class;
	if (r->t.ssh_config)
		add_theirs(out, r, hops, n);
	else
		rc = add_ours(out, r, hops, n, err);
	if (rc == 0 && out->failed)
		rc = err_set(err, ERR_PERMANENT,
			     "the command for the bastions is too "
			     "long");
	return rc;
}

static int start(struct proxy *p, const struct buf *line, int end, int words,
		 struct err *err)
{
	static const char *const quiet[] = {"SSH_ASKPASS_REQUIRE=never", NULL};
	const char *argv[ARGS_MAX + 1];
	struct proc_spec spec = {argv, quiet};
	size_t n = 0;

	for (size_t i = 0; i < line->len && n < ARGS_MAX;
	     i += strlen(line->data + i) + 1)
		argv[n++] = line->data + i;
	argv[n] = NULL;
	return proc_start(&p->child, &spec, (int[]){end, end, words}, err);
}

static int open_pipes(struct proxy *p, int sockets[2], int *words, struct err *err)
{
	int pipes[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "no socket for the proxy");
	if (pipe2(pipes, O_CLOEXEC) != 0) {
		close(sockets[0]);
		close(sockets[1]);
		return err_set_errno(err, ERR_RETRY, errno, "no pipe for the proxy");
	}
	(void)fcntl(sockets[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	p->words_fd = pipes[0];
	*words = pipes[1];
	return 0;
}

int proxy_open(struct proxy *p, const struct route *r, int *fd, struct err *err)
{
	struct buf line = BUF_INIT(LINE_MAX_LEN);
	int sockets[2] = {-1, -1}, words = -1;
	int rc = proxy_command_line(r, &line, err);

	*p = (struct proxy){.words_fd = -1};
	buf_init(&p->words, WORDS_MAX);
	if (rc == 0)
		rc = open_pipes(p, sockets, &words, err);
	if (rc == 0)
		rc = start(p, &line, sockets[1], words, err);
	if (sockets[1] >= 0)
		close(sockets[1]);
	if (words >= 0)
		close(words);
	if (rc == 0) {
		*fd = sockets[0];
	} else {
		if (sockets[0] >= 0)
			close(sockets[0]);
		err->code = REASON_SSH_UNREACHABLE;
	}
	buf_free(&line);
	return rc;
}

void proxy_drain(struct proxy *p)
{
	char chunk[1024];
	ssize_t n;

	while (p->words_fd >= 0 && (n = read(p->words_fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			return;
		if ((size_t)n > p->words.max - p->words.len)
			buf_consume(&p->words,
				    (size_t)n - (p->words.max - p->words.len));
		buf_add(&p->words, chunk, (size_t)n);
	}
	if (p->words_fd >= 0)
		close(p->words_fd);
	p->words_fd = -1;
}

/* The last line that says something. Of several bastions, the first one's complaint is
 * followed by the others' about their connection. */
static void last_words(const struct proxy *p, char *out, size_t size)
{
	static const char *const echoes[] = {"Connection closed by UNKNOWN",
					     "kex_exchange_identification",
					     "stdio forwarding failed"};
	char *copy = mem_strdup(buf_str(&p->words)), *rest = copy, *line;

	out[0] = '\0';
	while ((line = strsep(&rest, "\r\n")) != NULL) {
		bool echo = *line == '\0';

		for (size_t i = 0; i < ARRAY_LEN(echoes); i++)
			echo = echo || strncmp(line, echoes[i], strlen(echoes[i])) == 0;
		if (!echo || (*out == '\0' && *line != '\0'))
			snprintf(out, size, "%s", line);
	}
	free(copy);
}

static const struct {
	const char *words;
	enum reason reason;
	enum err_class class;
	const char *advice;
} known[] = {
	{"Host key verification failed", REASON_SSH_HOST_KEY, ERR_PERMANENT,
	 "a bastion's host key is not the one on file, or not on file"},
	{"Permission denied", REASON_SSH_AUTH, ERR_PERMANENT,
	 "a bastion refuses the login"},
	{"no matching", REASON_SSH_ALGORITHM, ERR_PERMANENT, "a bastion"},
	{"administratively prohibited", REASON_SSH_UNREACHABLE, ERR_PERMANENT,
	 "a bastion does not forward connections (AllowTcpForwarding)"},
	{"open failed", REASON_SSH_UNREACHABLE, ERR_RETRY,
	 "the bastion does not reach the host"},
};

int proxy_failed(struct proxy *p, const char *name, const struct ssh_wait *w,
		 struct err *err)
{
	struct ssh_wait mine = {w->wake, mono_add_ms(clock_mono(), LAST_WORDS_MS)};
	char words[300];

	/* It may be about to say why. */
	for (;;) {
		proxy_drain(p);
		if (p->words_fd < 0)
			break;
		if (ssh_wait_fd(&mine, p->words_fd, POLLIN) != 0)
			break;
	}
	if (wake_stopping(w->wake))
		return err_set(err, ERR_AGAIN, "told to stop");
	last_words(p, words, sizeof(words));
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strstr(buf_str(&p->words), known[i].words) != NULL)
			return err_set_code(err, known[i].class, (int)known[i].reason,
					    "%s: %s: %s", name, known[i].advice, words);
	return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE,
			    "%s: the way through the proxy ended%s%s", name,
			    *words != '\0' ? ": " : " without a word", words);
}

void proxy_close(struct proxy *p)
{
	proc_end(p->child);
	p->child = NULL;
	if (p->words_fd >= 0)
		close(p->words_fd);
	p->words_fd = -1;
	buf_free(&p->words);
}
