/* SPDX-License-Identifier: MIT
 * prom: writes the text format of Prometheus (0.0.4), one family after the other. */
#ifndef MMLAG_SERVE_PROM_INT_H
#define MMLAG_SERVE_PROM_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "board/board.h"

struct prom {
	struct buf *out;
	bool several_clusters; /* series carry kafka_cluster */
	const char *family, *type, *help;
	bool begun; /* HELP and TYPE are written: with the first series */
};

/* The following series belong to this family.  @thread any */
void prom_family(struct prom *p, const char *family, const char *type,
		 const char *help);

/* What a series speaks of; NULL and -1 leave a label out. Labels stand in order of
 * their names. */
struct prom_labels {
	const char *group, *cluster, *topic;
	int64_t partition;
	const char *reason;
};

/* Name and labels of a series; its value must follow.  @thread any */
void prom_series(struct prom *p, const struct prom_labels *l);
void prom_int(struct prom *p, int64_t v);
void prom_real(struct prom *p, double v);

/* Does this view show data, and was it not there already (same topic twice, once by
 * name and once by a pattern)?  @thread any */
bool prom_has_data(const struct board_views *views, size_t i);

#endif
