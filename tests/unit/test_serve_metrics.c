/* SPDX-License-Identifier: MIT
 * The page of metrics: kafka_exporter's families, compared with a page that it really
 * gave, and our own; the whole page for what every scraper relies on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/metrics.h"
#include "serve/serve_int.h"
#include "support/document.h"
#include "support/views.h"

#define RECORDED "tests/data/kafka_exporter/1.9.0.metrics"
#define MAX_SLOTS 16

struct page {
	struct board *board;
	struct board_slot *slots[MAX_SLOTS];
	size_t n;
	bool several;
	struct buf text;
};

static void page_begin(struct page *p)
{
	*p = (struct page){.board = board_new()};
	buf_init(&p->text, 1 << 22);
}

static struct view *page_show(struct page *p, const char *cluster, const char *group,
			      const char *topic, const char *rows)
{
	struct view *v = views_make(cluster, group, topic, rows);

	p->slots[p->n++] = views_show(p->board, v);
	return v;
}

static const char *exporter_page(struct page *p)
{
	struct board_views views = board_look(p->board);

	buf_reset(&p->text);
	exporter_write(&views, p->several, &p->text);
	board_views_fini(&views);
	return buf_str(&p->text);
}

static const char *whole_page(struct page *p)
{
	struct board_views views = board_look(p->board);

	buf_reset(&p->text);
	exporter_write(&views, p->several, &p->text);
	figures_write(&views, p->several, (struct wall){VIEWS_AT},
		      (struct wall){VIEWS_AT + 5000}, &p->text);
	metrics_write(&p->text);
	board_views_fini(&views);
	return buf_str(&p->text);
}

static void the_kept_share_of_objectives_is_shown(void **state)
{
	static const char told[] =
		"[{\"cluster\":\"c\",\"group\":\"g\",\"topic\":\"a\\\"b\","
		"\"lag_max\":10,\"kept\":0.9875},"
		"{\"cluster\":\"c\",\"group\":\"g\",\"topic\":\"new\",\"kept\":null}]";
	struct buf out = BUF_INIT(4096);

	(void)state;
	figures_objectives(told, strlen(told), true, &out);
	assert_non_null(strstr(buf_str(&out),
			       "# TYPE mmlag_topic_objective_kept_ratio gauge\n"
			       "mmlag_topic_objective_kept_ratio{consumergroup=\"g\","
			       "kafka_cluster=\"c\",topic=\"a\\\"b\"} 0.9875\n"));
	assert_null(strstr(buf_str(&out), "new")); /* nothing was counted yet */
	buf_reset(&out);
	figures_objectives("", 0, false, &out); /* the alarm has not looked yet */
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

static void page_end(struct page *p)
{
	for (size_t i = 0; i < p->n; i++)
		board_drop(p->board, p->slots[i]);
	board_free(p->board);
	buf_free(&p->text);
}

static bool has_line(const char *page, const char *line, size_t n)
{
	for (const char *at = page; (at = memmem(at, strlen(at), line, n)) != NULL;
	     at++)
		if ((at == page || at[-1] == '\n') && at[n] == '\n')
			return true;
	return false;
}

#define assert_line(page, line)                                     \
	do {                                                        \
		if (!has_line(page, line, strlen(line)))            \
			fail_msg("no line %s in:\n%s", line, page); \
	} while (0)
#define assert_no(page, part)                                      \
	do {                                                       \
		if (strstr(page, part) != NULL)                    \
			fail_msg("%s stands in:\n%s", part, page); \
	} while (0)

/* ---- beside the real one ---- */

/* The value of `family{labels}` in the recorded page; false when it is not there. */
static bool recorded(const char *page, const char *series, long long *value)
{
	const char *at = strstr(page, series);

	if (at == NULL || (at != page && at[-1] != '\n'))
		return false;
	*value = (long long)strtod(at + strlen(series), NULL);
	return true;
}

