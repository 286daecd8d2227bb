/* SPDX-License-Identifier: MIT
 * failing: to be preloaded. The n-th call of one kind fails, once, as the environment
 * says: FAIL_KIND is malloc, own (an allocation of the program's, not of a library's),
 * write, fsync or connect, FAIL_AT is n, from 1; FAIL_TIMES (1) so many in a row.
 * Writes and syncs are those of the state directory, FAIL_PATH, so that a log or a
 * socket is left alone. */
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

/* What libc's headers declare with attributes that a definition need not repeat. */
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at);

static const char *kind;
static const char *path;
static long from, until; /* calls that fail: [from, until) */
static atomic_long calls;
static uintptr_t code_begin, code_end; /* of the program */

/* The program comes first. */
static int note_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD &&
		    (info->dlpi_phdr[i].p_flags & PF_X) != 0) {
			code_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code_end = code_begin + info->dlpi_phdr[i].p_memsz;
		}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT"), *times = getenv("FAIL_TIMES");

	path = getenv("FAIL_PATH");
	from = at != NULL ? atol(at) : 0;
	until = from + (times != NULL ? atol(times) : 1);
	dl_iterate_phdr(note_code, NULL);
	kind = getenv("FAIL_KIND");
}

static int fails(const char *what)
{
	long n;

	if (kind == NULL || strcmp(kind, what) != 0)
		return 0;
	n = atomic_fetch_add(&calls, 1) + 1;
	return n >= from && n < until;
}

static int is_ours(int fd)
{
	char link[64], target[4096];
	ssize_t n;

	if (path == NULL)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	return n > 0 && strncmp(target, path, strlen(path)) == 0;
}

static int no_memory(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return fails("malloc") || (at >= code_begin && at < code_end && fails("own"));
}

void *malloc(size_t n)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return no_memory(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

/* The next definition of a name, as what it is. */
#define NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
	if (kind != NULL && strcmp(kind, "write") == 0 && is_ours(fd) &&
	    fails("write")) {
		errno = EIO;
		return -1;
	}
	return NEXT(pwrite64)(fd, data, n, at);
}

int fdatasync(int fd)
{
	if (kind != NULL && strcmp(kind, "fsync") == 0 && is_ours(fd) &&
	    fails("fsync")) {
		errno = EIO;
		return -1;
	}
	return NEXT(fdatasync)(fd);
}

int fsync(int fd)
{
	if (kind != NULL && strcmp(kind, "fsync") == 0 && is_ours(fd) &&
	    fails("fsync")) {
		errno = EIO;
		return -1;
	}
	return NEXT(fsync)(fd);
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
	if (fails("connect")) {
		errno = ENETUNREACH;
		return -1;
	}
	return NEXT(connect)(fd, to, len);
}
