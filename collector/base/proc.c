/* SPDX-License-Identifier: MIT
 * proc: see proc.h. The end of a child is seen through a pidfd, so that one epoll
 * descriptor covers it, its output, and nothing has to be asked again and again. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#include "banned.h"

extern char **environ;

struct proc {
	pid_t pid;
};

/* One of the child's outputs that we read. */
struct outlet {
	int fd; /* -1 at its end */
	struct buf *to;
};

struct run {
	struct proc *child;
	struct wake *wake;
	struct mono deadline;
	int epoll, pid_fd;
	struct outlet outlets[2];
	bool cut;
};

static size_t count(const char *const *v)
{
	size_t n = 0;

	while (v != NULL && v[n] != NULL)
		n++;
	return n;
}

static bool overridden(const char *entry, const char *const *env)
{
	size_t name = strcspn(entry, "=") + 1;

	for (size_t i = 0; env != NULL && env[i] != NULL; i++)
		if (strncmp(entry, env[i], name) == 0)
			return true;
	return false;
}

/* Our environment with `env` on top. The strings are borrowed, the array is not. */
static char **make_environment(const char *const *env)
{
	size_t added = count(env), n = 0;
	char **all = mem_calloc(count((const char *const *)environ) + added + 1,
				sizeof(*all));

	for (char **e = environ; e != NULL && *e != NULL; e++)
		if (!overridden(*e, env))
			all[n++] = *e;
	if (added > 0)
		memcpy(all + n, env, added * sizeof(*all));
	return all;
}

static int set_actions(posix_spawn_file_actions_t *a, const int fds[3])
{
	int rc = 0;

	for (int i = 0; i < 3 && rc == 0; i++)
		rc = fds[i] < 0 ? posix_spawn_file_actions_addopen(a, i, "/dev/null",
								   i == 0 ? O_RDONLY
									  : O_WRONLY,
								   0)
				: posix_spawn_file_actions_adddup2(a, fds[i], i);
	return rc == 0 ? posix_spawn_file_actions_addclosefrom_np(a, 3) : rc;
}

static int set_attributes(posix_spawnattr_t *a)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setpgroup(a, 0);
	posix_spawnattr_setsigmask(a, &none);
	posix_spawnattr_setsigdefault(a, &all);
	return posix_spawnattr_setflags(a, POSIX_SPAWN_SETPGROUP |
						   POSIX_SPAWN_SETSIGMASK |
						   POSIX_SPAWN_SETSIGDEF);
}

/* A descriptor of ours that is 0, 1 or 2 would be overwritten before its turn comes. */
static bool collides(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && fds[i] < 3 && fds[i] != i)
			return true;
	return false;
}

int proc_start(struct proc **out, const struct proc_spec *spec, const int fds[3],
	       struct err *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	char **environment;
	char *const *argv;
	pid_t pid;
	int rc;

	*out = NULL;
	if (collides(fds))
		return err_set(err, ERR_BUG, "%s: descriptors in each other's place",
			       spec->argv[0]);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return err_set(err, ERR_RETRY, "%s: out of memory", spec->argv[0]);
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return err_set(err, ERR_RETRY, "%s: out of memory", spec->argv[0]);
	}
	environment = make_environment(spec->env);
	memcpy(&argv, &spec->argv,
	       sizeof(argv)); /* POSIX: the strings stay as they are */
	rc = set_actions(&actions, fds);
	if (rc == 0)
		rc = set_attributes(&attributes);
	if (rc == 0)
		rc = posix_spawnp(&pid, spec->argv[0], &actions, &attributes, argv,
				  environment);
	free(environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0)
		return err_set_errno(err,
				     rc == EAGAIN || rc == ENOMEM ? ERR_RETRY
								  : ERR_PERMANENT,
				     rc, "cannot start %s", spec->argv[0]);
	*out = mem_calloc(1, sizeof(**out));
	(*out)->pid = pid;
	return 0;
}

/* Kill what is left of the group, and reap the child. */
static int reap(struct proc *p)
{
	int status = 0;

	/* Before the wait: as long as it is not reaped, the number is the group's. */
	kill(-p->pid, SIGKILL);
	while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR)
		;
	free(p);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void proc_end(struct proc *p)
{
	if (p != NULL)
		reap(p);
}

