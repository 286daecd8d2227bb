/* SPDX-License-Identifier: MIT
 * export: files for other programs, generated for this configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "dashboard/dashboard.h"
#include "elastic/elastic.h"

#include "banned.h"

#define MAPPING_MAX (4u << 20)
#define RETENTION "90d"
#define DAY INT64_C(86400000)
#define PROMETHEUS "http://localhost:9090"

static const char usage[] =
	"Usage: mmlag export WHAT [-c FILE] [options] > OUTPUT\n"
	"Files for other programs, generated for this configuration.\n\n"
	"  kibana, opensearch-dashboards   data view, charts, dashboard: saved objects\n"
	"                       (NDJSON) for Kibana 7.17 to 9 and OpenSearch\n"
	"                       Dashboards 1 to 3; 'mmlag import' puts them there\n"
	"    --lens             for Kibana 8.8 and later: Lens charts, Kibana's controls\n"
	"  grafana              dashboards and provisioning files\n"
	"    --dir DIR          all of them below DIR\n"
	"    --board lag|prometheus|brokers   one board on stdout (lag)\n"
	"    --prometheus URL   of the data source (" PROMETHEUS ")\n"
	"  prometheus-rules     alert rules over /metrics (YAML)\n"
	"  kibana-rules         alert rules, lines for Kibana's console\n"
	"  template             index template and what goes with it, lines for the\n"
	"                       console: request, body, empty line\n"
	"    --kind plain|alias|data-stream   what elasticsearch.index is (plain)\n"
	"    --lifecycle ilm|ism|none         Elasticsearch, OpenSearch (ilm; for a\n"
	"                       plain index without a date none)\n"
	"    --retention TIME   how long documents are kept (" RETENTION ")\n"
	"  config               this configuration, complete, without secrets (JSON)\n"
	"  schema               a JSON Schema of configurations, for editors; reads no\n"
	"                       configuration\n"
	"    --reference        all keys as a table for people instead (Markdown)\n\n"
	"  --partitions N       draw p0 to p(N-1); else the largest 'partitions' of the\n"
	"                       configuration\n"
	"  --threshold N        messages of lag that alert, where no thresholds are\n"
	"                       configured (10000)\n"
	"Exit: 0, 1 a file could not be written, 64 usage, 78 configuration.\n";

struct export
{
	const char *path;
	const char *partitions, *threshold, *dir, *board, *prometheus;
	const char *kind, *lifecycle, *retention;
	bool lens, reference;
	/* worked out */
	int n;
	double limit;
	enum grafana_board one;
	struct template_options template;
};

/* A place among the words (ends with NULL); -1 for none of them. */
static int word_of(const char *text, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
			return i;
	return -1;
}

static int number_of(const char *text, long min, long max, long *out)
{
	char *end;

	errno = 0;
	*out = strtol(text, &end, 10);
	return end == text || *end != '\0' || errno != 0 || *out < min || *out > max
		       ? -1
		       : 0;
}

static int read_template(struct export *x)
{
	static const char *const kinds[] = {"plain", "alias", "data-stream", NULL};
	static const char *const lifecycles[] = {"none", "ilm", "ism", NULL};
	struct err err = ERR_INIT;
	int kind = word_of(x->kind != NULL ? x->kind : "plain", kinds);
	int lifecycle =
		word_of(x->lifecycle != NULL ? x->lifecycle : "ilm", lifecycles);

	if (kind < 0)
		return options_usage("export",
				     "--kind is plain, alias or data-stream, not '%s'",
				     x->kind);
	if (lifecycle < 0)
		return options_usage("export",
				     "--lifecycle is ilm, ism or none, not '%s'",
				     x->lifecycle);
	x->template.kind = (enum template_kind)kind;
	x->template.lifecycle = (enum template_lifecycle)lifecycle;
	if (config_duration(x->retention != NULL ? x->retention : RETENTION,
			    &x->template.retention_ms, &err) != 0)
		return options_usage("export", "--retention: %s", err.text);
	if (x->template.retention_ms < DAY)
		return options_usage("export", "--retention is at least 1d");
	return 0;
}

static int read_options(struct export *x)
{
	static const char *const boards[] = {"lag", "prometheus", "brokers", NULL};
	long v = 0;
	int board = word_of(x->board != NULL ? x->board : "lag", boards);

	if (x->partitions != NULL &&
	    number_of(x->partitions, 1, DASHBOARD_PARTITIONS_MAX, &v) != 0)
		return options_usage("export", "--partitions is 1 to %d, not '%s'",
				     DASHBOARD_PARTITIONS_MAX, x->partitions);
	x->n = (int)v;
	v = DASHBOARD_LAG_LIMIT;
	if (x->threshold != NULL &&
	    number_of(x->threshold, 1, 1000000000000000, &v) != 0)
		return options_usage("export",
				     "--threshold is a number of messages, not '%s'",
				     x->threshold);
	x->limit = (double)v;
	if (board < 0)
		return options_usage("export",
				     "--board is lag, prometheus or brokers, not '%s'",
				     x->board);
	x->one = (enum grafana_board)board;
	return read_template(x);
}

