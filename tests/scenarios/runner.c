/* SPDX-License-Identifier: MIT
 * runner: plays scenarios (docs/scenarios.md): `runner [-v] FILE.scn…`, TAP on stdout.
 * Each file runs in a process of its own, so that nothing is left over from another:
 * this program again, with --play DIR FILE. It ends with 0 when all was as expected,
 * and its first line is the title. */
#include <errno.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "scenarios/cluster.h"
#include "scenarios/expect.h"
#include "scenarios/hosts.h"
#include "scenarios/receivers.h"
#include "scenarios/house.h"
#include "scenarios/words.h"
#include "scenarios/world.h"

#include "banned.h"

#define FILE_MAX (1 << 20)
#define OUTPUT_MAX (64 << 20)
#define LOG_TAIL 6000 /* bytes of the log shown with a failure */
#define REAL_SECONDS 120
#define ROOM_MIN (INT64_C(2) << 30) /* more than spool.min_free */

/* A scenario is played line by line. */
struct script {
	char *text, *at;
	int line;
};

static char *next_line(struct script *s)
{
	char *line = s->at, *nl;

	if (line == NULL || *line == '\0')
		return NULL;
	nl = strchr(line, '\n');
	if (nl != NULL)
		*nl = '\0';
	s->at = nl != NULL ? nl + 1 : NULL;
	s->line++;
	return line;
}

/* The lines up to one that is `end`; the caller frees the text. */
static char *here_text(struct script *s, const char *end)
{
	struct buf b = BUF_INIT(FILE_MAX);
	char *line;

	while ((line = next_line(s)) != NULL && strcmp(line, end) != 0)
		buf_printf(&b, "%s\n", line);
	if (line == NULL)
		world_complain("no line %s ends the text", end);
	return buf_take(&b);
}

/* The rest of the line behind the first `n` words, as it stands. */
static const char *rest_behind(const char *line, size_t n)
{
	const char *p = line + strspn(line, " \t");

	while (n-- > 0) {
		p += strcspn(p, " \t");
		p += strspn(p, " \t");
	}
	return p;
}

static int do_ssh(char **words, size_t n)
{
	struct host *h;
	int times = -1;

	if (n != 2 && !(n == 4 && strcmp(words[2], "for") == 0))
		return -1;
	h = host_named(words[0]);
	if (n == 4)
		times = (int)words_number(words[3]);
	world_event("ssh %s %s", words[0], words[1]);
	if (strcmp(words[1], "drop") == 0)
		host_drop(h);
	else if (strcmp(words[1], "freeze") == 0)
		host_freeze(h);
	else
		return host_set_login(h, words[1], times);
	return 0;
}

/* Verbs that speak of a host and one number. */
static const struct {
	const char *verb;
	void (*set)(struct host *h, int64_t value);
	int64_t (*read)(const char *word);
} host_verbs[] = {
	{"hold", host_hold, words_duration},
	{"host-clock", host_set_clock, words_duration},
	{"cli-time", host_set_run_time, words_duration},
	{"cli-exit", host_set_exit_code, words_number},
};

static int do_host(const char *verb, char **words, size_t n, const char *rest)
{
	struct host *h;

	if (n < 1)
		return -1;
	h = host_named(words[0]);
	if (strcmp(verb, "line") == 0) {
		host_say(h, rest);
		return 0;
	}
	if (strcmp(verb, "lines") == 0 && n >= 2) {
		for (int64_t i = 1; i <= words_number(words[1]); i++) {
			char *line = mem_printf("%lld %s", (long long)i,
						rest_behind(rest, 1));

			host_say(h, line);
			free(line);
		}
		return 0;
	}
	if (strcmp(verb, "cli-stderr") == 0) {
		host_set_stderr(h, rest);
		return 0;
	}
	if (strcmp(verb, "cli-target") == 0 && n >= 2) {
		host_set_target(h, (int)words_number(words[1]), rest_behind(rest, 1));
		return 0;
	}
	if (strcmp(verb, "exit") == 0 && n >= 2) {
		host_end_command(h, (int)words_number(words[1]), rest_behind(rest, 1));
		return 0;
	}
	for (size_t i = 0; n == 2 && i < ARRAY_LEN(host_verbs); i++)
		if (strcmp(verb, host_verbs[i].verb) == 0) {
			host_verbs[i].set(h, host_verbs[i].read(words[1]));
			return 0;
		}
	return -1;
}

