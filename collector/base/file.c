/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#include "banned.h"

#define SECRET_MAX 65536
#define CREDENTIAL "credential:"

static int read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	for (;;) {
		ssize_t n;

		if (out->len == out->max) {
			char one;

			if (read(fd, &one, 1) == 0)
				return 0;
			return err_set(err, ERR_REJECT, "%s: larger than %zu bytes",
				       path, out->max);
		}
		if (buf_reserve(out, out->max - out->len < 4096 ? out->max - out->len
								: 4096) != 0)
			return err_set(err, ERR_RETRY, "%s: out of memory", path);
		n = read(fd, out->data + out->len, out->cap - out->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set_errno(err, ERR_PERMANENT, errno, "%s", path);
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
}

int file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return err_set_errno(err, ERR_PERMANENT, errno, "%s", path);
	rc = read_all(fd, path, out, err);
	close(fd);
	return rc;
}

int file_secret_path(const char *path, char **out, struct err *err)
{
	const char *dir;

	if (strncmp(path, CREDENTIAL, strlen(CREDENTIAL)) != 0) {
		*out = mem_strdup(path);
		return 0;
	}
	if (strchr(path, '/') != NULL || strstr(path, "..") != NULL)
		return err_set(err, ERR_PERMANENT, "%s: not the name of a credential",
			       path);
	dir = getenv("CREDENTIALS_DIRECTORY");
	if (dir == NULL || *dir == '\0')
		return err_set(err, ERR_PERMANENT,
			       "%s: CREDENTIALS_DIRECTORY is not set; start mmlag by a "
			       "systemd unit with LoadCredential=",
			       path);
	*out = mem_printf("%s/%s", dir, path + strlen(CREDENTIAL));
	return 0;
}

/* `shared`: the bits of the mode that nobody else may have. */
static int check_owner(int fd, const char *path, mode_t shared, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_set_errno(err, ERR_PERMANENT, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_PERMANENT, "%s: not a regular file", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, ERR_PERMANENT,
			       "%s: owned by uid %u, neither root nor us: chown it",
			       path, (unsigned)st.st_uid);
	if ((st.st_mode & shared) != 0)
		return err_set(err, ERR_PERMANENT,
			       "%s: mode %04o lets others read it: chmod 600 %s", path,
			       (unsigned)(st.st_mode & 07777), path);
	if (st.st_size == 0)
		return err_set(err, ERR_PERMANENT,
			       "%s: is empty; put the secret into it", path);
	return 0;
}

/* Open and check; returns the descriptor or a negative class. systemd gives a
 * credential to its service by an ACL, whose mask shows as the mode of the group. */
static int open_secret(const char *name, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
	bool credential = strncmp(name, CREDENTIAL, strlen(CREDENTIAL)) == 0;

	if (fd < 0)
		return err_set_errno(err, ERR_PERMANENT, errno, "%s", path);
	rc = check_owner(fd, path, credential ? 007 : 077, err);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* Nothing but the newline that is cut? */
static bool is_blank(int fd)
{
	char head[3];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return (n == 1 && head[0] == '\n') ||
	       (n == 2 && head[0] == '\r' && head[1] == '\n');
}

int file_check_secret(const char *name, struct err *err)
{
	char *path = NULL;
	int fd, rc = file_secret_path(name, &path, err);

	if (rc != 0)
		return rc;
	fd = rc = open_secret(name, path, err);
	if (fd >= 0) {
		rc = is_blank(fd) ? err_set(err, ERR_PERMANENT, "%s: is empty", path)
				  : 0;
		close(fd);
	}
	free(path);
	return rc;
}

/* One newline, as any editor writes it: LF or CR LF. */
static void cut_newline(struct buf *b)
{
	if (b->len == 0 || b->data[b->len - 1] != '\n')
		return;
	b->len--;
	if (b->len > 0 && b->data[b->len - 1] == '\r')
		b->len--;
	b->data[b->len] = '\0';
}

int file_read_secret(const char *name, struct buf *out, struct err *err)
{
	char *path = NULL;
	int fd, rc = file_secret_path(name, &path, err);

	if (rc != 0)
		return rc;
	buf_init(out, SECRET_MAX);
	fd = rc = open_secret(name, path, err);
	if (fd >= 0) {
		rc = read_all(fd, path, out, err);
		close(fd);
	}
	if (rc == 0)
		cut_newline(out);
	if (rc == 0 && out->len == 0)
		rc = err_set(err, ERR_PERMANENT, "%s: is empty", path);
	if (rc != 0) {
		mem_wipe(out->data, out->cap);
		buf_free(out);
	}
	free(path);
	return rc;
}