/* The rows of a topic as the recorded page has them. */
static void rows_of(const char *page, const char *topic, struct buf *rows)
{
	for (int i = 0;; i++) {
		char series[3][200];
		long long v[3];
		bool has[3];

		snprintf(series[0], sizeof(series[0]),
			 "kafka_consumergroup_current_offset{consumergroup=\"oasis-"
			 "group\",partition=\"%d\",topic=\"%s\"} ",
			 i, topic);
		snprintf(series[1], sizeof(series[1]),
			 "kafka_topic_partition_current_offset{partition=\"%d\",topic="
			 "\"%s\"} ",
			 i, topic);
		snprintf(series[2], sizeof(series[2]),
			 "kafka_consumergroup_lag{consumergroup=\"oasis-group\","
			 "partition=\"%d\",topic=\"%s\"} ",
			 i, topic);
		for (int s = 0; s < 3; s++)
			has[s] = recorded(page, series[s], &v[s]);
		if (!has[1])
			return;
		assert_true(has[0] && has[2]);
		if (v[0] == -1)
			buf_printf(rows, "-:%lld:- ", v[1]);
		else
			buf_printf(rows, "%lld:%lld:%lld ", v[0], v[1], v[2]);
	}
}

/* Is this line of the real page one that we could know? */
static bool is_ours(const char *line, size_t n)
{
	static const char *const families[] = {"kafka_consumergroup_",
					       "kafka_topic_partitions",
					       "kafka_topic_partition_current_offset"};
	static const char *const others[] = {"__consumer_offsets", "zookeeper"};
	const char *name = *line == '#' ? line + 7 : line;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (memmem(line, n, others[i], strlen(others[i])) != NULL)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strncmp(name, families[i], strlen(families[i])) == 0)
			return true;
	return strncmp(line, "# TYPE ", 7) == 0 && false;
}

static void the_page_is_that_of_the_exporter_line_by_line(void **state)
{
	static const char *const topics[] = {"clicks.v1", "fresh", "orders",
					     "orders-retry", "payments"};
	struct buf real = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct page p;
	const char *ours;
	size_t lines = 0, n;

	(void)state;
	if (file_read(RECORDED, &real, &err) != 0)
		fail_msg("%s", err.text);
	page_begin(&p);
	for (size_t i = 0; i < ARRAY_LEN(topics); i++) {
		struct buf rows = BUF_INIT(1 << 16);
		struct view *v;

		rows_of(buf_str(&real), topics[i], &rows);
		assert_true(rows.len > 0);
		v = page_show(&p, "default", "oasis-group", topics[i], buf_str(&rows));
		v->sample.members = 4;
		buf_free(&rows);
	}
	ours = exporter_page(&p);
	for (const char *line = buf_str(&real); *line != '\0'; line += n + 1) {
		n = strcspn(line, "\n");
		if (!is_ours(line, n))
			continue;
		lines++;
		if (!has_line(ours, line, n))
			fail_msg("not ours: %.*s", (int)n, line);
	}
	assert_true(lines > 100);
	for (const char *line = ours; *line != '\0'; line += n + 1) {
		n = strcspn(line, "\n");
		lines--;
		if (!has_line(buf_str(&real), line, n))
			fail_msg("not theirs: %.*s", (int)n, line);
	}
	assert_int_equal(lines, 0);
	page_end(&p);
	buf_free(&real);
}

/* ---- conventions ---- */

