/* SPDX-License-Identifier: MIT
 * check_local: what `check` looks at on this machine. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/size.h"
#include "cli/check_int.h"
#include "run/daemon.h"
#include "follow/plan.h"
#include "run/statelock.h"

#include "banned.h"

#define THREADS_BESIDE 16 /* the other actors', and libraries' */

/* May this user work in the directory, or make it? Says so, and returns whether it is
 * there. */
static bool check_directory(struct report *r, const char *dir)
{
	bool there = access(dir, F_OK) == 0;
	char *parent = mem_strdup(dir);
	char *slash = strrchr(parent, '/');
	char text[512];

	if (slash != NULL)
		slash[slash == parent] = '\0';
	if (access(there || slash == NULL ? dir : parent, W_OK | X_OK) != 0) {
		snprintf(text, sizeof(text),
			 "%s cannot be %s by this user; as root: install -d -m 700 -o "
			 "USER %s",
			 dir, there ? "written" : "made", dir);
		say(r, FINDING_FAILURE, "state directory", text);
		there = false;
	} else if (!there) {
		snprintf(text, sizeof(text), "%s is made at the first start", dir);
		say(r, FINDING_OK, "state directory", text);
	}
	free(parent);
	return there;
}

void check_state(struct report *r, const struct config *c)
{
	long holder = statelock_holder(c->state_dir);
	char text[512], room[SIZE_TEXT], wanted[SIZE_TEXT], by[48] = "";
	struct statvfs fs;
	int64_t bytes;

	if (!check_directory(r, c->state_dir) || statvfs(c->state_dir, &fs) != 0)
		return;
	bytes = (int64_t)(fs.f_bavail * fs.f_frsize);
	size_text(bytes, room);
	size_text(c->spool.min_free, wanted);
	if (holder != 0)
		snprintf(by, sizeof(by), "; process %ld works in it", holder);
	snprintf(text, sizeof(text), "%s: %s free%s", c->state_dir, room, by);
	say(r, FINDING_OK, "state directory", text);
	if (bytes < c->spool.min_free) {
		snprintf(text, sizeof(text),
			 "only %s are free and `spool.min_free` is %s: documents stay "
			 "in memory until there is more room",
			 room, wanted);
		say(r, FINDING_WARNING, "state directory", text);
	}
}

/* What the control group allows, of the first that says so on the way up from ours;
 * -1 for no bound. */
static int64_t pids_max(void)
{
	struct buf own = BUF_INIT(4096), limit = BUF_INIT(64);
	struct err err = ERR_INIT;
	int64_t n = -1;
	char *path, *slash;

	if (file_read("/proc/self/cgroup", &own, &err) != 0 || own.len < 4)
		goto out;
	buf_addch(&own, '\0');
	path = strstr(own.data, "0::");
	if (path == NULL)
		goto out;
	path += 3;
	path[strcspn(path, "\n")] = '\0';
	while ((slash = strrchr(path, '/')) != NULL && n < 0) {
		char *file = mem_printf("/sys/fs/cgroup%s/pids.max", path);

		buf_reset(&limit);
		if (file_read(file, &limit, &err) == 0 &&
		    buf_addch(&limit, '\0') == 0 && *limit.data >= '0' &&
		    *limit.data <= '9')
			n = strtoll(limit.data, NULL, 10);
		free(file);
		*slash = '\0';
	}
out:
	buf_free(&own);
	buf_free(&limit);
	return n;
}

void check_limits(struct report *r, const struct config *c)
{
	struct plan plan = plan_make(c, PLAN_AS_CONFIGURED);
	int64_t threads = (int64_t)plan_sessions(&plan) + THREADS_BESIDE,
		allowed = pids_max();
	uint64_t files = daemon_descriptors(&plan);
	struct rlimit most;
	char text[256];

	plan_free(&plan);
	if (allowed >= 0 && allowed < threads) {
		snprintf(text, sizeof(text),
			 "%" PRId64 " threads are needed and the control group allows "
			 "%" PRId64 ": raise TasksMax=",
			 threads, allowed);
		say(r, FINDING_WARNING, "threads", text);
	}
	if (getrlimit(RLIMIT_NOFILE, &most) == 0 && most.rlim_max < files) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " open files are needed and %" PRIu64
			 " are allowed: raise LimitNOFILE= or ulimit -n",
			 files, (uint64_t)most.rlim_max);
		say(r, FINDING_WARNING, "open files", text);
	}
}
