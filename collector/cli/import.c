/* SPDX-License-Identifier: MIT
 * import: the saved objects that export makes, put into Kibana or OpenSearch
 * Dashboards.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "dashboard/dashboard.h"
#include "dashboard/import.h"
#include "http/http.h"

#include "banned.h"

#define SPACE_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789_-"

static const char usage[] =
	"Usage: mmlag import kibana|opensearch-dashboards --url URL [-c FILE] [options]\n"
	"Puts data view, charts and dashboard there; objects that are there already are\n"
	"replaced.\n\n"
	"  --url URL             of the server, with its base path\n"
	"  --space S             a space of Kibana\n"
	"  --tenant T            a tenant of OpenSearch Dashboards\n"
	"  --keep                leave objects as they are that are there already\n"
	"  --lens                the Lens charts instead, for Kibana 8.8 and later\n"
	"  --partitions N        as for export\n" OPTIONS_HTTP_HELP
	"Exit: 0 all was taken, 1 it was not, 64 usage, 78 configuration.\n";

struct import {
	const char *path, *url, *space, *tenant, *partitions;
	bool keep, lens, kibana;
	int n;
	struct http_options http;
};

static int check_options(struct import *m)
{
	char *end;
	int rc;

	if (m->url == NULL)
		return options_usage("import",
				     "--url http://… or https://… says where to");
	rc = options_url("import", "--url", m->url);
	if (rc == OPTIONS_GO_ON)
		rc = options_http("import", &m->http);
	if (rc != OPTIONS_GO_ON)
		return rc;
	if (strpbrk(m->url, "?# \t\r\n") != NULL)
		return options_usage("import", "--url ends before a '?', '#' or blank");
	if (m->kibana && m->tenant != NULL)
		return options_usage("import", "--tenant goes with "
					       "opensearch-dashboards; Kibana has "
					       "--space");
	if (!m->kibana && (m->space != NULL || m->lens))
		return options_usage("import", "%s goes with kibana",
				     m->lens ? "--lens" : "--space");
	if (m->space != NULL &&
	    (*m->space == '\0' || m->space[strspn(m->space, SPACE_CHARACTERS)] != '\0'))
		return options_usage(
			"import",
			"--space '%s' is no id of a space: a-z, 0-9, _ and "
			"-",
			m->space);
	for (const char *c = m->tenant; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return options_usage("import",
					     "--tenant has a control character");
	if (m->partitions != NULL) {
		m->n = (int)strtol(m->partitions, &end, 10);
		if (*end != '\0' || m->n < 1 || m->n > DASHBOARD_PARTITIONS_MAX)
			return options_usage("import", "--partitions is 1 to %d",
					     DASHBOARD_PARTITIONS_MAX);
	}
	return 0;
}

/* The URL of the import; the caller frees it. */
static char *target(const struct import *m)
{
	size_t len = strlen(m->url);

	while (len > 0 && m->url[len - 1] == '/')
		len--;
	return mem_printf("%.*s%s%s/api/saved_objects/_import%s", (int)len, m->url,
			  m->space != NULL ? "/s/" : "",
			  m->space != NULL ? m->space : "",
			  m->keep ? "" : "?overwrite=true");
}

static int send(const struct import *m, struct buf *objects, struct http_answer *a,
		struct err *err)
{
	struct buf form = BUF_INIT(DASHBOARD_TEXT_MAX);
	char *type, *url = target(m);
	char *tenant =
		m->tenant != NULL ? mem_printf("securitytenant: %s", m->tenant) : NULL;
	struct http *h = NULL;
	int rc;

	import_form(buf_str(objects), objects->len, &form, &type);
	struct http_request r = {
		.method = "POST",
		.url = url,
		.content_type = type,
		.headers = {m->kibana ? "kbn-xsrf: true" : "osd-xsrf: true", tenant},
		.body = form.data,
		.body_len = form.len,
		.timeout_ms = 120000,
		.answer_max = IMPORT_ANSWER_MAX,
	};
	rc = form.failed ? err_set(err, ERR_REJECT, "the file is too large")
			 : http_open(&h, &m->http, NULL, err);
	if (rc == 0)
		rc = http_exchange(h, &r, a, err);
	http_close(h);
	buf_free(&form);
	free(type);
	free(url);
	free(tenant);
	return rc;
}

/* One object a line. */
static size_t objects_in(const struct buf *objects)
{
	size_t n = 0;

	for (size_t i = 0; i < objects->len; i++)
		n += objects->data[i] == '\n';
	return n;
}

static int import_objects(const struct import *m, const struct config *c,
			  struct err *err)
{
	struct buf objects = BUF_INIT(DASHBOARD_TEXT_MAX);
	struct buf lines = BUF_INIT(IMPORT_ANSWER_MAX);
	struct http_answer a = {.status = 0};
	struct dashboard d;
	int rc = http_global_init(err);

	if (rc != 0)
		return rc;
	dashboard_init(&d, c, m->n, DASHBOARD_LAG_LIMIT);
	if (m->lens)
		dashboard_lens(&d, &objects);
	else
		dashboard_saved_objects(&d, &objects);
	rc = send(m, &objects, &a, err);
	if (rc == 0)
		rc = import_read(a.status, buf_str(&a.body), a.body.len,
				 objects_in(&objects), &lines, err);
	fputs(buf_str(&lines), stdout);
	http_answer_fini(&a);
	buf_free(&lines);
	buf_free(&objects);
	dashboard_fini(&d);
	http_global_fini();
	return rc;
}

int cli_import(int argc, char **argv)
{
	struct import m = {.path = NULL};
	const struct option_flag flags[] = {
		{"url", NULL, &m.url},       {"space", NULL, &m.space},
		{"tenant", NULL, &m.tenant}, {"partitions", NULL, &m.partitions},
		{"keep", &m.keep, NULL},     {"lens", &m.lens, NULL},
		OPTIONS_HTTP(m.http),
	};
	struct err err = ERR_INIT;
	struct config *c;
	int rest;
	int rc = options_parse(argc, argv, usage, &m.path, flags,
			       sizeof(flags) / sizeof(flags[0]), &rest);

	if (rc != OPTIONS_GO_ON)
		return rc;
	m.kibana = rest < argc && strcmp(argv[rest], "kibana") == 0;
	if (rest + 1 != argc ||
	    (!m.kibana && strcmp(argv[rest], "opensearch-dashboards") != 0))
		return options_usage("import",
				     "kibana or opensearch-dashboards, which one?");
	rc = check_options(&m);
	if (rc != 0)
		return rc;
	c = options_read(m.path);
	if (c == NULL)
		return EXIT_CONFIG;
	rc = import_objects(&m, c, &err);
	if (rc != 0)
		fprintf(stderr, "mmlag import: %s\n", err.text);
	config_unref(c);
	return rc == 0 ? 0 : 1;
}
