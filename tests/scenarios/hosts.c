/* SPDX-License-Identifier: MIT */
#include "scenarios/hosts.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/random.h"
#include "lag/reason.h"
#include "scenarios/world.h"
#include "ssh/ssh.h"

#include "banned.h"

#define LINKS 64
#define FIRST_FD 1000
#define OPEN_MS 300
#define BEAT_MS 1500
#define OUT_MAX (256 << 20)
#define STDERR_MAX (16 << 10)

static const struct login {
	const char *word;
	enum reason reason;
	enum err_class class;
	int64_t takes_ms;
} logins[] = {
	{"accept", REASON_NONE, ERR_OK, OPEN_MS},
	{"refuse", REASON_SSH_UNREACHABLE, ERR_RETRY, 1},
	{"hang", REASON_SSH_UNREACHABLE, ERR_RETRY, 15000},
	{"busy", REASON_SSH_BUSY, ERR_RETRY, 100},
	{"auth-fail", REASON_SSH_AUTH, ERR_PERMANENT, 500},
	{"hostkey-changed", REASON_SSH_HOST_KEY, ERR_PERMANENT, 200},
	{"no-algorithm", REASON_SSH_ALGORITHM, ERR_PERMANENT, 100},
	{"no-session", REASON_SSH_SESSIONS, ERR_RETRY, 600},
};

struct cli {
	struct cli *next;
	char *group, *text;
};

struct host {
	struct host *next;
	char *name;
	const struct login *login;
	int login_times; /* -1: for good */
	struct cli *clis;
	int exit_code;
	char *target_text;
	int target_code;
	char *stderr_text;
	int64_t run_ms, ahead_ms;
	int64_t attempts, runs;
};

struct ssh { /* a link, and what runs at its far end */
	struct host *host;
	int fd;
	char *group;
	bool lines; /* a command that writes lines, instead of the loop */
	bool ends;  /* the loop that looks at the mirror's other side alone */
	char nonce[40];
	int64_t interval_ms, timeout_ms, watchdog_ms;
	uint64_t run;
	bool running, frozen, ended, broken;
	int exit_code;
	struct mono begun, next; /* of the run; of the loop's next deed */
	struct buf out, err_out; /* written by the host, not arrived */
	struct buf chunk, err;   /* arrived */
	struct mono held_until, last_beat, beat_due;
};

static struct host *all_hosts;
static struct ssh *links[LINKS];

struct host *host_named(const char *name)
{
	struct host *h;

	for (h = all_hosts; h != NULL; h = h->next)
		if (strcmp(h->name, name) == 0)
			return h;
	h = mem_calloc(1, sizeof(*h));
	h->name = mem_strdup(name);
	h->login = &logins[0];
	h->login_times = -1;
	h->run_ms = 2000;
	h->next = all_hosts;
	all_hosts = h;
	return h;
}

int host_set_login(struct host *h, const char *how, int times)
{
	for (size_t i = 0; i < ARRAY_LEN(logins); i++)
		if (strcmp(logins[i].word, how) == 0) {
			h->login = &logins[i];
			h->login_times = times;
			return 0;
		}
	return -1;
}

#define FOR_LINKS_OF(h, l)                    \
	for (size_t i_ = 0; i_ < LINKS; i_++) \
		if (((l) = links[i_]) != NULL && (l)->host == (h))

void host_drop(struct host *h)
{
	struct ssh *l;

	FOR_LINKS_OF(h, l)
	l->broken = true;
}

void host_freeze(struct host *h)
{
	struct ssh *l;

	FOR_LINKS_OF(h, l)
	l->frozen = true;
}

void host_end_command(struct host *h, int code, const char *stderr_text)
{
	struct ssh *l;

	FOR_LINKS_OF(h, l)
	{
		l->ended = true;
		l->exit_code = code;
		if (*stderr_text != '\0')
			buf_printf(&l->err_out, "%s\n", stderr_text);
	}
}

void host_hold(struct host *h, int64_t ms)
{
	struct ssh *l;

	FOR_LINKS_OF(h, l)
	l->held_until = mono_add_ms(clock_mono(), ms);
}

