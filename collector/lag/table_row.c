/* SPDX-License-Identifier: MIT */
#include "lag/table_int.h"

#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

#include "banned.h"

#define FIELDS_MAX 128 /* of a row; a group id may bring some more than the columns */

/* Split at ", ": the format of 0.9, whose column names hold spaces. */
static size_t comma_fields(struct span s, struct span *field, size_t max)
{
	size_t count = 0;

	while (count < max) {
		const char *comma = text_find(s, ", ");
		size_t n = comma != NULL ? (size_t)(comma - s.p) : s.n;

		field[count++] = text_trim((struct span){s.p, n});
		if (comma == NULL)
			break;
		s.p += n + 2;
		s.n -= n + 2;
	}
	return count;
}

static size_t split(const struct table_header *h, struct span s, struct span *field)
{
	return h->comma ? comma_fields(s, field, FIELDS_MAX)
			: text_fields(s, field, FIELDS_MAX);
}

/* 0.9 writes LOG END OFFSET what later versions call LOG-END-OFFSET. */
static bool name_is(struct span s, const char *name)
{
	if (s.n != strlen(name))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != name[i] && !(s.p[i] == ' ' && name[i] == '-'))
			return false;
	return true;
}

static int field_find(const struct span *field, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (name_is(field[i], name))
			return (int)i;
	return -1;
}

/* Headers that begin like ours, or stand where ours should. */
static bool other_header(const struct span *field, size_t n)
{
	static const char *const first[] = {"GROUP", "TOPIC", "CONSUMER-ID",
					    "COORDINATOR"};
	static const char *const other[] = {"#PARTITIONS", "#MEMBERS",
					    "COORDINATOR", "START-OFFSET",
					    "OFFSET-LAG",  "STATE",
					    "PROTOCOL",    "GROUP-EPOCH",
					    "TARGET-EPOCH"};
	bool begins = false;

	for (size_t i = 0; i < ARRAY_LEN(first); i++)
		begins = begins || (n > 1 && text_is(field[0], first[i]));
	for (size_t i = 0; begins && i < ARRAY_LEN(other); i++)
		if (field_find(field + 1, n - 1, other[i]) >= 0)
			return true;
	return false;
}

static int behind_topic(const struct span *field, size_t n, int topic, const char *name)
{
	int i = field_find(field, n, name);

	return i < 0 ? -1 : i - topic;
}

enum table_header_kind table_header_read(struct span line, struct table_header *h)
{
	struct table_header try = {.seen = true};
	struct span field[FIELDS_MAX];
	size_t n;
	int topic;

	try.comma = text_find(line, "TOPIC, PARTITION,") != NULL;
	n = split(&try, line, field);
	topic = field_find(field, n, "TOPIC");
	if (n == FIELDS_MAX || topic < 0 || topic > 1 ||
	    (topic == 1 && !text_is(field[0], "GROUP")))
		return other_header(field, n) ? HEADER_OTHER : HEADER_NONE;
	try.has_group = topic == 1;
	try.partition = behind_topic(field, n, topic, "PARTITION");
	try.committed = behind_topic(field, n, topic, "CURRENT-OFFSET");
	try.end = behind_topic(field, n, topic, "LOG-END-OFFSET");
	try.lag = behind_topic(field, n, topic, "LAG");
	try.member = behind_topic(field, n, topic, "CONSUMER-ID");
	if (try.member < 0)
		try.member = behind_topic(field, n, topic, "OWNER");
	try.last = (int)n - 1 - topic;
	/* START-OFFSET and OFFSET-LAG are those of share and streams groups */
	if (try.partition < 1 || try.lag < 1 || (try.committed < 1 && try.end < 1) ||
	    field_find(field, n, "START-OFFSET") >= 0)
		return other_header(field, n) ? HEADER_OTHER : HEADER_NONE;
	try.indent = (size_t)(field[0].p - line.p);
	try.topic_column = (size_t)(field[topic].p - line.p);
	try.partition_column = (size_t)(field[topic + try.partition].p - line.p);
	*h = try;
	return HEADER_OFFSETS;
}

/* The byte at which the column begins. Java counts UTF-16 units where it pads. */
static const char *at_column(struct span line, size_t column)
{
	size_t at = 0;
	size_t i = 0;

	while (i < line.n && at < column) {
		unsigned char c = (unsigned char)line.p[i++];

		at += c >= 0xf0 ? 2 : 1;
		while (i < line.n && ((unsigned char)line.p[i] & 0xc0) == 0x80)
			i++;
	}
	return line.p + i;
}

