/* SPDX-License-Identifier: MIT */
#include "ssh/route_int.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "lag/reason.h"

#include "banned.h"

#define ASK_MS 5000
#define ANSWER_MAX (256 << 10)

/* A string of the route's own. */
static char *keep(struct route *r, char *text)
{
	MEM_GROW(r->own, r->n, r->cap);
	r->own[r->n++] = text;
	return text;
}

/* "~/x" as ssh means it. */
static char *expand_home(struct route *r, const char *path, size_t n, const char *home)
{
	if (n >= 2 && strncmp(path, "~/", 2) == 0)
		return keep(r, mem_printf("%s/%.*s", home, (int)(n - 2), path + 2));
	return keep(r, mem_strndup(path, n));
}

static void add_string(struct config_strings *to, char *value)
{
	to->v = mem_realloc(to->v, to->n + 1, sizeof(*to->v));
	to->v[to->n++] = value;
}

/* Append the files of a list that is separated by blanks; "none" is no file. */
static void add_files(struct route *r, struct config_strings *to, const char *list,
		      const char *home)
{
	while (*list != '\0') {
		size_t n = strcspn(list, " ");

		if (n > 0 && (n != 4 || strncasecmp(list, "none", n) != 0))
			add_string(to, expand_home(r, list, n, home));
		list += n + (list[n] != '\0');
	}
}

static void take_policy(struct route *r, const char *value)
{
	if (r->t.host_key_explicit)
		return;
	/* What ssh would not look at ("no") is at least remembered here. */
	r->t.host_key = strcmp(value, "accept-new") == 0 || strcmp(value, "no") == 0 ||
					strcmp(value, "off") == 0 ||
					strcmp(value, "false") == 0
				? HOST_KEY_ACCEPT_NEW
				: HOST_KEY_STRICT;
}

static void add_local_user(struct buf *b)
{
	char room[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(getuid(), &entry, room, sizeof(room), &found) == 0 &&
	    found != NULL)
		buf_addstr(b, found->pw_name);
}

/* Up to `end`, or all of it. */
static void add_local_host(struct buf *b, const char *end)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) == 0)
		buf_add(b, name, strcspn(name, end));
}

/* One of ssh's tokens, without its %. What is none stays as it is. */
static void add_token(struct buf *b, const struct route *r, char token,
		      const char *home)
{
	switch (token) {
	case 'h':
		buf_addstr(b, r->t.host);
		break;
	case 'n':
		buf_addstr(b, r->name);
		break;
	case 'k':
		buf_addstr(b, r->key_name != NULL ? r->key_name : r->name);
		break;
	case 'p':
		buf_printf(b, "%d", r->t.port);
		break;
	case 'r':
		buf_addstr(b, r->t.user);
		break;
	case 'd':
		buf_addstr(b, home);
		break;
	case 'i':
		buf_printf(b, "%u", (unsigned)getuid());
		break;
	case 'u':
		add_local_user(b);
		break;
	case 'l':
		add_local_host(b, "");
		break;
	case 'L':
		add_local_host(b, ".");
		break;
	case '%':
		buf_addch(b, '%');
		break;
	default:
		buf_printf(b, "%%%c", token);
	}
}

/* A ${NAME} that the environment has; returns its length, 0 where there is none. */
static size_t add_variable(struct buf *b, const char *p)
{
	size_t n = strcspn(p, "}");
	const char *value;
	char *name;

	if (strncmp(p, "${", 2) != 0 || p[n] != '}')
		return 0;
	name = mem_strndup(p + 2, n - 2);
	value = getenv(name);
	free(name);
	if (value == NULL)
		return 0;
	buf_addstr(b, value);
	return n + 1;
}

/* `ssh -G` prints tokens, and the variables of file names, as they stand in the file.
 */
static char *expand(struct route *r, const char *text, bool variables, const char *home)
{
	struct buf b = BUF_INIT(ANSWER_MAX);

	for (const char *p = text; *p != '\0'; p++) {
		size_t n = variables ? add_variable(&b, p) : 0;

		if (n > 0)
			p += n - 1;
		else if (*p == '%' && p[1] != '\0')
			add_token(&b, r, *++p, home);
		else
			buf_addch(&b, *p);
	}
	return keep(r, buf_take(&b));
}

/* The first identity that is there: ssh names those that it would try. */
static void take_identity(struct route *r, const struct config_strings *keys,
			  const char *home)
{
	for (size_t i = 0; i < keys->n && r->t.key_file == NULL && !r->t.agent; i++) {
		const char *value = keys->v[i];
		char *path = expand(r, expand_home(r, value, strlen(value), home), true,
				    home);

		if (access(path, R_OK) == 0)
			r->t.key_file = path;
	}
}