void host_set_cli(struct host *h, const char *group, const char *text)
{
	struct cli *c;

	for (c = h->clis; c != NULL && strcmp(c->group, group) != 0; c = c->next)
		;
	if (c == NULL) {
		c = mem_calloc(1, sizeof(*c));
		c->group = mem_strdup(group);
		c->next = h->clis;
		h->clis = c;
	}
	free(c->text);
	c->text = mem_strdup(text);
}

void host_set_exit_code(struct host *h, int64_t code)
{
	h->exit_code = (int)code;
}

void host_set_stderr(struct host *h, const char *text)
{
	free(h->stderr_text);
	h->stderr_text = mem_strdup(text);
}

void host_set_target(struct host *h, int code, const char *text)
{
	free(h->target_text);
	h->target_text = mem_strdup(text);
	h->target_code = code;
}

void host_set_run_time(struct host *h, int64_t ms)
{
	h->run_ms = ms;
}

void host_set_clock(struct host *h, int64_t ahead_ms)
{
	h->ahead_ms = ahead_ms;
}

void host_say(struct host *h, const char *line)
{
	struct ssh *l;

	FOR_LINKS_OF(h, l)
	if (l->lines && !l->frozen && !l->ended)
		buf_printf(&l->out, "%s\n", line);
}

int64_t host_attempts(const struct host *h)
{
	return h->attempts;
}

int64_t host_sessions(const struct host *h)
{
	const struct ssh *l;
	int64_t n = 0;

	FOR_LINKS_OF(h, l)
	n++;
	return n;
}

int64_t host_runs(const struct host *h)
{
	return h->runs;
}

/* The remote loop, as source/script.c has it in bash */

static void put_mark(struct ssh *l, char kind)
{
	int64_t ms = world_true_time().ms + l->host->ahead_ms;

	buf_printf(&l->out, "\n@mmlag %s %c %llu %lld.%03lld000\n", l->nonce, kind,
		   (unsigned long long)l->run, (long long)(ms / 1000),
		   (long long)(ms % 1000));
}

static void put_text(const struct ssh *l, struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (strncmp(p, "%now", 4) == 0) {
			buf_printf(out, "%lld", (long long)clock_wall().ms);
			p += 3;
		} else if (strncmp(p, "%run", 4) == 0) {
			buf_printf(out, "%llu", (unsigned long long)l->run);
			p += 3;
		} else if (strncmp(p, "%nonce", 6) == 0) {
			buf_addstr(out, l->nonce);
			p += 5;
		} else {
			buf_addch(out, *p);
		}
	}
}

static void begin_run(struct ssh *l)
{
	int64_t takes =
		l->host->run_ms < l->timeout_ms ? l->host->run_ms : l->timeout_ms;

	l->run++;
	l->host->runs++;
	l->running = true;
	l->begun = clock_mono();
	l->next = mono_add_ms(l->begun, takes);
	put_mark(l, 'B');
}

/* Returns the exit code. */
static int look_at_target(struct ssh *l)
{
	const struct host *h = l->host;

	put_text(l, &l->out, h->target_text != NULL ? h->target_text : "");
	buf_addstr(&l->out, "\n\n");
	return h->target_code;
}

/* Returns the exit code. */
static int describe(struct ssh *l, bool killed)
{
	const struct host *h = l->host;
	const struct cli *c;

	for (c = h->clis; c != NULL && strcmp(c->group, l->group) != 0; c = c->next)
		;
	if (h->target_text != NULL && *h->target_text != '\0') {
		int code = look_at_target(l);

		buf_printf(&l->out, "@mmlag %s A %llu %d\n", l->nonce,
			   (unsigned long long)l->run, code);
	}
	if (!killed && c != NULL)
		put_text(l, &l->out, c->text);
	else if (!killed)
		buf_printf(&l->out, "\nError: Consumer group '%s' does not exist.\n",
			   l->group);
	if (h->stderr_text != NULL && *h->stderr_text != '\0') {
		put_text(l, &l->err_out, h->stderr_text);
		buf_addch(&l->err_out, '\n');
	}
	return h->exit_code;
}

