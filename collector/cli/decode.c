/* SPDX-License-Identifier: MIT
 * decode: the daemon's reading of a host's output, at a shell: stdin → the documents
 * that would be indexed. Needs no configuration and no network. */
#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/options.h"
#include "document/document.h"
#include "lag/frame.h"
#include "lag/line.h"
#include "lag/table.h"

#include "banned.h"

#define INPUT_MAX (256u << 20) /* of one run's stdout */
#define ERR_MAX (16u << 20)    /* of its stderr */
#define LINE_MAX_BYTES (1u << 20)
#define CHUNK 65536
#define EXIT_IO 74

struct decode {
	bool line;
	const char **topics; /* owned; the strings are argv's */
	size_t n_topics, cap_topics;
	const char *group, *cluster, *stderr_file;
	struct wall at;
	int exit_code;              /* -1 not given */
	int partitions;             /* 0 not given */
	bool table_only, line_only; /* an option of the other format was given */
	bool gaps;                  /* one was printed */
	bool failed;                /* a document could not be printed */
	struct buf json;
};

static const char help_text[] =
	"Usage: mmlag decode [options] < OUTPUT\n"
	"Prints the documents that the output of a host makes, one JSON object a "
	"line.\n\n"
	"  --format table   stdout of one kafka-consumer-groups.sh --describe "
	"(default)\n"
	"  --format line    one sample a line: lags by position, or\n"
	"                   partition:current:end:lag; needs exactly one --topic\n"
	"  --topic T        this topic, may be repeated (table: default every topic)\n"
	"  --group G        rows of this group (line: the group in the documents)\n"
	"  --cluster C      the cluster in the documents (default)\n"
	"  --at TIME        their @timestamp, RFC 3339 (now)\n"
	"  --exit-code N    table: the exit code of the run\n"
	"  --stderr FILE    table: what it wrote to stderr\n"
	"  --partitions N   line: how many values a line must have\n\n"
	"Exit codes: 0, 1 a gap document was printed, 64 usage, 74 read or write "
	"error.\n";

/* Print the document in d->json. */
static void put(struct decode *d)
{
	buf_addch(&d->json, '\n');
	if (d->json.failed || d->failed)
		d->failed = true;
	else
		d->failed = fwrite(d->json.data, 1, d->json.len, stdout) != d->json.len;
	buf_reset(&d->json);
}

static struct origin origin(const struct decode *d, const char *group,
			    const char *topic)
{
	return (struct origin){.cluster = d->cluster, .group = group, .topic = topic};
}

static void put_gap(struct decode *d, const char *topic, const struct gap *gap)
{
	struct origin o = origin(d, d->group, topic);

	d->gaps = true;
	document_gap(&d->json, &o, gap, d->at, d->at);
	put(d);
}

static void put_sample(struct decode *d, const char *group, const char *topic,
		       struct sample *s)
{
	struct origin o = origin(d, group, topic);

	s->taken = d->at;
	document_sample(&d->json, &o, s, NULL);
	put(d);
}

/* One gap for each topic asked for, or one without a topic. */
static void put_gaps(struct decode *d, const struct gap *gap)
{
	if (d->n_topics == 0)
		put_gap(d, NULL, gap);
	for (size_t i = 0; i < d->n_topics; i++)
		put_gap(d, d->topics[i], gap);
}

/* Going through the topics of a table. */
struct walk {
	struct decode *d;
	const struct table *t;
	const char *only; /* NULL for all */
	size_t found;
};

static void put_topic(void *arg, const char *group, const char *topic)
{
	struct walk *w = arg;
	struct sample s;
	struct gap gap;

	if (w->only != NULL && strcmp(w->only, topic) != 0)
		return;
	w->found++;
	if (table_sample(w->t, group, topic, &s, &gap) == REASON_NONE)
		put_sample(w->d, group, topic, &s);
	else
		put_gap(w->d, topic, &gap);
	sample_fini(&s);
}

