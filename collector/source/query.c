/* SPDX-License-Identifier: MIT
 * query: lags out of an instant query of Prometheus (`source: prometheus`). Its series
 * carry topic and partition; what has no series has no row. */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lag/table_build.h"
#include "prom/ask.h"
#include "source/scrape_int.h"

#include "banned.h"

/* The row of a series; false when it is none of a partition. */
static bool add_row(struct table *t, const struct prom_series *s)
{
	const char *topic = prom_label(s, "topic");
	const char *partition = prom_label(s, "partition");
	struct partition p = {0};

	if (topic == NULL || partition == NULL || s->n != 1)
		return false;
	p.has_lag = isfinite(s->points[0].value) && fabs(s->points[0].value) < 0x1p63;
	p.lag = s->points[0].integer;
	return table_build_row(t, topic, partition, &p);
}

static struct table *to_table(const struct config_topic *t, const struct prom_answer *a)
{
	struct table *table = table_build(t->group);
	size_t rows = 0;

	for (size_t i = 0; i < a->n; i++)
		rows += add_row(table, &a->series[i]);
	if (a->n == 0)
		table_build_fail(table, REASON_TOPIC_ABSENT,
				 "the query gives no series%s%s; is what it asks for "
				 "still scraped?",
				 a->warnings != NULL ? "; warning: " : "",
				 a->warnings != NULL ? a->warnings : "");
	else if (rows == 0)
		table_build_fail(table, REASON_SOURCE_ERROR,
				 "none of the %zu series that the query gives has the "
				 "labels `topic` and `partition`; keep them with `by "
				 "(topic, partition)`",
				 a->n);
	table_build_end(table);
	return table;
}

struct table *scrape_query(struct http *h, const struct config_topic *t,
			   struct gap *gap, int *class)
{
	const struct prom_query q = {.url = t->url,
				     .query = t->query,
				     .at = (double)NAN};
	struct prom_answer a;
	struct err err = ERR_INIT;
	struct table *table;

	*class = prom_ask(h, &q, &a, &err);
	if (*class != 0) {
		gap_set(gap, REASON_SOURCE_ERROR, "%s", err.text);
		*class = err.code == PROM_STOPPED  ? ERR_AGAIN
			 : err.code == PROM_DENIED ? ERR_REJECT
						   : ERR_RETRY;
		return NULL;
	}
	table = to_table(t, &a);
	prom_answer_fini(&a);
	return table;
}