static void end_run(struct ssh *l)
{
	const struct host *h = l->host;
	bool killed = h->run_ms >= l->timeout_ms;
	int code = l->ends ? look_at_target(l) : describe(l, killed);
	struct mono due;

	buf_printf(&l->out, "\n@mmlag %s X %llu %d\n", l->nonce,
		   (unsigned long long)l->run, killed ? 124 : code);
	put_mark(l, 'E');
	world_event("%s: run %llu of group %s ends", h->name,
		    (unsigned long long)l->run, l->group);
	l->running = false;
	due = mono_add_ms(l->begun, l->interval_ms);
	l->next = mono_before(clock_mono(), due) ? due : clock_mono();
}

static bool works(const struct ssh *l)
{
	return !l->lines && !l->frozen && !l->ended && !l->broken;
}

struct mono hosts_next(void)
{
	struct mono next = MONO_NEVER;

	for (size_t i = 0; i < LINKS; i++)
		if (links[i] != NULL && works(links[i]))
			next = mono_min(next, links[i]->next);
	return next;
}

void hosts_run(void)
{
	for (size_t i = 0; i < LINKS; i++) {
		struct ssh *l = links[i];

		if (l == NULL || !works(l) || mono_before(clock_mono(), l->next))
			continue;
		if (l->running)
			end_run(l);
		else
			begin_run(l);
	}
}

struct mono hosts_readable(int fd)
{
	const struct ssh *l =
		fd >= FIRST_FD && fd < FIRST_FD + LINKS ? links[fd - FIRST_FD] : NULL;

	if (l == NULL)
		return MONO_NEVER;
	if (l->broken)
		return (struct mono){0};
	return l->out.len > 0 || l->err_out.len > 0 || l->ended ? l->held_until
								: MONO_NEVER;
}

/* ssh/ssh */

int ssh_global_init(struct err *err)
{
	(void)err;
	return 0;
}

void ssh_global_fini(void)
{
}

/* The value behind `key` in the script, which has a first line such as
 * "K=… I=… T=… F=… R=…". */
static const char *script_value(const char *command, const char *key)
{
	const char *p = strstr(command, key);

	return p == NULL ? "" : p + strlen(key);
}

static void read_command(struct ssh *l, const struct config_topic *t,
			 const char *command)
{
	const char *nonce = script_value(command, "K=");
	int64_t first;

	l->group = mem_strdup(t->group != NULL ? t->group : "");
	l->lines = t->format == FORMAT_LINE;
	l->ends = strstr(command, "GetOffsetShell") != NULL &&
		  strstr(command, "--describe") == NULL;
	l->interval_ms = t->interval_ms;
	l->timeout_ms = t->timeout_ms;
	l->watchdog_ms = t->watchdog_ms;
	if (l->lines)
		return;
	snprintf(l->nonce, sizeof(l->nonce), "%.*s",
		 (int)strspn(nonce, "0123456789abcdef"), nonce);
	first = strtoll(script_value(command, " F="), NULL, 10);
	l->next = mono_add_ms(clock_mono(), first);
	if (strlen(l->nonce) != 16)
		world_complain("the remote command has no nonce: %.80s", command);
}

static const struct login *next_login(struct host *h)
{
	const struct login *how = h->login;

	if (h->login_times > 0 && --h->login_times == 0) {
		h->login = &logins[0];
		h->login_times = -1;
	}
	return how;
}

int ssh_open(struct ssh **out, const struct config_topic *t, const char *command,
	     struct wake *wake, struct err *err)
{
	struct host *h = host_named(t->host);
	const struct login *how;
	struct ssh *l;
	int i = 0;

