/* SPDX-License-Identifier: MIT */
#include "scenarios/expect.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "scenarios/cluster.h"
#include "scenarios/hosts.h"
#include "scenarios/house.h"
#include "scenarios/receivers.h"
#include "scenarios/words.h"
#include "scenarios/world.h"

#include "banned.h"

/* Compare a number with the last two words, OP and N. */
static int compare(int64_t have, char **words, size_t n, struct buf *seen)
{
	int rc = n == 2 ? words_compare(have, words[0], words_number(words[1])) : -1;

	buf_printf(seen, "%lld", (long long)have);
	return rc < 0 ? -1 : !rc;
}

/* Documents */

static const char *field(const struct cluster_document *d, const char *name)
{
	const char *s = json_string_value(json_object_get(d->source, name));

	return s == NULL ? "" : s;
}

static bool is_event(const struct cluster_document *d)
{
	return *field(d, "event") != '\0';
}

/* The documents of alerts have expectations of their own (events). */
static bool is_of(const struct cluster_document *d, const char *topic)
{
	return !is_event(d) &&
	       (strcmp(topic, "*") == 0 || strcmp(field(d, "topic"), topic) == 0);
}

static bool is_sample(const struct cluster_document *d)
{
	return json_object_get(d->source, "lag_sum") != NULL;
}

/* The document with what else one may ask for: _id, _index, and its age in ms. */
static json_t *described(const struct cluster_document *d)
{
	json_t *v = json_copy(d->source);

	json_object_set_new(v, "_id", json_string(d->id));
	json_object_set_new(v, "_index", json_string(d->index));
	json_object_set_new(v, "age", json_integer(clock_wall().ms - d->t.ms));
	return v;
}

/* Read conditions from the front of `words`; returns how many there are. */
static size_t read_conditions(char **words, size_t n, struct condition *c)
{
	size_t count = 0;

	while (count < n && words_compare(0, words[count], 0) < 0 &&
	       condition_read(&c[count], words[count]) == 0)
		count++;
	return count;
}

static void free_conditions(struct condition *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		condition_fini(&c[i]);
}

static bool all_hold(const struct cluster_document *d, const struct condition *c,
		     size_t n)
{
	json_t *v = described(d);
	bool hold = true;

	for (size_t i = 0; i < n && hold; i++)
		hold = condition_holds(&c[i], v);
	json_decref(v);
	return hold;
}

static const struct cluster_document *newest(const char *topic)
{
	const struct cluster_document *best = NULL;

	for (size_t i = 0; i < cluster_count(); i++) {
		const struct cluster_document *d = cluster_at(i);

		if (is_of(d, topic) && (best == NULL || d->t.ms >= best->t.ms))
			best = d;
	}
	return best;
}

/* doc TOPIC CONDITION…: of the newest document of the topic */
static int expect_doc(char **words, size_t n, struct buf *seen)
{
	struct condition c[WORDS_MAX] = {{NULL, NULL, ""}};
	const struct cluster_document *d;
	size_t count;
	char *text;
	int rc;

	if (n < 2)
		return -1;
	count = read_conditions(words + 1, n - 1, c);
	d = newest(words[0]);
	if (count != n - 1) {
		rc = -1;
	} else if (d == NULL) {
		buf_addstr(seen, "no document of that topic");
		rc = 1;
	} else {
		rc = !all_hold(d, c, count);
		text = json_dumps(d->source, JSON_COMPACT);
		buf_addstr(seen, text);
		free(text);
	}
	free_conditions(c, WORDS_MAX);
	return rc;
}

/* gap TOPIC REASON: the newest document is a gap with this reason */
static int expect_gap(char **words, size_t n, struct buf *seen)
{
	char reason[80], status[] = "status=NODATA";
	char *list[] = {words[0], status, reason};

	if (n != 2)
		return -1;
	snprintf(reason, sizeof(reason), "reason=%s", words[1]);
	return expect_doc(list, 3, seen);
}

