/* SPDX-License-Identifier: MIT */
#include "serve/prom_int.h"

#include <string.h>

#include "base/jsonw.h"

#include "banned.h"

void prom_family(struct prom *p, const char *family, const char *type, const char *help)
{
	p->family = family;
	p->type = type;
	p->help = help;
	p->begun = false;
}

/* Any bytes as a label's value: valid UTF-8, with what would end it escaped. */
static void value(struct buf *out, const char *s)
{
	size_t n = strlen(s), plain = 0, i = 0;

	while (i < n) {
		size_t len = utf8_sequence((const unsigned char *)s + i, n - i);

		if (len > 0 && s[i] != '\\' && s[i] != '"' && s[i] != '\n') {
			plain += len;
			i += len;
			continue;
		}
		buf_add(out, s + i - plain, plain);
		plain = 0;
		if (len == 0)
			buf_addstr(out, "\xef\xbf\xbd");
		else
			buf_addstr(out, s[i] == '\n'  ? "\\n"
					: s[i] == '"' ? "\\\""
						      : "\\\\");
		i++;
	}
	buf_add(out, s + i - plain, plain);
}

static void label(struct prom *p, char *before, const char *name, const char *text)
{
	if (text == NULL)
		return;
	buf_addch(p->out, *before);
	*before = ',';
	buf_addstr(p->out, name);
	buf_addstr(p->out, "=\"");
	value(p->out, text);
	buf_addch(p->out, '"');
}

void prom_series(struct prom *p, const struct prom_labels *l)
{
	char before = '{';

	if (!p->begun)
		buf_printf(p->out, "# HELP %s %s\n# TYPE %s %s\n", p->family, p->help,
			   p->family, p->type);
	p->begun = true;
	buf_addstr(p->out, p->family);
	label(p, &before, "consumergroup", l->group);
	label(p, &before, "kafka_cluster", p->several_clusters ? l->cluster : NULL);
	if (l->partition >= 0) {
		buf_printf(p->out, "%cpartition=\"%lld\"", before,
			   (long long)l->partition);
		before = ',';
	}
	label(p, &before, "reason", l->reason);
	label(p, &before, "topic", l->topic);
	if (before == ',')
		buf_addch(p->out, '}');
}

void prom_int(struct prom *p, int64_t v)
{
	buf_printf(p->out, " %lld\n", (long long)v);
}

void prom_real(struct prom *p, double v)
{
	buf_printf(p->out, " %.15g\n", v);
}

bool prom_has_data(const struct board_views *views, size_t i)
{
	const struct view *v = views->v[i], *before;

	if (*v->name.topic == '\0' || v->partitions == NULL ||
	    v->status == VERDICT_NODATA)
		return false;
	for (; i > 0; i--) {
		before = views->v[i - 1];
		if (strcmp(before->name.topic, v->name.topic) != 0 ||
		    strcmp(before->name.group, v->name.group) != 0 ||
		    strcmp(before->name.cluster, v->name.cluster) != 0)
			return true;
		if (before->partitions != NULL && before->status != VERDICT_NODATA)
			return false;
	}
	return true;
}
