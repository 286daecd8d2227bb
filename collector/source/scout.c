/* SPDX-License-Identifier: MIT
 * scout: see scout.h. The program prints sections, each begun by a line
 * "TAG KIND ARGUMENT": what the CLI wrote to stdout, then to stderr, then its exit
 * code. */
#include "source/scout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "lag/frame.h"
#include "source/ending_int.h"
#include "source/script.h"
#include "ssh/remote.h"
#include "ssh/ssh.h"

#include "banned.h"

#define GROUPS_LISTED 10000

/* The version stands in the names of the jars, which costs no JVM. */
static const char program[] =
	"mark() { printf '\\n%s %s %s\\n' \"$TAG\" \"$1\" \"$2\"; }\n"
	"CLI=$H/bin/kafka-consumer-groups.sh\n"
	"cd \"$H\" 2>/dev/null || { mark missing home; ls -d "
	"/opt/*kafka* ~/*kafka* /usr/local/*kafka* /srv/*kafka* 2>/dev/null; exit 0; }\n"
	"[ -f \"$CLI\" ] || { mark missing cli; ls -d */bin 2>/dev/null; exit 0; }\n"
	"[ -x \"$CLI\" ] || { mark missing exec; exit 0; }\n"
	"for j in libs/kafka-clients-*.jar; do\n"
	"j=${j##*/kafka-clients-}; j=${j%.jar}\n"
	"case $j in [0-9]*[!a-z]) mark version \"$j\"; break;; esac\n"
	"done\n"
	"call() {\n"
	"mark out \"$1\"; shift\n"
	"{ e=$(\"$CLI\" --bootstrap-server \"$B\" \"${C[@]}\" \"$@\" 2>&1 >&3 3>&- "
	"</dev/null); c=$?; } 3>&1\n"
	"mark err; printf '%s' \"$e\"; mark code \"$c\"\n"
	"}\n"
	"if [ -n \"$G\" ]; then call \"$G\" --describe --group \"$G\"; fi\n"
	"x=$(call '' --list); printf '%s\\n' \"$x\"\n"
	"[ -z \"$G\" ] || exit 0\n"
	"case $x in *\"$TAG code 0\") ;; *) exit 0;; esac\n"
	"l=${x#*$'\\n'*$'\\n'}; l=${l%%$'\\n'\"$TAG err\"*}\n"
	"n=0\n"
	"while IFS= read -r g; do\n"
	"case $g in ''|Error:*) continue;; esac\n"
	"n=$((n + 1)); [ $n -le $MAX ] || break\n"
	"call \"$g\" --describe --group \"$g\"\n"
	"done <<< \"$l\"\n";

void scout_script(struct buf *out, const struct scout_target *what, const char *tag)
{
	remote_assign(out, "TAG", tag);
	remote_assign(out, "H", what->kafka_home);
	remote_assign(out, "B", what->bootstrap_server);
	remote_assign(out, "G", what->group);
	buf_printf(out, "MAX=%d C=()\n", SCOUT_GROUPS_MAX);
	if (what->command_config != NULL) {
		buf_addstr(out, "C=(--command-config ");
		remote_quote(out, what->command_config);
		buf_addstr(out, ")\n");
	}
	buf_addstr(out, program);
}

/* One section of the output. */
struct section {
	const char *kind, *argument; /* not ended by NUL: */
	size_t kind_len, argument_len;
	const char *text;
	size_t len;
};

/* The place of the next line that begins with the tag, or `end`. */
static const char *next_mark(const char *p, const char *end, const char *tag)
{
	size_t n = strlen(tag);

	while (p < end) {
		if ((size_t)(end - p) > n && memcmp(p, tag, n) == 0 && p[n] == ' ')
			return p;
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? end : p + 1;
	}
	return end;
}

/* Take the section that begins at *p, which is at a mark. */
static struct section section_take(const char **p, const char *end, const char *tag)
{
	struct section s;
	const char *line_end = memchr(*p, '\n', (size_t)(end - *p));
	const char *kind = *p + strlen(tag) + 1, *blank;

