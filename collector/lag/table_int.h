/* SPDX-License-Identifier: MIT
 * table_int: the parts of the table reader. table_row knows what a header and a row
 * look like, table_failure what the CLI's words mean where it gave no row, table_read
 * goes through the text; table keeps what was read and answers for it. */
#ifndef MMLAG_LAG_TABLE_INT_H
#define MMLAG_LAG_TABLE_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lag/index_int.h"
#include "lag/reason.h"
#include "lag/sample.h"
#include "lag/table.h"
#include "lag/text_int.h"

enum table_header_kind {
	HEADER_NONE,    /* no header */
	HEADER_OFFSETS, /* of the table that we read */
	HEADER_OTHER,   /* of another: --members, --state, share or streams groups */
};

/* Where the columns are. Field numbers count from TOPIC (0), because a group id may
 * hold the separator; -1: there is no such column. */
struct table_header {
	bool seen;
	bool comma;     /* 0.9: the separator is ", " */
	bool has_group; /* GROUP stands before TOPIC */
	size_t indent;  /* white space before the header, to be taken off the rows */
	/* columns on the screen, 0-based */
	size_t topic_column, partition_column;
	int partition, committed, end, lag, member, last;
};

struct table_row {
	struct span group; /* empty where there is no GROUP column */
	struct span topic; /* empty: a member without partitions (0.10.2 to 1.0) */
	struct partition p;
	bool aligned;       /* TOPIC and PARTITION stand below their names */
	bool ends_with_lag; /* though the header has more columns */
};

/* Is it a header? Fills `h` for HEADER_OFFSETS alone.  @thread any */
enum table_header_kind table_header_read(struct span line, struct table_header *h);

/* Is it a row below `h`? `group`: the group one looks for, NULL for any; a row of
 * another group is a row all the same. The spans point into `line`.  @thread any */
bool table_row_read(const struct table_header *h, struct span line, const char *group,
		    struct table_row *row);

/* The topic of a line that begins as a row does and is none: an empty span where it
 * does not.  @thread any */
struct span table_row_topic(const struct table_header *h, struct span line,
			    const char *group);

/* The group's state, where the line is a message that tells it, and the group's id as
 * the message has it (empty: none named); GROUP_UNKNOWN otherwise.  @thread any */
enum group_state table_state_read(struct span line, struct span *group);

/* What was seen of a run, for the reason why it gave nothing. */
struct table_seen {
	bool offsets; /* a header of an offsets table */
	bool other;   /* a header of another table */
	bool state;   /* a message about the group's state */
};

/* A line of the JVM or its libraries, which says nothing about the group.  @thread any
 */
bool table_noise(struct span line);

/* Why did this run give no row? Returns REASON_NONE only where seen->offsets is set and
 * nothing failed.  @thread any */
enum reason table_explain(const struct cli_output *run, const struct table_seen *seen,
			  struct gap *gap);

/* What the words and the exit code of any other of Kafka's tools say of its failure,
 * all of them in `err`; REASON_NONE where nothing.  @thread any */
enum reason table_explain_tool(const struct cli_output *run, struct gap *gap);

#define SIGNAL_MAX 64 /* a shell gives 128 + the signal that ended a program */
#define TABLE_NAMED 5 /* topics or groups that a message names */
#define TABLE_UNREAD 64

struct group {
	char *name;
	enum group_state said; /* by a message */
	bool has_rows;
	int32_t members; /* distinct ids in the table */
};

struct topic {
	char *name;
	uint32_t group;
	uint32_t first, last; /* rows */
	size_t rows;
	bool knows_members;
};

struct row {
	struct partition p;
	uint32_t next;
};

struct member {
	uint32_t group;
	uint64_t id;
};

struct unread { /* a topic of whose rows one cannot be read */
	char *topic, *line;
};

struct table {
	char *wanted; /* the group that was asked for, or NULL */
	struct group *groups;
	size_t n_groups, cap_groups;
	struct index by_group;
	struct topic *topics;
	size_t n_topics, cap_topics;
	struct index by_topic;
	struct row *rows;
	size_t n_rows, cap_rows;
	struct member *members;
	size_t n_members, cap_members;
	char *others[TABLE_NAMED]; /* groups with rows that were left out */
	size_t n_others;
	struct unread unread[TABLE_UNREAD];
	size_t n_unread;
	struct gap failure; /* of the run as a whole */
	struct gap trouble; /* of what the table lacks */
	bool cut;           /* the run was killed: anything may be lacking */
	bool stateless;     /* that nothing is said of the group means nothing */
};

/* The group of this name, INDEX_NONE when there is none; made when there is none.
 * @thread the owner's */
uint32_t table_group_find(const struct table *t, struct span name);
uint32_t table_group_get(struct table *t, struct span name);

/* The topic of the group, made when there is none; lives until the next call.
 * @thread the owner's */
struct topic *table_topic_get(struct table *t, uint32_t group, struct span name);

/* A row of the topic behind those that it has; a member of the group, once or more
 * often. table_count_members is called once, after the last of them.
 * @thread the owner's */
void table_row_add(struct table *t, uint32_t group, struct span name,
		   const struct partition *p, bool knows_members);
void table_member_add(struct table *t, uint32_t group, uint64_t id);
void table_count_members(struct table *t);

#endif
