/* SPDX-License-Identifier: MIT
 * grafana: what its boards have in common, and the files that provision them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

#define COLUMNS 24
#define SCHEMA 36 /* of Grafana 9; later ones migrate it */

static void put_source(struct jsonw *w, const char *type)
{
	jsonw_key(w, "datasource");
	jsonw_object(w);
	jsonw_key_str(w, "type", type);
	jsonw_key_str(w, "uid", "${datasource}");
	jsonw_end(w);
}

/* The uid under which our own provisioning file makes the source. */
static const char *uid_of(const char *type)
{
	return *type == 'e' ? "mmlag" : "mmlag-prometheus";
}

static void put_source_variable(struct jsonw *w, const char *type)
{
	jsonw_object(w);
	jsonw_key_str(w, "name", "datasource");
	jsonw_key_str(w, "label", "Data source");
	jsonw_key_str(w, "type", "datasource");
	jsonw_key_str(w, "query", type);
	jsonw_key(w, "current");
	jsonw_object(w);
	jsonw_key_str(w, "text", uid_of(type));
	jsonw_key_str(w, "value", uid_of(type));
	jsonw_end(w);
	jsonw_key_int(w, "hide", 0);
	jsonw_key_int(w, "refresh", 1);
	jsonw_end(w);
}

static void put_variable(struct jsonw *w, const struct grafana_variable *v,
			 const char *source, const char *all)
{
	jsonw_object(w);
	jsonw_key_str(w, "name", v->name);
	jsonw_key_str(w, "label", v->label);
	jsonw_key_str(w, "type", "query");
	put_source(w, source);
	if (*source == 'p') {
		jsonw_key(w, "query");
		jsonw_object(w);
		jsonw_key_str(w, "query", v->query);
		jsonw_key_str(w, "refId", v->name);
		jsonw_end(w);
	} else {
		jsonw_key_str(w, "query", v->query);
	}
	jsonw_key_str(w, "definition", v->query);
	json_key_put(w, "multi", "true");
	json_key_put(w, "includeAll", "true");
	jsonw_key_str(w, "allValue", all);
	json_key_put(w, "current",
		     "{\"selected\":true,\"text\":[\"All\"],\"value\":[\"$__all\"]}");
	jsonw_key_int(w, "hide", 0);
	jsonw_key_int(w, "refresh", 2);
	jsonw_key_int(w, "sort", 1);
	jsonw_end(w);
}

/* Whoever wants one group or one cluster says so here. */
static void put_filters(struct jsonw *w, const char *source)
{
	jsonw_object(w);
	jsonw_key_str(w, "name", "filters");
	jsonw_key_str(w, "label", "Filters");
	jsonw_key_str(w, "type", "adhoc");
	put_source(w, source);
	json_key_put(w, "filters", "[]");
	jsonw_key_int(w, "hide", 0);
	jsonw_end(w);
}

void grafana_begin(struct jsonw *w, const char *uid, const char *title,
		   const char *help, const char *source,
		   const struct grafana_variable *variables, size_t n, const char *all)
{
	jsonw_object(w);
	jsonw_key_str(w, "uid", uid);
	jsonw_key_str(w, "title", title);
	jsonw_key_str(w, "description", help);
	json_key_put(w, "tags", "[\"mmlag\",\"kafka\"]");
	jsonw_key_int(w, "schemaVersion", SCHEMA);
	jsonw_key_int(w, "version", 1);
	json_key_put(w, "editable", "true");
	jsonw_key_int(w, "graphTooltip", 1);
	jsonw_key_str(w, "timezone", "");
	json_key_put(w, "time", "{\"from\":\"now-3h\",\"to\":\"now\"}");
	jsonw_key_str(w, "refresh", "30s");
	json_key_put(w, "annotations", "{\"list\":[]}");
	json_key_put(w, "links", "[]");
	jsonw_key(w, "templating");
	jsonw_object(w);
	jsonw_key(w, "list");
	jsonw_array(w);
	put_source_variable(w, source);
	for (size_t i = 0; i < n; i++)
		put_variable(w, &variables[i], source, all);
	put_filters(w, source);
	jsonw_end(w);
	jsonw_end(w);
	jsonw_key(w, "panels");
	jsonw_array(w);
}

