/* SPDX-License-Identifier: MIT
 * table: the output of one `kafka-consumer-groups.sh --describe`, of any Kafka from
 * 0.9 to 4.x, read by the names in its header. What is no row is a message; a run that
 * gave no row says why. Pure: no I/O, no clock. */
#ifndef MMLAG_LAG_TABLE_H
#define MMLAG_LAG_TABLE_H

#include <stddef.h>

#include "lag/reason.h"
#include "lag/sample.h"

/* What the host gave for one run. The bytes may hold anything, NUL included. */
struct cli_output {
	const char *out;
	size_t out_len;
	const char *err; /* may be NULL with err_len 0 */
	size_t err_len;
	int exit_code; /* -1 unknown */
};

struct table; /* rows of all topics and groups of one run */

/* Read one run. `group`: rows of other groups are left out; NULL takes every group.
 * Returns a table, which the caller frees; where no header was seen, or the run failed
 * as a whole, it is empty and table_failure says why.
 * @thread any */
struct table *table_read(const struct cli_output *run, const char *group);
void table_free(struct table *t);

/* Why the run as a whole gave nothing; reason REASON_NONE where it gave a table (which
 * may lack the topic one looks for).  @thread any */
const struct gap *table_failure(const struct table *t);

/* The topics of the table, each (group, topic) once, in order of first appearance:
 * calls `each` with strings that live as long as the table. `group` is "" where the
 * output has no GROUP column and none was given to table_read.
 * @thread any */
void table_each(const struct table *t,
		void (*each)(void *arg, const char *group, const char *topic),
		void *arg);

/* The sample of one topic, exactly named; `group` may be NULL for the first that has
 * the topic. taken and sample_ms are left as SAMPLE_INIT has them. A partition listed
 * twice keeps the row that has a lag, then the later one. Returns REASON_NONE and a
 * sample which the caller ends with sample_fini, or a reason with `gap` filled in
 * (topic_absent, or the table's own failure).
 * @thread any */
enum reason table_sample(const struct table *t, const char *group, const char *topic,
			 struct sample *out, struct gap *gap);

#endif