static void a_partition_without_an_offset_is_minus_one(void **state)
{
	const char *page;
	struct page p;

	(void)state;
	page_begin(&p);
	page_show(&p, "c", "g", "t", "10:15:5 -:9:- -:-:-");
	page_show(&p, "c", "g", "untouched", "-:9:- -:1:-");
	page = exporter_page(&p);
#define SERIES(name, partition) \
	name "{consumergroup=\"g\",partition=\"" partition "\",topic=\"t\"}"
	assert_line(page, SERIES("kafka_consumergroup_current_offset", "0") " 10");
	assert_line(page, SERIES("kafka_consumergroup_current_offset", "1") " -1");
	assert_line(page, SERIES("kafka_consumergroup_current_offset", "2") " -1");
	assert_line(page, SERIES("kafka_consumergroup_lag", "0") " 5");
	assert_line(page, SERIES("kafka_consumergroup_lag", "1") " -1");
	assert_line(page, "kafka_consumergroup_current_offset_sum{consumergroup=\"g\","
			  "topic=\"t\"} 8");
	assert_line(page,
		    "kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"t\"} 5");
	/* a topic that the group never touched has its own series only */
	assert_no(page, "consumergroup=\"g\",topic=\"untouched\"");
	assert_no(page, "consumergroup=\"g\",partition=\"0\",topic=\"untouched\"");
	assert_line(page, "kafka_topic_partition_current_offset{partition=\"1\",topic="
			  "\"untouched\"} 1");
	/* an end that is not known is not shown */
	assert_no(page,
		  "kafka_topic_partition_current_offset{partition=\"2\",topic=\"t\"}");
	assert_line(page, "kafka_topic_partitions{topic=\"t\"} 3");
	page_end(&p);
}

static void lags_alone_make_no_offsets(void **state)
{
	const char *page;
	struct page p;

	(void)state;
	page_begin(&p);
	page_show(&p, "c", "g", "t", "-:-:12 -:-:-4");
	page_show(&p, "c", "g", "u", "7:-:-");
	page = exporter_page(&p);
	assert_line(page, SERIES("kafka_consumergroup_lag", "0") " 12");
	assert_line(page, SERIES("kafka_consumergroup_lag", "1") " -4");
	assert_line(page,
		    "kafka_consumergroup_lag_sum{consumergroup=\"g\",topic=\"t\"} 8");
	assert_no(page,
		  "current_offset{consumergroup=\"g\",partition=\"0\",topic=\"t\"");
	assert_no(page, "current_offset_sum{consumergroup=\"g\",topic=\"t\"}");
	assert_no(page, "lag{consumergroup=\"g\",partition=\"0\",topic=\"u\"");
	page_end(&p);
}

static void a_topic_of_several_groups_has_its_series_once(void **state)
{
	const char *page;
	struct page p;
	struct view *old;

	(void)state;
	page_begin(&p);
	old = page_show(&p, "c", "a", "t", "1:100:99 1:100:99 1:1:0");
	old->sample.taken.ms -= 5000;
	page_show(&p, "c", "b", "t", "1:105:104 1:-:-");
	page = exporter_page(&p);
	assert_line(page, "kafka_topic_partitions{topic=\"t\"} 3");
	assert_line(page, "kafka_topic_partition_current_offset{partition=\"0\",topic="
			  "\"t\"} 105");
	assert_line(page, "kafka_topic_partition_current_offset{partition=\"1\",topic="
			  "\"t\"} 100");
	assert_no(page, "topic=\"t\"} 100\nkafka_topic_partition_current_offset{"
			"partition=\"0\"");
	assert_line(page, "kafka_consumergroup_members{consumergroup=\"a\"} 2");
	assert_line(page, "kafka_consumergroup_members{consumergroup=\"b\"} 2");
	page_end(&p);
}

static void clusters_are_told_apart_where_there_are_several(void **state)
{
	const char *page;
	struct page p;

	(void)state;
	page_begin(&p);
	p.several = true;
	page_show(&p, "dc1", "g", "t", "1:2:1");
	page_show(&p, "dc2", "g", "t", "1:3:2");
	page = exporter_page(&p);
	assert_line(page, "kafka_consumergroup_lag{consumergroup=\"g\",kafka_cluster="
			  "\"dc2\",partition=\"0\",topic=\"t\"} 2");
	assert_line(page, "kafka_consumergroup_members{consumergroup=\"g\","
			  "kafka_cluster=\"dc1\"} 2");
	assert_line(page, "kafka_topic_partition_current_offset{kafka_cluster=\"dc1\","
			  "partition=\"0\",topic=\"t\"} 2");
	assert_line(page,
		    "kafka_topic_partitions{kafka_cluster=\"dc2\",topic=\"t\"} 1");
	page_end(&p);
}