	*out = NULL;
	if (wake_stopping(wake))
		return err_set(err, ERR_AGAIN, "told to stop");
	h->attempts++;
	how = next_login(h);
	world_charge(how->takes_ms);
	world_event("%s: login for %s: %s", h->name, t->name, how->word);
	if (how->reason != REASON_NONE)
		return err_set_code(err, how->class, (int)how->reason, "%s: %s",
				    h->name, how->word);
	while (i < LINKS && links[i] != NULL)
		i++;
	if (i == LINKS)
		return err_set(err, ERR_BUG, "more links than a scenario may have");
	l = mem_calloc(1, sizeof(*l));
	l->host = h;
	l->fd = FIRST_FD + i;
	buf_init(&l->out, OUT_MAX);
	buf_init(&l->chunk, OUT_MAX);
	buf_init(&l->err_out, OUT_MAX);
	buf_init(&l->err, STDERR_MAX);
	l->last_beat = l->beat_due = clock_mono();
	read_command(l, t, command);
	links[i] = *out = l;
	return 0;
}

void ssh_close(struct ssh *s)
{
	if (s == NULL)
		return;
	world_event("%s: link closed", s->host->name);
	links[s->fd - FIRST_FD] = NULL;
	buf_free(&s->out);
	buf_free(&s->err_out);
	buf_free(&s->chunk);
	buf_free(&s->err);
	free(s->group);
	free(s);
}

static void beat(struct ssh *s, struct mono now)
{
	if (mono_before(now, s->beat_due))
		return;
	if (!s->ended && s->watchdog_ms > 0 &&
	    mono_diff_ms(now, s->last_beat) > s->watchdog_ms) {
		world_event("%s: no heartbeat, the watchdog kills the command",
			    s->host->name);
		s->ended = true;
		s->exit_code = -1;
	}
	s->last_beat = now;
	s->beat_due = mono_add_ms(now, BEAT_MS);
}

/* Hand over a piece of any size, as the network might have cut it. */
static void take_chunk(struct ssh *s)
{
	size_t n = s->out.len;

	if (random_below(4) == 0)
		n = 1 + (size_t)random_below(n < 400 ? n : 400);
	buf_reset(&s->chunk);
	buf_add(&s->chunk, s->out.data, n);
	buf_consume(&s->out, n);
}

enum ssh_event ssh_step(struct ssh *s, struct mono now, bool read_stdout,
			const char **data, size_t *len, struct err *err)
{
	*data = NULL; /* they mean something after SSH_DATA only */
	*len = 0;
	if (s->broken) {
		err_set_code(err, ERR_RETRY, REASON_SSH_LOST,
			     "%s: the connection broke", s->host->name);
		return SSH_FAILED;
	}
	beat(s, now);
	if (mono_before(now, s->held_until))
		return SSH_WAIT;
	if (s->err_out.len > 0) {
		size_t over =
			s->err_out.len > STDERR_MAX ? s->err_out.len - STDERR_MAX : 0;
		size_t n = s->err_out.len - over;

		if (s->err.len + n > STDERR_MAX)
			buf_consume(&s->err, s->err.len + n - STDERR_MAX);
		buf_add(&s->err, s->err_out.data + over, n);
		buf_reset(&s->err_out);
	}
	if (s->out.len > 0 && read_stdout) {
		take_chunk(s);
		*data = s->chunk.data;
		*len = s->chunk.len;
		return SSH_DATA;
	}
	return s->ended && s->out.len == 0 ? SSH_ENDED : SSH_WAIT;
}

struct step ssh_poll(const struct ssh *s, struct mono now)
{
	(void)now;
	return (struct step){s->fd, POLLIN, s->beat_due, false};
}

int ssh_exit_code(const struct ssh *s)
{
	return s->exit_code;
}

const char *ssh_stderr(const struct ssh *s, size_t *len)
{
	*len = s->err.len;
	return buf_str(&s->err);
}

void ssh_stderr_reset(struct ssh *s)
{
	buf_reset(&s->err);
}

const char *ssh_fingerprint(const struct ssh *s)
{
	(void)s;
	return "SHA256:scenario";
}

void hosts_fini(void)
{
	while (all_hosts != NULL) {
		struct host *h = all_hosts;

		all_hosts = h->next;
		while (h->clis != NULL) {
			struct cli *c = h->clis;

			h->clis = c->next;
			free(c->group);
			free(c->text);
			free(c);
		}
		free(h->name);
		free(h->target_text);
		free(h->stderr_text);
		free(h);
	}
}
