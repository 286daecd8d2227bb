/* SPDX-License-Identifier: MIT
 * condition: see condition.h. What is not known (no sample yet, no data, a window that
 * is not full) is told as unknown, so that a restart or a gap ends no alert. */
#include "alarm/condition.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/config.h"

#include "banned.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)
#define HOLD_MS MINUTE
#define KEEP_MS HOUR
#define NO_DATA_MS (3 * MINUTE)
#define HOST_DOWN_MS (2 * MINUTE)
#define WARN_MS (3 * MINUTE)
#define COUNT_MS (3 * MINUTE)
#define OWNER_MS (5 * MINUTE)
#define DELIVERY_MS (3 * MINUTE)
#define DELIVERY_SHARE 10 /* a tenth: looks at the two sides are not simultaneous */
#define UNREAD_MS (15 * MINUTE)
#define REBALANCE_MS (5 * MINUTE)
#define SPOOL_OLD_MS (15 * MINUTE)
#define OLD_SAMPLE_MS (5 * MINUTE)

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct condition condition_of_topic(const struct view *v, const char *rule,
				    enum severity severity)
{
	return (struct condition){.rule = rule,
				  .severity = severity,
				  .cluster = v->name.cluster,
				  .group = v->name.group,
				  .topic = *v->name.topic != '\0' ? v->name.topic
								  : v->name.match,
				  .host = "",
				  .at = v->name.host,
				  .policy = {0, HOLD_MS, KEEP_MS},
				  .value = NAN};
}

struct condition condition_of_group(const struct view *v, const char *rule,
				    enum severity severity)
{
	struct condition c = condition_of_topic(v, rule, severity);

	c.topic = "";
	return c;
}

static bool has_sample(const struct view *v)
{
	return v->sample.taken.ms != 0;
}

static bool has_data(const struct view *v)
{
	return has_sample(v) && v->gap.reason == REASON_NONE;
}

static bool host_failed(const struct view *v)
{
	return v->gap.reason != REASON_NONE && reason_is_host(v->gap.reason);
}

/* Verdicts */

/* The partitions with this verdict, into `list`. */
static size_t with_verdict(const struct view *v, enum verdict verdict, int32_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < v->sample.n; i++)
		if (v->partitions[i].verdict == verdict)
			list[n++] = v->partitions[i].number;
	return n;
}

/* Is there a partition with a lag on which judgement is suspended? It is while the
 * window fills, after a restart above all, as long as no offset was seen to move. */
static bool is_undecided(const struct view *v)
{
	int64_t allowed = v->config != NULL ? v->config->rules.allowed_lag : 0;

	for (size_t i = 0; i < v->sample.n; i++) {
		const struct partition_state *p = &v->partitions[i];

		if (!v->sample.rows[i].has_lag || v->sample.rows[i].lag <= allowed)
			continue;
		if (p->rule == RULE_INCOMPLETE ||
		    (p->complete < 0.99 && p->n_commits <= 1))
			return true;
	}
	return false;
}

static int64_t lag_of(const struct view *v, const int32_t *list, size_t n)
{
	int64_t sum = 0;

	for (size_t i = 0, k = 0; i < v->sample.n && k < n; i++) {
		if (v->partitions[i].number != list[k])
			continue;
		k++;
		if (v->sample.rows[i].has_lag &&
		    __builtin_add_overflow(sum, v->sample.rows[i].lag, &sum))
			sum = INT64_MAX;
	}
	return sum;
}

/* How long the most silent of them have stood. */
static int64_t unchanged_of(const struct view *v, const int32_t *list, size_t n)
{
	int64_t ms = 0;

	for (size_t i = 0, k = 0; i < v->sample.n && k < n; i++)
		if (v->partitions[i].number == list[k]) {
			ms = most(ms, v->partitions[i].unchanged_ms);
			k++;
		}
	return ms;
}

static const struct verdict_rule {
	enum verdict verdict;
	enum rule rule;
	enum severity severity;
	int64_t for_ms;
	const char *says;
} verdict_rules[] = {
	{VERDICT_STOP, RULE_STOPPED, SEVERITY_CRITICAL, 0,
	 "nobody owns them and nothing is committed: is the mirror running?"},
	{VERDICT_STALL, RULE_STALLED, SEVERITY_CRITICAL, 0,
	 "owned, but the offset stands still while messages wait"},
	{VERDICT_REWIND, RULE_REWOUND, SEVERITY_WARNING, 0,
	 "the offset went back: messages are mirrored twice"},
	{VERDICT_WARN, RULE_LAG_NOT_FALLING, SEVERITY_INFO, WARN_MS,
	 "moves, but the lag does not fall"},
};

