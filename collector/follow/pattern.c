/* SPDX-License-Identifier: MIT */
#include "follow/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/match.h"

#include "banned.h"

struct pattern {
	regex_t own;
	bool usable;
	regex_t *before; /* patterns of the same group that stand before this one */
	size_t n_before, cap_before;
	const char **names; /* what entries of the same group name, sorted */
	size_t n_names, cap_names;
};

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_before(struct pattern *p, const char *match)
{
	struct err err = ERR_INIT;

	MEM_GROW(p->before, p->n_before, p->cap_before);
	if (match_compile(&p->before[p->n_before], match, &err) == 0)
		p->n_before++;
}

struct pattern *pattern_new(const struct config *c, const struct config_topic *t)
{
	struct pattern *p = mem_calloc(1, sizeof(*p));
	struct err err = ERR_INIT;

	/* The configuration has compiled it before; what fails now is memory. */
	p->usable = match_compile(&p->own, t->match, &err) == 0;
	for (size_t i = 0; i < c->topic_count; i++) {
		const struct config_topic *other = &c->topics[i];

		if (other == t || !same(other->cluster, t->cluster) ||
		    !same(other->group, t->group))
			continue;
		if (other->name != NULL) {
			MEM_GROW(p->names, p->n_names, p->cap_names);
			p->names[p->n_names++] = other->name;
		} else if (other < t && other->match != NULL) {
			add_before(p, other->match);
		}
	}
	if (p->n_names > 1)
		qsort(p->names, p->n_names, sizeof(*p->names), by_text);
	return p;
}

void pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	if (p->usable)
		regfree(&p->own);
	for (size_t i = 0; i < p->n_before; i++)
		regfree(&p->before[i]);
	free(p->before);
	free(p->names);
	free(p);
}

bool pattern_takes(const struct pattern *p, const char *topic)
{
	if (!p->usable || regexec(&p->own, topic, 0, NULL, 0) != 0)
		return false;
	if (p->n_names > 0 &&
	    bsearch(&topic, p->names, p->n_names, sizeof(*p->names), by_text) != NULL)
		return false;
	for (size_t i = 0; i < p->n_before; i++)
		if (regexec(&p->before[i], topic, 0, NULL, 0) == 0)
			return false;
	return true;
}
