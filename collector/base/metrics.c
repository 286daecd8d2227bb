/* SPDX-License-Identifier: MIT */
#include "base/metrics.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "banned.h"

static atomic_llong values[METRIC_COUNT];

const struct metric_info metric_info[METRIC_COUNT] = {
#define METRIC_ROW(symbol, family, labels, type, help) {family, labels, type, help},
	METRICS(METRIC_ROW)
#undef METRIC_ROW
};

void metrics_add(enum metric m, int64_t n)
{
	atomic_fetch_add_explicit(&values[m], n, memory_order_relaxed);
}

void metrics_set(enum metric m, int64_t value)
{
	atomic_store_explicit(&values[m], value, memory_order_relaxed);
}

int64_t metrics_get(enum metric m)
{
	return atomic_load_explicit(&values[m], memory_order_relaxed);
}

void metrics_reset(void)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		metrics_set((enum metric)m, 0);
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_seconds(const char *family)
{
	return ends_with(family, "_seconds") || ends_with(family, "_seconds_total");
}

void metrics_write(struct buf *out)
{
	const char *family = "";

	for (int m = 0; m < METRIC_COUNT; m++) {
		const struct metric_info *i = &metric_info[m];

		if (strcmp(family, i->family) != 0) {
			family = i->family;
			buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family, i->help,
				   family, i->type);
		}
		buf_addstr(out, family);
		if (*i->labels != '\0')
			buf_printf(out, "{%s}", i->labels);
		if (is_seconds(family))
			buf_printf(out, " %.3f\n",
				   (double)metrics_get((enum metric)m) / 1000);
		else
			buf_printf(out, " %lld\n",
				   (long long)metrics_get((enum metric)m));
	}
}
