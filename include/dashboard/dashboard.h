/* SPDX-License-Identifier: MIT
 * dashboard: what other programs need to show and judge our documents and metrics,
 * generated from the configuration: saved objects of Kibana and OpenSearch Dashboards,
 * alert rules, Grafana's files, index templates. Pure: a plan goes in, text comes out,
 * the same bytes each time. A buffer's `failed` says whether all fitted. */
#ifndef MMLAG_DASHBOARD_DASHBOARD_H
#define MMLAG_DASHBOARD_DASHBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

#define DASHBOARD_PARTITIONS_MAX 1000
#define DASHBOARD_PARTITIONS 16 /* where nothing tells how many there are */
#define DASHBOARD_LAG_LIMIT 10000
#define DASHBOARD_TEXT_MAX (64u << 20) /* bytes of one file */

/* What the files are generated for. */
struct dashboard {
	const struct config *config; /* borrowed */
	char *pattern;               /* of the indices, "consumer_lag*"; owned */
	int partitions;              /* p0 to p(N-1) */
	bool partitions_known;       /* somebody said so */
	bool target;                 /* some topic's other side is looked at */
	int64_t interval_ms;         /* the longest between two samples of a topic */
	double limit;                /* messages, where no thresholds are configured */
};

/* Work the plan out. `partitions` 0 takes the largest number that the configuration
 * expects. The configuration must live as long.  @thread main */
void dashboard_init(struct dashboard *d, const struct config *c, int partitions,
		    double limit);
void dashboard_fini(struct dashboard *d);

/* Saved objects, NDJSON. The first file is for Kibana 7.17 to 9 and OpenSearch
 * Dashboards 1 to 3; the second holds Lens charts, for Kibana 8.8 and later.
 * @thread main */
void dashboard_saved_objects(const struct dashboard *d, struct buf *out);
void dashboard_lens(const struct dashboard *d, struct buf *out);

/* Alert rules of Kibana, as lines for its console.  @thread main */
void dashboard_kibana_rules(const struct dashboard *d, struct buf *out);

/* Alert rules of Prometheus, YAML.  @thread main */
void dashboard_prometheus_rules(const struct dashboard *d, struct buf *out);

enum grafana_board { GRAFANA_LAG, GRAFANA_PROMETHEUS, GRAFANA_BROKERS, GRAFANA_BOARDS };

/* The name of a board, as its file is called; NULL behind the last.  @thread any */
const char *grafana_board_name(enum grafana_board b);

/* One board, JSON. The first reads Elasticsearch, the others Prometheus.
 * @thread main */
void dashboard_grafana(const struct dashboard *d, enum grafana_board b,
		       struct buf *out);

/* Provisioning files, YAML: both data sources, and where the boards lie.
 * @thread main */
void dashboard_grafana_sources(const struct dashboard *d, const char *prometheus_url,
			       struct buf *out);
void dashboard_grafana_provider(const char *directory, struct buf *out);

enum template_kind { TEMPLATE_PLAIN, TEMPLATE_ALIAS, TEMPLATE_DATA_STREAM };
enum template_lifecycle { LIFECYCLE_NONE, LIFECYCLE_ILM, LIFECYCLE_ISM };

struct template_options {
	enum template_kind kind;
	enum template_lifecycle lifecycle;
	int64_t retention_ms;
	const char *mapping; /* JSON with settings and mappings */
};

/* The requests that prepare a cluster, as lines for the console: a request line, its
 * body on one line, an empty line. ERR_REJECT where the options and the index name do
 * not go together, or the mapping is no JSON object.
 * @thread main */
NODISCARD int dashboard_template(const struct dashboard *d,
				 const struct template_options *o, struct buf *out,
				 struct err *err);

#endif