static void series_vanish_while_there_is_no_data(void **state)
{
	const char *page;
	struct page p;

	(void)state;
	page_begin(&p);
	views_lost(page_show(&p, "c", "g", "t", "1:2:1"), REASON_SSH_LOST);
	assert_string_equal(exporter_page(&p), "");
	page = whole_page(&p);
	assert_line(page, "mmlag_topic_status{consumergroup=\"g\",topic=\"t\"} 0");
	assert_line(page, "mmlag_topic_nodata{consumergroup=\"g\",reason=\"ssh_lost\","
			  "topic=\"t\"} 1");
	assert_line(
		page,
		"mmlag_topic_sample_age_seconds{consumergroup=\"g\",topic=\"t\"} 5");
	assert_no(page, "mmlag_topic_lag{");
	assert_no(page, "mmlag_partition_status{");
	page_end(&p);
}

/* ---- the whole page ---- */

/* Series and families stand once, families together, HELP and TYPE before them. */
static void check_format(const char *page)
{
	struct buf seen = BUF_INIT(1 << 22), families = BUF_INIT(1 << 16);
	char family[200] = "";
	size_t n;

	buf_addch(&seen, '\n');
	buf_addch(&families, '\n');
	for (const char *line = page; *line != '\0'; line += n + 1) {
		char key[2000];
		size_t name = strcspn(line, "{ ");

		n = strcspn(line, "\n");
		assert_int_equal(line[n], '\n');
		if (strncmp(line, "# HELP ", 7) == 0) {
			snprintf(family, sizeof(family), "%.*s",
				 (int)strcspn(line + 7, " "), line + 7);
			snprintf(key, sizeof(key), "\n%s\n", family);
			if (strstr(buf_str(&families), key) != NULL)
				fail_msg("family %s stands twice", family);
			buf_addstr(&families, key + 1);
			continue;
		}
		if (strncmp(line, "# TYPE ", 7) == 0) {
			assert_int_equal(strncmp(line + 7, family, strlen(family)), 0);
			continue;
		}
		if (name != strlen(family) || strncmp(line, family, name) != 0)
			fail_msg("%.*s stands in family %s", (int)n, line, family);
		for (name = n; line[name] != ' ';)
			name--;
		snprintf(key, sizeof(key), "\n%.*s\n", (int)name, line);
		if (strstr(buf_str(&seen), key) != NULL)
			fail_msg("series %s stands twice", key);
		buf_addstr(&seen, key + 1);
	}
	buf_free(&seen);
	buf_free(&families);
}

static void names_of_any_kind_are_escaped(void **state)
{
	const char *page;
	struct page p;

	(void)state;
	page_begin(&p);
	page_show(&p, "c", "a\\b\"c\nd\xff\xc3\xa4{},=", "t", "1:2:1");
	page = whole_page(&p);
	assert_line(page, "kafka_consumergroup_members{consumergroup=\"a\\\\b\\\"c\\nd"
			  "\xef\xbf\xbd\xc3\xa4{},=\"} 2");
	check_format(page);
	page_end(&p);
}

static void every_series_and_family_stands_once(void **state)
{
	struct page p;

	(void)state;
	page_begin(&p);
	p.several = true;
	page_show(&p, "dc1", "g", "t", "1:2:1 -:2:- x 3:4:1");
	page_show(&p, "dc1", "g", "t", "1:2:1"); /* by a pattern too */
	page_show(&p, "dc1", "h", "t", "1:2:1");
	page_show(&p, "dc2", "g", "t", "1:2:1");
	page_show(&p, "dc2", "g", "u", "");
	page_show(&p, "dc2", "g", "", ""); /* a pattern that found nothing */
	views_lost(page_show(&p, "dc2", "h", "u", "1:1:0"), REASON_CLI_ERROR);
	check_format(whole_page(&p));
	page_end(&p);
}