static int trouble(const char *path)
{
	struct err err = ERR_INIT;

	err_set_errno(&err, ERR_PERMANENT, errno, "cannot write %s", path);
	fprintf(stderr, "mmlag export: %s\n", err.text);
	return 1;
}

/* To standard output; main says when that fails. */
static int print(struct buf *text)
{
	int rc = 0;

	if (text->failed) {
		fprintf(stderr, "mmlag export: the file would be larger than %u MiB\n",
			DASHBOARD_TEXT_MAX >> 20);
		rc = 1;
	} else {
		fwrite(buf_str(text), 1, text->len, stdout);
	}
	buf_free(text);
	return rc;
}

/* --- template --- */

static int export_template(struct export *x, const struct dashboard *d, struct buf *out)
{
	const struct config_elastic *e = &d->config->elastic;
	struct buf mapping = BUF_INIT(MAPPING_MAX);
	struct err err = ERR_INIT;
	int rc = 0;

	/* a plain index for ever: nothing of it could be deleted by age */
	if (x->lifecycle == NULL && x->template.kind == TEMPLATE_PLAIN &&
	    (e->index == NULL || strchr(e->index, '{') == NULL))
		x->template.lifecycle = LIFECYCLE_NONE;
	x->template.mapping = elastic_builtin_mapping;
	if (e->mapping_file != NULL) {
		rc = file_read(e->mapping_file, &mapping, &err);
		x->template.mapping = buf_str(&mapping);
	}
	if (rc == 0)
		rc = dashboard_template(d, &x->template, out, &err);
	if (rc != 0)
		fprintf(stderr, "mmlag export template: %s\n", err.text);
	buf_free(&mapping);
	return rc == 0 ? 0 : EXIT_CONFIG;
}

/* --- Grafana --- */

/* Write `text` to a file below the directory, making what lies between. */
static int write_file(const char *dir, const char *name, struct buf *text)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f;
	bool bad = text->failed;

	for (char *slash = strchr(path + 1, '/'); slash != NULL && !bad;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		bad = mkdir(path, 0755) != 0 && errno != EEXIST;
		*slash = '/';
	}
	f = bad ? NULL : fopen(path, "we");
	if (f != NULL) {
		bad = fwrite(buf_str(text), 1, text->len, f) != text->len;
		bad |= fclose(f) != 0;
	}
	if (f == NULL || bad) {
		trouble(path);
		bad = true;
	}
	free(path);
	buf_reset(text);
	return bad ? 1 : 0;
}

static int write_boards(const struct dashboard *d, const char *dir, struct buf *text)
{
	int rc = 0;

	for (enum grafana_board b = GRAFANA_LAG; b < GRAFANA_BOARDS && rc == 0; b++) {
		char *name =
			mem_printf("dashboards/mmlag-%s.json", grafana_board_name(b));

		dashboard_grafana(d, b, text);
		rc = write_file(dir, name, text);
		free(name);
	}
	return rc;
}

static int export_grafana(const struct export *x, const struct dashboard *d,
			  struct buf *text)
{
	char *whole = NULL, *boards;
	int rc;

	if (x->dir == NULL) {
		dashboard_grafana(d, x->one, text);
		return 0;
	}
	rc = write_boards(d, x->dir, text);
	if (rc == 0)
		whole = realpath(x->dir, NULL);
	if (whole == NULL)
		return rc != 0 ? rc : trouble(x->dir);
	boards = mem_printf("%s/dashboards", whole);
	free(whole);
	dashboard_grafana_sources(d, x->prometheus != NULL ? x->prometheus : PROMETHEUS,
				  text);
	rc = write_file(x->dir, "provisioning/datasources/mmlag.yaml", text);
	dashboard_grafana_provider(boards, text);
	if (rc == 0)
		rc = write_file(x->dir, "provisioning/dashboards/mmlag.yaml", text);
	free(boards);
	return rc;
}

/* --- the command --- */

enum what {
	KIBANA,
	OPENSEARCH,
	GRAFANA,
	PROMETHEUS_RULES,
	KIBANA_RULES,
	TEMPLATE,
	CONFIG,
	SCHEMA
};
static const char *const things[] = {"kibana",
				     "opensearch-dashboards",
				     "grafana",
				     "prometheus-rules",
				     "kibana-rules",
				     "template",
				     "config",
				     "schema",
				     NULL};

static bool draws_partitions(enum what what)
{
	return what == KIBANA || what == OPENSEARCH || what == GRAFANA;
}

#define OF(what) (1u << (what))