/* docs TOPIC CONDITION… OP N */
static int expect_docs(char **words, size_t n, struct buf *seen)
{
	struct condition c[WORDS_MAX] = {{NULL, NULL, ""}};
	int64_t found = 0;
	size_t count;

	if (n < 3)
		return -1;
	count = read_conditions(words + 1, n - 3, c);
	for (size_t i = 0; i < cluster_count(); i++)
		if (is_of(cluster_at(i), words[0]))
			found += all_hold(cluster_at(i), c, count);
	free_conditions(c, WORDS_MAX);
	return count == n - 3 ? compare(found, words + n - 2, 2, seen) : -1;
}

static int by_time(const void *a, const void *b)
{
	const struct cluster_document *const *x = a, *const *y = b;

	return ((*x)->t.ms > (*y)->t.ms) - ((*x)->t.ms < (*y)->t.ms);
}

/* The samples of a topic in order of their times; the caller frees the array. */
static size_t samples_of(const char *topic, const struct cluster_document ***out)
{
	size_t n = 0;

	*out = mem_calloc(cluster_count() + 1, sizeof(const struct cluster_document *));
	for (size_t i = 0; i < cluster_count(); i++)
		if (is_of(cluster_at(i), topic) && is_sample(cluster_at(i)))
			(*out)[n++] = cluster_at(i);
	qsort(*out, n, sizeof(const struct cluster_document *), by_time);
	return n;
}

/* spacing TOPIC DURATION within DURATION: between one sample and the next */
static int expect_spacing(char **words, size_t n, struct buf *seen)
{
	const struct cluster_document **list;
	int64_t want, slack;
	size_t count;
	int rc = 0;

	if (n != 4 || strcmp(words[2], "within") != 0)
		return -1;
	want = words_duration(words[1]);
	slack = words_duration(words[3]);
	count = samples_of(words[0], &list);
	if (count < 2) {
		buf_printf(seen, "%zu samples", count);
		rc = 1;
	}
	for (size_t i = 1; i < count && rc == 0; i++) {
		int64_t ms = list[i]->t.ms - list[i - 1]->t.ms;

		if (llabs(ms - want) > slack) {
			buf_printf(seen, "%lld ms between %s and %s", (long long)ms,
				   field(list[i - 1], "@timestamp"),
				   field(list[i], "@timestamp"));
			rc = 1;
		}
	}
	free(list);
	return rc;
}

/* times TOPIC within DURATION: @timestamp is p0, which the CLI gave as %now */
static int expect_times(char **words, size_t n, struct buf *seen)
{
	const struct cluster_document **list;
	int64_t slack;
	size_t count;
	int rc = 0;

	if (n != 3 || strcmp(words[1], "within") != 0)
		return -1;
	slack = words_duration(words[2]);
	count = samples_of(words[0], &list);
	if (count == 0) {
		buf_addstr(seen, "no samples");
		rc = 1;
	}
	for (size_t i = 0; i < count && rc == 0; i++) {
		int64_t truth =
			json_integer_value(json_object_get(list[i]->source, "p0"));

		if (llabs(list[i]->t.ms - truth) > slack) {
			buf_printf(seen, "%s is off by %lld ms",
				   field(list[i], "@timestamp"),
				   (long long)(list[i]->t.ms - truth));
			rc = 1;
		}
	}
	free(list);
	return rc;
}

/* Alerts */

/* The partitions of an alert as one may ask for them: "3 17". */
static json_t *with_list(const json_t *alert)
{
	const json_t *list = json_object_get(alert, "partitions"), *v;
	struct buf text = BUF_INIT(1 << 16);
	json_t *copy = json_copy((json_t *)alert);
	size_t i;

	json_array_foreach(list, i, v) buf_printf(&text, "%s%lld", i > 0 ? " " : "",
						  (long long)json_integer_value(v));
	if (list != NULL)
		json_object_set_new(copy, "partitions", json_string(buf_str(&text)));
	buf_free(&text);
	return copy;
}

/* Does it fit? Then tell of it. */
static bool fits(const json_t *v, const struct condition *c, size_t n, struct buf *seen)
{
	json_t *listed = with_list(v);
	bool hold = true;
	char *text;

	for (size_t i = 0; i < n && hold; i++)
		hold = condition_holds(&c[i], listed);
	text = json_dumps(listed, JSON_COMPACT);
	buf_printf(seen, "%s%.600s\n#     ", hold ? "* " : "  ", text);
	free(text);
	json_decref(listed);
	return hold;
}