static void the_mirrors_other_side_has_figures_or_a_reason(void **state)
{
	const char *page;
	struct page p;
	struct view *v;

	(void)state;
	page_begin(&p);
	v = page_show(&p, "c", "g", "t", "0:3:2");
	v->assessment.delivered = (struct delivered){
		.asked = true, .known = true, .end = 70, .per_sec = 1.5, .missing = 3};
	v = page_show(&p, "c", "g", "u", "0:3:2");
	v->assessment.delivered =
		(struct delivered){.asked = true,
				   .gap = {REASON_TOPIC_ABSENT, "no such topic"},
				   .per_sec = NAN,
				   .missing = -1};
	page = whole_page(&p);
#define OF_GT(name) name "{consumergroup=\"g\",topic=\"t\"}"
	assert_line(page, OF_GT("mmlag_topic_target_end_offset") " 70");
	assert_line(page, OF_GT("mmlag_topic_delivered_per_second") " 1.5");
	assert_line(page, OF_GT("mmlag_topic_undelivered") " 3");
	assert_line(page, "mmlag_topic_target_unread{consumergroup=\"g\",reason=\""
			  "topic_absent\",topic=\"u\"} 1");
	assert_no(page, "mmlag_topic_undelivered{consumergroup=\"g\",topic=\"u\"}");
	check_format(page);
	page_end(&p);
}

static void figures_are_those_of_the_view(void **state)
{
	const char *page;
	struct page p;
	struct view *v;

	(void)state;
	page_begin(&p);
	v = page_show(&p, "c", "g", "t", "1:3:2 1:2:1");
	v->status = VERDICT_ERR;
	v->assessment.time_lag_ms = 1500;
	v->assessment.produced_per_sec = 41.5;
	v->partitions[1].verdict = VERDICT_REWIND;
	v->partitions[1].time_lag_ms = -1;
	page = whole_page(&p);
#define OF_T(name) name "{consumergroup=\"g\",topic=\"t\"}"
	assert_line(page, OF_T("mmlag_topic_status") " 3");
	assert_line(page, OF_T("mmlag_topic_lag") " 3");
	assert_line(page, OF_T("mmlag_topic_lag_max") " 2");
	assert_line(page, OF_T("mmlag_topic_time_lag_seconds") " 1.5");
	assert_line(page, OF_T("mmlag_topic_produced_per_second") " 41.5");
	assert_no(page, "mmlag_topic_consumed_per_second");
	assert_no(page, "mmlag_topic_drain_seconds");
	assert_no(page, "mmlag_topic_target_end_offset"); /* nobody asks one */
	assert_no(page, "mmlag_topic_target_unread");
	assert_line(page, OF_T("mmlag_topic_sample_duration_seconds") " 2.31");
	assert_line(page, OF_T("mmlag_topic_sample_timestamp_seconds") " 1795220000");
	assert_line(page, SERIES("mmlag_partition_status", "0") " 1");
	assert_line(page, SERIES("mmlag_partition_status", "1") " 6");
	assert_no(page, SERIES("mmlag_partition_time_lag_seconds", "1"));
	assert_line(page, "mmlag_topics{status=\"ERR\"} 1");
	assert_line(page, "mmlag_documents_total{outcome=\"indexed\"} 0");
	page_end(&p);
}

static void the_document_of_metrics_is_current(void **state)
{
	struct buf now = BUF_INIT(1 << 20);

	(void)state;
	figures_reference(&now);
	assert_document_is_current("docs/metrics.md", "| metric |", &now);
	buf_free(&now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_is_that_of_the_exporter_line_by_line),
		cmocka_unit_test(a_partition_without_an_offset_is_minus_one),
		cmocka_unit_test(lags_alone_make_no_offsets),
		cmocka_unit_test(a_topic_of_several_groups_has_its_series_once),
		cmocka_unit_test(clusters_are_told_apart_where_there_are_several),
		cmocka_unit_test(series_vanish_while_there_is_no_data),
		cmocka_unit_test(names_of_any_kind_are_escaped),
		cmocka_unit_test(every_series_and_family_stands_once),
		cmocka_unit_test(the_mirrors_other_side_has_figures_or_a_reason),
		cmocka_unit_test(figures_are_those_of_the_view),
		cmocka_unit_test(the_kept_share_of_objectives_is_shown),
		cmocka_unit_test(the_document_of_metrics_is_current),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
