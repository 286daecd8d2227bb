/* SPDX-License-Identifier: MIT
 * fuzz_table: any bytes as the CLI's stdout. The first byte chooses whether a group is
 * asked for and the exit code; what stands behind a line "==stderr==" is stderr.
 * Whatever comes out is in order, and there is a reason where nothing does. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/jsonw.h"
#include "lag/table.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	const struct table *t;
	size_t topics;
};

static void check_gap(const struct gap *g)
{
	size_t len = strlen(g->message);
	size_t n;

	assert(g->reason > REASON_NONE && g->reason < REASON_COUNT);
	assert(len > 0 && len <= REASON_MESSAGE_MAX);
	for (size_t i = 0; i < len; i += n) {
		n = utf8_sequence((const unsigned char *)g->message + i, len - i);
		assert(n > 0 && (unsigned char)g->message[i] >= ' ');
	}
}

static void check_sample(const struct sample *s)
{
	assert(s->n > 0);
	assert(s->members >= -1);
	assert(s->state != GROUP_EMPTY || s->members == 0);
	for (size_t i = 0; i < s->n; i++) {
		const struct partition *p = &s->rows[i];

		assert(p->number >= 0 && p->number <= PARTITION_NUMBER_MAX);
		assert(i == 0 || p->number > s->rows[i - 1].number);
		assert(!p->has_committed || p->committed >= 0);
		assert(!p->has_end || p->end >= 0);
	}
}

static void check_topic(void *arg, const char *group, const char *topic)
{
	struct seen *seen = arg;
	struct sample s;
	struct gap gap;

	assert(topic_name_valid(topic, strlen(topic)));
	assert(table_sample(seen->t, group, topic, &s, &gap) == REASON_NONE);
	check_sample(&s);
	sample_fini(&s);
	seen->topics++;
}

static void check_table(const struct cli_output *run, const char *group)
{
	struct table *t = table_read(run, group);
	struct seen seen = {t, 0};
	struct sample none;
	struct gap gap;

	table_each(t, check_topic, &seen);
	if (table_failure(t)->reason != REASON_NONE)
		check_gap(table_failure(t));
	if (table_sample(t, group, "no-such-topic", &none, &gap) != REASON_NONE)
		check_gap(&gap);
	sample_fini(&none);
	table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const groups[] = {NULL, "oasis-group", "a group", ""};
	static const int codes[] = {0, -1, 1, 124, 127, 137};
	static const char mark[] = "\n==stderr==\n";
	struct cli_output run = {"", 0, NULL, 0, 0};
	const char *err;

	if (size == 0) {
		check_table(&run, NULL);
		return 0;
	}
	run.exit_code = codes[data[0] % ARRAY_LEN(codes)];
	run.out = (const char *)data + 1;
	run.out_len = size - 1;
	err = memmem(run.out, run.out_len, mark, sizeof(mark) - 1);
	if (err != NULL) {
		run.err = err + sizeof(mark) - 1;
		run.err_len = (size_t)(run.out + run.out_len - run.err);
		run.out_len = (size_t)(err - run.out);
	}
	check_table(&run, groups[data[0] / 8 % ARRAY_LEN(groups)]);
	return 0;
}
