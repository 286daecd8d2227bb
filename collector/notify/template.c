/* SPDX-License-Identifier: MIT
 * template: words with named fields, {{status}} and the like. A field that belongs to
 * one alert is that of the worst one. */
#include "notify/message.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/mem.h"

#include "banned.h"

#define FIELD_MAX (1 << 20)

static const struct alert *worst(const struct message *m)
{
	const struct alert *w = m->alerts[0];

	for (size_t i = 1; i < m->n; i++) {
		const struct alert *a = m->alerts[i];

		if ((a->life.state == ALERT_FIRING) != (w->life.state == ALERT_FIRING)
			    ? a->life.state == ALERT_FIRING
			    : a->severity > w->severity)
			w = a;
	}
	return w;
}

static void add_number(struct buf *out, double v)
{
	if (isfinite(v))
		(void)buf_printf(out, "%.15g", v);
}

static void add_list(struct buf *out, const struct alert *a)
{
	for (size_t i = 0; i < a->partition_count; i++)
		(void)buf_printf(out, "%s%d", i > 0 ? " " : "", a->partitions[i]);
}

static void add_time(struct buf *out, struct wall t)
{
	char stamp[WALL_TEXT];

	wall_format(t, stamp);
	(void)buf_addstr(out, stamp);
}

/* Those that are not plain text. False for an unknown name. */
static bool add_made(struct buf *out, const struct message *m, const struct alert *a,
		     const char *name)
{
	if (strcmp(name, "title") == 0)
		message_title(m, out);
	else if (strcmp(name, "text") == 0)
		message_text(m, out);
	else if (strcmp(name, "summary") == 0)
		message_line(a, out);
	else if (strcmp(name, "subject") == 0)
		message_subject(a, out);
	else if (strcmp(name, "since") == 0)
		add_time(out, a->life.since);
	else if (strcmp(name, "now") == 0)
		add_time(out, m->now);
	else if (strcmp(name, "partitions") == 0)
		add_list(out, a);
	else if (strcmp(name, "value") == 0)
		add_number(out, a->value);
	else if (strcmp(name, "alerts") == 0)
		(void)buf_printf(out, "%zu", m->n);
	else
		return false;
	return true;
}

static void add_field(struct buf *out, const struct message *m, const char *name)
{
	const struct alert *a = worst(m);
	const struct {
		const char *name, *value;
	} fields[] = {
		{"status", message_fires(m) ? "firing" : "resolved"},
		{"severity", severity_name(a->severity)},
		{"rule", a->rule},
		{"incident", a->incident},
		{"cluster", a->cluster},
		{"group", a->group},
		{"topic", a->topic},
		{"host", *a->host != '\0' ? a->host : a->at},
		{"message", a->message},
		{"changed", a->changed},
		{"receiver", m->receiver},
		{"url", m->url},
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (strcmp(name, fields[i].name) == 0) {
			(void)buf_addstr(out, fields[i].value);
			return;
		}
	(void)add_made(out, m, a, name);
}

static void add_escaped(struct buf *out, const struct buf *text, bool json)
{
	struct buf quoted = BUF_INIT(6 * FIELD_MAX);

	if (json) {
		jsonw_quote(&quoted, buf_str(text), text->len);
		if (!quoted.failed)
			(void)buf_add(out, quoted.data + 1, quoted.len - 2);
	} else {
		(void)buf_add(out, buf_str(text), text->len);
	}
	buf_free(&quoted);
}

void message_template(struct buf *out, const struct message *m, bool json)
{
	const char *p = m->template, *open;
	struct buf value = BUF_INIT(FIELD_MAX);

	while ((open = strstr(p, "{{")) != NULL) {
		const char *name, *close;
		size_t len;
		char *field;

		while (open[2] == '{') /* one that is JSON's own */
			open++;
		name = open + 2 + strspn(open + 2, " ");
		len = strcspn(name, " }\n");
		close = name + len + strspn(name + len, " ");

		if (strncmp(close, "}}", 2) != 0) { /* no field: as it stands */
			(void)buf_add(out, p, (size_t)(open + 2 - p));
			p = open + 2;
			continue;
		}
		(void)buf_add(out, p, (size_t)(open - p));
		field = mem_strndup(name, len);
		buf_reset(&value);
		add_field(&value, m, field);
		add_escaped(out, &value, json);
		free(field);
		p = close + 2;
	}
	(void)buf_addstr(out, p);
	buf_free(&value);
}
