/* SPDX-License-Identifier: MIT
 * toptable.c: the table's content, order and keys. Its looks are in topview.c. */
#include "cli/toptable.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "cli/feed.h"

#include "banned.h"

/* ---- answers ---- */

static char *take_string(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return mem_strdup(s != NULL ? s : "");
}

static int64_t take_int(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_integer(v) ? json_integer_value(v) : TOP_UNKNOWN;
}

static double take_real(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static void topic_init(struct top_topic *x, const json_t *o)
{
	const char *topic = json_string_value(json_object_get(o, "topic"));
	bool named = topic != NULL && *topic != '\0';

	*x = (struct top_topic){
		.cluster = take_string(o, "cluster"),
		.group = take_string(o, "group"),
		.topic = take_string(o, named ? "topic" : "match"),
		.host = take_string(o, "host"),
		.status = take_string(o, "status"),
		.rule = take_string(o, "rule"),
		.reason = take_string(o, "reason"),
		.message = take_string(o, "message"),
		.lag = take_int(o, "lag_sum"),
		.lag_max = take_int(o, "lag_max"),
		.time_lag_ms = take_int(o, "time_lag_ms"),
		.sample_at = take_int(o, "sample_at"),
		.gap_since = take_int(o, "gap_since"),
		.status_since = take_int(o, "status_since"),
		.partitions = take_int(o, "partitions"),
		.produced = take_real(o, "produced_per_sec"),
		.consumed = take_real(o, "consumed_per_sec"),
	};
}

static void topic_fini(struct top_topic *x)
{
	free(x->cluster);
	free(x->group);
	free(x->topic);
	free(x->label);
	free(x->host);
	free(x->status);
	free(x->rule);
	free(x->reason);
	free(x->message);
}

static void drop_topics(struct top_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		topic_fini(&t->topics[i]);
	free(t->topics);
	t->topics = NULL;
	t->n = 0;
}

static void drop_detail(struct top_table *t)
{
	if (t->detail != NULL)
		topic_fini(t->detail);
	free(t->detail);
	t->detail = NULL;
	for (size_t i = 0; i < t->n_parts; i++) {
		free(t->parts[i].status);
		free(t->parts[i].rule);
	}
	free(t->parts);
	t->parts = NULL;
	t->n_parts = 0;
}

static void drop_open(struct top_table *t)
{
	drop_detail(t);
	free(t->open_cluster);
	free(t->open_group);
	free(t->open_topic);
	t->open_cluster = t->open_group = t->open_topic = NULL;
	t->open = false;
	t->first_part = 0;
}

void top_fini(struct top_table *t)
{
	drop_topics(t);
	drop_open(t);
	free(t->shown);
	free(t->marked);
}

/* ---- order ---- */

static int rank(const char *status)
{
	static const char *const order[] = {"OK",    "WARN",   "ERR",   "STOP",
					    "STALL", "REWIND", "NODATA"};

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (strcmp(status, order[i]) == 0)
			return (int)i;
	return (int)ARRAY_LEN(order);
}

static int larger_first(int64_t a, int64_t b)
{
	return (a < b) - (a > b);
}

static int by_name(const struct top_topic *a, const struct top_topic *b)
{
	int d = strcmp(a->topic, b->topic);

	if (d == 0)
		d = strcmp(a->cluster, b->cluster);
	return d != 0 ? d : strcmp(a->group, b->group);
}

static int by_rate(double a, double b)
{
	double x = isnan(a) ? -1 : a, y = isnan(b) ? -1 : b;

	return (x < y) - (x > y);
}

static int compare(const void *left, const void *right, void *arg)
{
	const struct top_table *t = arg;
	const struct top_topic *a = &t->topics[*(const size_t *)left];
	const struct top_topic *b = &t->topics[*(const size_t *)right];
	int d = 0;

	switch (t->sort) {
	case TOP_BY_STATUS:
		d = rank(b->status) - rank(a->status);
		d = d != 0 ? d : larger_first(a->lag, b->lag);
		break;
	case TOP_BY_LAG:
		d = larger_first(a->lag, b->lag);
		break;
	case TOP_BY_TIME:
		d = larger_first(a->time_lag_ms, b->time_lag_ms);
		break;
	case TOP_BY_RATE:
		d = by_rate(a->produced, b->produced);
		break;
	case TOP_BY_NAME:
	case TOP_SORTS:
		break;
	}
	d = d != 0 ? d : by_name(a, b);
	return t->backwards ? -d : d;
}

static int compare_parts(const void *left, const void *right)
{
	const struct top_partition *a = left, *b = right;
	int d = rank(b->status) - rank(a->status);

	if (d == 0)
		d = larger_first(a->lag, b->lag);
	return d != 0 ? d : (a->number > b->number) - (a->number < b->number);
}

static bool fits(const struct top_table *t, const struct top_topic *x)
{
	const char *where[] = {x->label, x->topic,  x->group, x->cluster,
			       x->host,  x->status, x->reason};

	if (t->filter[0] == '\0')
		return true;
	for (size_t i = 0; i < ARRAY_LEN(where); i++)
		if (strcasestr(where[i], t->filter) != NULL)
			return true;
	return false;
}

static int by_name_of(const void *left, const void *right)
{
	return by_name(*(struct top_topic *const *)left,
		       *(struct top_topic *const *)right);
}

static bool same_name(const struct top_topic *a, const struct top_topic *b)
{
	return strcmp(a->topic, b->topic) == 0;
}

static bool same_cluster(const struct top_topic *a, const struct top_topic *b)
{
	return same_name(a, b) && strcmp(a->cluster, b->cluster) == 0;
}

/* `v` has the topics in order of topic, cluster, group. */
static void label_one(struct top_topic **v, size_t n, size_t i)
{
	struct top_topic *x = v[i];
	bool groups = (i > 0 && same_cluster(v[i - 1], x)) ||
		      (i + 1 < n && same_cluster(x, v[i + 1]));
	bool clusters = false;

	for (size_t k = i; k > 0 && !clusters && same_name(v[k - 1], x); k--)
		clusters = !same_cluster(v[k - 1], x);
	for (size_t k = i + 1; k < n && !clusters && same_name(v[k], x); k++)
		clusters = !same_cluster(v[k], x);
	x->label = mem_printf("%s%s%s%s%s%s", clusters ? x->cluster : "",
			      clusters ? "/" : "", x->topic, groups ? " (" : "",
			      groups ? x->group : "", groups ? ")" : "");
}

static void label_all(struct top_table *t)
{
	struct top_topic **v = mem_calloc(t->n + 1, sizeof(struct top_topic *));

	for (size_t i = 0; i < t->n; i++)
		v[i] = &t->topics[i];
	if (t->n > 1)
		qsort(v, t->n, sizeof(struct top_topic *), by_name_of);
	for (size_t i = 0; i < t->n; i++)
		label_one(v, t->n, i);
	free(v);
}

static char *id_of(const struct top_topic *x)
{
	return mem_printf("%s\n%s\n%s", x->cluster, x->group, x->topic);
}

static void mark(struct top_table *t)
{
	free(t->marked);
	t->marked =
		t->cursor < t->n_shown ? id_of(&t->topics[t->shown[t->cursor]]) : NULL;
}

/* Filter and sort; the mark stays on its topic, or else on its line. */
static void arrange(struct top_table *t)
{
	t->shown = mem_realloc(t->shown, t->n + 1, sizeof(*t->shown));
	t->n_shown = 0;
	for (size_t i = 0; i < t->n; i++)
		if (fits(t, &t->topics[i]))
			t->shown[t->n_shown++] = i;
	qsort_r(t->shown, t->n_shown, sizeof(*t->shown), compare, t);
	for (size_t i = 0; t->marked != NULL && i < t->n_shown; i++) {
		char *id = id_of(&t->topics[t->shown[i]]);
		bool same = strcmp(id, t->marked) == 0;

		free(id);
		if (same) {
			t->cursor = i;
			return;
		}
	}
	if (t->cursor >= t->n_shown)
		t->cursor = t->n_shown > 0 ? t->n_shown - 1 : 0;
}

void top_take_topics(struct top_table *t, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "topics");
	size_t n = json_array_size(list);

	drop_topics(t);
	t->topics = mem_calloc(n + 1, sizeof(*t->topics));
	for (size_t i = 0; i < n; i++)
		topic_init(&t->topics[i], json_array_get(list, i));
	t->n = n;
	label_all(t);
	arrange(t);
}