/* CONDITION… OP N over the `count` things that `at` gives. */
static int count_fitting(char **words, size_t n, struct buf *seen, size_t count,
			 const json_t *(*at)(size_t i))
{
	struct condition c[WORDS_MAX] = {{NULL, NULL, ""}};
	int64_t found = 0;
	size_t conditions;

	if (n < 2)
		return -1;
	conditions = read_conditions(words, n - 2, c);
	for (size_t i = 0; i < count; i++)
		if (at(i) != NULL)
			found += fits(at(i), c, conditions, seen);
	free_conditions(c, WORDS_MAX);
	return conditions == n - 2 ? compare(found, words + n - 2, 2, seen) : -1;
}

static const json_t *event_at(size_t i)
{
	return is_event(cluster_at(i)) ? cluster_at(i)->source : NULL;
}

/* events CONDITION… OP N: documents of alerts */
static int expect_events(char **words, size_t n, struct buf *seen)
{
	return count_fitting(words, n, seen, cluster_count(), event_at);
}

/* messages CONDITION… OP N: what receivers were told */
static int expect_messages(char **words, size_t n, struct buf *seen)
{
	return count_fitting(words, n, seen, receivers_count(), receivers_at);
}

static json_t *shown_alerts;

static const json_t *shown_at(size_t i)
{
	return json_array_get(shown_alerts, i);
}

/* alerts CONDITION… OP N: as the pages show them */
static int expect_alerts(char **words, size_t n, struct buf *seen)
{
	char *text = house_alerts();
	int rc;

	shown_alerts = json_loads(text, 0, NULL);
	rc = count_fitting(words, n, seen, json_array_size(shown_alerts), shown_at);
	json_decref(shown_alerts);
	free(text);
	return rc;
}

/* incidents OP N: different ones among the documents of alerts */
static int expect_incidents(char **words, size_t n, struct buf *seen)
{
	json_t *set = json_object();
	int rc;

	for (size_t i = 0; i < cluster_count(); i++)
		if (is_event(cluster_at(i)))
			json_object_set_new(set, field(cluster_at(i), "incident"),
					    json_true());
	rc = compare((int64_t)json_object_size(set), words, n, seen);
	json_decref(set);
	return rc;
}

/* Accounts */

static int64_t lost(void)
{
	struct store_status s;

	house_store_status(&s);
	return metrics_get(METRIC_SAMPLES) - metrics_get(METRIC_DOC_INDEXED) -
	       metrics_get(METRIC_DOC_DUPLICATE) - metrics_get(METRIC_DOC_REJECTED) -
	       metrics_get(METRIC_DOC_EVICTED) - metrics_get(METRIC_DOC_EXPIRED) -
	       s.documents;
}

static bool doubled(const struct cluster_document *a, const struct cluster_document *b)
{
	return a->t.ms == b->t.ms && /* lines may come many at once */
	       json_integer_value(json_object_get(a->source, "p0")) ==
		       json_integer_value(json_object_get(b->source, "p0")) &&
	       strcmp(field(a, "topic"), field(b, "topic")) == 0 &&
	       strcmp(field(a, "cluster"), field(b, "cluster")) == 0 &&
	       strcmp(field(a, "group"), field(b, "group")) == 0 &&
	       strcmp(field(a, "rule"), field(b, "rule")) == 0 &&
	       strcmp(field(a, "state"), field(b, "state")) == 0 &&
	       strcmp(field(a, "severity"), field(b, "severity")) == 0 &&
	       strcmp(field(a, "reason"), field(b, "reason")) == 0;
}

/* Nothing stands twice in the index, under whatever id. */
static int no_doubles(struct buf *seen)
{
	const struct cluster_document **list =
		mem_calloc(cluster_count() + 1, sizeof(struct cluster_document *));
	int rc = 0;

	for (size_t i = 0; i < cluster_count(); i++)
		list[i] = cluster_at(i);
	qsort(list, cluster_count(), sizeof(const struct cluster_document *), by_time);
	for (size_t i = 0; i < cluster_count() && rc == 0; i++)
		for (size_t j = i + 1;
		     j < cluster_count() && list[j]->t.ms == list[i]->t.ms; j++)
			if (doubled(list[i], list[j])) {
				buf_printf(seen, "%s and %s tell the same", list[i]->id,
					   list[j]->id);
				rc = 1;
			}
	free(list);
	return rc;
}

