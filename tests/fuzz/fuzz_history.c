/* SPDX-License-Identifier: MIT
 * fuzz_history: any bytes as points and as a gap. What is read is written and read
 * again as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "support/history_kit.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_points(const uint8_t *data, size_t size)
{
	struct history_points h = {NULL, 0, 0}, again = {NULL, 0, 0};
	struct buf b = BUF_INIT(SIZE_MAX / 2);

	if (history_decode(data, size, &h) != 0) {
		assert(h.n == 0);
		history_points_fini(&h);
		return;
	}
	assert(h.n <= size);
	history_encode(&h, &b);
	assert(history_decode(b.data, b.len, &again) == 0 && again.n == h.n);
	for (size_t i = 0; i < h.n; i++)
		assert(kit_same_point(&h.v[i], &again.v[i]));
	history_thin(&again, 60000);
	assert(again.n <= h.n);
	buf_free(&b);
	history_points_fini(&h);
	history_points_fini(&again);
}

static void try_gap(const uint8_t *data, size_t size)
{
	struct history_gap g, again;
	struct buf b = BUF_INIT(1000);

	if (history_decode_gap(data, size, (struct wall){1}, &g) == 0) {
		history_encode_gap(&g, &b);
		assert(history_decode_gap(b.data, b.len, g.from, &again) == 0);
		assert(g.until.ms == again.until.ms);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_points(data, size);
	try_gap(data, size);
	return 0;
}