void top_take_topic(struct top_table *t, const json_t *answer)
{
	const json_t *list = json_object_get(answer, "partitions");
	size_t n = json_array_size(list);

	drop_detail(t);
	t->detail = mem_calloc(1, sizeof(*t->detail));
	topic_init(t->detail, json_object_get(answer, "topic"));
	t->parts = mem_calloc(n + 1, sizeof(*t->parts));
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);

		t->parts[i] = (struct top_partition){
			.status = take_string(o, "status"),
			.rule = take_string(o, "rule"),
			.number = take_int(o, "partition"),
			.lag = take_int(o, "lag"),
			.time_lag_ms = take_int(o, "time_lag_ms"),
			.committed = take_int(o, "committed"),
			.end = take_int(o, "end"),
		};
	}
	t->n_parts = n;
	qsort(t->parts, n, sizeof(*t->parts), compare_parts);
}

void top_target(const struct top_table *t, struct buf *out)
{
	buf_addstr(out, "/api/v1/topics");
	if (!t->open)
		return;
	buf_addch(out, '/');
	feed_escape(out, t->open_topic);
	buf_addstr(out, "?cluster=");
	feed_escape(out, t->open_cluster);
	buf_addstr(out, "&group=");
	feed_escape(out, t->open_group);
	/* the history is not shown: ask for none of it */
	buf_addstr(out, "&since=253370764800000");
}

