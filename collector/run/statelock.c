/* SPDX-License-Identifier: MIT
 * statelock: an flock on `lock`, which goes with the process however that ends. The
 * process id inside is for the reader only. */
#include "run/statelock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "banned.h"

/* The process id that stands in the file; -1 when none can be read. */
static long read_pid(int fd)
{
	char pid[32] = "";
	long n;

	if (pread(fd, pid, sizeof(pid) - 1, 0) <= 0)
		return -1;
	n = strtol(pid, NULL, 10);
	return n > 0 ? n : -1;
}

long statelock_holder(const char *dir)
{
	char path[4096];
	long holder = 0;
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/lock", dir) >= sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) != 0)
		holder = read_pid(fd);
	close(fd);
	return holder;
}

/* On a file system that cannot be written to a lock can be held on the file of an
 * earlier life, or on the directory. */
static int open_lock(const char *path, const char *dir)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 && errno == EROFS)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

int statelock_take(const char *dir, struct err *err)
{
	char path[4096], pid[32];
	long holder;
	int fd, n;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set_errno(err, ERR_PERMANENT, errno,
				     "cannot make the state directory %s", dir);
	if ((size_t)snprintf(path, sizeof(path), "%s/lock", dir) >= sizeof(path))
		return err_set(err, ERR_PERMANENT, "%s: the name is too long", dir);
	fd = open_lock(path, dir);
	if (fd < 0)
		return err_set_errno(err, ERR_PERMANENT, errno,
				     "cannot write to the state directory: %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		holder = read_pid(fd);
		close(fd);
		return err_set(err, ERR_AGAIN,
			       "the state directory %s is in use by process %ld", dir,
			       holder);
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != (ssize_t)n) {
		/* A full disk must not stop the start, nor one that is read-only: the
		 * lock itself holds. */
	}
	return fd;
}

int statelock_renew(const char *dir, int *fd, struct err *err)
{
	struct stat ours, there;
	char path[4096];
	int fresh;

	if ((size_t)snprintf(path, sizeof(path), "%s/lock", dir) >= sizeof(path) ||
	    fstat(*fd, &ours) != 0)
		return 0;
	if (stat(path, &there) == 0 && there.st_ino == ours.st_ino &&
	    there.st_dev == ours.st_dev)
		return 0;
	if (S_ISDIR(ours.st_mode) && access(dir, W_OK) != 0 && errno == EROFS)
		return 0; /* nothing better can be had yet */
	fresh = statelock_take(dir, err);
	if (fresh < 0)
		return err->class;
	close(*fd);
	*fd = fresh;
	return 1;
}