static void put_table(struct decode *d, const struct table *t)
{
	struct walk w = {d, t, NULL, 0};
	struct sample none;
	struct gap gap = *table_failure(t);

	if (d->n_topics == 0) {
		if (gap.reason == REASON_NONE)
			table_each(t, put_topic, &w);
		if (gap.reason == REASON_NONE && w.found == 0 &&
		    table_sample(t, d->group, "", &none, &gap) == REASON_TOPIC_ABSENT)
			gap_set(&gap, REASON_TOPIC_ABSENT,
				"the table has a header but no row%s%s; check the name "
				"of "
				"the group, and that it has committed offsets",
				d->group != NULL ? " of group " : "",
				d->group != NULL ? d->group : "");
		if (gap.reason != REASON_NONE)
			put_gap(d, NULL, &gap);
		return;
	}
	for (size_t i = 0; i < d->n_topics; i++) {
		w.only = d->topics[i];
		w.found = 0;
		table_each(t, put_topic, &w);
		if (w.found > 0)
			continue;
		table_sample(t, d->group, w.only, &none, &gap);
		put_gap(d, w.only, &gap);
		sample_fini(&none);
	}
}

/* Append what the descriptor gives, as long as there is room. Returns 0 at its end, 1
 * when it has more, -1 with errno. */
static int read_all(int fd, struct buf *b)
{
	for (;;) {
		size_t room = b->max - b->len < CHUNK ? b->max - b->len + 1 : CHUNK;
		ssize_t n;

		if (room > b->max - b->len) {
			char more;

			n = read(fd, &more, 1);
			if (n > 0)
				return 1;
		} else if (buf_reserve(b, room) != 0) {
			errno = ENOMEM;
			return -1;
		} else {
			n = read(fd, b->data + b->len, room);
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		b->len += (size_t)n;
		b->data[b->len] = '\0';
	}
}

static int io_error(const char *doing, const char *what)
{
	fprintf(stderr, "mmlag decode: cannot %s %s: %m\n", doing, what);
	return EXIT_IO;
}

static int read_stderr(const char *path, struct buf *b)
{
	int fd, r;

	if (path == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return options_usage("decode", "--stderr: cannot open %s: %m", path);
	r = read_all(fd, b); /* what does not fit says nothing new */
	close(fd);
	return r < 0 ? io_error("read", path) : 0;
}

static int decode_table(struct decode *d)
{
	struct buf out = BUF_INIT(INPUT_MAX);
	struct buf err = BUF_INIT(ERR_MAX);
	int result = read_stderr(d->stderr_file, &err);
	int r;

	if (result != 0)
		goto out;
	r = read_all(STDIN_FILENO, &out);
	if (r < 0) {
		result = io_error("read", "the input");
	} else if (r > 0) {
		struct gap gap;

		gap_set(&gap, REASON_BAD_OUTPUT,
			"the output is longer than %u MiB: this is no table of "
			"consumer "
			"groups",
			INPUT_MAX >> 20);
		put_gaps(d, &gap);
	} else {
		struct cli_output run = {out.data, out.len, err.data, err.len,
					 d->exit_code};
		struct table *t = table_read(&run, d->group);

		put_table(d, t);
		table_free(t);
	}
out:
	buf_free(&out);
	buf_free(&err);
	return result;
}

static void put_line(struct decode *d, const char *line, size_t len)
{
	struct sample s;
	struct gap gap;

	if (line_read(line, len, d->partitions, &s, &gap) == REASON_NONE)
		put_sample(d, d->group, d->topics[0], &s);
	else
		put_gap(d, d->topics[0], &gap);
	sample_fini(&s);
}

/* All whole lines of a chunk. */
static void put_lines(struct decode *d, struct lines *l, const char *data, size_t len)
{
	for (;;) {
		const char *line;
		size_t n;
		struct gap gap;

		switch (lines_next(l, &data, &len, &line, &n)) {
		case LINE_MORE:
			return;
		case LINE_FULL:
			put_line(d, line, n);
			break;
		case LINE_TOO_LONG:
			gap_set(&gap, REASON_BAD_OUTPUT,
				"the line is longer than %u MiB: this is no sample",
				LINE_MAX_BYTES >> 20);
			put_gap(d, d->topics[0], &gap);
			break;
		}
	}
}

static int decode_lines(struct decode *d)
{
	static char chunk[CHUNK];
	struct lines *l = lines_new(LINE_MAX_BYTES);
	char last = '\0'; /* of the input: a last line may have no newline */
	ssize_t n;

	do {
		fflush(stdout); /* somebody may be watching */
		n = read(STDIN_FILENO, chunk, sizeof(chunk));
		if (n > 0) {
			last = chunk[n - 1];
			put_lines(d, l, chunk, (size_t)n);
		}
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n == 0 && last != '\n')
		put_lines(d, l, "\n", 1);
	lines_free(l);
	return n < 0 ? io_error("read", "the input") : 0;
}

static int parse_number(const char *text, long min, long max, int *out)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || v < min || v > max)
		return -1;
	*out = (int)v;
	return 0;
}