static void look_verdict(const struct view *v, const struct verdict_rule *r,
			 int32_t *list, condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, rule_name(r->rule), r->severity);
	int64_t window = v->config != NULL ? v->config->rules.window_ms : 10 * MINUTE;

	c.policy.for_ms = r->for_ms;
	c.policy.hold_ms = least(HOLD_MS, window);
	c.policy.keep_ms = most(KEEP_MS, 2 * window);
	c.lags = &v->sample;
	if (!has_data(v)) {
		c.fact = FACT_UNKNOWN;
		each(arg, &c);
		return;
	}
	c.partition_count = with_verdict(v, r->verdict, list);
	c.partitions = list;
	c.fact = c.partition_count > 0 ? FACT_HOLDS
		 : is_undecided(v)     ? FACT_UNKNOWN
				       : FACT_AWAY;
	if (c.fact == FACT_HOLDS) {
		int64_t lag = lag_of(v, list, c.partition_count);

		c.value = (double)lag;
		snprintf(c.message, sizeof(c.message),
			 "%zu of %zu partitions %s: %s; lag %" PRId64
			 ", unchanged for %" PRId64 " s",
			 c.partition_count, v->sample.n, verdict_name(r->verdict),
			 r->says, lag, unchanged_of(v, list, c.partition_count) / 1000);
	}
	each(arg, &c);
}

static void look_owners(const struct view *v, int32_t *list, condition_each *each,
			void *arg)
{
	struct condition c = condition_of_topic(v, "no_owner", SEVERITY_WARNING);

	c.policy.for_ms = OWNER_MS;
	if (!has_data(v) || !v->sample.knows_members) {
		c.fact = FACT_UNKNOWN;
		each(arg, &c);
		return;
	}
	/* A group without members is stopped, and one that rebalances has a moment's
	 * grace: both have rules of their own. */
	for (size_t i = 0; v->sample.members > 0 && i < v->sample.n; i++)
		if (v->partitions[i].ownerless)
			list[c.partition_count++] = v->partitions[i].number;
	c.partitions = list;
	c.fact = c.partition_count > 0 ? FACT_HOLDS : FACT_AWAY;
	if (c.fact == FACT_HOLDS && v->sample.state == GROUP_REBALANCING)
		c.fact = FACT_UNKNOWN;
	c.value = (double)c.partition_count;
	snprintf(c.message, sizeof(c.message),
		 "%zu of %zu partitions have no owner in a group of %" PRId32
		 " members",
		 c.partition_count, v->sample.n, v->sample.members);
	each(arg, &c);
}

static void look_count(const struct view *v, condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, "partition_count", SEVERITY_WARNING);
	int want = v->config != NULL ? v->config->partitions : 0;

	if (want == 0)
		return;
	c.policy.for_ms = COUNT_MS;
	c.fact = !has_data(v)                  ? FACT_UNKNOWN
		 : v->sample.n == (size_t)want ? FACT_AWAY
					       : FACT_HOLDS;
	c.value = (double)v->sample.n;
	snprintf(c.message, sizeof(c.message),
		 "%zu partitions are listed and %d expected", v->sample.n, want);
	each(arg, &c);
}

/* What the mirror committed in the window, and the target never got. */
static void look_delivery(const struct view *v, condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, "not_delivered", SEVERITY_WARNING);
	const struct delivered *d = &v->assessment.delivered;

	if (!d->asked)
		return;
	c.policy.for_ms = DELIVERY_MS;
	if (!has_data(v) || !d->known || d->missing < 0) {
		c.fact = FACT_UNKNOWN;
		each(arg, &c);
		return;
	}
	c.fact = d->missing > d->consumed / DELIVERY_SHARE ? FACT_HOLDS : FACT_AWAY;
	c.value = (double)d->missing;
	snprintf(c.message, sizeof(c.message),
		 "%" PRId64 " of %" PRId64
		 " messages that the mirror committed did not arrive at the target",
		 d->missing, d->consumed);
	each(arg, &c);
}

/* Nobody would hear of it if nothing arrived there. */
static void look_target(const struct view *v, condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, "target_unread", SEVERITY_WARNING);
	const struct delivered *d = &v->assessment.delivered;

	if (!d->asked)
		return;
	c.policy.for_ms = UNREAD_MS;
	c.fact = !has_data(v)                   ? FACT_UNKNOWN
		 : d->gap.reason != REASON_NONE ? FACT_HOLDS
						: FACT_AWAY;
	if (c.fact == FACT_HOLDS)
		snprintf(c.message, sizeof(c.message),
			 "what arrives at the target is not known: %s: %s",
			 reason_name(d->gap.reason), d->gap.message);
	each(arg, &c);
}

