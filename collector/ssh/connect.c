/* SPDX-License-Identifier: MIT
 * connect: a name to a TCP connection. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/resolve.h"
#include "lag/reason.h"
#include "ssh/ssh_int.h"

#include "banned.h"

#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT 3
#define ADDRESS_MIN_MS 2000

int ssh_wait_fd(const struct ssh_wait *w, int fd, short events)
{
	struct pollfd p = {fd, events, 0};

	for (;;) {
		if (wake_stopping(w->wake))
			return ERR_AGAIN;
		if (poll(&p, 1, 0) > 0)
			return 0;
		if (!mono_before(clock_mono(), w->deadline))
			return ERR_RETRY;
		wake_wait(w->wake, (struct step){fd, events, w->deadline, false});
	}
}

static int unreachable(struct err *err, const char *host, int port, const char *why)
{
	return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE, "%s:%d: %s", host,
			    port, why);
}

static void set_option(int fd, int level, int option, int value)
{
	/* Without one of them a dead peer is noticed later; no reason to give up. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void set_options(int fd, int64_t dead_ms)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
	/* Data that nobody acknowledges switches TCP's keep-alive off: this goes on. */
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)dead_ms);
}

/* Returns the descriptor, or a class with errno set for ERR_RETRY. */
static int connect_address(const struct addrinfo *a, const struct ssh_wait *w)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int problem = 0, rc;
	socklen_t size = sizeof(problem);

	if (fd < 0)
		return ERR_RETRY;
	rc = connect(fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : ERR_RETRY;
	if (rc != 0 && errno == EINPROGRESS) {
		rc = ssh_wait_fd(w, fd, POLLOUT);
		if (rc == ERR_RETRY)
			errno = ETIMEDOUT;
		else if (rc == 0 &&
			 getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
			rc = ERR_RETRY;
		else if (rc == 0 && problem != 0) {
			rc = ERR_RETRY;
			errno = problem;
		}
	}
	if (rc == 0)
		return fd;
	problem = errno;
	close(fd);
	errno = problem;
	return rc;
}

/* An address that does not answer must leave time for those behind it. */
static struct ssh_wait share(const struct ssh_wait *w, const struct addrinfo *a)
{
	struct mono now = clock_mono();
	int64_t left = mono_diff_ms(w->deadline, now), n = 0;

	for (; a != NULL; a = a->ai_next)
		n++;
	left /= n;
	if (left < ADDRESS_MIN_MS)
		left = ADDRESS_MIN_MS;
	return (struct ssh_wait){w->wake,
				 mono_min(mono_add_ms(now, left), w->deadline)};
}

static int connect_any(const struct addrinfo *list, const char *host, int port,
		       const struct ssh_wait *w, int *fd, struct err *err)
{
	char why[260] = "no address", address[64] = "?";

	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		struct ssh_wait mine = share(w, a);
		struct err text = ERR_INIT;
		const char *advice;

		*fd = connect_address(a, &mine);
		if (*fd >= 0)
			return 0;
		if (*fd == ERR_AGAIN)
			return err_set(err, ERR_AGAIN, "told to stop");
		advice = errno == ECONNREFUSED
				 ? ": is sshd running there, and on this port?"
				 : "";
		err_set_errno(&text, ERR_RETRY, errno, "%s", "");
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address),
				NULL, 0, NI_NUMERICHOST) != 0)
			snprintf(address, sizeof(address), "?");
		snprintf(why, sizeof(why), "%.60s%.130s%s",
			 strcmp(address, host) == 0 ? "" : address,
			 text.text + (strcmp(address, host) == 0 ? 2 : 0), advice);
	}
	return unreachable(err, host, port, why);
}

int connect_host(const char *host, int port, int64_t dead_ms, const struct ssh_wait *w,
		 int *fd, struct err *err)
{
	struct addrinfo *list = NULL;
	struct err why = ERR_INIT;
	char service[16];
	int rc;

	*fd = -1;
	snprintf(service, sizeof(service), "%d", port);
	rc = resolve_host(&list, host, service, w->wake, w->deadline, &why);
	if (rc == ERR_AGAIN)
		return err_set(err, ERR_AGAIN, "%s", why.text);
	if (rc != 0)
		return unreachable(err, host, port, why.text);
	rc = connect_any(list, host, port, w, fd, err);
	if (rc == 0)
		set_options(*fd, dead_ms);
	freeaddrinfo(list);
	return rc;
}

static bool begins(const char *bytes, ssize_t n, const char *text)
{
	return n >= (ssize_t)strlen(text) && memcmp(bytes, text, strlen(text)) == 0;
}

int connect_greeting(const char *name, int fd, const struct ssh_wait *w,
		     struct err *err)
{
	const char *why = NULL;
	char bytes[64];
	ssize_t n;
	int rc = ssh_wait_fd(w, fd, POLLIN);

	if (rc == ERR_AGAIN)
		return err_set(err, ERR_AGAIN, "told to stop");
	if (rc != 0)
		return err_set_code(err, ERR_RETRY, REASON_SSH_UNREACHABLE,
				    "%s: accepts the connection, but says nothing",
				    name);
	n = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
	if (n <= 0)
		why = "closes the connection before its banner: sshd is overloaded, shuts "
		      "our address out for a while, or is not allowed to answer us";
	else if (begins(bytes, n, "Exceeded MaxStartups"))
		why = "too many clients are logging in there (MaxStartups)";
	else if (begins(bytes, n, "Not allowed at this time"))
		why = "sshd shuts our address out for a while (PerSourcePenalties), after "
		      "failed logins";
	if (why == NULL)
		return 0;
	return err_set_code(err, ERR_RETRY, REASON_SSH_BUSY, "%s: %s", name, why);
}