static int expect_no_doubles(char **words, size_t n, struct buf *seen)
{
	(void)words;
	return n == 0 ? no_doubles(seen) : -1;
}

int expect_accounts(struct buf *seen)
{
	struct cluster_figures f = cluster_figures();
	struct store_status s;

	house_store_status(&s);
	buf_printf(seen,
		   "%lld samples = %lld indexed (%lld stored) + %lld duplicate (%lld "
		   "conflicts) + %lld rejected + %lld evicted + %lld expired + %lld "
		   "waiting "
		   "+ %lld lost; ",
		   (long long)metrics_get(METRIC_SAMPLES),
		   (long long)metrics_get(METRIC_DOC_INDEXED), (long long)f.stored,
		   (long long)metrics_get(METRIC_DOC_DUPLICATE), (long long)f.conflicts,
		   (long long)metrics_get(METRIC_DOC_REJECTED),
		   (long long)metrics_get(METRIC_DOC_EVICTED),
		   (long long)metrics_get(METRIC_DOC_EXPIRED), (long long)s.documents,
		   (long long)lost());
	return lost() != 0 || metrics_get(METRIC_DOC_INDEXED) > f.stored ||
	       metrics_get(METRIC_DOC_DUPLICATE) > f.conflicts;
}

/* balance: every sample reached its end once, or waits */
static int expect_balance(char **words, size_t n, struct buf *seen)
{
	struct cluster_figures f = cluster_figures();

	(void)words;
	if (n != 0)
		return -1;
	if (expect_accounts(seen) != 0 || metrics_get(METRIC_SAMPLES) == 0 ||
	    metrics_get(METRIC_DOC_INDEXED) != f.stored ||
	    metrics_get(METRIC_DOC_DUPLICATE) != f.conflicts)
		return 1;
	return no_doubles(seen);
}

/* metric NAME or NAME{labels}: by its line in the text of /metrics */
static int expect_metric(char **words, size_t n, struct buf *seen)
{
	struct buf text = BUF_INIT(1 << 20);
	size_t len;
	int rc = -1;

	if (n != 3)
		return -1;
	metrics_write(&text);
	len = strlen(words[0]);
	for (const char *p = buf_str(&text); p != NULL; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, words[0], len) == 0 && p[len] == ' ') {
			rc = compare(strtoll(p + len, NULL, 10), words + 1, 2, seen);
			break;
		}
	}
	buf_free(&text);
	return rc;
}

/* log TEXT OP N: lines of the program's log that hold the text */
static int expect_log(char **words, size_t n, struct buf *seen)
{
	struct buf text = BUF_INIT(64 << 20);
	char chunk[8192];
	int64_t found = 0;
	off_t at = 0;
	ssize_t got;

	if (n != 3)
		return -1;
	while ((got = pread(STDERR_FILENO, chunk, sizeof(chunk), at)) > 0) {
		buf_add(&text, chunk, (size_t)got);
		at += got;
	}
	for (const char *p = buf_str(&text); (p = strstr(p, words[0])) != NULL;
	     found++) {
		p = strchr(p, '\n');
		if (p == NULL)
			break;
	}
	buf_free(&text);
	return compare(found, words + 1, 2, seen);
}

/* attempts|sessions|runs HOST OP N */
static int expect_attempts(char **words, size_t n, struct buf *seen)
{
	return n == 3 ? compare(host_attempts(host_named(words[0])), words + 1, 2, seen)
		      : -1;
}

static int expect_sessions(char **words, size_t n, struct buf *seen)
{
	return n == 3 ? compare(host_sessions(host_named(words[0])), words + 1, 2, seen)
		      : -1;
}

static int expect_runs(char **words, size_t n, struct buf *seen)
{
	return n == 3 ? compare(host_runs(host_named(words[0])), words + 1, 2, seen)
		      : -1;
}

