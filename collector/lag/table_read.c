/* SPDX-License-Identifier: MIT */
#include "lag/table_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#include "banned.h"

#define MESSAGE_MAX                                                                  \
	65536             /* of a longer line only so much is searched for a message \
			   */
#define UNREAD_MAX 200    /* bytes of a row that are kept for a message */
#define PENDING_MAX 65536 /* of a row that a log record has split */

/* What reading carries from line to line. */
struct reader {
	struct table *t;
	struct table_header header; /* of the block we are in */
	struct table_seen seen;
	bool no_group;         /* a header without GROUP was seen */
	enum group_state said; /* by the last message about any group */
	struct buf pending;    /* the beginning of a row that was split */
	bool cut;              /* the line at hand may not be whole */
};

/* Groups are known without the white space at their end: the padding hides it. */
static bool is_wanted(const struct table *t, struct span group)
{
	struct span wanted;

	if (t->wanted == NULL)
		return true;
	wanted = text_rtrim((struct span){t->wanted, strlen(t->wanted)});
	return group.n == wanted.n && memcmp(group.p, wanted.p, group.n) == 0;
}

static void note_other(struct table *t, struct span group)
{
	for (size_t i = 0; i < t->n_others; i++)
		if (text_is(group, t->others[i]))
			return;
	if (t->n_others < TABLE_NAMED)
		t->others[t->n_others++] = mem_strndup(group.p, group.n);
}

static void add_row(struct reader *r, const struct table_row *row)
{
	struct table *t = r->t;
	struct span name = row->group;
	uint32_t group;

	if (!r->header.has_group)
		name = t->wanted == NULL ? (struct span){"", 0}
					 : text_rtrim((struct span){t->wanted,
								    strlen(t->wanted)});
	else if (!is_wanted(t, name)) {
		note_other(t, name);
		return;
	}
	if (memchr(name.p, '\0', name.n) != NULL || t->n_rows >= INDEX_NONE)
		return; /* no such id */
	group = table_group_get(t, name);
	if (row->p.member != 0)
		table_member_add(t, group, row->p.member);
	if (row->topic.n == 0)
		return;
	table_row_add(t, group, row->topic, &row->p, r->header.member >= 0);
}

static bool lag_is_difference(const struct partition *p)
{
	int64_t difference;

	return !p->has_committed || !p->has_end ||
	       (!__builtin_sub_overflow(p->end, p->committed, &difference) &&
		difference == p->lag);
}

static bool read_row(struct reader *r, struct span line)
{
	struct table_row row;

	if (!r->header.seen || !table_row_read(&r->header, line, r->t->wanted, &row) ||
	    (!row.aligned && table_noise(line)))
		return false;
	if (r->cut && row.ends_with_lag && !lag_is_difference(&row.p))
		row.p.has_lag = false; /* the number may be cut as well */
	add_row(r, &row);
	return true;
}

static void set_state(struct table *t, struct span group, enum group_state state)
{
	uint32_t i = table_group_get(t, group); /* may move t->groups */

	t->groups[i].said = state;
}

/* A row that no column could be read of is no message either. */
static void note_unread(const struct reader *r, struct span line)
{
	struct table *t = r->t;
	struct span topic;

	if (!r->header.seen || t->n_unread == TABLE_UNREAD || table_noise(line))
		return;
	topic = table_row_topic(&r->header, line, t->wanted);
	if (topic.n == 0)
		return;
	for (size_t i = 0; i < t->n_unread; i++)
		if (text_is(topic, t->unread[i].topic))
			return;
	line = text_trim(line);
	if (line.n > UNREAD_MAX)
		line.n = UNREAD_MAX;
	t->unread[t->n_unread++] = (struct unread){mem_strndup(topic.p, topic.n),
						   mem_strndup(line.p, line.n)};
}

static bool read_message(struct reader *r, struct span line)
{
	struct span group = {"", 0};
	enum group_state state;

	if (line.n > MESSAGE_MAX)
		line.n = MESSAGE_MAX;
	state = table_state_read(line, &group);
	if (state == GROUP_UNKNOWN)
		return false;
	r->seen.state = true;
	r->said = state;
	group = text_rtrim(group);
	if (group.n > 0 && is_wanted(r->t, group) &&
	    memchr(group.p, '\0', group.n) == NULL)
		set_state(r->t, group, state);
	return true;
}

/* A log record in the line: "[2026-11-21 03:36:10,123] WARN …". Where it begins; the
 * line's length when there is none. */
static size_t log_record(struct span line)
{
	static const char shape[] = "[0000-00-00 00:00:00,000]";
	const char *p = line.p;

	while ((p = memchr(p, '[', (size_t)(line.p + line.n - p))) != NULL) {
		size_t i = 0;

		while (i < sizeof(shape) - 1 && p + i < line.p + line.n &&
		       (shape[i] == '0' ? p[i] >= '0' && p[i] <= '9'
					: p[i] == shape[i]))
			i++;
		if (i == sizeof(shape) - 1)
			return (size_t)(p - line.p);
		p++;
	}
	return line.n;
}