enum option_id {
	TOPIC,
	GROUP,
	FORMAT,
	AT,
	EXIT_CODE,
	STDERR,
	CLUSTER,
	PARTITIONS,
	OPTION_IDS
};

static int set_option(void *to, size_t option, const char *arg)
{
	struct decode *d = to;

	switch (option) {
	case TOPIC:
		if (!topic_name_valid(arg, strlen(arg)))
			return options_usage("decode",
					     "--topic '%s' is no topic name: letters, "
					     "digits, '.', '_' and '-', at most %d",
					     arg, TOPIC_NAME_MAX);
		MEM_GROW(d->topics, d->n_topics, d->cap_topics);
		for (size_t i = 0; i < d->n_topics; i++)
			if (strcmp(d->topics[i], arg) == 0)
				return 0;
		d->topics[d->n_topics++] = arg;
		return 0;
	case GROUP:
		d->group = arg;
		return 0;
	case CLUSTER:
		d->cluster = arg;
		return 0;
	case STDERR:
		d->stderr_file = arg;
		d->table_only = true;
		return 0;
	case FORMAT:
		d->line = strcmp(arg, "line") == 0;
		if (!d->line && strcmp(arg, "table") != 0)
			return options_usage("decode",
					     "--format is table or line, not '%s'",
					     arg);
		return 0;
	case AT:
		if (wall_parse(arg, &d->at) != 0)
			return options_usage("decode",
					     "--at '%s' is no RFC 3339 time such as "
					     "2026-11-21T03:36:10.123Z",
					     arg);
		return 0;
	case EXIT_CODE:
		d->table_only = true;
		if (parse_number(arg, 0, 255, &d->exit_code) != 0)
			return options_usage("decode",
					     "--exit-code is 0 to 255, not '%s'", arg);
		return 0;
	case PARTITIONS:
		d->line_only = true;
		if (parse_number(arg, 1, PARTITION_NUMBER_MAX + 1, &d->partitions) != 0)
			return options_usage("decode",
					     "--partitions is 1 to %d, not '%s'",
					     PARTITION_NUMBER_MAX + 1, arg);
		return 0;
	default:
		return EXIT_USAGE;
	}
}

static int check_options(const struct decode *d)
{
	if (d->line && d->n_topics != 1)
		return options_usage("decode",
				     "--format line needs exactly one --topic");
	if (d->line && d->table_only)
		return options_usage("decode",
				     "--exit-code and --stderr go with --format table");
	if (!d->line && d->line_only)
		return options_usage("decode", "--partitions goes with --format line");
	return OPTIONS_GO_ON;
}

static int read_options(struct decode *d, int argc, char **argv)
{
	const char *path, *value; /* -c is every command's; no configuration is read */
	const struct option_flag flags[OPTION_IDS] = {
		[TOPIC] = {"topic", NULL, &value},
		[GROUP] = {"group", NULL, &value},
		[FORMAT] = {"format", NULL, &value},
		[AT] = {"at", NULL, &value},
		[EXIT_CODE] = {"exit-code", NULL, &value},
		[STDERR] = {"stderr", NULL, &value},
		[CLUSTER] = {"cluster", NULL, &value},
		[PARTITIONS] = {"partitions", NULL, &value},
	};
	int rest, rc;

	rc = options_each(argc, argv, help_text, &path, flags, OPTION_IDS, set_option,
			  d, &rest);
	if (rc != OPTIONS_GO_ON)
		return rc;
	if (rest < argc)
		return options_usage("decode",
				     "'%s' is no option; the output is read from stdin",
				     argv[rest]);
	return check_options(d);
}

int cli_decode(int argc, char **argv)
{
	struct decode d = {.cluster = "default", .at = clock_wall(), .exit_code = -1};
	int result;

	buf_init(&d.json, DOCUMENT_MAX);
	result = read_options(&d, argc, argv);
	if (result == OPTIONS_GO_ON) {
		result = d.line ? decode_lines(&d) : decode_table(&d);
		if (result == 0 &&
		    (fflush(stdout) != 0 || ferror(stdout) != 0 || d.failed))
			result = io_error("write", "the documents");
		if (result == 0)
			result = d.gaps ? 1 : 0;
	}
	buf_free(&d.json);
	free(d.topics);
	return result;
}
