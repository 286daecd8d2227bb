/* SPDX-License-Identifier: MIT
 * fuzz_ends: any bytes as what the tool for log ends printed; the first one says with
 * which exit code. What is told is a sum or a reason, and the same from behind. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "lag/ends.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int codes[] = {0, 1, 124, 127, 137, -1};

static void check_topic(const struct ends *e, const char *topic)
{
	int64_t sum;
	int32_t partitions;
	struct gap gap;
	enum reason r = ends_sum(e, topic, &sum, &partitions, &gap);

	assert(r == gap.reason && r < REASON_COUNT);
	assert(r == REASON_NONE ? partitions > 0 && sum >= 0 : gap.message[0] != '\0');
	assert(ends_gap(e)->reason == REASON_NONE || r == ends_gap(e)->reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int code = size > 0 ? codes[data[0] % (sizeof(codes) / sizeof(codes[0]))] : 0;
	const char *text = (const char *)data + (size > 0);
	size_t len = size - (size > 0), name = 0;
	struct ends *e = ends_read(text, len, code);
	char *first;

	while (name < len && text[name] != ':' && text[name] != '\0' &&
	       text[name] != '\n')
		name++;
	first = mem_strndup(text, name);
	check_topic(e, "t");
	check_topic(e, first);
	free(first);
	ends_free(e);
	return 0;
}
