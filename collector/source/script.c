/* SPDX-License-Identifier: MIT
 * script: see script.h. Written for the oldest bash that Kafka hosts have; no external
 * program is needed but the CLI itself (date and nice are used where they exist). */
#include "source/script.h"

#include <string.h>

#include "ssh/remote.h"

#include "banned.h"

/* The lag of a large group fits into this heap; the broker's own settings, if the host
 * exports them, would not fit beside it. */
static const struct {
	const char *name, *value;
} jvm_env[] = {
	{"KAFKA_HEAP_OPTS", "-Xms32m -Xmx128m"},
	{"KAFKA_JVM_PERFORMANCE_OPTS",
	 "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto -XX:-UsePerfData "
	 "-Djava.awt.headless=true"},
	/* a blank: not empty, so that Kafka's script adds no JMX agent */
	{"KAFKA_JMX_OPTS", " "},
};

/* A JVM in the POSIX locale turns the group's name into question marks. */
static const char locale_part[] =
	"unset JMX_PORT\n"
	"export LC_ALL=C\n"
	"for l in $(locale -a 2>/dev/null); do\n"
	"case $l in C.UTF-8|C.utf8) LC_ALL=$l; break;; en_US.UTF-8|en_US.utf8) LC_ALL=$l;; "
	"esac\n"
	"done\n";

/* read -t on a pipe that nobody writes to sleeps without a process. */
static const char helpers[] =
	"exec 9<> <(:)\n"
	"nap() { [ \"$1\" -gt 0 ] || return 0; local f=000$(($1 % 1000)); "
	"IFS= read -r -t $(($1 / 1000)).${f: -3} -u 9 _; }\n"
	"now() {\n"
	"t=${EPOCHREALTIME:-}; [ -n \"$t\" ] || t=$(date +%s.%N 2>/dev/null)\n"
	"case $t in '') t=$SECONDS;; *N) t=${t%.*};; esac\n"
	"m=${t%%[.,]*}000; case $t in *[.,]*) f=${t##*[.,]}000; "
	"m=$((${t%%[.,]*} * 1000 + 10#${f:0:3}));; esac\n"
	"}\n"
	/* MirrorMaker 2 has no consumer group: if it runs here, the reason for what the
	 * CLI does not find is known. */
	"mm2() {\n"
	"local c a\n"
	"for c in /proc/[0-9]*/cmdline; do\n"
	"while IFS= read -r -d '' a; do\n"
	"[ \"$a\" = org.apache.kafka.connect.mirror.MirrorMaker ] || continue\n"
	"printf '@mmlag %s mm2\\n' \"$K\" >&8; return\n"
	"done < \"$c\"\n"
	"done 8>&2 2>/dev/null\n"
	"}\n";

/* The run is a job of its own process group, so that its time limit reaches all of it.
 * The timer must not hold our stdout open. */
/* A target that does not answer is left alone for a few runs: waiting for it holds up
 * the samples. */
static const char loop[] =
	"c=$(nproc 2>/dev/null) || { set -- /sys/devices/system/cpu/cpu[0-9]*; c=$#; }\n"
	"printf '\\n@mmlag %s C %s\\n' \"$K\" \"$c\"\n"
	"go() {\n"
	"now; b=$m\n"
	"set -m\n"
	"\"$1\" </dev/null 9>&- &\n"
	"p=$!\n"
	"set +m\n"
	"{ nap \"$2\"; kill -TERM -- -$p; nap 5000; kill -KILL -- -$p; } "
	">/dev/null 2>&1 &\n"
	"k=$!\n"
	"wait $p 2>/dev/null; c=$?\n"
	"kill $k 2>/dev/null; wait $k 2>/dev/null\n"
	"now\n"
	"if [ $((m - b)) -ge \"$2\" ]; then c=124; kill -KILL -- -$p 2>/dev/null; fi\n"
	"}\n"
	"N=0 Y=0\n"
	"nap \"$F\"\n"
	"while :; do\n"
	"N=$((N + 1)); now; s=$m\n"
	"printf '\\n@mmlag %s B %s %s\\n' \"$K\" \"$N\" \"$t\"\n"
	"[ $((N % 60)) != 1 ] || mm2\n"
	"if [ \"$Q\" -gt 0 ] && [ $N -ge $Y ]; then\n"
	"go aim \"$Q\"\n"
	"printf '\\n@mmlag %s A %s %s\\n' \"$K\" \"$N\" \"$c\"\n"
	"[ \"$c\" = 0 ] || Y=$((N + 6))\n"
	"fi\n"
	"cds\n"
	"go run \"$T\"\n"
	"printf '\\n@mmlag %s X %s %s\\n\\n@mmlag %s E %s %s\\n' "
	"\"$K\" \"$N\" \"$c\" \"$K\" \"$N\" \"$t\"\n"
	"[ \"$N\" != \"$R\" ] || exit 0\n"
	"nap $((s + I - m))\n"
	"done\n";

/* The class data archive A, before each run. From Java 19 on the JVM makes and renews
 * it by itself; from 13 on one run writes it aside, and it takes its place when that
 * run is over; what came before has none. It is renewed for another Java (its version
 * stands beside the archive) or newer libraries. Where it cannot be written, or making
 * it failed once, runs go on without. What the JVM says of an archive that it cannot
 * use belongs on stderr, or it would stand in the table. */