/* A row or a header. */
static bool read_plain(struct reader *r, struct span line)
{
	struct table_header h;

	if (read_row(r, line))
		return true;
	switch (table_header_read(line, &h)) {
	case HEADER_OFFSETS:
		r->header = h;
		r->seen.offsets = true;
		r->no_group = r->no_group || !h.has_group;
		return true;
	case HEADER_OTHER:
		r->header.seen = false;
		r->seen.other = true;
		return true;
	case HEADER_NONE:
		break;
	}
	return false;
}

static bool is_row(const struct reader *r, struct span line, struct table_row *row)
{
	return r->header.seen && table_row_read(&r->header, line, r->t->wanted, row);
}

/* Is it a row whose cells stand where the header says? */
static bool is_aligned(const struct reader *r, struct span line)
{
	struct table_row row;

	return is_row(r, line, &row) && row.aligned;
}

/* The first half of a row that never got another. */
static void flush_pending(struct reader *r)
{
	bool cut = r->cut;

	r->cut = true;
	if (r->pending.len > 0)
		(void)read_plain(r, (struct span){r->pending.data, r->pending.len});
	buf_reset(&r->pending);
	r->cut = cut;
}

/* Is the line the other half of what is pending? Either half may look like a row: the
 * first one where it was cut behind LAG, the second one by chance. */
static bool belongs_to_pending(const struct reader *r, size_t first, struct span line)
{
	struct span joined = {r->pending.data, r->pending.len};
	struct table_header h;
	struct table_row row;
	struct span group;

	if (is_row(r, (struct span){joined.p, first}, &row))
		return !is_row(r, line, &row) &&
		       table_header_read(line, &h) == HEADER_NONE &&
		       table_state_read(line, &group) == GROUP_UNKNOWN;
	return is_aligned(r, joined) || !is_aligned(r, line);
}

static bool read_other_half(struct reader *r, struct span line)
{
	size_t first = r->pending.len;
	bool whole;

	if (first == 0)
		return false;
	if (buf_add(&r->pending, line.p, line.n) == 0) {
		whole = belongs_to_pending(r, first, line) &&
			read_plain(r, (struct span){r->pending.data, r->pending.len});
		if (whole) {
			buf_reset(&r->pending);
			return true;
		}
		r->pending.len = first;
	}
	flush_pending(r);
	return false;
}

/* Where stderr goes to the same place as stdout, a log record stands behind a row that
 * had no newline, or splits one: what follows the record's line is its other half. */
static void read_line(struct reader *r, struct span line)
{
	size_t record = log_record(line);
	struct span before = {line.p, record};
	struct table_row row;

	if (record == line.n) {
		if (!read_other_half(r, line) && !read_plain(r, line) &&
		    !read_message(r, line))
			note_unread(r, line);
		return;
	}
	if (record > 0) {
		flush_pending(r);
		r->cut = true;
		if (is_row(r, before, &row) || !read_plain(r, before))
			buf_add(&r->pending, before.p, before.n);
	}
	(void)read_message(r, (struct span){line.p + record, line.n - record});
}

static void read_out(struct reader *r, struct span text)
{
	struct span line;

	if (text_begins(text, "\xef\xbb\xbf")) { /* a byte order mark */
		text.p += 3;
		text.n -= 3;
	}
	while (text_line(&text, &line)) {
		r->cut = text.p == line.p + line.n; /* no newline ends it */
		read_line(r, line);
	}
	flush_pending(r);
}

static void read_err(struct reader *r, struct span text)
{
	struct span line;

	while (text_line(&text, &line))
		(void)read_message(r, line);
}

static bool only_mirrormaker2(const struct table *t)
{
	for (size_t i = 0; i < t->n_topics; i++)
		if (strncmp(t->topics[i].name, "mm2-offset", 10) != 0)
			return false;
	return t->n_topics > 0;
}

static void explain(struct reader *r, const struct cli_output *run)
{
	struct table *t = r->t;

	if (only_mirrormaker2(t))
		gap_set(&t->failure, REASON_MIRRORMAKER2,
			"the group has topics of MirrorMaker 2 alone (%s), whose lag "
			"is in "
			"no consumer group; use source: prometheus with its JMX "
			"metrics, or "
			"name the group of an application",
			t->topics[0].name);
	else if (t->n_topics == 0 && t->n_members == 0)
		table_explain(run, &r->seen, &t->failure);
	else
		table_explain(run, &r->seen, &t->trouble);
}

struct table *table_read(const struct cli_output *run, const char *group)
{
	struct table *t = mem_calloc(1, sizeof(*t));
	struct reader r = {.t = t, .pending = BUF_INIT(PENDING_MAX)};

	t->wanted = mem_strdup(group);
	t->cut = run->exit_code == 124 ||
		 (run->exit_code > 128 && run->exit_code <= 128 + SIGNAL_MAX);
	read_out(&r, (struct span){run->out, run->out_len});
	read_err(&r, (struct span){run->err, run->err_len});
	buf_free(&r.pending);
	table_count_members(t);
	/* a table without GROUP is of one group, which has no name here */
	if (r.no_group && group == NULL && r.said != GROUP_UNKNOWN)
		set_state(t, (struct span){"", 0}, r.said);
	explain(&r, run);
	return t;
}