/* since NAME OP DURATION: for how long the board says that it is so */
static int expect_since(char **words, size_t n, struct buf *seen)
{
	struct board_views views;
	int64_t ms = -1;
	int rc;

	if (n != 3)
		return -1;
	views = house_views();
	for (size_t i = 0; i < views.n; i++)
		if (strcmp(views.v[i]->name.topic, words[0]) == 0)
			ms = clock_wall().ms - views.v[i]->status_since.ms;
	board_views_fini(&views);
	buf_printf(seen, "%lld ms", (long long)ms);
	rc = words_compare(ms, words[1], words_duration(words[2]));
	return rc < 0 ? -1 : !rc;
}

/* board NAME OK|WARN|ERR|NODATA|absent: what the board shows of a topic or pattern */
static int expect_board(char **words, size_t n, struct buf *seen)
{
	struct board_views views;
	const char *have = "absent";
	int rc;

	if (n != 2)
		return -1;
	views = house_views();
	for (size_t i = 0; i < views.n; i++)
		if (strcmp(views.v[i]->name.topic, words[0]) == 0 ||
		    strcmp(views.v[i]->name.match, words[0]) == 0)
			have = verdict_name(views.v[i]->status);
	buf_addstr(seen, have);
	rc = strcmp(have, words[1]) != 0;
	board_views_fini(&views);
	return rc;
}

/* index NAME mapped|unmapped|absent */
static int expect_index(char **words, size_t n, struct buf *seen)
{
	static const char *const kinds[] = {"absent", "unmapped", "mapped"};
	const char *have;

	if (n != 2)
		return -1;
	have = kinds[cluster_index_kind(words[0]) + 1];
	buf_addstr(seen, have);
	return strcmp(have, words[1]) != 0;
}

static int expect_stop_took(char **words, size_t n, struct buf *seen)
{
	int rc = n == 2 ? words_compare(house_stop_took(), words[0],
					words_duration(words[1]))
			: -1;

	buf_printf(seen, "%lld ms", (long long)house_stop_took());
	return rc < 0 ? -1 : !rc;
}

static int expect_lost(char **words, size_t n, struct buf *seen)
{
	return compare(lost(), words, n, seen);
}

static int expect_waiting(char **words, size_t n, struct buf *seen)
{
	struct store_status s;

	house_store_status(&s);
	return compare(s.documents, words, n, seen);
}

static int expect_dead(char **words, size_t n, struct buf *seen)
{
	struct store_status s;

	house_store_status(&s);
	return compare(s.dead, words, n, seen);
}

static int expect_bulks(char **words, size_t n, struct buf *seen)
{
	return compare(cluster_figures().bulks, words, n, seen);
}

static int expect_largest_bulk(char **words, size_t n, struct buf *seen)
{
	return compare(cluster_figures().largest_bulk, words, n, seen);
}

static const struct {
	const char *name;
	int (*check)(char **words, size_t n, struct buf *seen);
} checks[] = {
	{"doc", expect_doc},
	{"docs", expect_docs},
	{"gap", expect_gap},
	{"spacing", expect_spacing},
	{"times", expect_times},
	{"events", expect_events},
	{"messages", expect_messages},
	{"alerts", expect_alerts},
	{"incidents", expect_incidents},
	{"balance", expect_balance},
	{"no-doubles", expect_no_doubles},
	{"lost", expect_lost},
	{"waiting", expect_waiting},
	{"dead", expect_dead},
	{"metric", expect_metric},
	{"log", expect_log},
	{"attempts", expect_attempts},
	{"sessions", expect_sessions},
	{"runs", expect_runs},
	{"bulks", expect_bulks},
	{"largest-bulk", expect_largest_bulk},
	{"index", expect_index},
	{"board", expect_board},
	{"since", expect_since},
	{"stop-took", expect_stop_took},
};

int expect_check(char **words, size_t n, struct buf *seen)
{
	for (size_t i = 0; n > 0 && i < ARRAY_LEN(checks); i++)
		if (strcmp(words[0], checks[i].name) == 0)
			return checks[i].check(words + 1, n - 1, seen);
	return -1;
}