static void look_age(const struct view *v, const struct condition_facts *f,
		     condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, "old_sample", SEVERITY_WARNING);
	int64_t age = mono_diff_ms(f->mono, v->sample_seen), bound = OLD_SAMPLE_MS;

	if (v->config != NULL)
		bound = most(bound, most(10 * v->config->interval_ms,
					 2 * v->config->timeout_ms));
	c.fact = !has_data(v) ? FACT_UNKNOWN : age >= bound ? FACT_HOLDS : FACT_AWAY;
	c.value = (double)age;
	snprintf(c.message, sizeof(c.message),
		 "the last sample is %" PRId64 " s old, and no reason is known",
		 age / 1000);
	each(arg, &c);
}

static void look_no_data(const struct view *v, bool host_is_down, condition_each *each,
			 void *arg)
{
	struct condition c = condition_of_topic(v, "no_data", SEVERITY_CRITICAL);

	c.policy.for_ms = NO_DATA_MS;
	if (v->gap.reason == REASON_NONE) {
		c.fact = has_sample(v) ? FACT_AWAY : FACT_UNKNOWN;
	} else if (host_is_down) {
		c.fact = FACT_UNKNOWN; /* the host's alert stands for it */
	} else {
		c.fact = FACT_HOLDS;
		/* When a host comes back, its topics come one after the other. */
		if (!host_failed(v))
			c.since = v->gap_since;
		snprintf(c.message, sizeof(c.message), "no data: %s: %s",
			 reason_name(v->gap.reason), v->gap.message);
	}
	each(arg, &c);
}

/* Hosts */

static int by_host(const void *a, const void *b)
{
	const struct view *const *left = a, *const *right = b;

	return strcmp((*left)->name.host, (*right)->name.host);
}

/* Views [from, to) are those of one host: is it down for all of them? */
static void look_host(const struct view *const *v, size_t n, condition_each *each,
		      void *arg)
{
	struct condition c = condition_of_topic(v[0], "host_down", SEVERITY_CRITICAL);
	size_t down = 0, with_data = 0;

	c.cluster = c.group = c.topic = "";
	c.host = v[0]->name.host;
	c.policy.for_ms = HOST_DOWN_MS;
	for (size_t i = 0; i < n; i++) {
		down += host_failed(v[i]);
		with_data += has_data(v[i]) ||
			     (v[i]->gap.reason != REASON_NONE && !host_failed(v[i]));
		if (host_failed(v[i]))
			c.since.ms = most(c.since.ms, v[i]->gap_since.ms);
	}
	c.fact = down == n ? FACT_HOLDS : with_data > 0 ? FACT_AWAY : FACT_UNKNOWN;
	c.value = (double)n;
	if (c.fact == FACT_HOLDS)
		snprintf(c.message, sizeof(c.message),
			 "no data from the host, %zu topic%s: %s: %s", n,
			 n == 1 ? "" : "s", reason_name(v[0]->gap.reason),
			 v[0]->gap.message);
	each(arg, &c);
}

/* All hosts, and the rule that stands back behind them. */
static void look_hosts(const struct board_views *views, condition_each *each, void *arg)
{
	const struct view **v = mem_calloc(views->n + 1, sizeof(struct view *));

	memcpy(v, views->v, views->n * sizeof(struct view *));
	qsort(v, views->n, sizeof(struct view *), by_host);
	for (size_t from = 0, to; from < views->n; from = to) {
		size_t down = 0;
		bool named = *v[from]->name.host != '\0';

		for (to = from; to < views->n && by_host(&v[from], &v[to]) == 0; to++)
			down += host_failed(v[to]);
		if (named)
			look_host(v + from, to - from, each, arg);
		for (size_t i = from; i < to; i++)
			look_no_data(v[i], named && down == to - from, each, arg);
	}
	free(v);
}

/* Groups */

static bool same_group(const struct view *a, const struct view *b)
{
	return strcmp(a->name.cluster, b->name.cluster) == 0 &&
	       strcmp(a->name.group, b->name.group) == 0;
}

static void look_rebalancing(const struct view *const *v, size_t n,
			     condition_each *each, void *arg)
{
	struct condition c = condition_of_group(v[0], "rebalancing", SEVERITY_WARNING);
	size_t known = 0, rebalancing = 0;

	c.policy.for_ms = REBALANCE_MS;
	for (size_t i = 0; i < n; i++) {
		known += has_data(v[i]) && v[i]->sample.state != GROUP_UNKNOWN;
		rebalancing +=
			has_data(v[i]) && v[i]->sample.state == GROUP_REBALANCING;
	}
	c.fact = rebalancing > 0 ? FACT_HOLDS : known > 0 ? FACT_AWAY : FACT_UNKNOWN;
	snprintf(c.message, sizeof(c.message),
		 "the group has been rebalancing for long: members come and go, or "
		 "one does not answer");
	each(arg, &c);
}

