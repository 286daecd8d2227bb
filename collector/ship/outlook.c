/* SPDX-License-Identifier: MIT
 * outlook: see outlook.h. */
#include "ship/outlook.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#include "banned.h"

#define ABOUT "elasticsearch"
#define YEAR_MS (INT64_C(365) * 86400000)

static void log_finding(void *arg, enum finding_level level, const char *subject,
			const char *text)
{
	char about[96];

	(void)arg;
	/* Each subject speaks for itself: lines alike would be held back. */
	snprintf(about, sizeof(about), "%s: %.60s", ABOUT, subject);
	/* Of what is well only this may surprise somebody in a year. */
	if (strcmp(subject, "documents") == 0 && level == FINDING_OK)
		log_info(about, "%s", text);
	else if (level != FINDING_OK)
		log_warn(about, "%s", text);
}

/* What the topics that are seen make of it. */
struct expectation {
	int partitions;
	int64_t lag, documents_a_year;
};

static struct expectation expect(struct board *board)
{
	struct expectation x = {.partitions = 0};
	struct board_views w;

	if (board == NULL)
		return x;
	w = board_look(board);
	for (size_t i = 0; i < w.n; i++) {
		const struct view *v = w.v[i];

		if ((int)v->sample.n > x.partitions)
			x.partitions = (int)v->sample.n;
		if (v->config->partitions > x.partitions)
			x.partitions = (int)v->config->partitions;
		if (v->totals.max > x.lag)
			x.lag = v->totals.max;
		x.documents_a_year += YEAR_MS / v->config->interval_ms;
	}
	board_views_fini(&w);
	return x;
}

int outlook_tell(struct elastic *e, struct board *board, struct err *err)
{
	struct expectation x = expect(board);

	return elastic_look_ahead(e, x.partitions, x.lag, x.documents_a_year,
				  log_finding, NULL, err);
}
