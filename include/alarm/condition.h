/* SPDX-License-Identifier: MIT
 * condition: what the views say that is worth an alert: each rule looked at, whether it
 * holds, and what there is to say. Remembers nothing (that is lag/alert's part). Pure.
 */
#ifndef MMLAG_ALARM_CONDITION_H
#define MMLAG_ALARM_CONDITION_H

#include "board/board.h"
#include "lag/alert.h"
#include "lag/objective.h"
#include "follow/brokers.h"
#include "store/store.h"

#define CONDITION_MESSAGE_MAX 512

/* One rule, looked at once. Strings and partitions are borrowed for the call; those
 * that name it are never NULL, "" for none. */
struct condition {
	const char *rule;
	enum severity severity;
	const char *cluster, *group, *topic, *host;
	const char *at; /* host where it was seen */
	enum alert_fact fact;
	struct alert_policy policy;
	struct wall since; /* it holds since, 0 not known */
	const int32_t *partitions;
	size_t partition_count;
	const struct sample *lags;           /* what is judged; NULL: something else */
	double value;                        /* NAN none */
	char message[CONDITION_MESSAGE_MAX]; /* of worth while it holds or is between */
};

/* Called for each rule that was looked at.  @thread the caller's */
typedef void condition_each(void *arg, const struct condition *c);

/* What is looked at beside the views. */
struct condition_facts {
	struct mono mono;
	struct wall wall;
	bool builtin;                     /* alerts.builtin */
	bool ships;                       /* there is an elasticsearch section */
	const struct store_status *store; /* NULL: not known */
};

/* Look at every rule that applies to these views. A view that has no configuration is
 * looked at by the built-in rules only.
 * @thread any */
void condition_look(const struct board_views *views, const struct condition_facts *f,
		    condition_each *each, void *arg);

/* The objective of one view's topic, which has one, by the sums of its span.
 * @thread any */
void condition_objective(const struct view *v, struct objective_sums sums,
			 condition_each *each, void *arg);

/* For condition_look: the thresholds of a view's topic, and of all groups.
 * @thread any */
void condition_thresholds(const struct view *v, condition_each *each, void *arg);
void condition_group_thresholds(const struct board_views *views, condition_each *each,
				void *arg);

/* An entry of `brokers:`, named as the host: the rules brokers_low and brokers_nodata.
 * @thread any */
void condition_brokers(const struct brokers_status *s, condition_each *each, void *arg);

/* A condition of this topic, or of its group, with nothing said yet.  @thread any */
struct condition condition_of_topic(const struct view *v, const char *rule,
				    enum severity severity);
struct condition condition_of_group(const struct view *v, const char *rule,
				    enum severity severity);

#endif
