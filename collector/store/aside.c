/* SPDX-License-Identifier: MIT
 * aside: see aside_int.h. */
#include "aside_int.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

#include "banned.h"

#define TRIES 100 /* names in one second */

/* The database goes first: a log without its database is put aside at the next start
 * too, a database without its log would pass for a whole one. */
static const char *const parts[] = {"", "-wal", "-shm", "-journal"};

/* The size of `path` with `part` behind it, -1 when there is no such file. */
static long long size_of(const char *path, const char *part, bool *regular)
{
	char name[PATH_MAX];
	struct stat st;

	*regular = false;
	if (snprintf(name, sizeof(name), "%s%s", path, part) >= (int)sizeof(name) ||
	    stat(name, &st) != 0)
		return -1;
	*regular = S_ISREG(st.st_mode);
	return st.st_size;
}

const char *aside_look(const char *path)
{
	bool regular, log_regular;
	long long size = size_of(path, "", &regular);
	long long log = size_of(path, "-wal", &log_regular);

	if (size >= 0 && !regular)
		return "not-a-file";
	if (size > 0 || log <= 0)
		return NULL;
	return size == 0 ? "zero-length" : "log-alone";
}

static bool taken(const char *target)
{
	char name[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(name, sizeof(name), "%.4000s%s", target, parts[i]);
		if (lstat(name, &st) == 0)
			return true;
	}
	return false;
}

/* A name nobody has, e.g. mmlag.db.aside-20261121T033610Z-damaged. */
static int choose(const char *path, const char *why, char *target, size_t size)
{
	char t[WALL_TEXT];

	wall_format(clock_wall(), t);
	for (int i = 1; i <= TRIES; i++) {
		char again[8] = "";
		int len;

		if (i > 1)
			snprintf(again, sizeof(again), ".%d", i);
		len = snprintf(target, size, "%s.aside-%.4s%.2s%.2sT%.2s%.2s%.2sZ-%s%s",
			       path, t, t + 5, t + 8, t + 11, t + 14, t + 17, why,
			       again);
		if (len < 0 || (size_t)len >= size)
			return ENAMETOOLONG;
		if (!taken(target))
			return 0;
	}
	return EEXIST;
}

static int rename_part(const char *path, const char *target, const char *part)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (snprintf(from, sizeof(from), "%s%s", path, part) >= (int)sizeof(from) ||
	    snprintf(to, sizeof(to), "%s%s", target, part) >= (int)sizeof(to))
		return ENAMETOOLONG;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system knows the flag; nobody had the name a moment ago, and
	 * the directory is ours. */
	if (errno == EINVAL && rename(from, to) == 0)
		return 0;
	return errno == ENOENT ? 0 : errno;
}

/* Make the new names last. An error changes nothing that could be done about it. */
static void sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 1 : (int)(slash - path + 1),
		 slash == NULL ? "." : path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int aside_rename(const char *path, const char *why, char *name, size_t size,
		 struct err *err)
{
	char target[PATH_MAX];
	const char *slash;
	int failure = choose(path, why, target, sizeof(target));

	for (size_t i = 0; i < ARRAY_LEN(parts) && failure == 0; i++)
		failure = rename_part(path, target, parts[i]);
	if (failure != 0)
		return err_set_errno(
			err, ERR_RETRY, failure,
			"%s cannot be used (%s) nor be put aside; rename it and "
			"its -wal and -shm by hand",
			path, why);
	sync_directory(path);
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash == NULL ? target : slash + 1);
	return 0;
}