	if (line_end == NULL)
		line_end = end;
	blank = memchr(kind, ' ', (size_t)(line_end - kind));
	s.kind = kind;
	s.kind_len = (size_t)((blank != NULL ? blank : line_end) - kind);
	s.argument = blank != NULL ? blank + 1 : line_end;
	s.argument_len = (size_t)(line_end - s.argument);
	s.text = line_end < end ? line_end + 1 : end;
	*p = next_mark(s.text, end, tag);
	s.len = (size_t)(*p - s.text);
	if (s.len > 0 && *p < end)
		s.len--; /* the mark begins with a newline of its own */
	return s;
}

static bool is(const struct section *s, const char *kind)
{
	return s->kind_len == strlen(kind) && memcmp(s->kind, kind, s->kind_len) == 0;
}

static struct scout_group *group_of(struct scout *s, const char *name, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->groups[i].name) == len &&
		    memcmp(s->groups[i].name, name, len) == 0)
			return &s->groups[i];
	MEM_GROW(s->groups, s->n, s->cap);
	s->groups[s->n] = (struct scout_group){mem_strndup(name, len), NULL};
	return &s->groups[s->n++];
}

/* Every line is a group. */
static void read_list(struct scout *s, const struct section *list)
{
	const char *p = list->text, *end = p + list->len;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl != NULL ? nl : end) - p);

		if (n > 0 && p[n - 1] == '\r')
			n--;
		if (n > 0 && s->n < GROUPS_LISTED)
			group_of(s, p, n);
		p = nl != NULL ? nl + 1 : end;
	}
}

/* A call is three sections: stdout, stderr, exit code. The list of groups has no name;
 * where it fails, the reader of tables knows the words. */
static void read_call(struct scout *s, const struct section *out,
		      const struct section *err, const struct section *code)
{
	struct cli_output run = {out->text, out->len, err->text, err->len, -1};
	char *name = mem_strndup(out->argument, out->argument_len);
	struct table *table;

	run.exit_code =
		code->argument_len > 0 ? (int)strtol(code->argument, NULL, 10) : -1;
	if (*name == '\0' && run.exit_code == 0 &&
	    memmem(out->text, out->len, "Error:", 6) == NULL) {
		read_list(s, out);
	} else {
		table = table_read(&run, *name != '\0' ? name : NULL);
		if (*name == '\0') {
			s->failure = *table_failure(table);
			table_free(table);
		} else {
			struct scout_group *g = group_of(s, name, strlen(name));

			table_free(g->table);
			g->table = table;
		}
	}
	free(name);
}

static char *say_missing(const struct section *m)
{
	char seen[200];

	snprintf(seen, sizeof(seen), "%.*s", (int)m->len, m->text);
	for (char *p = seen; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] != '\0' ? ' ' : '\0';
	if (m->argument_len == 4 && memcmp(m->argument, "home", 4) == 0)
		return mem_printf("that directory cannot be entered on the host%s%s",
				  *seen ? "; it has " : "", seen);
	if (m->argument_len == 4 && memcmp(m->argument, "exec", 4) == 0)
		return mem_strdup("bin/kafka-consumer-groups.sh there cannot be "
				  "executed by this user");
	return mem_printf("there is no bin/kafka-consumer-groups.sh in it%s%s",
			  *seen ? "; it has " : "", seen);
}

void scout_read(struct scout *s, const char *out, size_t len, const char *tag)
{
	const char *end = out + len, *p = next_mark(out, end, tag);
	struct section stdout_part = {0}, stderr_part = {0};

	while (p < end) {
		struct section part = section_take(&p, end, tag);

		if (is(&part, "missing") && s->missing == NULL)
			s->missing = say_missing(&part);
		else if (is(&part, "version") && s->version == NULL)
			s->version = mem_strndup(part.argument, part.argument_len);
		else if (is(&part, "out"))
			stdout_part = part;
		else if (is(&part, "err"))
			stderr_part = part;
		else if (is(&part, "code") && stdout_part.kind != NULL &&
			 stderr_part.kind != NULL)
			read_call(s, &stdout_part, &stderr_part, &part);
	}
	if (s->version == NULL)
		s->version = mem_strdup("");
}