struct answer { /* of `ssh -G`, what is used last */
	const char *jump, *command, *alias;
	struct config_strings known, keys;
};

static void take_line(struct route *r, struct answer *a, const char *key, char *value,
		      const char *home)
{
	struct config_topic *t = &r->t;

	if (strcasecmp(key, "hostname") == 0)
		t->host = value;
	else if (strcasecmp(key, "port") == 0 && !t->port_explicit)
		t->port = (int)strtol(value, NULL, 10);
	else if (strcasecmp(key, "user") == 0 && t->user == NULL)
		t->user = value;
	else if (strcasecmp(key, "identityfile") == 0)
		add_string(&a->keys, value);
	else if (strcasecmp(key, "stricthostkeychecking") == 0)
		take_policy(r, value);
	else if (strcasecmp(key, "userknownhostsfile") == 0 ||
		 strcasecmp(key, "globalknownhostsfile") == 0)
		add_files(r, &a->known, value, home);
	else if (strcasecmp(key, "hostkeyalias") == 0)
		a->alias = value;
	else if (strcasecmp(key, "proxyjump") == 0)
		a->jump = value;
	else if (strcasecmp(key, "proxycommand") == 0)
		a->command = value;
}

static bool is_something(const char *value)
{
	return value != NULL && *value != '\0' && strcasecmp(value, "none") != 0;
}

int route_read(struct route *r, const char *text, const char *home, struct err *err)
{
	struct answer a = {NULL, NULL, NULL, {NULL, 0}, {NULL, 0}};
	char *copy = keep(r, mem_strdup(text)), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, ' ');

		if (value == NULL)
			continue;
		*value++ = '\0';
		take_line(r, &a, line, value, home);
	}
	keep(r, (char *)a.known.v);
	keep(r, (char *)a.keys.v);
	if (r->t.user == NULL || r->t.port < 1 || r->t.port > 65535)
		return err_set_code(err, ERR_PERMANENT, REASON_SOURCE_ERROR,
				    "ssh -G %s gives no user or port", r->name);
	if (!r->t.known_hosts_explicit)
		r->t.known_hosts = a.known;
	if (is_something(a.alias))
		r->key_name = a.alias;
	if (r->t.proxy_jump == NULL && is_something(a.jump))
		r->t.proxy_jump = expand(r, a.jump, false, home);
	else if (r->t.proxy_jump == NULL && is_something(a.command))
		r->command = expand(r, a.command, false, home);
	take_identity(r, &a.keys, home);
	/* No identity is there: what ssh would do is to ask the agent. */
	if (r->t.key_file == NULL)
		r->t.agent = true;
	return 0;
}

static int ask_ssh(const struct config_topic *t, struct wake *wake, struct buf *answer,
		   struct err *err)
{
	struct mono deadline = mono_add_ms(clock_mono(), ASK_MS);
	const char *argv[12] = {"ssh", "-G"};
	struct buf words = BUF_INIT(1000);
	struct proc_result result;
	struct proc_spec spec = {argv, NULL};
	char port[16];
	size_t n = 2;
	int rc;

	snprintf(port, sizeof(port), "%d", t->port);
	if (t->user != NULL) {
		argv[n++] = "-l";
		argv[n++] = t->user;
	}
	if (t->port_explicit) {
		argv[n++] = "-p";
		argv[n++] = port;
	}
	argv[n++] = t->host;
	argv[n] = NULL;
	rc = proc_run(&spec, NULL, 0, deadline, wake, answer, &words, &result, err);
	if (rc == ERR_PERMANENT)
		rc = err_wrap(err, "ssh_config needs OpenSSH's client here");
	else if (rc == ERR_RETRY)
		rc = err_wrap(err, "ssh -G %s, within %d s (a Match exec that hangs?)",
			      t->host, ASK_MS / 1000);
	else if (rc == 0 && result.exit_code != 0)
		rc = err_set(err, ERR_PERMANENT, "ssh -G %s exits with code %d: %s",
			     t->host, result.exit_code, buf_str(&words));
	if (rc != 0 && rc != ERR_AGAIN)
		err->code = REASON_SOURCE_ERROR;
	buf_free(&words);
	return rc;
}

int route_find(struct route *r, const struct config_topic *t, struct wake *wake,
	       struct err *err)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	const char *home = getenv("HOME");
	int rc;

	*r = (struct route){.t = *t, .name = t->host};
	if (!t->ssh_config)
		return 0;
	rc = ask_ssh(t, wake, &answer, err);
	if (rc == 0)
		rc = route_read(r, buf_str(&answer), home != NULL ? home : "/", err);
	buf_free(&answer);
	if (rc != 0)
		route_fini(r);
	return rc;
}

void route_fini(struct route *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->own[i]);
	free(r->own);
	*r = (struct route){.own = NULL};
}