void grafana_end(struct jsonw *w)
{
	jsonw_end(w);
	jsonw_end(w);
	buf_addch(w->out, '\n');
}

static void put_field_config(struct jsonw *w, const struct grafana_panel *p)
{
	jsonw_key(w, "fieldConfig");
	jsonw_object(w);
	jsonw_key(w, "defaults");
	jsonw_object(w);
	jsonw_key_str(w, "unit", p->unit);
	if (strcmp(p->type, "status-history") == 0) {
		json_key_put(w, "color", "{\"mode\":\"continuous-YlRd\"}");
		json_key_put(w, "custom", "{\"fillOpacity\":90,\"lineWidth\":0}");
	} else if (strcmp(p->type, "timeseries") == 0) {
		json_key_put(w, "color", "{\"mode\":\"palette-classic\"}");
		json_key_put(w, "custom",
			     p->bars != NULL
				     ? "{\"drawStyle\":\"bars\",\"fillOpacity\":80,"
				       "\"stacking\":{\"mode\":\"normal\","
				       "\"group\":\"A\"}}"
				     : "{\"drawStyle\":\"line\",\"lineWidth\":1,"
				       "\"fillOpacity\":0,\"showPoints\":\"never\","
				       "\"spanNulls\":false}");
	}
	jsonw_end(w);
	json_key_put(w, "overrides", "[]");
	jsonw_end(w);
}

static const char *options_of(const char *type)
{
	if (strcmp(type, "status-history") == 0)
		return "{\"showValue\":\"never\",\"rowHeight\":0.9,\"colWidth\":1,"
		       "\"legend\":{\"displayMode\":\"list\",\"placement\":\"bottom\","
		       "\"showLegend\":false},\"tooltip\":{\"mode\":\"single\","
		       "\"sort\":\"none\"}}";
	if (strcmp(type, "table") == 0)
		return "{\"showHeader\":true}";
	return "{\"legend\":{\"calcs\":[\"lastNotNull\",\"max\"],"
	       "\"displayMode\":\"table\",\"placement\":\"bottom\","
	       "\"showLegend\":true},\"tooltip\":{\"mode\":\"multi\","
	       "\"sort\":\"desc\"}}";
}

void grafana_panel_begin(struct jsonw *w, const struct grafana_panel *p,
			 struct grafana_place *at, const char *source)
{
	jsonw_object(w);
	jsonw_key_int(w, "id", ++at->id);
	jsonw_key_str(w, "type", p->type);
	jsonw_key_str(w, "title", p->title);
	jsonw_key_str(w, "description", p->help);
	jsonw_key(w, "gridPos");
	jsonw_object(w);
	jsonw_key_int(w, "x", at->x);
	jsonw_key_int(w, "y", at->y);
	jsonw_key_int(w, "w", p->w);
	jsonw_key_int(w, "h", p->h);
	jsonw_end(w);
	at->x += p->w;
	if (at->x >= COLUMNS) {
		at->x = 0;
		at->y += p->h;
	}
	put_source(w, source);
	put_field_config(w, p);
	json_key_put(w, "options", options_of(p->type));
	if (strcmp(p->type, "status-history") == 0)
		jsonw_key_int(w, "maxDataPoints", 100);
	jsonw_key(w, "targets");
	jsonw_array(w);
}

void grafana_panel_end(struct jsonw *w)
{
	jsonw_end(w);
	jsonw_end(w);
}

void grafana_target_begin(struct jsonw *w, size_t i, const char *source)
{
	char name[8];

	snprintf(name, sizeof(name), "%c", (int)('A' + i % 26));
	jsonw_object(w);
	jsonw_key_str(w, "refId", name);
	put_source(w, source);
}

