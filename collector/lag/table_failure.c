/* SPDX-License-Identifier: MIT */
#include "lag/table_int.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonw.h"

#include "banned.h"

#define TEXT_HALF                                                          \
	65536 /* of a stream that long, its beginning and its end are read \
	       */
#define EXCERPT 200

/* Words that tell what went wrong, most telling first. Both words must stand in one
 * line, in this order. What the user is to do goes before the CLI's own words. */
static const struct rule {
	const char *word, *also; /* `also` may be NULL */
	enum reason reason;
	bool weak; /* believed only where nothing else tells more */
	const char *advice;
} rules[] = {
#define DISK "no space is left on the host"
	{"No space left on device", NULL, REASON_HOST_DISK_FULL, false, DISK},
#define USAGE                                                                       \
	"the CLI refused its arguments; compare them with what this Kafka version " \
	"takes"
	{"is not a recognized option", NULL, REASON_CLI_USAGE, false, USAGE},
	{"Missing required argument", NULL, REASON_CLI_USAGE, false, USAGE},
	{"Missing required option", NULL, REASON_CLI_USAGE, false, USAGE},
	{"an't be used with", NULL, REASON_CLI_USAGE, false, USAGE},
	{"Command must include", NULL, REASON_CLI_USAGE, false, USAGE},
	{"joptsimple", NULL, REASON_CLI_USAGE, false, USAGE},
	{"Option ", " Description", REASON_CLI_USAGE, false, USAGE},
	{"Usage:", NULL, REASON_CLI_USAGE, false, USAGE},
	{"USAGE:", NULL, REASON_CLI_USAGE, false, USAGE},
	{"usage:", NULL, REASON_CLI_USAGE, false, USAGE},
	{"is not a consumer group", "(connect)", REASON_MIRRORMAKER2, false,
	 "this is a Connect group, as MirrorMaker 2 has: its lag is in no consumer "
	 "group; "
	 "use source: prometheus with its JMX metrics, or name the group of an "
	 "application"},
	{"is not a consumer group", NULL, REASON_NOT_A_CONSUMER_GROUP, false,
	 "name a consumer group in `group`, this one is of another kind"},
#define GROUP                                                                     \
	"no such group on this cluster, or this CLI is too old to see it; check " \
	"`group` and `bootstrap_server`, and that MirrorMaker runs"
	{"GroupIdNotFound", NULL, REASON_GROUP_NOT_FOUND, false, GROUP},
	{"roup", "does not exist", REASON_GROUP_NOT_FOUND, false, GROUP},
	{"Group ", " not found", REASON_GROUP_NOT_FOUND, false, GROUP},
#define RIGHTS \
	"the CLI may not look: give its user DESCRIBE on the group and on its topics"
	{"AuthorizationException", NULL, REASON_CLI_ERROR, false, RIGHTS},
	{"Not authorized", NULL, REASON_CLI_ERROR, false, RIGHTS},
#define LOGIN "the brokers refused the CLI's login; check `command_config` on the host"
#define TLS                                                                   \
	"the brokers' certificate or the TLS settings do not fit; check the " \
	"truststore in `command_config` on the host"
	{"SslAuthenticationException", NULL, REASON_CLI_ERROR, false, TLS},
	{"SSL handshake failed", NULL, REASON_CLI_ERROR, false, TLS},
	{"AuthenticationException", NULL, REASON_CLI_ERROR, false, LOGIN},
	{"failed authentication", NULL, REASON_CLI_ERROR, false, LOGIN},
#define RESOLVE "the host cannot resolve the brokers' name; check `bootstrap_server`"
	{"No resolvable bootstrap", NULL, REASON_BROKER_UNREACHABLE, false, RESOLVE},
	{"UnknownHostException", NULL, REASON_BROKER_UNREACHABLE, false, RESOLVE},
	{"UnresolvedAddressException", NULL, REASON_BROKER_UNREACHABLE, false, RESOLVE},
	{"DNS resolution failed", NULL, REASON_BROKER_UNREACHABLE, false, RESOLVE},
	{"Name or service not known", NULL, REASON_BROKER_UNREACHABLE, false, RESOLVE},
#define JMX                                                                            \
	"the JMX port is taken; unset JMX_PORT for the CLI (`env`), and take a fixed " \
	"port out of KAFKA_JMX_OPTS"
	{"ort already in use", NULL, REASON_CLI_ERROR, false, JMX},
	{"JMX connector server", NULL, REASON_CLI_ERROR, false, JMX},
	{"thrown by the agent", NULL, REASON_CLI_ERROR, false, JMX},
#define FILES                                                                        \
	"a file the CLI was told to use cannot be read; check `command_config` and " \
	"the "                                                                       \
	"files it names, on the host"
	{"NoSuchFileException", NULL, REASON_CLI_ERROR, false, FILES},
	{"FileNotFoundException", NULL, REASON_CLI_ERROR, false, FILES},
	{"AccessDeniedException", NULL, REASON_CLI_ERROR, false, FILES},
#define CONFIG "the CLI cannot use its settings; check `command_config` on the host"
	{"ConfigException", NULL, REASON_CLI_ERROR, false, CONFIG},
	{"LoginException", NULL, REASON_CLI_ERROR, false, CONFIG},
	{"Failed to load SSL", NULL, REASON_CLI_ERROR, false, CONFIG},
	{"entry in the JAAS", NULL, REASON_CLI_ERROR, false, CONFIG},
	{"No enum constant", NULL, REASON_CLI_ERROR, false, CONFIG},
#define MEMORY                                                                         \
	"the CLI had no memory; raise -Xmx in KAFKA_HEAP_OPTS (`env`), or check that " \
	"it "                                                                          \
	"does not speak plain text to a TLS port"
	{"OutOfMemoryError", NULL, REASON_CLI_ERROR, false, MEMORY},
	{"Could not reserve enough space", NULL, REASON_CLI_ERROR, false, MEMORY},
	{"Cannot allocate memory", NULL, REASON_CLI_ERROR, false, MEMORY},
#define JAVA "Java cannot start the CLI; check `kafka_home`, and the Java version"
	{"UnsupportedClassVersionError", NULL, REASON_CLI_ERROR, false, JAVA},
	{"ClassNotFoundException", NULL, REASON_CLI_ERROR, false, JAVA},
	{"NoClassDefFoundError", NULL, REASON_CLI_ERROR, false, JAVA},
	{"Could not find or load main class", NULL, REASON_CLI_ERROR, false, JAVA},
	{"initialization of VM", NULL, REASON_CLI_ERROR, false, JAVA},
	{"create the Java Virtual Machine", NULL, REASON_CLI_ERROR, false, JAVA},
#define VERSION                                                                       \
	"this CLI and the brokers do not understand each other; use the one shipped " \
	"with "                                                                       \
	"the brokers' Kafka version"
	{"UnsupportedVersionException", NULL, REASON_CLI_ERROR, false, VERSION},
	{"Expected a valid consumer group state", NULL, REASON_CLI_ERROR, false,
	 VERSION},
#define BROKER                                                                       \
	"the brokers did not answer the host; check `bootstrap_server` and the way " \
	"there"
	{"AdminClient thread has exited", NULL, REASON_BROKER_UNREACHABLE, false,
	 "the CLI's connection died; is plain text spoken to a TLS port? check "
	 "security.protocol in `command_config`, and `bootstrap_server`"},
#define LEADER                                                                    \
	"the brokers do not tell the ends of all partitions that the group has; " \
	"is one without a leader?"
	{"TimeoutException", "listOffsets", REASON_BROKER_UNREACHABLE, false, LEADER},
	{"Failed to get offsets by times", NULL, REASON_BROKER_UNREACHABLE, false,
	 LEADER},
	{"TimeoutException", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"imed out", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"Connection to node", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"Connection refused", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"failed on brokers", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"DisconnectException", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"NetworkException", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"ConnectException", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"No node", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"no node", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"No route to host", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"Network is unreachable", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"BrokerNotAvailable", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"CoordinatorNotAvailable", NULL, REASON_BROKER_UNREACHABLE, false, BROKER},
	{"coordinator is not available", NULL, REASON_BROKER_UNREACHABLE, false,
	 BROKER},
	{"create new KafkaAdminClient", NULL, REASON_BROKER_UNREACHABLE, true, BROKER},
	{"construct kafka consumer", NULL, REASON_BROKER_UNREACHABLE, true, BROKER},
#define MISSING                                                                        \
	"the CLI or Java was not found on the host; check `kafka_home` or `cli`, and " \
	"the "                                                                         \
	"PATH of a non-interactive login"
	{"command not found", NULL, REASON_CLI_MISSING, false, MISSING},
	{"java: not found", NULL, REASON_CLI_MISSING, false, MISSING},
	{"sh: ", "No such file or directory", REASON_CLI_MISSING, false, MISSING},
	{"env: ", "No such file or directory", REASON_CLI_MISSING, false, MISSING},
	{"exec: ", "not found", REASON_CLI_MISSING, false, MISSING},
	{"sh: ", ": not found", REASON_CLI_MISSING, false, MISSING},
	{"sh: ", "cannot execute", REASON_CLI_MISSING, false, MISSING},
};

