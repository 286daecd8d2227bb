/* SPDX-License-Identifier: MIT
 * exporter_int: what has been read of a page (exporter.c), for the answers that are
 * given out of it (exporter_answer.c). */
#ifndef MMLAG_LAG_EXPORTER_INT_H
#define MMLAG_LAG_EXPORTER_INT_H

#include "lag/exporter.h"
#include "lag/index_int.h"
#include "lag/sample.h"

#define EXPORTER_CELLS_MAX 4000000 /* partitions, of all clusters: 400 MiB */
#define EXPORTER_CLUSTERS_MAX 256
#define EXPORTER_NAMED 5 /* groups or clusters that a message names */

enum dialect {
	KAFKA_EXPORTER,
	KMINION,
	LAG_EXPORTER,
	BURROW,
	GROUP_EXPORTER,
	DIALECTS
};

struct dialect_words {
	const char *name, *group, *topic, *partition; /* labels */
	bool any_prefix; /* its metrics begin with a word of the operator's */
};

extern const struct dialect_words exporter_dialects[DIALECTS];

struct cell { /* one partition, as one dialect has it */
	uint32_t cluster, topic;
	struct partition p;
	unsigned char dialect;
	bool listed;       /* the group has it */
	bool minus_lag;    /* the lag is -1, */
	bool minus_offset; /* and so is the offset */
	bool contradicted; /* one of its numbers stands there twice, differently */
};

struct state {           /* of the group in one cluster, as one dialect has it */
	int32_t members; /* -1 unknown */
	enum group_state said;
};

struct exporter {
	char *group;
	struct exposition *page;
	bool seen[DIALECTS]; /* some series that could be a group's lag */
	bool has_group[DIALECTS];
	char *others[EXPORTER_NAMED]; /* groups */
	size_t n_others;
	char *clusters[EXPORTER_CLUSTERS_MAX];
	size_t n_clusters;
	struct state state[DIALECTS][EXPORTER_CLUSTERS_MAX];
	char **topics;
	size_t n_topics, cap_topics;
	struct index by_topic;
	struct cell *cells;
	size_t n_cells, cap_cells;
	struct index by_cell;
	__int128 topic_sum[DIALECTS], group_sum[DIALECTS];
	size_t topic_sums[DIALECTS], group_sums[DIALECTS]; /* how many */
	bool full;
};

#endif
