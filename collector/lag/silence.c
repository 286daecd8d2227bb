/* SPDX-License-Identifier: MIT */
#include "lag/silence.h"

#include <stdlib.h>
#include <string.h>

#include "banned.h"

void silence_fini(struct silence *s)
{
	free(s->id);
	free(s->cluster);
	free(s->group);
	free(s->topic);
	free(s->host);
	free(s->rule);
	free(s->comment);
	free(s->by);
	*s = (struct silence){.id = NULL};
}

static bool fits(const char *wanted, const char *is)
{
	return wanted == NULL || strcmp(wanted, is) == 0;
}

bool silence_covers(const struct silence *s, const struct silence_subject *what,
		    struct wall now)
{
	return now.ms < s->until.ms && fits(s->cluster, what->cluster) &&
	       fits(s->group, what->group) && fits(s->topic, what->topic) &&
	       fits(s->host, what->host) && fits(s->rule, what->rule);
}