bool table_noise(struct span line)
{
	static const char *const begins[] = {
		"Picked up ", "OpenJDK ", "Java HotSpot",           "SLF4J",
		"log4j:",     "Note: ",   "Could not fetch offset", "\tat ",
		"DEPRECATED",
	};

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (text_begins(line, begins[i]))
			return true;
	return text_trim(line).n == 0 ||
	       (text_begins(line, "[") && text_find(line, "s][") != NULL);
}

/* The run's words, as far as they are looked at. */
struct words {
	struct span out, err; /* beginnings and ends */
	int exit_code;
};

static bool is_error(struct span line)
{
	return text_begins(line, "Error");
}

static bool is_cause(struct span line)
{
	return text_begins(text_trim(line), "Caused by:");
}

static bool is_any(struct span line)
{
	return !table_noise(line);
}

static bool is_trace(struct span line)
{
	return is_error(line) || text_begins(line, "Exception in thread") ||
	       text_begins(line, "java.") || text_begins(line, "org.apache.kafka.") ||
	       text_begins(line, "Unrecognized VM option") || is_cause(line);
}

static bool rule_applies(const struct rule *r, struct span line)
{
	const char *at = text_find(line, r->word);

	if (at == NULL)
		return false;
	at += strlen(r->word);
	return r->also == NULL ||
	       text_find((struct span){at, (size_t)(line.p + line.n - at)}, r->also) !=
		       NULL;
}