/* An option that would change nothing is a mistake of whoever wrote it. */
static int check_applies(const struct export *x, enum what what)
{
	const struct {
		const char *name;
		bool given;
		unsigned of; /* these things */
		const char *words;
	} each[] = {
		{"--lens", x->lens, OF(KIBANA), "kibana"},
		{"--dir", x->dir != NULL, OF(GRAFANA), "grafana"},
		{"--board", x->board != NULL, OF(GRAFANA), "grafana"},
		{"--prometheus", x->prometheus != NULL, OF(GRAFANA), "grafana --dir"},
		{"--kind", x->kind != NULL, OF(TEMPLATE), "template"},
		{"--lifecycle", x->lifecycle != NULL, OF(TEMPLATE), "template"},
		{"--retention", x->retention != NULL, OF(TEMPLATE), "template"},
		{"--reference", x->reference, OF(SCHEMA), "schema"},
		{"--partitions", x->partitions != NULL,
		 OF(KIBANA) | OF(OPENSEARCH) | OF(GRAFANA),
		 "kibana, opensearch-dashboards and grafana"},
		{"--threshold", x->threshold != NULL,
		 OF(PROMETHEUS_RULES) | OF(KIBANA_RULES),
		 "prometheus-rules and kibana-rules"},
	};

	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		if (each[i].given && (each[i].of & OF(what)) == 0)
			return options_usage("export", "%s goes with %s, not with %s",
					     each[i].name, each[i].words, things[what]);
	if (x->board != NULL && x->dir != NULL)
		return options_usage("export", "--dir writes all boards: leave --board "
					       "out, or --dir");
	if (x->prometheus != NULL && x->dir == NULL)
		return options_usage("export", "--prometheus goes with --dir: a board "
					       "alone names no data source's URL");
	return 0;
}

static int generate(struct export *x, enum what what, struct dashboard *d,
		    struct buf *out)
{
	int rc = 0;

	if (draws_partitions(what) && !d->partitions_known)
		fprintf(stderr,
			"mmlag export: the configuration does not say how many "
			"partitions there are; p0 to p%d are drawn, --partitions N "
			"draws more\n",
			d->partitions - 1);
	switch (what) {
	case KIBANA:
	case OPENSEARCH:
		if (x->lens)
			dashboard_lens(d, out);
		else
			dashboard_saved_objects(d, out);
		break;
	case GRAFANA:
		rc = export_grafana(x, d, out);
		break;
	case PROMETHEUS_RULES:
		dashboard_prometheus_rules(d, out);
		break;
	case KIBANA_RULES:
		dashboard_kibana_rules(d, out);
		break;
	case TEMPLATE:
		rc = export_template(x, d, out);
		break;
	case CONFIG:
		config_print(d->config, out);
		buf_addch(out, '\n');
		break;
	case SCHEMA:
		break;
	}
	return rc;
}

static int export_schema(const struct export *x)
{
	struct buf out = BUF_INIT(DASHBOARD_TEXT_MAX);

	if (x->reference)
		config_print_reference(&out);
	else
		config_print_schema(&out);
	return print(&out);
}

static int export_for_config(struct export *x, enum what what)
{
	struct buf out = BUF_INIT(DASHBOARD_TEXT_MAX);
	struct config *c = options_read(x->path);
	struct dashboard d;
	int rc;

	if (c == NULL)
		return EXIT_CONFIG;
	dashboard_init(&d, c, x->n, x->limit);
	rc = generate(x, what, &d, &out);
	if (rc == 0)
		rc = print(&out);
	buf_free(&out);
	dashboard_fini(&d);
	config_unref(c);
	return rc;
}

int cli_export(int argc, char **argv)
{
	struct export x = {.path = NULL};
	const struct option_flag flags[] = {
		{"partitions", NULL, &x.partitions},
		{"threshold", NULL, &x.threshold},
		{"dir", NULL, &x.dir},
		{"board", NULL, &x.board},
		{"prometheus", NULL, &x.prometheus},
		{"kind", NULL, &x.kind},
		{"lifecycle", NULL, &x.lifecycle},
		{"retention", NULL, &x.retention},
		{"lens", &x.lens, NULL},
		{"reference", &x.reference, NULL},
	};
	int rest, what;
	int rc = options_parse(argc, argv, usage, &x.path, flags,
			       sizeof(flags) / sizeof(flags[0]), &rest);

	if (rc != OPTIONS_GO_ON)
		return rc;
	if (rest >= argc)
		return options_usage(
			"export", "say what: kibana, opensearch-dashboards, grafana, "
				  "prometheus-rules, kibana-rules, template, "
				  "config or schema");
	if (rest + 1 < argc)
		return options_usage("export", "'%s' is one argument too many",
				     argv[rest + 1]);
	what = word_of(argv[rest], things);
	if (what < 0)
		return options_usage("export",
				     "'%s' is nothing to export; 'mmlag export --help' "
				     "lists what is",
				     argv[rest]);
	rc = check_applies(&x, (enum what)what);
	if (rc == 0)
		rc = read_options(&x);
	if (rc != 0)
		return rc;
	return what == SCHEMA ? export_schema(&x)
			      : export_for_config(&x, (enum what)what);
}