static const char cds_part[] =
	"P=$KAFKA_JVM_PERFORMANCE_OPTS V= W= G=\n"
	"L='-Xlog:disable -Xlog:all=warning:stderr'\n"
	"V=$(\"${JAVA_HOME:+$JAVA_HOME/bin/}java\" -version 2>&1)\n"
	"V=${V%%$'\\n'*} v=${V#*\\\"} v=${v%%[!0-9]*}\n"
	"cds() {\n"
	"local o= f=\n"
	"if [ -n \"$W\" ]; then\n"
	"G=1\n"
	"[ ! -s \"$W\" ] || { mv -f \"$W\" \"$A\" && printf '%s\\n' \"$V\" >\"$A.java\"; }\n"
	"rm -f \"$W\"\n"
	"W=\n"
	"fi 2>/dev/null\n"
	"if [ \"${v:-0}\" -ge 19 ]; then\n"
	"o=\"-XX:+AutoCreateSharedArchive -XX:SharedArchiveFile=$A\"\n"
	"elif [ \"${v:-0}\" -ge 13 ]; then\n"
	"[ ! -r \"$A.java\" ] || read -r f <\"$A.java\"\n"
	"if [ -r \"$A\" ] && [ \"$f\" = \"$V\" ] && ! [ \"$H\" -nt \"$A\" ]; then\n"
	"o=-XX:SharedArchiveFile=$A\n"
	"elif [ -z \"$G\" ] && [ -w \"${A%/*}/\" ]; then\n"
	"W=$A.$$ o=-XX:ArchiveClassesAtExit=$A.$$\n"
	"fi\n"
	"fi\n"
	"export KAFKA_JVM_PERFORMANCE_OPTS=\"$P${o:+ $o $L}\"\n"
	"}\n";

static void add_export(struct buf *out, const char *name, const char *value)
{
	buf_addstr(out, "export ");
	remote_assign(out, name, value);
}

static bool user_sets(const struct config_topic *t, const char *name)
{
	for (size_t i = 0; i < t->env_count; i++)
		if (strcmp(t->env[i].name, name) == 0)
			return true;
	return false;
}

static void add_env(struct buf *out, const struct config_topic *t)
{
	for (size_t i = 0; i < ARRAY_LEN(jvm_env); i++)
		if (!user_sets(t, jvm_env[i].name))
			add_export(out, jvm_env[i].name, jvm_env[i].value);
	for (size_t i = 0; i < t->env_count; i++)
		add_export(out, t->env[i].name, t->env[i].value);
}

/* The function `run`: one run of the CLI, or of the user's own command. */
static void add_run(struct buf *out, const struct config_topic *t)
{
	buf_addstr(out, "run() { exec $NICE ");
	if (t->command != NULL) {
		buf_addstr(out, "bash -c ");
		remote_quote(out, t->command);
	} else {
		remote_quote(out, t->cli);
		buf_addstr(out, " --bootstrap-server ");
		remote_quote(out, t->bootstrap_server);
		buf_addstr(out, " --group ");
		remote_quote(out, t->group);
		buf_addstr(out, " --describe");
		if (t->command_config != NULL) {
			buf_addstr(out, " --command-config ");
			remote_quote(out, t->command_config);
		}
	}
	buf_addstr(out, "; }\n");
}

static void add_cds(struct buf *out, const struct config_topic *t)
{
	if (t->cds_archive == NULL || t->command != NULL) {
		buf_addstr(out, "cds() { :; }\n");
		return;
	}
	buf_addstr(out, "A=");
	remote_quote(out, t->cds_archive);
	buf_addstr(out, " H=");
	remote_quote(out, t->kafka_home != NULL ? t->kafka_home : t->cli);
	buf_printf(out, "%s\n", t->kafka_home != NULL ? "/libs" : "");
	buf_addstr(out, cds_part);
}

/* What both loops begin with; `target_ms`: how long each look at the target may take,
 * 0 for none. */
static void begin(struct buf *out, const struct config_topic *t, const char *nonce,
		  int64_t first_delay_ms, int runs, int64_t target_ms)
{
	buf_printf(out, "K=%s I=%lld T=%lld F=%lld R=%d Q=%lld\n", nonce,
		   (long long)t->interval_ms, (long long)t->timeout_ms,
		   (long long)first_delay_ms, runs, (long long)target_ms);
	buf_addstr(out, locale_part);
	add_env(out, t);
	buf_addstr(out, helpers);
	buf_addstr(out, "NICE=; command -v nice >/dev/null && NICE='nice -n 10'\n");
}

void script_loop(struct buf *out, const struct config_topic *t, const char *nonce,
		 int64_t first_delay_ms, int runs, const struct target_topics *target)
{
	begin(out, t, nonce, first_delay_ms, runs,
	      target != NULL ? target_timeout_ms(t) : 0);
	add_cds(out, t);
	add_run(out, t);
	if (target != NULL)
		target_script(out, &t->target, target);
	buf_addstr(out, loop);
}

void script_ends_loop(struct buf *out, const struct config_topic *t, const char *nonce,
		      int64_t first_delay_ms, const struct target_topics *target)
{
	begin(out, t, nonce, first_delay_ms, 0, 0);
	buf_addstr(out, "A=\ncds() { :; }\n");
	target_script(out, &t->target, target);
	buf_addstr(out, "run() { aim; }\n");
	buf_addstr(out, loop);
}