static int do_daemon(const char *verb, size_t n)
{
	if (n != 0)
		return -1;
	if (strcmp(verb, "start") == 0)
		house_start();
	else if (strcmp(verb, "stop") == 0)
		house_stop();
	else if (strcmp(verb, "kill") == 0)
		house_kill();
	else if (strcmp(verb, "restart") == 0) {
		house_stop();
		house_start();
	} else
		return -1;
	return 0;
}

static int do_texts(struct script *s, const char *verb, char **words, size_t n)
{
	bool config = strcmp(verb, "config") == 0;
	char *text;

	if (n != (config ? 1u : 3u) || strncmp(words[n - 1], "<<", 2) != 0)
		return -1;
	text = here_text(s, words[n - 1] + 2);
	if (config)
		house_configure(text);
	else
		host_set_cli(host_named(words[0]), words[1], text);
	free(text);
	return 0;
}

/* Returns 0; 1 with what was seen when an expectation fails; -1 for nonsense. */
static int play_line(struct script *s, char *line, const char *raw, struct buf *seen)
{
	char *words[WORDS_MAX];
	size_t n = words_split(line, words);
	const char *verb = n > 0 ? words[0] : "";

	if (n == 0 || strcmp(verb, "title") == 0)
		return 0;
	if (strcmp(verb, "expect") == 0)
		return expect_check(words + 1, n - 1, seen);
	if (strcmp(verb, "config") == 0 || strcmp(verb, "cli") == 0)
		return do_texts(s, verb, words + 1, n - 1);
	if (strcmp(verb, "ssh") == 0)
		return do_ssh(words + 1, n - 1);
	if (strcmp(verb, "receiver") == 0)
		return receivers_command(words + 1, n - 1);
	if (strcmp(verb, "silence") == 0)
		return house_silence(rest_behind(raw, 1));
	if (strcmp(verb, "es") == 0) {
		world_event("%s", raw);
		return cluster_command(words + 1, n - 1);
	}
	if (n == 2 && strcmp(verb, "advance") == 0)
		return house_advance(words_duration(words[1])), 0;
	if (n == 2 && strcmp(verb, "wall") == 0)
		return world_jump_wall(words_duration(words[1])), 0;
	if (n == 2 && strcmp(verb, "seed") == 0)
		return world_seed((uint64_t)words_number(words[1])), 0;
	if (do_daemon(verb, n - 1) == 0)
		return 0;
	return do_host(verb, words + 1, n - 1, rest_behind(raw, 2));
}

/* The accounts hold after every line, whatever it did, and all of them at the end. */
static int check_accounts(const struct script *s, struct buf *seen)
{
	char balance[] = "balance", *words[] = {balance};

	if (house_was_killed())
		return 0;
	if (expect_accounts(seen) != 0)
		return 1;
	buf_reset(seen);
	return (s->at == NULL || *s->at == '\0') && metrics_get(METRIC_SAMPLES) > 0
		       ? expect_check(words, 1, seen)
		       : 0;
}

static int failed(const char *path, int line, const char *raw, const char *what)
{
	printf("# %s:%d: %s\n#   %s\n# at %s, after:\n", path, line, raw, what,
	       world_stamp());
	world_print_events(stdout);
	return 1;
}

static int play(const char *path, struct script *s)
{
	struct buf seen = BUF_INIT(1 << 16);
	char *line;
	int rc = 0;

	while (rc == 0 && (line = next_line(s)) != NULL) {
		char *raw = mem_strdup(line);
		char *what = NULL;
		int number = s->line;

		buf_reset(&seen);
		rc = play_line(s, line, raw, &seen);
		if (rc == 0)
			rc = check_accounts(s, &seen);
		if (*world_complaint() != '\0')
			what = mem_strdup(world_complaint());
		else if (rc < 0)
			what = mem_strdup("this line makes no sense");
		else if (rc > 0)
			what = mem_printf("seen: %s", buf_str(&seen));
		if (what != NULL)
			rc = failed(path, number, raw, what);
		free(what);
		free(raw);
	}
	buf_free(&seen);
	return rc;
}

