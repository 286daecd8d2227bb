/* SPDX-License-Identifier: MIT
 * fuzz_page: any bytes as a metrics page. However they are cut, the same tables come
 * out of it, and no number that is not on the page. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lag/exporter.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct notes {
	struct table *table;
	struct buf *log;
};

static void note_topic(void *arg, const char *group, const char *topic)
{
	struct notes *n = arg;
	struct sample s;
	struct gap gap;

	assert(topic_name_valid(topic, strlen(topic)));
	assert(table_sample(n->table, group, topic, &s, &gap) == REASON_NONE);
	assert(s.n > 0);
	for (size_t i = 0; i < s.n; i++) {
		const struct partition *p = &s.rows[i];

		assert(p->number >= 0 && p->number <= PARTITION_NUMBER_MAX);
		assert(i == 0 || s.rows[i - 1].number < p->number);
		assert(!p->has_committed || p->committed >= 0);
		assert(!p->has_end || p->end >= 0);
		buf_printf(n->log, "%s %d %d %lld %lld %lld\n", topic, (int)p->number,
			   p->has_lag, p->has_lag ? (long long)p->lag : 0,
			   p->has_committed ? (long long)p->committed : -1,
			   p->has_end ? (long long)p->end : -1);
	}
	sample_fini(&s);
}

static void read_page(const uint8_t *data, size_t size, size_t step, struct buf *log)
{
	struct exporter *x = exporter_new("oasis-group");
	struct err err = ERR_INIT;
	struct exporter_total total;
	struct gap gap;
	int rc = 0;

	for (size_t at = 0; rc == 0 && at < size; at += step)
		rc = exporter_feed(x, (const char *)data + at,
				   size - at < step ? size - at : step, &err);
	if (rc == 0)
		rc = exporter_end(x, true, &err);
	if (rc == 0) {
		struct notes n = {exporter_table(x, "dc1"), log};

		assert(table_failure(n.table)->reason < REASON_COUNT);
		table_each(n.table, note_topic, &n);
		if (exporter_total(x, &total, &gap))
			buf_printf(log, "total %lld\n", (long long)total.lag);
		assert(total.without <= total.partitions);
		table_free(n.table);
	} else {
		assert(rc == ERR_REJECT && *err.text != '\0');
		buf_printf(log, "%s\n", err.text);
	}
	exporter_free(x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(64 << 20), cut = BUF_INIT(64 << 20);

	read_page(data, size, size + 1, &whole);
	read_page(data, size, 7, &cut);
	assert(whole.len == cut.len);
	assert(whole.len == 0 || memcmp(whole.data, cut.data, whole.len) == 0);
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