/* A column that may be missing, in the table or in the row. */
static enum number field_number(const struct span *field, size_t n, int at,
				int64_t *value)
{
	if (at < 0)
		return NUMBER_NONE;
	if ((size_t)at >= n)
		return NUMBER_BAD;
	return text_number(field[at], value);
}

/* An offset is never negative: what is (-1, "unknown" to a broker) has no value. */
static bool offset_read(const struct span *field, size_t n, int at, int64_t *value,
			bool *has)
{
	enum number kind = field_number(field, n, at, value);

	*has = kind == NUMBER_OK && *value >= 0;
	return kind != NUMBER_BAD;
}

/* Hash of the member's id: the words up to the one that names its host, because an id
 * may hold spaces and is glued to the host where it is long. 0 for no member. */
static uint64_t member_read(const struct span *field, size_t n, int at)
{
	size_t last = at < 0 ? n : (size_t)at;
	uint64_t hash;

	if (last >= n || text_is(field[last], "-") || text_is(field[last], "none"))
		return 0;
	while (last < n && memchr(field[last].p, '/', field[last].n) == NULL)
		last++;
	if (last == n)
		last = (size_t)at;
	hash = hash_fnv64(field[at].p, field[at].n, 0);
	for (size_t i = (size_t)at + 1; i <= last; i++) {
		hash = hash_fnv64(" ", 1, hash);
		hash = hash_fnv64(field[i].p, field[i].n, hash);
	}
	return hash != 0 ? hash : 1;
}

enum fit {
	FIT_NONE,  /* no row begins here */
	FIT_LOOSE, /* but for the lag, which is no number */
	FIT_ROW,   /* every number is where it should be */
	FIT_EXACT, /* and the lag is the difference of the offsets */
	FIT_KNOWN, /* behind the group id that we look for */
};

/* Do these fields look like a row from TOPIC on? */
static enum fit fits(const struct table_header *h, const struct span *field, size_t n,
		     struct partition *p)
{
	enum number lag;
	int64_t number, difference;
	bool exact;

	*p = (struct partition){0};
	if (!topic_name_valid(field[0].p, field[0].n) || (size_t)h->partition >= n ||
	    (number = text_digits(field[h->partition], PARTITION_NUMBER_MAX)) < 0 ||
	    !offset_read(field, n, h->committed, &p->committed, &p->has_committed) ||
	    !offset_read(field, n, h->end, &p->end, &p->has_end) || (size_t)h->lag >= n)
		return FIT_NONE;
	p->number = (int32_t)number;
	lag = text_number(field[h->lag], &p->lag);
	p->has_lag = lag == NUMBER_OK;
	exact = p->has_lag && p->has_committed && p->has_end &&
		!__builtin_sub_overflow(p->end, p->committed, &difference) &&
		difference == p->lag;
	p->member = member_read(field, n, h->member);
	return lag == NUMBER_BAD ? FIT_LOOSE : exact ? FIT_EXACT : FIT_ROW;
}

/* The field directly behind the literal group id; `n` when the line does not begin so.
 */
static size_t behind_group(const struct table_header *h, struct span line,
			   const struct span *field, size_t n, const char *group)
{
	size_t len = strlen(group);
	const char *end;

	while (len > 0 && text_space(group[len - 1]))
		len--; /* cannot be told from the padding */
	if (line.n <= len || memcmp(line.p, group, len) != 0)
		return n;
	end = line.p + len;
	for (size_t i = 0; i < n; i++) {
		if (field[i].p < end)
			continue;
		if (h->comma)
			return i > 0 && field[i - 1].p + field[i - 1].n <= end ? i : n;
		for (const char *p = end; p < field[i].p; p++)
			if (!text_space(*p))
				return n;
		return field[i].p > end || len == 0 ? i : n;
	}
	return n;
}

/* A '-' for the lag speaks for a guess only where an offset lacks too and no column is
 * missing: else a row that is none would be read one word further on. */
static bool may_lack_lag(const struct table_header *h, size_t fields,
			 const struct partition *p)
{
	return p->has_lag ||
	       ((!p->has_committed || !p->has_end) && fields > (size_t)h->last);
}

/* Where the topic stands in a line that begins with a group id of any kind: where the
 * header has it; else behind the id that we know; else the first place that fits best.
 * `n` when nowhere. */
