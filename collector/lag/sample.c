/* SPDX-License-Identifier: MIT */
#include "lag/sample.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "banned.h"

void sample_fini(struct sample *s)
{
	free(s->rows);
	*s = (struct sample)SAMPLE_INIT;
}

struct sample sample_copy(const struct sample *s)
{
	struct sample copy = *s;

	copy.rows = NULL;
	if (s->n > 0) {
		copy.rows = mem_calloc(s->n, sizeof(*copy.rows));
		memcpy(copy.rows, s->rows, s->n * sizeof(*copy.rows));
	}
	return copy;
}

struct lag_totals sample_totals(const struct sample *s)
{
	struct lag_totals t = {0, 0, INT64_MIN, -1};
	__int128 sum =
		0; /* so that the order of the rows does not matter at the ends */

	for (size_t i = 0; i < s->n; i++) {
		const struct partition *p = &s->rows[i];

		if (!p->has_lag)
			continue;
		t.with_lag++;
		sum += p->lag;
		if (t.with_lag == 1 || p->lag > t.max) {
			t.max = p->lag;
			t.max_partition = p->number;
		}
	}
	if (t.with_lag == 0)
		t.max = 0;
	t.sum = sum > INT64_MAX   ? INT64_MAX
		: sum < INT64_MIN ? INT64_MIN
				  : (int64_t)sum;
	return t;
}

const char *group_state_name(enum group_state s)
{
	switch (s) {
	case GROUP_STABLE:
		return "stable";
	case GROUP_REBALANCING:
		return "rebalancing";
	case GROUP_EMPTY:
		return "empty";
	case GROUP_UNKNOWN:
		break;
	}
	return "unknown";
}

bool topic_name_valid(const char *name, size_t len)
{
	if (len == 0 || len > TOPIC_NAME_MAX)
		return false;
	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}
