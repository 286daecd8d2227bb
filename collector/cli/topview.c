/* SPDX-License-Identifier: MIT
 * topview: `mmlag top` as lines of a screen. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/cells.h"
#include "cli/toptable.h"

#include "banned.h"

#define OFF "\033[0m"
#define REVERSE "\033[7m"
#define BOLD "\033[1m"
#define DIM "\033[2m"

/* The lines are counted and kept within the screen here. */
struct page {
	struct buf *out;
	size_t width, height, line;
	bool colour;
};

/* A line is put together, cut and cleaned as one; `paint` is for all of it. */
static void put(struct page *p, const char *paint, const char *text)
{
	if (p->line >= p->height)
		return;
	if (p->line++ > 0)
		buf_addch(p->out, '\n');
	if (p->colour && *paint != '\0')
		buf_addstr(p->out, paint);
	if (p->colour && strcmp(paint, REVERSE) == 0)
		cells_left(p->out, text, p->width);
	else
		cells_add(p->out, text, p->width);
	if (p->colour && *paint != '\0')
		buf_addstr(p->out, OFF);
}

static const char *paint_of(const char *status)
{
	if (strcmp(status, "OK") == 0)
		return "";
	if (strcmp(status, "WARN") == 0)
		return "\033[33m";
	return strcmp(status, "NODATA") == 0 ? "\033[35m" : "\033[1;31m";
}