const char *grafana_board_name(enum grafana_board b)
{
	switch (b) {
	case GRAFANA_LAG:
		return "lag";
	case GRAFANA_PROMETHEUS:
		return "prometheus";
	case GRAFANA_BROKERS:
		return "brokers";
	case GRAFANA_BOARDS:
		break;
	}
	return NULL;
}

void dashboard_grafana(const struct dashboard *d, enum grafana_board b, struct buf *out)
{
	if (b == GRAFANA_LAG)
		grafana_lag(d, out);
	else if (b == GRAFANA_PROMETHEUS)
		grafana_prometheus(d, out);
	else
		grafana_brokers(out);
}

/* --- provisioning --- */

/* A JSON string is a YAML string; Grafana replaces $NAME in it, $$ is a $. */
static void put_string(struct buf *out, const char *key, const char *text)
{
	struct buf plain = BUF_INIT(65536);

	for (const char *c = text; *c != '\0'; c++) {
		buf_addch(&plain, *c);
		if (*c == '$')
			buf_addch(&plain, '$');
	}
	buf_printf(out, "%s: ", key);
	jsonw_quote(out, buf_str(&plain), plain.len);
	buf_addch(out, '\n');
	buf_free(&plain);
}

/* Secrets come from Grafana's own environment. */
static void put_login(const struct config_elastic *e, struct buf *out)
{
	if (e->username != NULL) {
		buf_addstr(out, "    basicAuth: true\n");
		put_string(out, "    basicAuthUser", e->username);
		buf_addstr(out, "    secureJsonData:\n"
				"      basicAuthPassword: $MMLAG_ES_PASSWORD\n");
	} else if (e->api_key_file != NULL) {
		buf_addstr(out, "    secureJsonData:\n"
				"      httpHeaderValue1: ApiKey $MMLAG_ES_API_KEY\n");
	}
}

static void put_elastic(const struct dashboard *d, struct buf *out)
{
	const struct config_elastic *e = &d->config->elastic;
	struct buf interval = BUF_INIT(64);

	buf_addstr(out, "  - name: mmlag\n"
			"    uid: mmlag\n"
			"    type: elasticsearch\n"
			"    access: proxy\n");
	put_string(out, "    url",
		   e->hosts.n > 0 ? e->hosts.v[0] : "http://localhost:9200");
	put_login(e, out);
	put_duration(&interval, d->interval_ms > 0 ? d->interval_ms : 10000);
	buf_addstr(out, "    jsonData:\n");
	put_string(out, "      index", d->pattern);
	put_string(out, "      timeField", "@timestamp");
	put_string(out, "      timeInterval", buf_str(&interval));
	put_string(out, "      logMessageField", "message");
	if (e->username == NULL && e->api_key_file != NULL)
		put_string(out, "      httpHeaderName1", "Authorization");
	if (e->insecure_skip_verify)
		buf_addstr(out, "      tlsSkipVerify: true\n");
	buf_free(&interval);
}

void dashboard_grafana_sources(const struct dashboard *d, const char *prometheus_url,
			       struct buf *out)
{
	buf_addstr(out, "apiVersion: 1\ndatasources:\n");
	put_elastic(d, out);
	buf_addstr(out, "  - name: mmlag-prometheus\n"
			"    uid: mmlag-prometheus\n"
			"    type: prometheus\n"
			"    access: proxy\n");
	put_string(out, "    url", prometheus_url);
}

void dashboard_grafana_provider(const char *directory, struct buf *out)
{
	buf_addstr(out, "apiVersion: 1\nproviders:\n"
			"  - name: mmlag\n"
			"    folder: mmlag\n"
			"    type: file\n"
			"    allowUiUpdates: true\n"
			"    options:\n");
	put_string(out, "      path", directory);
}
