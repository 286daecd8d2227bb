/* SPDX-License-Identifier: MIT
 * fuzz_window: any bytes as a kept window, with a checksum that fits. What is taken up
 * can be fed, judged and kept again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "lag/window.h"

#include "banned.h"

#define NOW_MS 1000000000
#define HEAD 9

static const struct wall wall = {INT64_C(1795000600000)};
static const struct assess_rules rules = ASSESS_RULES_DEFAULT;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void live_on(struct assess *a)
{
	struct partition rows[] = {
		{.number = 0,
		 .has_committed = true,
		 .has_end = true,
		 .has_lag = true,
		 .committed = 100,
		 .end = 200,
		 .lag = 100},
		{.number = 3, .has_lag = true, .lag = 5},
	};
	struct mono now = {(NOW_MS + 10000) * INT64_C(1000000)};
	struct sample s = SAMPLE_INIT;
	struct partition_state p;
	struct buf kept = BUF_INIT(SIZE_MAX / 2);

	s.rows = rows;
	s.n = 2;
	assess_feed(a, &s, now);
	assert(assess_look(a, now).status <= VERDICT_ERR);
	assert(assess_partition(a, 3, &p));
	window_save(a, &(struct window_word){VERDICT_OK, wall}, "t", now,
		    (struct wall){wall.ms + 10000}, &kept);
	buf_free(&kept);
}

static void take_up(unsigned char form, const uint8_t *data, size_t size)
{
	unsigned char *bytes = mem_calloc(size + HEAD, 1);
	uint64_t sum = hash_fnv64(data, size, hash_fnv64("t", 1, form));
	struct window_word word = {VERDICT_OK, {0}};
	struct assess *a = assess_new(&rules);

	bytes[0] = form;
	for (unsigned i = 0; i < 8; i++)
		bytes[1 + i] = (unsigned char)(sum >> (8 * i) & 255);
	if (size > 0)
		memcpy(bytes + HEAD, data, size);
	if (window_restore(a, &word, "t", bytes, size + HEAD,
			   (struct mono){NOW_MS * INT64_C(1000000)}, wall) == 0)
		live_on(a);
	assert(word.since.ms <= wall.ms + 1000 && word.status <= VERDICT_NODATA);
	assess_free(a);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	take_up(1, data, size);
	take_up(3, data, size); /* begins with the last word */
	return 0;
}