static int play_file(const char *dir, const char *path, bool verbose)
{
	struct buf text = BUF_INIT(FILE_MAX);
	struct script s = {NULL, NULL, 0};
	struct err err = ERR_INIT;
	int rc;

	alarm(REAL_SECONDS);
	if (file_read(path, &text, &err) != 0) {
		printf("%s\n# %s\n", path, err.text);
		return 1;
	}
	s.text = s.at = buf_take(&text);
	if (strncmp(s.text, "title ", 6) == 0)
		printf("%.*s\n", (int)strcspn(s.text + 6, "\n"), s.text + 6);
	else
		printf("%s\n", path);
	world_init(verbose);
	house_init(dir);
	log_open(LOG_DEBUG, LOG_TEXT, false);
	rc = play(path, &s);
	fflush(stdout);
	house_fini();
	hosts_fini();
	cluster_fini();
	receivers_fini();
	free(s.text);
	return rc;
}

/* The parent's side: it has the directory too, so that it goes even after a crash. */

/* Memory, where there is room: what a disk does is not what scenarios are about. */
static const char *where(void)
{
	const char *tmp = getenv("TMPDIR");
	struct statvfs v;

	if (tmp != NULL)
		return tmp;
	if (statvfs("/dev/shm", &v) == 0 && access("/dev/shm", W_OK) == 0 &&
	    (int64_t)(v.f_bavail * v.f_frsize) >= ROOM_MIN)
		return "/dev/shm";
	return "/tmp";
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static void read_all(int fd, struct buf *out)
{
	char chunk[8192];
	ssize_t got;
	off_t at = 0;

	while ((got = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		buf_add(out, chunk, (size_t)got);
		at += got;
	}
}

static int spawn(char *dir, const char *path, bool verbose, int out, int log)
{
	char self[] = "/proc/self/exe", flag[] = "--play", v[] = "-v";
	char *file = mem_strdup(path);
	char *argv[] = {self, flag, dir, file, verbose ? v : NULL, NULL};
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO);
	if (posix_spawn(&pid, self, &actions, NULL, argv, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&actions);
	free(file);
	return status;
}

static void print_log(const struct buf *log)
{
	const char *p = buf_str(log);

	if (log->len > LOG_TAIL && (p = strchr(p + log->len - LOG_TAIL, '\n')) != NULL)
		p++;
	puts("# log:");
	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, "\n");

		printf("#   %.*s\n", (int)len, p);
		p += len + (p[len] == '\n');
	}
}

/* Play one file; returns as waitpid gives it. */
static int play_apart(const char *path, bool verbose, struct buf *out, struct buf *log)
{
	char *dir = mem_printf("%s/mmlag-scenario-XXXXXX", where());
	int out_fd = memfd_create("out", MFD_CLOEXEC);
	int log_fd = memfd_create("log", MFD_CLOEXEC);
	int status = -1;

	if (mkdtemp(dir) == NULL) {
		perror(dir);
	} else {
		status = spawn(dir, path, verbose, out_fd, log_fd);
		if (nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0)
			perror(dir);
	}
	read_all(out_fd, out);
	read_all(log_fd, log);
	close(out_fd);
	close(log_fd);
	free(dir);
	return status;
}

static bool run(int number, const char *path, bool verbose)
{
	struct buf out = BUF_INIT(OUTPUT_MAX), log = BUF_INIT(OUTPUT_MAX);
	int status = play_apart(path, verbose, &out, &log);
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	const char *title, *rest;

	title = out.len > 0 ? buf_str(&out) : path;
	rest = strchr(title, '\n');
	printf("%s %d - %.*s\n", ok ? "ok" : "not ok", number,
	       (int)strcspn(title, "\n"), title);
	if ((verbose || !ok) && rest != NULL)
		fputs(rest + 1, stdout);
	if (!ok && WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	if (!ok)
		print_log(&log);
	buf_free(&out);
	buf_free(&log);
	return ok;
}

int main(int argc, char **argv)
{
	bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	int first = verbose ? 2 : 1, bad = 0;

	if (argc >= 4 && strcmp(argv[1], "--play") == 0)
		return play_file(argv[2], argv[3], argc > 4);
	if (first == argc) {
		fputs("usage: runner [-v] FILE.scn…\n", stderr);
		return 64;
	}
	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++)
		bad += !run(i - first + 1, argv[i], verbose);
	return bad > 0;
}
