/* SPDX-License-Identifier: MIT
 * fuzz_line: any bytes as one line. What is read back in the canonical form is the
 * same sample. */
#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "lag/line.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_value(struct buf *b, bool has, int64_t v)
{
	if (has)
		buf_printf(b, ":%" PRId64, v);
	else
		buf_addstr(b, ":-");
}

static void put_quads(struct buf *b, const struct sample *s)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct partition *p = &s->rows[i];

		buf_printf(b, "%s%d", i == 0 ? "" : " ", (int)p->number);
		put_value(b, p->has_committed, p->committed);
		put_value(b, p->has_end, p->end);
		put_value(b, p->has_lag, p->lag);
	}
}

static void check_same(const struct sample *a, const struct sample *b)
{
	assert(a->n == b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert(a->rows[i].number == b->rows[i].number);
		assert(i == 0 || a->rows[i].number > a->rows[i - 1].number);
		assert(a->rows[i].has_lag == b->rows[i].has_lag);
		assert(!a->rows[i].has_lag || a->rows[i].lag == b->rows[i].lag);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf quads = BUF_INIT(SIZE_MAX / 2);
	struct sample first, again;
	struct gap gap;
	enum reason r = line_read((const char *)data, size, 0, &first, &gap);

	if (r != REASON_NONE) {
		assert(r == gap.reason && gap.message[0] != '\0' && first.n == 0);
		assert(r == REASON_NO_OFFSETS || r == REASON_BAD_OUTPUT);
		return 0;
	}
	assert(first.n > 0);
	put_quads(&quads, &first);
	assert(line_read(quads.data, quads.len, 1, &again, &gap) == REASON_NONE);
	check_same(&first, &again);
	buf_free(&quads);
	sample_fini(&first);
	sample_fini(&again);
	return 0;
}
