/* SPDX-License-Identifier: MIT
 * report_system: what a report says of this machine. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <curl/curl.h>
#include <jansson.h>
#include <libssh2.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <yaml.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/size.h"
#include "cli/redact.h"
#include "cli/report_int.h"
#include "run/statelock.h"

#include "banned.h"

void report_versions(struct buf *out)
{
	const char *ssh = libssh2_version(0);

	buf_printf(out, "mmlag %s\n", MMLAG_VERSION);
	buf_printf(out, "libssh2 %s\n", ssh == NULL ? "unknown" : ssh);
	buf_printf(out, "%s\n", curl_version());
	buf_printf(out, "%s\n", OpenSSL_version(OPENSSL_VERSION));
	buf_printf(out, "SQLite %s\n", sqlite3_libversion());
	buf_printf(out, "libmicrohttpd %s\n", MHD_get_version());
	buf_printf(out, "jansson %s\n", jansson_version_str());
	buf_printf(out, "libyaml %s\n", yaml_get_version_string());
}

/* PRETTY_NAME of os-release, which is the same as `name` on a rolling one. */
static void distribution(struct buf *out)
{
	static const char key[] = "PRETTY_NAME=";
	struct buf text = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	const char *name = NULL;

	if (file_read("/etc/os-release", &text, &err) == 0)
		name = strstr(buf_str(&text), key);
	if (name != NULL)
		name += strlen(key);
	buf_printf(out, "distribution: %.*s\n",
		   name == NULL ? 7 : (int)strcspn(name, "\n"),
		   name == NULL ? "unknown" : name);
	buf_free(&text);
}

static void limit(const char *name, int which, struct buf *out)
{
	struct rlimit l;

	if (getrlimit(which, &l) != 0)
		return;
	buf_printf(out, "limit of %s: ", name);
	if (l.rlim_cur == RLIM_INFINITY)
		buf_addstr(out, "none\n");
	else
		buf_printf(out, "%" PRIu64 ", at most %" PRIu64 "\n",
			   (uint64_t)l.rlim_cur, (uint64_t)l.rlim_max);
}

static void variable(const char *name, struct buf *out)
{
	const char *value = getenv(name);

	buf_printf(out, "%s: %s\n", name, value == NULL ? "not set" : value);
}

/* An address of a proxy may be without "http://", and have a password in it. */
static void proxy(const char *name, struct buf *out)
{
	const char *value = getenv(name), *host = NULL;

	if (value != NULL && strstr(value, "://") == NULL)
		host = strrchr(value, '@');
	if (host == NULL)
		variable(name, out);
	else
		buf_printf(out, "%s: " REDACTED "%s\n", name, host);
}

void report_system(struct buf *out)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	char memory[SIZE_TEXT], now[WALL_TEXT];
	struct utsname u;

	wall_format(clock_wall(), now);
	buf_printf(out, "time: %s\n", now);
	if (uname(&u) == 0)
		buf_printf(out, "kernel: %s %s %s %s\n", u.sysname, u.release,
			   u.version, u.machine);
	distribution(out);
	size_text((int64_t)pages * page, memory);
	buf_printf(out, "cores: %ld\nmemory: %s\nuser: %u\n",
		   sysconf(_SC_NPROCESSORS_ONLN), memory, (unsigned)geteuid());
	limit("open files", RLIMIT_NOFILE, out);
	limit("processes", RLIMIT_NPROC, out);
	limit("address space", RLIMIT_AS, out);
	variable("STATE_DIRECTORY", out);
	variable("CREDENTIALS_DIRECTORY", out);
	variable("NOTIFY_SOCKET", out);
	variable("SSH_AUTH_SOCK", out);
	variable("TZ", out);
	variable("LANG", out);
	proxy("https_proxy", out);
	proxy("http_proxy", out);
	variable("no_proxy", out);
}

static int no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static void entry(const char *dir, const char *name, struct buf *out)
{
	char *path = mem_printf("%s/%s", dir, name);
	char changed[WALL_TEXT];
	struct stat st;

	if (lstat(path, &st) == 0) {
		wall_format((struct wall){(int64_t)st.st_mtime * 1000}, changed);
		buf_printf(out, "%12" PRId64 "  mode %04o  uid %u  %s  %s%s\n",
			   (int64_t)st.st_size, (unsigned)(st.st_mode & 07777),
			   (unsigned)st.st_uid, changed, name,
			   S_ISDIR(st.st_mode) ? "/" : "");
	}
	free(path);
}

static void holder(const char *dir, struct buf *out)
{
	long pid = statelock_holder(dir);

	if (pid > 0)
		buf_printf(out, "process %ld works in it\n", pid);
	else
		buf_printf(out, "%s\n",
			   pid == 0 ? "nobody works in it"
				    : "a process that cannot be told works in it");
}

void report_state(const char *dir, struct buf *out)
{
	struct dirent **entries = NULL;
	struct err err = ERR_INIT;
	char room[SIZE_TEXT];
	struct statvfs fs;
	int n = scandir(dir, &entries, no_dots, alphasort);

	buf_printf(out, "%s\n", dir);
	if (n < 0) {
		err_set_errno(&err, ERR_PERMANENT, errno, "it cannot be read");
		buf_printf(out, "%s\n", err.text);
		return;
	}
	holder(dir, out);
	if (statvfs(dir, &fs) == 0) {
		size_text((int64_t)(fs.f_bavail * fs.f_frsize), room);
		buf_printf(out, "%s free\n", room);
	}
	for (int i = 0; i < n; i++) {
		entry(dir, entries[i]->d_name, out);
		free(entries[i]);
	}
	free(entries);
}
