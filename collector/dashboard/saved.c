/* SPDX-License-Identifier: MIT
 * saved: saved objects of Kibana and OpenSearch Dashboards, as their import wants them:
 * one object a line, some members JSON in a string, ids of others only in references.
 */
#include <stdio.h>

#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

/* A stamp that is too new makes the whole import fail, one that is older is migrated:
 * these are the newest that OpenSearch Dashboards knows. */
const struct stamp stamp_data_view = {"index-pattern", "7.6.0", false};
const struct stamp stamp_visualization = {"visualization", "7.10.0", false};
const struct stamp stamp_search = {"search", "7.9.3", false};
const struct stamp stamp_dashboard = {"dashboard", "7.9.3", false};
const struct stamp stamp_lens = {"lens", "8.9.0", true};
const struct stamp stamp_lens_dashboard = {"dashboard", "8.7.0", true};

#define COLUMNS 48
#define TEXT_MAX (4u << 20)

void saved_begin(struct jsonw *w, const struct stamp *stamp, const char *id,
		 const char *title)
{
	jsonw_object(w);
	jsonw_key_str(w, "type", stamp->type);
	jsonw_key_str(w, "id", id);
	jsonw_key(w, "attributes");
	jsonw_object(w);
	jsonw_key_str(w, "title", title);
}

void saved_references(struct jsonw *w)
{
	jsonw_end(w);
	jsonw_key(w, "references");
	jsonw_array(w);
}

void saved_reference(struct jsonw *w, const char *name, const char *type,
		     const char *id)
{
	jsonw_object(w);
	jsonw_key_str(w, "name", name);
	jsonw_key_str(w, "type", type);
	jsonw_key_str(w, "id", id);
	jsonw_end(w);
}

void saved_end(struct jsonw *w, const struct stamp *stamp)
{
	jsonw_end(w);
	if (stamp->core) {
		jsonw_key_str(w, "coreMigrationVersion", "8.8.0");
		jsonw_key_str(w, "typeMigrationVersion", stamp->version);
	} else {
		jsonw_key(w, "migrationVersion");
		jsonw_object(w);
		jsonw_key_str(w, stamp->type, stamp->version);
		jsonw_end(w);
	}
	jsonw_end(w);
	buf_addch(w->out, '\n');
	*w = jsonw_start(w->out);
}

void saved_source(struct jsonw *w, const char *kql, bool data_view)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct jsonw s = jsonw_start(&text);

	jsonw_object(&s);
	if (kql != NULL) {
		jsonw_key(&s, "query");
		jsonw_object(&s);
		jsonw_key_str(&s, "query", kql);
		jsonw_key_str(&s, "language", "kuery");
		jsonw_end(&s);
		json_key_put(&s, "filter", "[]");
	}
	if (data_view)
		jsonw_key_str(&s, "indexRefName", SOURCE_REFERENCE);
	jsonw_end(&s);
	jsonw_key(w, "kibanaSavedObjectMeta");
	jsonw_object(w);
	json_key_text(w, "searchSourceJSON", &text);
	jsonw_end(w);
	buf_free(&text);
}

void saved_data_view(const struct dashboard *d, struct buf *out)
{
	struct jsonw w = jsonw_start(out);

	saved_begin(&w, &stamp_data_view, DATA_VIEW, d->pattern);
	jsonw_key_str(&w, "timeFieldName", "@timestamp");
	jsonw_key_str(&w, "fields", "[]"); /* the reader asks the server */
	saved_references(&w);
	saved_end(&w, &stamp_data_view);
}

void saved_search(struct buf *out, const char *id, const char *title, const char *kql,
		  const char *columns)
{
	struct jsonw w = jsonw_start(out);

	saved_begin(&w, &stamp_search, id, title);
	jsonw_key_str(&w, "description", "");
	jsonw_key_int(&w, "hits", 0);
	json_key_put(&w, "columns", columns);
	json_key_put(&w, "sort", "[[\"@timestamp\",\"desc\"]]");
	jsonw_key_int(&w, "version", 1);
	saved_source(&w, kql, true);
	saved_references(&w);
	saved_reference(&w, SOURCE_REFERENCE, "index-pattern", DATA_VIEW);
	saved_end(&w, &stamp_search);
}

static void put_panel(struct jsonw *w, size_t i, const struct panel *p, int x, int y,
		      bool modern)
{
	char name[32];

	snprintf(name, sizeof(name), "%zu", i);
	jsonw_object(w);
	jsonw_key_str(w, "version", modern ? "8.8.0" : "7.9.3");
	if (modern)
		jsonw_key_str(w, "type", p->type);
	jsonw_key_str(w, "panelIndex", name);
	jsonw_key(w, "gridData");
	jsonw_object(w);
	jsonw_key_int(w, "x", x);
	jsonw_key_int(w, "y", y);
	jsonw_key_int(w, "w", p->w);
	jsonw_key_int(w, "h", p->h);
	jsonw_key_str(w, "i", name);
	jsonw_end(w);
	json_key_put(w, "embeddableConfig", "{}");
	snprintf(name, sizeof(name), "panel_%zu", i);
	jsonw_key_str(w, "panelRefName", name);
	jsonw_end(w);
}

void saved_panels(struct jsonw *w, const struct panel *panels, size_t n, bool modern)
{
	struct buf text = BUF_INIT(TEXT_MAX);
	struct jsonw p = jsonw_start(&text);
	int x = 0, y = 0;

	jsonw_array(&p);
	for (size_t i = 0; i < n; i++) {
		put_panel(&p, i, &panels[i], x, y, modern);
		x += panels[i].w;
		if (x >= COLUMNS) {
			x = 0;
			y += panels[i].h;
		}
	}
	jsonw_end(&p);
	jsonw_key_int(w, "hits", 0);
	json_key_text(w, "panelsJSON", &text);
	buf_free(&text);
	jsonw_key_str(w, "optionsJSON",
		      "{\"useMargins\":true,\"hidePanelTitles\":false}");
	jsonw_key_int(w, "version", 1);
	json_key_put(w, "timeRestore", "true");
	jsonw_key_str(w, "timeFrom", "now-3h");
	jsonw_key_str(w, "timeTo", "now");
	json_key_put(w, "refreshInterval", "{\"pause\":false,\"value\":30000}");
	saved_source(w, "", false);
}

void saved_panel_references(struct jsonw *w, const struct panel *panels, size_t n,
			    bool modern)
{
	char name[64];

	for (size_t i = 0; i < n; i++) {
		if (modern)
			snprintf(name, sizeof(name), "%zu:panel_%zu", i, i);
		else
			snprintf(name, sizeof(name), "panel_%zu", i);
		saved_reference(w, name, panels[i].type, panels[i].id);
	}
}
