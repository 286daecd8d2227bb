/* SPDX-License-Identifier: MIT
 * socket: the listening sockets of the doors. */
#include "serve/door_int.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/resolve.h"

#include "banned.h"

#define BACKLOG 128
#define RESOLVE_MS 10000 /* a second server may know a name that the first does not */
#define FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static int bind_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, a->ai_socktype | FLAGS, a->ai_protocol), one = 1;
	int saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int door_listen(const char *where, struct wake *w, struct err *err)
{
	const char *colon = strrchr(where, ':');
	struct addrinfo *found;
	char host[256];
	size_t n = colon != NULL ? (size_t)(colon - where) : sizeof(host);
	bool brackets = *where == '[';
	int rc, fd = -1;

	if (n >= sizeof(host) || n < 1 + 2 * (size_t)brackets)
		return err_set(err, ERR_PERMANENT, "%s is no address", where);
	memcpy(host, where + brackets, n - 2 * brackets);
	host[n - 2 * brackets] = '\0';
	rc = resolve_host(&found, host, colon + 1, w,
			  mono_add_ms(clock_mono(), RESOLVE_MS), err);
	if (rc != 0)
		return err_wrap(err, "cannot listen on %s", where);
	for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
		fd = bind_one(a);
	rc = errno;
	freeaddrinfo(found);
	if (fd < 0)
		return err_set_errno(err, ERR_RETRY, rc, "cannot listen on %s", where);
	return fd;
}

int door_listen_local(const char *path, struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, saved;

	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >=
	    sizeof(a.sun_path))
		return err_set(err, ERR_PERMANENT,
			       "%s: a socket's name has at most %zu bytes; choose a "
			       "shorter state_dir",
			       path, sizeof(a.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | FLAGS, 0);
	if (fd < 0)
		return err_set_errno(err, ERR_RETRY, errno, "no socket for %s", path);
	/* The state lock is held: what stands there is of a dead process. The mode of
	 * the descriptor becomes that of the file, without a moment in between. */
	unlink(path);
	if (fchmod(fd, 0600) == 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	return err_set_errno(err, ERR_RETRY, saved, "cannot listen on %s", path);
}
