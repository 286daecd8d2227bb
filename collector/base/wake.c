/* SPDX-License-Identifier: MIT */
#include "base/wake.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "banned.h"

int wake_init(struct wake *w)
{
	atomic_init(&w->stop, false);
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return w->fd < 0 ? -1 : 0;
}

void wake_fini(struct wake *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

void wake_signal(struct wake *w)
{
	uint64_t one = 1;

	/* EAGAIN means that the counter is full, so the owner wakes anyway. */
	if (write(w->fd, &one, sizeof(one)) < 0)
		return;
}

void wake_stop(struct wake *w)
{
	atomic_store(&w->stop, true);
	wake_signal(w);
}

void wake_resume(struct wake *w)
{
	atomic_store(&w->stop, false);
}

bool wake_stopping(const struct wake *w)
{
	return atomic_load(&w->stop);
}

void wake_wait(struct wake *w, struct step s)
{
	struct pollfd fds[2] = {{w->fd, POLLIN, 0}, {s.fd, s.events, 0}};
	int64_t left = s.until.ns == INT64_MAX ? -1 : s.until.ns - clock_mono().ns;
	struct timespec ts;
	uint64_t drain;

	if (s.until.ns != INT64_MAX && left <= 0)
		left = 0;
	ts.tv_sec = left < 0 ? 0 : left / 1000000000;
	ts.tv_nsec = left < 0 ? 0 : left % 1000000000;
	if (ppoll(fds, s.fd >= 0 ? 2 : 1, left < 0 ? NULL : &ts, NULL) < 0)
		return;
	if (fds[0].revents != 0 && read(w->fd, &drain, sizeof(drain)) < 0)
		return;
}
