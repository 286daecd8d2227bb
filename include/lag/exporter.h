/* SPDX-License-Identifier: MIT
 * exporter: the lag of one consumer group out of another program's metrics page. Five
 * dialects are known, and told apart by what stands there: kafka_exporter (and mmlag
 * itself), kminion, kafka-lag-exporter, Burrow, and prometheus-kafka-consumer-group-
 * exporter. Pure: the page comes in as bytes; what is kept of it is the group's
 * partitions and the log ends of topics. */
#ifndef MMLAG_LAG_EXPORTER_H
#define MMLAG_LAG_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "lag/table.h"

#define EXPORTER_PAGE_MAX (256u << 20) /* bytes that a caller should read at most */

struct exporter;

/* @thread any; each belongs to one */
struct exporter *exporter_new(const char *group);
void exporter_free(struct exporter *x); /* NULL is legal */

/* The page, cut anywhere, and its end; as exposition_feed and exposition_end.
 * ERR_REJECT too when there are more series than we hold.
 * @thread the owner's */
NODISCARD int exporter_feed(struct exporter *x, const char *data, size_t len,
			    struct err *err);
NODISCARD int exporter_end(struct exporter *x, bool whole, struct err *err);

/* What a whole page says of the group, as a table; the caller frees it. A partition
 * that the page knows without an offset (kafka_exporter: -1) or a lag (NaN) is a row
 * without one. Where several clusters are on the page, `cluster` chooses; where there
 * is one only, it is that. A group that is not there, and a page that contradicts
 * itself, are failures of the table.
 * @thread the owner's */
struct table *exporter_table(struct exporter *x, const char *cluster);

struct exporter_total {
	int64_t lag;
	size_t partitions; /* of the group on the page */
	size_t without;    /* those of them without a lag, which are left out */
};

/* The lag of the group, all clusters and topics together: the sum over its partitions,
 * or what the page itself has summed up where it has no partitions. False where there
 * is no lag at all, with the reason in `gap`; the counts are true all the same.
 * @thread the owner's */
bool exporter_total(struct exporter *x, struct exporter_total *out, struct gap *gap);

/* The program whose page this is, NULL when it is none that we know.  @thread any */
const char *exporter_dialect(const struct exporter *x);

#endif