static void clock_text(struct wall t, char out[16])
{
	time_t s = (time_t)(t.ms / 1000);
	struct tm tm;

	*out = '\0';
	if (localtime_r(&s, &tm) != NULL)
		snprintf(out, 16, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- columns ---- */

enum column {
	COLUMN_STATUS,
	COLUMN_TOPIC,
	COLUMN_LAG,
	COLUMN_TIME,
	COLUMN_AGE,
	COLUMN_PARTITIONS,
	COLUMN_PRODUCED,
	COLUMN_CONSUMED,
	COLUMN_GROUP,
	COLUMN_HOST,
	COLUMNS
};

/* In this order they go, the last one first, when there is no room for all. */
static const struct {
	const char *name;
	size_t width;
	bool left;
	int sort; /* that orders by it, or -1 */
} columns[COLUMNS] = {
	{"STATUS", 7, true, TOP_BY_STATUS},
	{"TOPIC", 8, true, TOP_BY_NAME},
	{"LAG", 6, false, TOP_BY_LAG},
	{"BEHIND", 6, false, TOP_BY_TIME},
	{"AGE", 5, false, -1},
	{"PARTS", 5, false, -1},
	{"IN/S", 7, false, TOP_BY_RATE},
	{"OUT/S", 7, false, -1},
	{"GROUP", 16, true, -1},
	{"HOST", 18, true, -1},
};

#define LAG_WIDE 15
#define TOPIC_LIKED 24

/* The width of each column, 0 for those that are left out. */
struct layout {
	size_t width[COLUMNS];
};

static struct layout lay_out(size_t width, size_t longest)
{
	struct layout l = {{0}};
	size_t used = 1; /* the mark */

	for (size_t i = 0; i < COLUMNS; i++) {
		size_t w = width < 30 && i == COLUMN_STATUS ? 1 : columns[i].width;
		size_t wish =
			i > COLUMN_LAG ? TOPIC_LIKED - columns[COLUMN_TOPIC].width : 0;

		if (used + w + wish > width)
			break;
		l.width[i] = w;
		used += w + 1;
	}
	if (l.width[COLUMN_TOPIC] == 0) {
		l.width[COLUMN_TOPIC] = width > used ? width - used : 1;
		return l;
	}
	used--; /* none behind the last one */
	if (longest < 8)
		longest = 8;
	if (width > used) { /* first to the topics, then to the lags */
		size_t spare = width - used, more = longest - 8;

		more = more < spare ? more : spare;
		l.width[COLUMN_TOPIC] += more;
		spare -= more;
		if (l.width[COLUMN_LAG] > 0)
			l.width[COLUMN_LAG] +=
				spare < LAG_WIDE - 6 ? spare : LAG_WIDE - 6;
	}
	return l;
}

static void cell(struct buf *out, const struct layout *l, enum column c,
		 const char *text)
{
	if (l->width[c] == 0)
		return;
	if (c > 0)
		buf_addch(out, ' ');
	if (columns[c].left)
		cells_left(out, text, l->width[c]);
	else
		cells_right(out, text, l->width[c]);
}

static void number(struct buf *out, const struct layout *l, enum column c, int64_t n)
{
	char text[CELLS_NUMBER] = "-";

	if (n != TOP_UNKNOWN)
		cells_number(n, l->width[c], text);
	cell(out, l, c, text);
}

static void span(struct buf *out, const struct layout *l, enum column c, int64_t ms)
{
	char text[CELLS_NUMBER];

	cells_span(ms, text);
	cell(out, l, c, text);
}

static void rate(struct buf *out, const struct layout *l, enum column c, double n)
{
	char text[CELLS_NUMBER];

	cells_rate(n, text);
	cell(out, l, c, text);
}

static int64_t age(int64_t at, struct wall now)
{
	if (at == TOP_UNKNOWN)
		return -1;
	return now.ms > at ? (now.ms - at) / 1000 * 1000 : 0;
}

/* In place of figures that are old: why there are none. */
static void put_reason(struct buf *line, size_t width, const struct top_topic *x)
{
	char *text = mem_printf("%s: %s", x->reason, x->message);

	buf_addch(line, ' ');
	cells_left(line, text, width);
	free(text);
}

static size_t behind_topic(const struct layout *l)
{
	size_t width = 0;

	for (size_t i = COLUMN_TOPIC + 1; i < COLUMNS; i++)
		width += l->width[i] > 0 ? l->width[i] + 1 : 0;
	return width > 0 ? width - 1 : 0;
}

static void put_figures(struct buf *line, const struct layout *l,
			const struct top_topic *x, struct wall now)
{
	number(line, l, COLUMN_LAG, x->lag);
	span(line, l, COLUMN_TIME, x->time_lag_ms);
	span(line, l, COLUMN_AGE, age(x->sample_at, now));
	number(line, l, COLUMN_PARTITIONS, x->partitions);
	rate(line, l, COLUMN_PRODUCED, x->produced);
	rate(line, l, COLUMN_CONSUMED, x->consumed);
	cell(line, l, COLUMN_GROUP, x->group);
	cell(line, l, COLUMN_HOST, x->host);
}

static void put_topic(struct page *p, const struct layout *l, const struct top_topic *x,
		      bool marked, struct wall now)
{
	struct buf line = BUF_INIT(1 << 16);
	char letter[2] = {x->status[0], '\0'};
	size_t rest = behind_topic(l);

	buf_addch(&line, marked ? '>' : ' ');
	cell(&line, l, COLUMN_STATUS,
	     l->width[COLUMN_STATUS] == 1 ? letter : x->status);
	cell(&line, l, COLUMN_TOPIC, x->label);
	if (strcmp(x->status, "NODATA") == 0 && rest > 0)
		put_reason(&line, rest, x);
	else
		put_figures(&line, l, x, now);
	put(p, marked ? REVERSE : paint_of(x->status), buf_str(&line));
	buf_free(&line);
}

static void put_head(struct page *p, const struct layout *l, const struct top_table *t)
{
	struct buf line = BUF_INIT(4096);
	char name[16];

	buf_addch(&line, ' ');
	for (size_t i = 0; i < COLUMNS; i++) {
		snprintf(name, sizeof(name), "%.*s%s", (int)l->width[i],
			 columns[i].name,
			 columns[i].sort != (int)t->sort ||
					 strlen(columns[i].name) >= l->width[i]
				 ? ""
			 : t->backwards ? "^"
					: "*");
		cell(&line, l, (enum column)i, name);
	}
	put(p, BOLD, buf_str(&line));
	buf_free(&line);
}

/* ---- the whole ---- */

static void put_title(struct page *p, const struct top_table *t, struct wall now)
{
	static const char *const states[] = {"NODATA", "ERR", "WARN", "OK"};
	size_t n[ARRAY_LEN(states)] = {0};
	struct buf line = BUF_INIT(4096);
	char at[16];

	if (t->trouble[0] != '\0') {
		clock_text(t->trouble_since, at);
		buf_printf(&line, "no answer since %s: %s", at, t->trouble);
		put(p, REVERSE, buf_str(&line));
		buf_free(&line);
		return;
	}
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(states); k++)
			n[k] += strcmp(t->topics[i].status, states[k]) == 0;
	clock_text(now, at);
	buf_addstr(&line, p->width < 50 ? "" : "mmlag  ");
	for (size_t k = 0; k < ARRAY_LEN(states); k++)
		if (p->width < 50) /* a letter each */
			buf_printf(&line, "%zu%c ", n[k], states[k][0]);
		else if (n[k] > 0 || k == ARRAY_LEN(states) - 1)
			buf_printf(&line, "%zu %s  ", n[k], states[k]);
	if (line.len + strlen(at) <= p->width)
		buf_addstr(&line, at);
	put(p, BOLD, buf_str(&line));
	buf_free(&line);
}

static void put_foot(struct page *p, const struct top_table *t)
{
	struct buf line = BUF_INIT(4096);

	if (t->typing || t->filter[0] != '\0')
		buf_printf(&line, "/%s%s  %zu of %zu", t->filter, t->typing ? "_" : "",
			   t->n_shown, t->n);
	else if (t->open)
		buf_addstr(&line, "Esc back  up down scroll  q quit  ? help");
	else
		buf_addstr(&line,
			   "q quit  / filter  Enter open  s n l t r sort  ? help");
	put(p, DIM, buf_str(&line));
	buf_free(&line);
}

static void put_help(struct page *p)
{
	static const char *const lines[] = {
		"s  sort by status, then lag",
		"n  sort by name",
		"l  sort by lag",
		"t  sort by time behind",
		"r  sort by rate of production",
		"   the same key again: the other way round",
		"/  filter; Enter keeps it, Esc ends it",
		"Up Down PgUp PgDn Home End, j k g G",
		"Enter  the topic's partitions, Esc back",
		"q  quit",
		"any key: back",
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		put(p, "", lines[i]);
}

static size_t longest_name(const struct top_table *t)
{
	size_t longest = 0;

	for (size_t i = 0; i < t->n_shown; i++) {
		size_t w = cells_width(t->topics[t->shown[i]].label);

		longest = w > longest ? w : longest;
	}
	return longest;
}

static void put_list(struct page *p, struct top_table *t, size_t rows, struct wall now)
{
	struct layout l = lay_out(p->width, longest_name(t));

	put_head(p, &l, t);
	if (t->cursor < t->first)
		t->first = t->cursor;
	if (rows > 0 && t->cursor >= t->first + rows)
		t->first = t->cursor - rows + 1;
	if (t->first + rows > t->n_shown)
		t->first = t->n_shown > rows ? t->n_shown - rows : 0;
	for (size_t i = t->first; i < t->n_shown && i < t->first + rows; i++)
		put_topic(p, &l, &t->topics[t->shown[i]], i == t->cursor, now);
	if (t->n_shown == 0)
		put(p, "",
		    t->n > 0 ? "nothing fits the filter" : "no topic is known yet");
}

/* Why the topic is as it is: two lines. */
static void put_why(struct page *p, const struct top_topic *x, struct wall now)
{
	struct buf line = BUF_INIT(1 << 16);
	bool gap = strcmp(x->status, "NODATA") == 0;
	char since[CELLS_NUMBER], lag[CELLS_NUMBER] = "-";

	cells_span(age(gap ? x->gap_since : x->status_since, now), since);
	if (x->lag != TOP_UNKNOWN)
		cells_number(x->lag, sizeof(lag), lag);
	buf_printf(&line, "%s  %s  since %s  %s %s", x->topic, x->status, since,
		   gap ? x->reason : x->rule, gap ? x->message : "");
	put(p, paint_of(x->status), buf_str(&line));
	buf_reset(&line);
	buf_printf(&line, "lag %s  %s  %s  %s", lag, x->cluster, x->group, x->host);
	put(p, "", buf_str(&line));
	buf_free(&line);
}

enum part {
	PART_NAME,
	PART_STATUS,
	PART_LAG,
	PART_TIME,
	PART_COMMITTED,
	PART_END,
	PARTS
};

static const size_t part_width[PARTS] = {6, 6, 6, 6, 15, 15};

/* A line of the partitions, or their heads: as many columns as there is room for. */
static void put_part(struct page *p, const char *paint, const char *const cells[PARTS],
		     const char *rule)
{
	struct buf line = BUF_INIT(1 << 16);
	size_t used = 0;

	for (size_t i = 0; i < PARTS; i++) {
		size_t more = part_width[i] + (i > 0);

		if (i > PART_STATUS && used + more > p->width)
			break;
		if (i > 0)
			buf_addch(&line, ' ');
		if (i <= PART_STATUS)
			cells_left(&line, cells[i], part_width[i]);
		else
			cells_right(&line, cells[i], part_width[i]);
		used += more;
	}
	if (used + 8 < p->width)
		buf_printf(&line, "  %s", rule);
	put(p, paint, buf_str(&line));
	buf_free(&line);
}

static const char *part_number(int64_t n, enum part column, char text[CELLS_NUMBER])
{
	if (n == TOP_UNKNOWN)
		return "-";
	cells_number(n, part_width[column], text);
	return text;
}

static void put_partition(struct page *p, const struct top_partition *x)
{
	char name[CELLS_NUMBER], lag[CELLS_NUMBER], behind[CELLS_NUMBER];
	char committed[CELLS_NUMBER], end[CELLS_NUMBER];

	snprintf(name, sizeof(name), "p%" PRId64, x->number);
	cells_span(x->time_lag_ms, behind);
	put_part(p, paint_of(x->status),
		 (const char *const[PARTS]){name, x->status,
					    part_number(x->lag, PART_LAG, lag), behind,
					    part_number(x->committed, PART_COMMITTED,
							committed),
					    part_number(x->end, PART_END, end)},
		 x->rule);
}

static void put_parts(struct page *p, struct top_table *t, size_t rows, struct wall now)
{
	if (t->detail == NULL) {
		put(p, "", t->open_topic);
		put(p, "", "asking ...");
		return;
	}
	put_why(p, t->detail, now);
	if (t->first_part + rows > t->n_parts)
		t->first_part = t->n_parts > rows ? t->n_parts - rows : 0;
	put_part(p, BOLD,
		 (const char *const[PARTS]){"PART", "STATUS", "LAG", "BEHIND",
					    "COMMITTED", "LOG END"},
		 "RULE");
	for (size_t i = t->first_part; i < t->n_parts && i < t->first_part + rows; i++)
		put_partition(p, &t->parts[i]);
}

void top_render(struct top_table *t, size_t width, size_t height, bool colour,
		struct wall now, struct buf *out)
{
	struct page p = {out, width, height, 0, colour};
	size_t frame = t->open ? 5 : 3; /* title, heads, foot */
	size_t rows = height > frame ? height - frame : 0;

	t->page = rows > 1 ? rows - 1 : 1;
	if (width == 0 || height == 0)
		return;
	put_title(&p, t, now);
	p.height = height - 1; /* the foot has its line */
	if (t->help)
		put_help(&p);
	else if (t->open)
		put_parts(&p, t, rows, now);
	else
		put_list(&p, t, rows, now);
	while (p.line < p.height)
		put(&p, "", "");
	p.height = height;
	put_foot(&p, t);
}