static void look_groups(const struct board_views *views, condition_each *each,
			void *arg)
{
	for (size_t from = 0, to; from < views->n; from = to) {
		for (to = from + 1;
		     to < views->n && same_group(views->v[from], views->v[to]);)
			to++;
		look_rebalancing(views->v + from, to - from, each, arg);
	}
}

/* Ourselves */

static struct condition of_us(const char *rule)
{
	return (struct condition){.rule = rule,
				  .severity = SEVERITY_WARNING,
				  .cluster = "",
				  .group = "",
				  .topic = "",
				  .host = "",
				  .at = "",
				  .policy = {0, HOLD_MS, KEEP_MS},
				  .value = NAN};
}

/* What befell the file itself. */
static void look_file(const struct store_status *s, condition_each *each, void *arg)
{
	struct condition memory = of_us("spool_in_memory");
	struct condition aside = of_us("spool_set_aside");

	memory.fact = s->degraded ? FACT_HOLDS : FACT_AWAY;
	snprintf(memory.message, sizeof(memory.message),
		 "documents wait in memory, and would be lost with this process: %s",
		 s->trouble);
	each(arg, &memory);
	aside.fact = *s->set_aside != '\0' ? FACT_HOLDS : FACT_AWAY;
	snprintf(aside.message, sizeof(aside.message),
		 "the spool's file could not be used and lies in %s: see `mmlag spool "
		 "import`; this ends with the next start",
		 s->set_aside);
	each(arg, &aside);
}

static void look_store(const struct condition_facts *f, condition_each *each, void *arg)
{
	struct condition dead = of_us("dead_letters"), old = of_us("spool_old");
	const struct store_status *s = f->store;
	int64_t age = s->documents > 0 ? f->wall.ms - s->oldest.ms : 0;

	dead.fact = s->dead > 0 ? FACT_HOLDS : FACT_AWAY;
	dead.value = (double)s->dead;
	snprintf(dead.message, sizeof(dead.message),
		 "%" PRId64 " document%s refused for good and kept as %s: see "
		 "`mmlag spool dead`",
		 s->dead, s->dead == 1 ? " was" : "s were",
		 s->dead == 1 ? "a dead letter" : "dead letters");
	each(arg, &dead);
	look_file(s, each, arg);
	if (!f->ships)
		return;
	old.fact = age >= SPOOL_OLD_MS ? FACT_HOLDS : FACT_AWAY;
	old.value = (double)age;
	snprintf(old.message, sizeof(old.message),
		 "%" PRId64 " documents wait for Elasticsearch, the oldest for %" PRId64
		 " min",
		 s->documents, age / MINUTE);
	each(arg, &old);
}

void condition_objective(const struct view *v, struct objective_sums sums,
			 condition_each *each, void *arg)
{
	struct condition c = condition_of_topic(v, "objective", SEVERITY_WARNING);
	const struct config_topic *t = v->config;
	int64_t total = sums.within_ms + sums.beyond_ms;
	double budget = (1 - t->objective.share) * (double)t->objective.over_ms;

	/* It is missed when the rest of the span could not mend it any more. */
	c.fact = total == 0                        ? FACT_UNKNOWN
		 : (double)sums.beyond_ms > budget ? FACT_HOLDS
						   : FACT_AWAY;
	if (total > 0)
		c.value = 100.0 * (double)sums.within_ms / (double)total;
	snprintf(c.message, sizeof(c.message),
		 "a partition's lag was above %" PRId64 " for %" PRId64
		 " min, and %.0f min in %" PRId64 " h are allowed (kept %.3f %%, "
		 "objective %.3f %%)",
		 t->objective.lag_max, sums.beyond_ms / MINUTE, budget / (double)MINUTE,
		 t->objective.over_ms / HOUR, c.value, 100 * t->objective.share);
	each(arg, &c);
}

void condition_look(const struct board_views *views, const struct condition_facts *f,
		    condition_each *each, void *arg)
{
	size_t rows = 1;
	int32_t *list;

	for (size_t i = 0; i < views->n; i++)
		rows = views->v[i]->sample.n > rows ? views->v[i]->sample.n : rows;
	list = mem_calloc(rows, sizeof(*list));
	for (size_t i = 0; i < views->n; i++) {
		const struct view *v = views->v[i];

		condition_thresholds(v, each, arg);
		if (!f->builtin)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(verdict_rules); k++)
			look_verdict(v, &verdict_rules[k], list, each, arg);
		look_owners(v, list, each, arg);
		look_count(v, each, arg);
		look_age(v, f, each, arg);
		look_delivery(v, each, arg);
		look_target(v, each, arg);
	}
	free(list);
	condition_group_thresholds(views, each, arg);
	if (!f->builtin)
		return;
	look_hosts(views, each, arg);
	look_groups(views, each, arg);
	if (f->store != NULL)
		look_store(f, each, arg);
}
