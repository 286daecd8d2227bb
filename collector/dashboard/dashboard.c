/* SPDX-License-Identifier: MIT */
#include "dashboard/dashboard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "dashboard/dashboard_int.h"

#include "banned.h"

/* Dates in the name become *, and one stands at the end: an alias, a data stream and
 * what a roll-over makes are met too. */
static char *pattern_of(const char *index)
{
	struct buf b = BUF_INIT(4096);

	for (; *index != '\0'; index++) {
		const char *end = *index == '{' ? strchr(index, '}') : NULL;

		buf_addch(&b, end != NULL ? '*' : *index);
		if (end != NULL)
			index = end;
	}
	if (b.len == 0 || b.data[b.len - 1] != '*')
		buf_addch(&b, '*');
	return buf_take(&b);
}

void dashboard_init(struct dashboard *d, const struct config *c, int partitions,
		    double limit)
{
	int expected = 0;

	*d = (struct dashboard){.config = c, .limit = limit};
	d->pattern = pattern_of(c->elastic.index != NULL ? c->elastic.index
							 : "consumer_lag");
	for (size_t i = 0; i < c->topic_count; i++) {
		const struct config_topic *t = &c->topics[i];

		if (t->partitions > expected)
			expected = t->partitions;
		d->target |= t->target.set;
		if (t->interval_ms > d->interval_ms)
			d->interval_ms = t->interval_ms;
	}
	d->partitions_known = partitions > 0 || expected > 0;
	d->partitions = partitions > 0 ? partitions
			: expected > 0 ? expected
				       : DASHBOARD_PARTITIONS;
	if (d->partitions > DASHBOARD_PARTITIONS_MAX)
		d->partitions = DASHBOARD_PARTITIONS_MAX;
}

void dashboard_fini(struct dashboard *d)
{
	free(d->pattern);
	d->pattern = NULL;
}

void json_put(struct jsonw *w, const char *json)
{
	jsonw_raw(w, json, strlen(json));
}

void json_key_put(struct jsonw *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	json_put(w, json);
}

void json_key_text(struct jsonw *w, const char *key, struct buf *json)
{
	jsonw_key(w, key);
	jsonw_strn(w, buf_str(json), json->len);
	w->out->failed |= json->failed;
	buf_reset(json);
}

void put_duration(struct buf *out, int64_t ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ms > 0 && ms % units[i].ms == 0) {
			buf_printf(out, "%" PRId64 "%s", ms / units[i].ms,
				   units[i].unit);
			return;
		}
	buf_printf(out, "%" PRId64 "ms", ms);
}