/* It is not to be: the time is over, or the command itself. */
static int say_end(const struct ssh *ssh, bool late, const char *stray,
		   const char *run_as, struct err *err)
{
	char words[ENDING_TEXT];
	enum reason reason;

	if (late) {
		err_set(err, ERR_RETRY, "the CLI did not answer in time%s%s",
			*stray ? ": " : "", stray);
		err->code = REASON_CLI_TIMEOUT;
	} else {
		reason = ending_tell(ssh, stray, run_as, words);
		err_set(err, ERR_RETRY, "%s", words);
		err->code = (int)reason;
	}
	return err->class;
}

/* Read until the run is complete. */
static int read_run(struct scout *s, struct ssh *ssh, const struct config_topic *t,
		    const char *tag, const char *nonce, struct wake *wake,
		    struct err *err)
{
	struct mono deadline = mono_add_ms(clock_mono(), t->timeout_ms + 15000);
	struct frame *frame = frame_new(nonce, SCOUT_OUTPUT_MAX);
	struct frame_run run;
	enum frame_event got = FRAME_MORE;
	const char *data = NULL;
	size_t len = 0;
	int rc = 0;

	while (rc == 0 && got != FRAME_RUN && got != FRAME_BROKEN) {
		struct mono now = clock_mono();
		enum ssh_event e = SSH_DATA;
		struct step next;

		if (len == 0)
			e = ssh_step(ssh, now, true, &data, &len, err);
		if (e == SSH_DATA) {
			got = frame_next(frame, &data, &len, &run);
		} else if (e == SSH_WAIT && mono_before(now, deadline)) {
			next = ssh_poll(ssh, now);
			next.until = mono_min(next.until, deadline);
			wake_wait(wake, next);
		} else if (e == SSH_FAILED) {
			rc = err->class;
		} else {
			rc = say_end(ssh, e == SSH_WAIT, frame_stray(frame), t->run_as,
				     err);
		}
	}
	if (got == FRAME_RUN)
		scout_read(s, run.out, run.out_len, tag);
	else if (rc == 0)
		rc = err_set(err, ERR_RETRY, "%s", run.broken);
	frame_free(frame);
	return rc;
}

int scout_run(struct scout *s, const struct config_topic *t, const char *tag,
	      struct wake *wake, struct err *err)
{
	struct buf script = BUF_INIT(1 << 20), exec = BUF_INIT(4 << 20);
	unsigned char random[8];
	char nonce[17], mm2[64];
	struct ssh *ssh = NULL;
	size_t n;
	int rc;

	memset(s, 0, sizeof(*s));
	random_bytes(random, sizeof(random));
	hash_hex(random, sizeof(random), nonce);
	script_loop(&script, t, nonce, 0, 1, NULL);
	remote_command(&exec, buf_str(&script), t->run_as, t->watchdog_ms);
	rc = ssh_open(&ssh, t, buf_str(&exec), wake, err);
	if (rc == 0) {
		snprintf(s->fingerprint, sizeof(s->fingerprint), "%s",
			 ssh_fingerprint(ssh));
		rc = read_run(s, ssh, t, tag, nonce, wake, err);
		snprintf(mm2, sizeof(mm2), "@mmlag %s mm2", nonce);
		s->mm2 = strstr(ssh_stderr(ssh, &n), mm2) != NULL;
		ssh_close(ssh);
	}
	buf_free(&script);
	buf_free(&exec);
	return rc;
}

void scout_fini(struct scout *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->groups[i].name);
		table_free(s->groups[i].table);
	}
	free(s->groups);
	free(s->version);
	free(s->missing);
	memset(s, 0, sizeof(*s));
}
