/* SPDX-License-Identifier: MIT */
#include "ssh/remote.h"

#include <stdbool.h>
#include <string.h>

#include "banned.h"

#define CHUNK 2000 /* csh takes no word of more than 8 KiB */

/* What bash does first: undo the escapes of its arguments. The first one is the
 * watchdog, the others, put together, are the script S. */
static const char unpack[] = "eval \"W=\\$'\\''$1'\\''\"; shift; S=; "
			     "for a; do eval \"S=\\$S\\$'\\''$a'\\''\"; done; "
			     "eval \"$W\"";

/* The watcher keeps neither stdout nor stderr, or their end would never be seen.
 * Jobs have process groups of their own, so it kills the session, member by member.
 * What descends from the script is found by walking down from it, which costs as much
 * as the script has processes, and dies at once. What has lost its parent shows only in
 * a look at all processes of the host. Where a hundred links die together, each watcher
 * lets the others kill theirs before that, since the dead need not be looked at. It
 * looks again until it finds no more: what was about to die may have started another.
 * The fields behind the name of a process, which may hold anything, are: state, parent,
 * group, session; behind the first 110 bytes are none that are asked for.
 * That session is ours when our bash, or the sudo or shell above it, leads it; a server
 * that gave us none of our own must not die with us, so there only the descendants do.
 * Not by `pkill -s 0`: it kills the watcher too, which then cannot look again. */
static const char watchdog_before[] = "exec 3<&0 </dev/null\n"
				      "(\n"
				      "exec >/dev/null 2>&1\n"
				      "while IFS= read -r -t ";
static const char watchdog_after[] =
	" -u 3 _; do :; done\n"
	"LC_ALL=C IFS=' '\n"
	"read -r -d '' t </proc/self/stat\n"
	"[ -n \"$t\" ] || { pkill -KILL -s 0; kill -KILL 0; }\n"
	"set -- ${t##*) }\n"
	"case \" $$ $PPID \" in *\" $4 \"*) s=$4;; *) s=none;; esac\n"
	"k=\" $$ $BASHPID \" l=$$ q=$$\n"
	"while [ -n \"$q\" ]; do\n"
	"n=\n"
	"for p in $q; do\n"
	"c=; read -r c </proc/$p/task/$p/children\n"
	"for c in $c; do\n"
	"[ $c != $BASHPID ] || continue\n"
	"k=\"$k$c \" l=\"$l $c\" n=\"$n $c\"\n"
	"done\n"
	"done\n"
	"q=$n\n"
	"done\n"
	"if [ $s != none ]; then\n"
	"kill -KILL $l\n"
	"l=\n"
	"exec 9<> <(:); read -t 0.2 -u 9 _\n"
	"fi\n"
	"for n in 1 2 3 4 5 6 7 8 9; do\n"
	"for f in /proc/[0-9]*/stat; do\n"
	"p=${f//[!0-9]/}\n"
	"case \"$k\" in *\" $p \"*) continue;; esac\n"
	"t=; read -r -d '' t <$f\n"
	"t=${t:0:110}\n"
	"set -- ${t##*) }\n"
	"case $1 in ''|Z) continue;; esac\n"
	"[ $4 = $s ] || case \"$k\" in *\" $2 \"*) ;; *) continue;; esac\n"
	"k=\"$k$p \" l=\"$l $p\"\n"
	"done\n"
	"[ $s != none ] || [ $n -ge 3 ] || continue\n"
	"[ -n \"$l\" ] || break\n"
	"kill -KILL $l\n"
	"l=\n"
	"done\n"
	") &\n"
	"exec 3<&-\n"
	"exec bash -c \"$S\"\n";

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" ._/:@%+=,-", c) != NULL);
}

static void add_escaped(struct buf *out, char c)
{
	if (is_plain(c))
		buf_addch(out, c);
	else
		buf_printf(out, "\\%03o", (unsigned)(unsigned char)c);
}

void remote_quote(struct buf *out, const char *value)
{
	buf_addstr(out, "$'");
	for (const char *p = value; *p != '\0'; p++)
		add_escaped(out, *p);
	buf_addch(out, '\'');
}

void remote_assign(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=", name);
	remote_quote(out, value != NULL ? value : "");
	buf_addch(out, '\n');
}

/* One or more words for `unpack`: without a quote, so in quotes. */
static void add_packed(struct buf *out, const char *value)
{
	size_t begin = out->len;

	buf_addstr(out, " '");
	for (const char *p = value; *p != '\0'; p++) {
		if (out->len - begin >= CHUNK) {
			buf_addstr(out, "' '");
			begin = out->len;
		}
		add_escaped(out, *p);
	}
	buf_addch(out, '\'');
}

static void add_sudo(struct buf *out, const char *user)
{
	bool plain = *user != '\0' && *user != '-';

	for (const char *p = user; *p != '\0'; p++)
		plain = plain && is_plain(*p) && *p != ' ' && *p != '=' && *p != '%';
	if (plain) {
		buf_printf(out, "exec sudo -n -u %s ", user);
		return;
	}
	buf_addstr(out, "exec bash -c 'exec sudo -n -u $'\\''");
	for (const char *p = user; *p != '\0'; p++)
		add_escaped(out, *p);
	buf_addstr(out, "'\\'' \"$@\"' sudo ");
}

void remote_command(struct buf *out, const char *script, const char *run_as,
		    int64_t watchdog_ms)
{
	struct buf watchdog = BUF_INIT(4096);

	buf_printf(&watchdog, "%s%lld.%03lld%s", watchdog_before,
		   (long long)(watchdog_ms / 1000), (long long)(watchdog_ms % 1000),
		   watchdog_after);
	/* Each bash that sshd seems to have started reads ~/.bashrc, which may take its
	 * time: the last one does, for the script; this one need not. */
	if (run_as != NULL)
		add_sudo(out, run_as);
	else
		buf_addstr(out, "exec ");
	buf_printf(out, "bash %s-c '%s' mmlag", run_as != NULL ? "" : "--norc ",
		   unpack);
	add_packed(out, buf_str(&watchdog));
	add_packed(out, script);
	buf_free(&watchdog);
}
