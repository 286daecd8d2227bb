/* SPDX-License-Identifier: MIT
 * fuzz_answer: any bytes as an answer of Prometheus, and the rates worked out of it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "prom/rates.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void work_out(const struct prom_answer *a, int by)
{
	const struct rates_limits limits = {100, 0.5, 3};
	struct rates r;
	struct err err = ERR_INIT;

	if (rates_read(a, by & 1, by & 2, &limits, &r, &err) != 0)
		return;
	assert(r.n <= a->n && r.brokers <= a->n && r.not_finite <= a->n);
	assert(!rates_any(&r) || r.n > 0);
	assert(isnan(r.mean) || r.min <= r.max);
	rates_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prom_answer a;
	struct err err = ERR_INIT;
	int rc = prom_answer_read((const char *)data, size, &a, &err);

	assert(rc == 0 || (rc == ERR_REJECT && *err.text != '\0'));
	assert(rc == 0 || (a.n == 0 && a.series == NULL));
	for (size_t i = 0; i < a.n; i++)
		for (size_t j = 0; j < a.series[i].n_labels; j++)
			assert(prom_label(&a.series[i], a.series[i].labels[j].name) !=
			       NULL);
	for (int by = 0; rc == 0 && by < 4; by++)
		work_out(&a, by);
	prom_answer_fini(&a);
	return 0;
}
