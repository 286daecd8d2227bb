/* SPDX-License-Identifier: MIT
 * once: one sample of every topic: NDJSON, or a table for a person; with --ship also
 * straight to Elasticsearch, without the store. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "elastic/elastic.h"
#include "http/http.h"
#include "follow/survey.h"
#include "ssh/ssh.h"

#include "banned.h"

static const char usage[] =
	"Usage: mmlag once [-c FILE] [--ship]\n"
	"Takes one sample of every topic and prints the documents, one a line (a table on a\n"
	"terminal). Does not open the state directory.\n\n"
	"  -c, --config FILE  default " OPTIONS_DEFAULT_FILE "\n"
	"      --ship         also index the documents in Elasticsearch\n"
	"Exit: 0, 1 some topic had no data or a document was not acknowledged.\n";

#define TOPIC_LEAST 12

static size_t terminal_width(void)
{
	struct winsize size = {0};

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
		       ? size.ws_col
		       : 80;
}

/* As wide as the longest name, as long as the figures have room beside it. */
static size_t topic_width(const struct findings *f, size_t width)
{
	size_t longest = TOPIC_LEAST;
	size_t room = width > TOPIC_LEAST + 50 ? width - 50 : TOPIC_LEAST;

	for (size_t i = 0; i < f->n; i++) {
		size_t w = cells_width(f->v[i].name);

		longest = w > longest ? w : longest;
	}
	return longest < room ? longest : room;
}

static void number_cell(struct buf *line, bool known, int64_t n, size_t width)
{
	char text[CELLS_NUMBER] = "-";

	if (known)
		cells_number(n, width, text);
	buf_addch(line, ' ');
	cells_right(line, text, width);
}

static void table_row(const struct finding *v, size_t width, size_t name, bool colour)
{
	struct buf line = BUF_INIT(8192), text = BUF_INIT(8192);
	bool known = !v->is_gap && v->totals.with_lag > 0;

	cells_left(&text, v->name, name);
	if (v->is_gap) {
		buf_printf(&text, " NODATA  %s: %s", reason_name(v->gap.reason),
			   v->gap.message);
	} else {
		buf_addstr(&text, known ? " ok     " : " no lags");
		number_cell(&text, true, v->partitions, 7);
		number_cell(&text, known, v->totals.sum, 15);
		number_cell(&text, known, v->totals.max, 15);
	}
	cells_add(&line, buf_str(&text), width);
	printf(colour && v->is_gap ? "\033[35m%s\033[0m\n" : "%s\n", buf_str(&line));
	buf_free(&line);
	buf_free(&text);
}

static void print_table(const struct findings *f)
{
	size_t width = terminal_width(), name = topic_width(f, width);
	struct buf line = BUF_INIT(8192), head = BUF_INIT(8192);

	cells_left(&head, "TOPIC", name);
	buf_printf(&head, " %-7s %7s %15s %15s", "STATUS", "PARTS", "LAG SUM",
		   "LAG MAX");
	cells_add(&line, buf_str(&head), width);
	puts(buf_str(&line));
	buf_free(&line);
	buf_free(&head);
	for (size_t i = 0; i < f->n; i++)
		table_row(&f->v[i], width, name, options_colour(stdout));
}

static void print_documents(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].document.json != NULL)
			puts(f->v[i].document.json);
}

/* One request for all; returns how many documents were not acknowledged. */
static size_t send_all(struct elastic *e, const struct findings *f, struct err *err)
{
	struct document *docs = mem_calloc(f->n, sizeof(*docs));
	struct bulk_item *verdicts = mem_calloc(f->n, sizeof(*verdicts));
	size_t n = 0, missing;
	int64_t wish;

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].document.json != NULL)
			docs[n++] = f->v[i].document; /* borrowed */
	missing = n;
	if (n > 0 &&
	    elastic_bulk(e, docs, n, verdicts, &wish, clock_mono(), err) == WHOLE_ITEMS)
		for (size_t i = 0; i < n; i++)
			missing -= verdicts[i].verdict == BULK_DONE ||
				   verdicts[i].verdict == BULK_DUPLICATE;
	free(docs);
	free(verdicts);
	return missing;
}

/* Returns 0 when every document is in the index. */
static int ship(const struct config *c, const struct findings *f)
{
	struct elastic *e = NULL;
	struct err err = ERR_INIT;
	size_t missing;

	if (elastic_open(&e, &c->elastic, NULL, &err) != 0) {
		fprintf(stderr, "mmlag once: %s\n", err.text);
		return 1;
	}
	missing = send_all(e, f, &err);
	elastic_close(e);
	utf8_plain(err.text); /* some of it are a server's words */
	if (missing > 0)
		fprintf(stderr, "mmlag once: %zu documents are not in the index: %s\n",
			missing, err.text);
	return missing > 0;
}

static int take(const struct config *c, bool shipping)
{
	struct plan plan = plan_make(c, PLAN_SHARED);
	struct survey survey;
	struct err err = ERR_INIT;
	int failed;

	options_progress("taking a sample of every topic …");
	failed = survey_run(&plan, &survey, &err) != 0;
	if (failed)
		fprintf(stderr, "mmlag once: %s\n", err.text);
	if (isatty(STDOUT_FILENO) == 1)
		print_table(&survey.found);
	else
		print_documents(&survey.found);
	for (size_t i = 0; i < survey.found.n; i++) {
		const struct finding *v = &survey.found.v[i];

		if (!v->is_gap)
			continue;
		failed = 1;
		fprintf(stderr, "mmlag once: %s: %s: %s\n", v->name,
			reason_name(v->gap.reason), v->gap.message);
	}
	if (shipping)
		failed |= ship(c, &survey.found);
	survey_fini(&survey);
	plan_free(&plan);
	return failed;
}

static int once(const char *path, bool shipping)
{
	struct config *c = options_load(path, false);
	struct err err = ERR_INIT;
	int rc;

	if (c == NULL)
		return EXIT_CONFIG;
	if (shipping && !c->elastic.set) {
		fprintf(stderr,
			"mmlag once: --ship needs an elasticsearch section in %s\n",
			path);
		config_unref(c);
		return EXIT_CONFIG;
	}
	if (http_global_init(&err) != 0 || ssh_global_init(&err) != 0) {
		fprintf(stderr, "mmlag once: %s\n", err.text);
		config_unref(c);
		return 1;
	}
	rc = take(c, shipping);
	ssh_global_fini();
	http_global_fini();
	config_unref(c);
	return rc;
}

int cli_once(int argc, char **argv)
{
	bool shipping = false;
	const struct option_flag flags[] = {{"ship", &shipping, NULL}};
	const char *path;
	int rc = options_parse(argc, argv, usage, &path, flags, ARRAY_LEN(flags), NULL);

	setlocale(LC_CTYPE, ""); /* letters of the table */
	return rc != OPTIONS_GO_ON ? rc : once(path, shipping);
}
