/* SPDX-License-Identifier: MIT */
#include "prom/ready.h"

#include <ctype.h>
#include <string.h>

#include "base/compiler.h"

#include "banned.h"

/* 'N' is the attribute's name, 'n' the same in lower case. */
static const char *const rates[] = {
	"rate(kafka_server_BrokerTopicMetrics_%N[1m])",
	"rate(kafka_server_BrokerTopicMetrics_%N_total[1m])",
	"rate(kafka_server_brokertopicmetrics_count{name=\"%N\"}[1m])",
	"rate(kafka_server_brokertopicmetrics_count_total{name=\"%N\"}[1m])",
	"rate(kafka_server_brokertopicmetrics_total{name=\"%N\"}[1m])",
	"rate(kafka_server_BrokerTopicMetrics_Count{name=\"%N\"}[1m])",
	"rate(kafka_server_BrokerTopicMetrics_%N_Count[1m])",
	"rate(kafka_server_brokertopicmetrics_%n[1m])",
	"rate(kafka_server_brokertopicmetrics_%n_total[1m])",
	"rate(kafka_server_brokertopicmetrics_%n_count[1m])",
	"rate(kafka_server_brokertopicmetrics_%s_total[1m])",
	NULL,
};

static const char *const gauges[] = {
	"kafka_server_%B_%N",
	"kafka_server_%b_%n",
	"kafka_server_%b_value{name=\"%N\"}",
	"kafka_server_%B_Value{name=\"%N\"}",
	"kafka_server_%b_oneminuterate{name=\"%N\"}",
	"kafka_server_%B_OneMinuteRate{name=\"%N\"}",
	"kafka_server_%b_%n_count",
	NULL,
};

static const struct ready {
	const char *name, *bean, *attribute;
	const char *const *spellings;
} known[] = {
	{READY_MESSAGES, NULL, "MessagesInPerSec", rates},
	{"bytes-in", NULL, "BytesInPerSec", rates},
	{"bytes-out", NULL, "BytesOutPerSec", rates},
	{"idle-handlers", "KafkaRequestHandlerPool", "RequestHandlerAvgIdlePercent",
	 gauges},
	{"under-replicated", "ReplicaManager", "UnderReplicatedPartitions", gauges},
};

static const struct ready *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

bool ready_known(const char *name)
{
	return find(name) != NULL;
}

static void add(struct buf *out, const char *word, size_t n, bool lower)
{
	for (size_t i = 0; i < n; i++)
		buf_addch(out, lower ? (char)tolower((unsigned char)word[i]) : word[i]);
}

/* The attribute without "PerSec", in lower case, is what the exporter's own example
 * rules leave of it. */
static size_t short_length(const char *attribute)
{
	size_t n = strlen(attribute);

	return n > 6 && strcmp(attribute + n - 6, "PerSec") == 0 ? n - 6 : n;
}

static void fill(const struct ready *r, const char *pattern, struct buf *out)
{
	for (const char *p = pattern; *p != '\0'; p++) {
		if (*p != '%') {
			buf_addch(out, *p);
			continue;
		}
		p++;
		if (*p == 's')
			add(out, r->attribute, short_length(r->attribute), true);
		else if (*p == 'N' || *p == 'n')
			add(out, r->attribute, strlen(r->attribute), *p == 'n');
		else
			add(out, r->bean, strlen(r->bean), *p == 'b');
	}
}

bool ready_spelling(const char *name, size_t i, struct buf *out)
{
	const struct ready *r = find(name);

	for (size_t k = 0; r != NULL && r->spellings[k] != NULL; k++) {
		if (k != i)
			continue;
		fill(r, r->spellings[k], out);
		return true;
	}
	return false;
}