/* The first line that `select` takes; an empty span where there is none. */
static struct span find_line(struct span text, bool (*select)(struct span))
{
	struct span line;

	while (text_line(&text, &line))
		if (select(line))
			return line;
	return (struct span){"", 0};
}

/* The first rule that applies to one of the lines that `select` takes. */
static const struct rule *find_rule(struct span text, bool (*select)(struct span),
				    bool weak, struct span *where)
{
	if (find_line(text, select).n == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		struct span rest = text;

		if (rules[i].weak != weak)
			continue;
		while (text_line(&rest, where))
			if (select(*where) && rule_applies(&rules[i], *where))
				return &rules[i];
	}
	return NULL;
}

/* A line as a string: NUL bytes would end it too early. */
static const char *excerpt(struct span line, char out[EXCERPT + 1])
{
	size_t n;

	line = text_trim(line);
	n = utf8_cut(line.p, line.n, EXCERPT);
	memcpy(out, line.p, n);
	out[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (out[i] == '\0')
			out[i] = '?';
	return out;
}

/* "advice: words", or the advice alone. */
static enum reason tell(struct gap *gap, enum reason r, const char *advice,
			struct span line)
{
	char words[EXCERPT + 1];

	excerpt(line, words);
	return gap_set(gap, r, "%s%s%s", advice, words[0] != '\0' ? ": " : "", words);
}

/* The last "Caused by:", which is the root. */
static struct span root_cause(struct span text)
{
	struct span line, cause = {"", 0};

	while (text_line(&text, &line))
		if (is_cause(line))
			cause = line;
	return cause;
}

/* A failure that no rule knows: its root cause, or its first line. */
static enum reason by_trace(const struct words *w, bool ran, struct gap *gap)
{
	bool (*select)(struct span) = ran ? is_error : is_trace;
	struct span where = root_cause(w->err);

	if (where.n == 0)
		where = root_cause(w->out);
	if (where.n == 0)
		where = find_line(w->out, select);
	if (where.n == 0)
		where = find_line(w->err, select);
	if (where.n == 0)
		return REASON_NONE;
	return tell(gap, REASON_CLI_ERROR, "the CLI failed; run it by hand on the host",
		    where);
}

/* What the CLI's own words say. Error lines and root causes are believed before what
 * stands around them; where the CLI reached the group (`ran`) nothing else is. A weak
 * rule is believed where no cause is told. */
static enum reason by_words(const struct words *w, bool ran, struct gap *gap)
{
	const struct {
		struct span text;
		bool (*select)(struct span);
	} evidence[] = {
		{w->out, is_error}, {w->err, is_error}, {w->out, is_cause},
		{w->err, is_cause}, {w->out, is_any},   {w->err, is_any},
	};
	size_t n = ran ? 4 : ARRAY_LEN(evidence);
	bool cause = root_cause(w->out).n > 0 || root_cause(w->err).n > 0;
	struct span where = {"", 0};

	for (int weak = 0; weak < (cause ? 1 : 2); weak++)
		for (size_t i = 0; i < n; i++) {
			const struct rule *r =
				find_rule(evidence[i].text, evidence[i].select,
					  weak == 1, &where);

			if (r == NULL)
				continue;
			if (r->reason ==
			    REASON_CLI_USAGE) /* before the list of options */
				where = find_line(evidence[i].text, is_any);
			return tell(gap, r->reason, r->advice, where);
		}
	return by_trace(w, ran, gap);
}

/* What the exit code says where the words say nothing. */
static enum reason by_exit(const struct words *w, struct gap *gap)
{
	struct span said = find_line(w->err, is_any);
	char advice[128];

	if (w->exit_code == 124)
		return tell(
			gap, REASON_CLI_TIMEOUT,
			"the CLI did not end in time; raise `timeout`, or find out on "
			"the host what it waits for",
			said);
	if (w->exit_code == 137)
		return tell(gap, REASON_CLI_ERROR,
			    "the CLI was killed (signal 9); look for the out-of-memory "
			    "killer in the host's kernel log",
			    said);
	if (w->exit_code > 128 && w->exit_code <= 128 + SIGNAL_MAX) {
		snprintf(advice, sizeof(advice), "the CLI was ended by signal %d",
			 w->exit_code - 128);
		return tell(gap, REASON_CLI_ERROR, advice, said);
	}
	if (w->exit_code <= 0 || (said.n == 0 && find_line(w->out, is_any).n > 0))
		return REASON_NONE;
	snprintf(
		advice, sizeof(advice),
		said.n > 0
			? "the CLI failed with exit code %d"
			: "the CLI ended with exit code %d and said nothing; run it by "
			  "hand on the host",
		w->exit_code);
	return tell(gap, REASON_CLI_ERROR, advice, said);
}

static enum reason by_content(const struct words *w, const struct table_seen *seen,
			      struct gap *gap)
{
	struct span line = find_line(w->out, is_any);

	if (seen->state)
		return gap_set(
			gap, REASON_BAD_OUTPUT,
			"no table: the group has no committed offsets to show (or the "
			"CLI may not see its topics: give its user DESCRIBE on them); "
			"it has no active members, or is rebalancing");
	if (line.n > 0)
		return tell(gap, REASON_BAD_OUTPUT,
			    "this is no table of kafka-consumer-groups.sh --describe",
			    line);
	return tell(gap, REASON_BAD_OUTPUT,
		    "the CLI printed nothing; run it by hand on the host",
		    find_line(w->err, is_any));
}

static enum reason explain(const struct words *w, const struct table_seen *seen,
			   struct gap *gap)
{
	enum reason r;

	if (seen->other && !seen->offsets)
		return gap_set(
			gap, REASON_BAD_OUTPUT,
			"this is another table than that of --describe --offsets; "
			"leave out --members, --state and the like, and use "
			"kafka-consumer-groups.sh");
	if ((w->exit_code == 126 || w->exit_code == 127) && !seen->offsets &&
	    find_line(w->out, is_error).n == 0)
		return tell(gap, REASON_CLI_MISSING, MISSING,
			    find_line(w->err.n > 0 ? w->err : w->out, is_any));
	r = by_words(w, seen->offsets || seen->state, gap);
	if (r == REASON_NONE &&
	    (!seen->offsets || w->exit_code == 124 || w->exit_code > 128))
		r = by_exit(w, gap);
	if (r == REASON_NONE && !seen->offsets)
		r = by_content(w, seen, gap);
	return r;
}

/* The beginning and the end of a stream. */
static void shorten(struct buf *b, const char *text, size_t len)
{
	size_t head = len < TEXT_HALF ? len : TEXT_HALF;
	size_t tail = len - head < TEXT_HALF ? len - head : TEXT_HALF;

	if (text == NULL)
		return;
	buf_add(b, text, head);
	if (head + tail < len)
		buf_addch(b, '\n');
	buf_add(b, text + len - tail, tail);
}

enum reason table_explain_tool(const struct cli_output *run, struct gap *gap)
{
	struct buf err = BUF_INIT(2 * TEXT_HALF + 1);
	struct words w = {.out = {"", 0}, .exit_code = run->exit_code};
	enum reason r;

	shorten(&err, run->err, run->err_len);
	w.err = (struct span){buf_str(&err), err.len};
	*gap = (struct gap){REASON_NONE, ""};
	if (w.exit_code == 126 || w.exit_code == 127)
		r = tell(gap, REASON_CLI_MISSING, MISSING, find_line(w.err, is_any));
	else if (w.exit_code == 124)
		r = by_exit(&w, gap);
	else
		r = by_words(&w, false, gap);
	if (r == REASON_NONE)
		r = by_exit(&w, gap);
	buf_free(&err);
	return r;
}

enum reason table_explain(const struct cli_output *run, const struct table_seen *seen,
			  struct gap *gap)
{
	struct buf out = BUF_INIT(2 * TEXT_HALF + 1);
	struct buf err = BUF_INIT(2 * TEXT_HALF + 1);
	struct words w = {.exit_code = run->exit_code};
	enum reason r;

	shorten(&out, run->out, run->out_len);
	shorten(&err, run->err, run->err_len);
	w.out = (struct span){buf_str(&out), out.len};
	w.err = (struct span){buf_str(&err), err.len};
	*gap = (struct gap){REASON_NONE, ""};
	r = explain(&w, seen, gap);
	buf_free(&out);
	buf_free(&err);
	return r;
}