static size_t find_topic(const struct table_header *h, struct span line,
			 const struct span *field, size_t n, const char *group)
{
	const char *topic = at_column(line, h->topic_column - h->indent);
	const char *partition = at_column(line, h->partition_column - h->indent);
	size_t known = group != NULL ? behind_group(h, line, field, n, group) : n;
	size_t best = n;
	enum fit best_fit = FIT_NONE;
	size_t first =
		line.n > 0 && text_space(line.p[0]) ? 0 : 1; /* "" is an id too */

	for (size_t i = first; i < n; i++) {
		struct partition p;
		enum fit fit = fits(h, field + i, n - i, &p);

		if (fit == FIT_NONE)
			continue;
		if (!h->comma && field[i].p == topic &&
		    field[i + (size_t)h->partition].p == partition)
			return i;
		if (i == known)
			fit = FIT_KNOWN;
		else if (fit == FIT_LOOSE || !may_lack_lag(h, n - i, &p))
			continue; /* neither place nor name nor numbers speak for it */
		if (fit > best_fit) {
			best = i;
			best_fit = fit;
		}
	}
	return best;
}

/* A member without partitions: '-' up to LAG. */
static bool idle_row(const struct table_header *h, const struct span *field, size_t n,
		     struct table_row *row)
{
	if (h->has_group || h->lag < 0 || n <= (size_t)h->lag)
		return false;
	for (size_t i = 0; i <= (size_t)h->lag; i++)
		if (!text_is(field[i], "-"))
			return false;
	*row = (struct table_row){.p.member = member_read(field, n, h->member),
				  .aligned = true};
	return row->p.member != 0;
}

struct span table_row_topic(const struct table_header *h, struct span line,
			    const char *group)
{
	const struct span none = {line.p, 0};
	struct span field[FIELDS_MAX];
	size_t n, at = 0;
	bool whole;

	if (line.n < h->indent)
		return none;
	line.p += h->indent;
	line.n -= h->indent;
	n = split(h, line, field);
	if (h->has_group)
		at = group != NULL ? behind_group(h, line, field, n, group) : 1;
	whole = n > at && n - at == (size_t)h->last + 1;
	if (at >= n || !topic_name_valid(field[at].p, field[at].n) ||
	    (!whole && (!h->has_group || group == NULL)))
		return none;
	return field[at];
}

bool table_row_read(const struct table_header *h, struct span line, const char *group,
		    struct table_row *row)
{
	struct span field[FIELDS_MAX];
	size_t n, at;

	for (size_t i = 0; i < h->indent && line.n > 0 && text_space(line.p[0]); i++) {
		line.p++;
		line.n--;
	}
	n = split(h, line, field);
	at = h->has_group ? find_topic(h, line, field, n, group) : 0;
	if (at >= n)
		return false;
	if (fits(h, field + at, n - at, &row->p) == FIT_NONE)
		return idle_row(h, field, n, row);
	row->topic = field[at];
	row->ends_with_lag = n - at == (size_t)h->lag + 1 && h->last > h->lag;
	row->aligned = field[at].p == at_column(line, h->topic_column - h->indent) &&
		       field[at + (size_t)h->partition].p ==
			       at_column(line, h->partition_column - h->indent);
	row->group = (struct span){line.p, 0};
	if (at > 0)
		row->group.n = (size_t)(field[at - 1].p + field[at - 1].n - line.p);
	return true;
}

/* "Consumer group 'id' " with either quotation mark, before `phrase`. */
static struct span quoted_group(struct span line, const char *phrase)
{
	static const char before[] = "onsumer group ";
	const char *id = text_find(line, before);

	if (id == NULL)
		return (struct span){line.p, 0};
	id += sizeof(before) - 1;
	if (phrase - id < 4 || (*id != '\'' && *id != '`') || phrase[-1] != ' ' ||
	    phrase[-2] != *id)
		return (struct span){line.p, 0};
	return (struct span){id + 1, (size_t)(phrase - id) - 3};
}

enum group_state table_state_read(struct span line, struct span *group)
{
	static const struct {
		const char *phrase;
		enum group_state state;
	} messages[] = {
		{"has no active members", GROUP_EMPTY},
		{"is rebalancing", GROUP_REBALANCING},
	};

	if (text_find(line, "does not exist") != NULL)
		return GROUP_UNKNOWN;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		const char *phrase = text_find(line, messages[i].phrase);

		if (phrase == NULL)
			continue;
		*group = quoted_group(line, phrase);
		return messages[i].state;
	}
	return GROUP_UNKNOWN;
}
