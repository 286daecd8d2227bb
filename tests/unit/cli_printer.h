/* SPDX-License-Identifier: MIT
 * cli_printer: prints tables as each version of kafka-consumer-groups.sh does, for the
 * tests that read them back. */
#ifndef MMLAG_TESTS_CLI_PRINTER_H
#define MMLAG_TESTS_CLI_PRINTER_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/compiler.h"

enum cli_version {
	V0_9,
	V0_10_0,
	V0_10_2,
	V1_1,
	V2_3,
	V3_8,
	V4_0,
	V4_0_VERBOSE,
	VERSIONS
};

static const char *const version_names[] = {"0.9", "0.10.0", "0.10.2", "1.1",
					    "2.3", "3.8",    "4.0",    "4.0 --verbose"};

struct cli_row {
	const char *group, *topic;
	int partition;
	bool committed, end, lag; /* what has a value */
	int64_t values[3];        /* of the three */
	const char *member;       /* NULL for none */
};

/* Width of the widest cell, at least 15; Java counts UTF-16 units, the names here are
 * ASCII or of two bytes a character. */
static inline int cell_units(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static inline void put_cell(struct buf *b, const char *s, int width)
{
	buf_addstr(b, s);
	for (int n = cell_units(s); n < width; n++)
		buf_addch(b, ' ');
}

static inline const char *cell_value(const struct cli_row *r, enum cli_version v,
				     int which, char text[24])
{
	const bool has[] = {r->committed, r->end, r->lag};

	if (!has[which])
		return v <= V0_10_0 ? "unknown" : "-";
	snprintf(text, 24, "%" PRId64, r->values[which]);
	return text;
}

/* The cells of a row, or of the header where `r` is NULL; returns how many. */
static inline size_t cells_of(const struct cli_row *r, enum cli_version v,
			      const char *cell[10], char text[4][24])
{
	size_t n = 0;

	if (v <= V0_10_0 || v >= V2_3)
		cell[n++] = r != NULL ? r->group : "GROUP";
	cell[n++] = r != NULL ? r->topic : "TOPIC";
	if (r != NULL)
		snprintf(text[3], 24, "%d", r->partition);
	cell[n++] = r != NULL ? text[3] : "PARTITION";
	if (v == V4_0_VERBOSE)
		cell[n++] = r != NULL ? "3" : "LEADER-EPOCH";
	cell[n++] = r != NULL   ? cell_value(r, v, 0, text[0])
		    : v == V0_9 ? "CURRENT OFFSET"
				: "CURRENT-OFFSET";
	cell[n++] = r != NULL   ? cell_value(r, v, 1, text[1])
		    : v == V0_9 ? "LOG END OFFSET"
				: "LOG-END-OFFSET";
	cell[n++] = r != NULL ? cell_value(r, v, 2, text[2]) : "LAG";
	if (v <= V0_10_0) {
		cell[n++] = r == NULL           ? "OWNER"
			    : r->member == NULL ? "none"
						: r->member;
		return n;
	}
	cell[n++] = r == NULL ? "CONSUMER-ID" : r->member == NULL ? "-" : r->member;
	cell[n++] = r == NULL ? "HOST" : r->member == NULL ? "-" : "/10.0.0.1";
	cell[n++] = r == NULL ? "CLIENT-ID" : r->member == NULL ? "-" : "mm";
	return n;
}

struct cli_widths {
	int group, topic, member;
};

static inline void put_row(struct buf *b, const struct cli_row *r, enum cli_version v,
			   const struct cli_widths *w)
{
	const int widths[VERSIONS][10] = {
		[V0_10_0] = {30, 30, 10, 15, 15, 15, 0},
		[V0_10_2] = {30, 10, 15, 15, 10, 50, 30, 0},
		[V1_1] = {w->topic, 10, 15, 15, 15, w->member, 15, 0},
		[V2_3] = {w->group, w->topic, 10, 15, 15, 15, w->member, 15, 0},
		[V3_8] = {w->group, w->topic, 10, 15, 15, 15, w->member, 15, 0},
		[V4_0] = {w->group, w->topic, 10, 15, 15, 15, w->member, 15, 0},
		[V4_0_VERBOSE] = {w->group, w->topic, 10, 15, 15, 15, 15, w->member, 15,
				  0},
	};
	const char *cell[10];
	char text[4][24];
	size_t n = cells_of(r, v, cell, text);

	if (v >= V3_8)
		buf_addch(b, '\n');
	for (size_t i = 0; i < n; i++) {
		/* up to 1.0 no blank stands between the consumer id and the host */
		if (i > 0 && !(v == V0_10_2 && i == 6))
			buf_addstr(b, v == V0_9 ? ", " : " ");
		put_cell(b, cell[i], widths[v][i]);
	}
	if (v < V3_8)
		buf_addch(b, '\n');
}

/* The block of one group: rows[0..n), all of one group. */
static inline void put_table(struct buf *b, const struct cli_row *rows, size_t n,
			     enum cli_version v)
{
	struct cli_widths w = {15, 15, 15};

	for (size_t i = 0; i < n; i++) {
		int g = cell_units(rows[i].group), t = cell_units(rows[i].topic);
		int m = rows[i].member != NULL ? cell_units(rows[i].member) : 0;

		w.group = g > w.group ? g : w.group;
		w.topic = t > w.topic ? t : w.topic;
		w.member = m > w.member ? m : w.member;
	}
	if (v >= V0_10_2 && v < V3_8)
		buf_addch(b, '\n');
	put_row(b, NULL, v, &w);
	for (size_t i = 0; i < n; i++)
		put_row(b, &rows[i], v, &w);
	if (v >= V4_0)
		buf_addch(b, '\n');
}

#endif