/* ---- keys ---- */

static void filter_changed(struct top_table *t)
{
	t->cursor = t->first = 0;
	free(t->marked);
	t->marked = NULL;
	arrange(t);
}

static void rub_out(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	text[n > 0 ? n - 1 : 0] = '\0';
}

static enum top_wish press_typing(struct top_table *t, int key)
{
	size_t n = strlen(t->filter);

	if (key == KEY_ENTER || key == '\n') {
		t->typing = false;
		return TOP_STAY;
	}
	if (key == KEY_ESC) {
		t->typing = false;
		t->filter[0] = '\0';
	} else if (key == KEY_BACKSPACE) {
		rub_out(t->filter);
	} else if (key >= 0x20 && key < 0x100 && n + 1 < sizeof(t->filter)) {
		t->filter[n] = (char)key;
		t->filter[n + 1] = '\0';
	}
	filter_changed(t);
	return TOP_STAY;
}

/* Where a key moves `at` among `n` lines; others leave it. */
static size_t moved(size_t at, size_t n, size_t page, int key)
{
	size_t last = n > 0 ? n - 1 : 0;

	if (key == KEY_HOME || key == 'g')
		return 0;
	if (key == KEY_END || key == 'G')
		return last;
	if (key == KEY_UP || key == 'k')
		return at > 0 ? at - 1 : 0;
	if (key == KEY_PAGE_UP)
		return at > page ? at - page : 0;
	if (key == KEY_DOWN || key == 'j')
		return at < last ? at + 1 : last;
	if (key == KEY_PAGE_DOWN || key == ' ')
		return at + page < last ? at + page : last;
	return at;
}

static enum top_wish press_open(struct top_table *t, int key)
{
	if (key == KEY_ESC || key == KEY_BACKSPACE || key == 'h') {
		drop_open(t);
		return TOP_ASK;
	}
	t->first_part = moved(t->first_part, t->n_parts, t->page, key);
	return TOP_STAY;
}

static enum top_wish open_marked(struct top_table *t)
{
	const struct top_topic *x;

	if (t->cursor >= t->n_shown)
		return TOP_STAY;
	x = &t->topics[t->shown[t->cursor]];
	drop_open(t);
	t->open_cluster = mem_strdup(x->cluster);
	t->open_group = mem_strdup(x->group);
	t->open_topic = mem_strdup(x->topic);
	t->open = true;
	return TOP_ASK;
}

static bool press_sort(struct top_table *t, int key)
{
	static const char keys[TOP_SORTS] = {'s', 'n', 'l', 't', 'r'};

	for (size_t i = 0; i < TOP_SORTS; i++)
		if (key == keys[i]) {
			t->backwards = t->sort == (enum top_sort)i && !t->backwards;
			t->sort = (enum top_sort)i;
			arrange(t);
			return true;
		}
	return false;
}

enum top_wish top_press(struct top_table *t, int key)
{
	if (t->typing)
		return press_typing(t, key);
	if (key == 'q')
		return TOP_QUIT;
	if (key == KEY_REDRAW)
		return TOP_RENEW;
	if (key == '?' || t->help) {
		t->help = !t->help;
		return TOP_STAY;
	}
	if (t->open)
		return press_open(t, key);
	if (key == KEY_ENTER || key == '\n')
		return open_marked(t);
	if (key == '/') {
		t->typing = true;
		return TOP_STAY;
	}
	if (key == KEY_ESC && t->filter[0] != '\0') {
		t->filter[0] = '\0';
		filter_changed(t);
		return TOP_STAY;
	}
	if (!press_sort(t, key)) {
		t->cursor = moved(t->cursor, t->n_shown, t->page, key);
		mark(t);
	}
	return TOP_STAY;
}