/* A file in memory holds the input: nobody has to feed a pipe. */
static int open_input(const void *input, size_t len)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	const char *p = input;

	if (fd < 0)
		return -1;
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		p += n;
		len -= (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A pipe whose end `theirs` is for the child, and ours watched by the epoll. */
static int open_outlet(struct run *r, struct outlet *o, struct buf *to, int *theirs)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int fds[2];

	if (to == NULL)
		return 0;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	o->fd = fds[0];
	o->to = to;
	*theirs = fds[1];
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
		return -1;
	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fds[0], &ev);
}

/* Read what is there; what does not fit is dropped, so that the child goes on. */
static void drain(struct run *r, struct outlet *o)
{
	char chunk[4096];
	ssize_t n;

	if (o->fd < 0)
		return;
	while ((n = read(o->fd, chunk, sizeof(chunk))) > 0) {
		size_t room = o->to->max - o->to->len;

		r->cut = r->cut || (size_t)n > room;
		buf_add(o->to, chunk, (size_t)n < room ? (size_t)n : room);
	}
	mem_wipe(chunk, sizeof(chunk));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(o->fd);
	o->fd = -1;
}

/* Until the child itself has ended; a grandchild that keeps a pipe open is not waited
 * for. */
static int wait_for_end(struct run *r, const char *name, struct err *err)
{
	struct pollfd ended = {r->pid_fd, POLLIN, 0};

	for (;;) {
		bool over = poll(&ended, 1, 0) > 0;

		drain(r, &r->outlets[0]);
		drain(r, &r->outlets[1]);
		if (over)
			return 0;
		if (wake_stopping(r->wake))
			return err_set(err, ERR_AGAIN, "told to stop");
		if (!mono_before(clock_mono(), r->deadline))
			return err_set(err, ERR_RETRY, "%s did not end in time", name);
		wake_wait(r->wake, (struct step){r->epoll, POLLIN, r->deadline, false});
	}
}

/* Descriptors, child, and its watch. */
static int begin(struct run *r, const struct proc_spec *spec, int fds[3],
		 struct buf *out, struct buf *errout, struct err *err)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int rc;

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0 || open_outlet(r, &r->outlets[0], out, &fds[1]) != 0 ||
	    open_outlet(r, &r->outlets[1], errout, &fds[2]) != 0)
		return err_set_errno(err, ERR_RETRY, errno,
				     "%s: cannot make a pipe to it", spec->argv[0]);
	rc = proc_start(&r->child, spec, fds, err);
	if (rc != 0)
		return rc;
	r->pid_fd = (int)syscall(SYS_pidfd_open, r->child->pid, 0);
	if (r->pid_fd < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->pid_fd, &ev) != 0)
		return err_set_errno(err, ERR_RETRY, errno,
				     "%s: its end cannot be watched", spec->argv[0]);
	return 0;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int proc_run(const struct proc_spec *spec, const void *input, size_t input_len,
	     struct mono deadline, struct wake *wake, struct buf *out,
	     struct buf *errout, struct proc_result *result, struct err *err)
{
	struct run r = {NULL, wake, deadline, -1, -1, {{-1, NULL}, {-1, NULL}}, false};
	struct wake own;
	int fds[3] = {-1, -1, -1}, rc = 0;

	memset(result, 0, sizeof(*result));
	if (wake == NULL && wake_init(&own) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "%s", spec->argv[0]);
	if (wake == NULL)
		r.wake = &own;
	if (input != NULL && (fds[0] = open_input(input, input_len)) < 0)
		rc = err_set_errno(err, ERR_RETRY, errno,
				   "%s: its input cannot be kept", spec->argv[0]);
	if (rc == 0)
		rc = begin(&r, spec, fds, out, errout, err);
	close_all(fds, 3);
	if (rc == 0)
		rc = wait_for_end(&r, spec->argv[0], err);
	if (r.child != NULL)
		result->exit_code = reap(r.child);
	result->cut = r.cut;
	close_all((int[]){r.epoll, r.pid_fd, r.outlets[0].fd, r.outlets[1].fd}, 4);
	if (wake == NULL)
		wake_fini(&own);
	else
		wake_signal(
			wake); /* what we took in may have been meant for the owner */
	return rc;
}
