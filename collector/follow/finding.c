/* SPDX-License-Identifier: MIT
 * finding: see finding.h. */
#include "follow/finding.h"

#include <stdlib.h>

#include "base/mem.h"

#include "banned.h"

char *finding_name(const struct config_topic *t, const char *name)
{
	const char *own = name != NULL ? name : t->match != NULL ? t->match : t->name;

	return mem_printf("%s%s%s%s%s%s", t->says_cluster ? t->cluster : "",
			  t->says_cluster ? "/" : "", own, t->says_group ? " (" : "",
			  t->says_group ? t->group : "", t->says_group ? ")" : "");
}

struct finding *findings_add(struct findings *f, const struct config_topic *t,
			     const char *name)
{
	if (f->n == f->cap) { /* from one on: a thousand streams have one topic each */
		f->cap = f->cap == 0 ? 1 : f->cap * 2;
		f->v = mem_realloc(f->v, f->cap, sizeof(*f->v));
	}
	f->v[f->n] = (struct finding){.topic = t, .name = finding_name(t, name)};
	return &f->v[f->n++];
}

void findings_reset(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		document_fini(&f->v[i].document);
		free(f->v[i].name);
		free(f->v[i].notice);
		history_point_fini(&f->v[i].point);
	}
	f->n = 0;
}

void findings_fini(struct findings *f)
{
	findings_reset(f);
	free(f->v);
	*f = (struct findings){NULL, 0, 0};
}
