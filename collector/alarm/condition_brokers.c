/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>

#include "alarm/condition.h"

#include "banned.h"

#define HOLD_MS INT64_C(60000)
#define KEEP_MS INT64_C(3600000)

static struct condition condition_of(const struct brokers_status *s, const char *rule)
{
	struct condition c = {.rule = rule,
			      .severity = SEVERITY_WARNING,
			      .cluster = "",
			      .group = "",
			      .topic = "",
			      .host = s->config->name,
			      .at = "",
			      .policy = {s->config->for_ms, HOLD_MS, KEEP_MS},
			      .value = (double)NAN};

	snprintf(c.message, sizeof(c.message), "%s: %s", s->config->name, s->message);
	return c;
}

void condition_brokers(const struct brokers_status *s, condition_each *each, void *arg)
{
	struct condition low = condition_of(s, "brokers_low");
	struct condition none = condition_of(s, "brokers_nodata");

	switch (s->state) {
	case BROKERS_OK:
		low.fact = none.fact = FACT_AWAY;
		break;
	case BROKERS_LOW:
		low.fact = FACT_HOLDS;
		low.since = s->since;
		low.value = s->mean;
		none.fact = FACT_AWAY;
		break;
	case BROKERS_NODATA: /* whether the rate is low is not known */
		none.fact = FACT_HOLDS;
		none.since = s->since;
		break;
	case BROKERS_UNKNOWN:
		break;
	}
	each(arg, &low);
	each(arg, &none);
}
