/* SPDX-License-Identifier: MIT */
#include "run/sdnotify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "banned.h"

void sdnotify(const char *fmt, ...)
{
	const char *where = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char text[512];
	socklen_t len;
	va_list ap;
	int fd;

	if (where == NULL || (*where != '/' && *where != '@') ||
	    strlen(where) >= sizeof(a.sun_path))
		return;
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(where));
	memcpy(a.sun_path, where, strlen(where));
	if (*where == '@')
		a.sun_path[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a, len) <
	    0) {
		/* nobody listens: systemd is going away too */
	}
	close(fd);
}

int64_t sdnotify_watchdog_ms(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long ms = us == NULL ? 0 : strtoll(us, NULL, 10) / 2000;

	if (ms <= 0 || (pid != NULL && strtol(pid, NULL, 10) != (long)getpid()))
		return 0;
	return ms;
}
