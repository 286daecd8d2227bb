/* SPDX-License-Identifier: MIT */
#include "notify/message.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "base/hash.h"

#include "banned.h"

#define LISTED_MAX 20 /* partitions in a line */
#define ALERTS_MAX 50 /* in a text for people */
#define TEXT_MAX (1 << 16)

struct message_group message_group_of(const struct alert *a)
{
	if (*a->host != '\0')
		return (struct message_group){"", "", a->host};
	return (struct message_group){a->cluster, a->group, ""};
}

bool message_same_group(const struct alert *a, const struct alert *b)
{
	struct message_group x = message_group_of(a), y = message_group_of(b);

	return strcmp(x.cluster, y.cluster) == 0 && strcmp(x.group, y.group) == 0 &&
	       strcmp(x.host, y.host) == 0;
}

void message_subject(const struct alert *a, struct buf *out)
{
	const char *const parts[] = {a->cluster, a->group, a->topic, a->host};
	size_t before = out->len;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (*parts[i] != '\0')
			(void)buf_printf(out, "%s%s", out->len > before ? "/" : "",
					 parts[i]);
	if (out->len == before)
		(void)buf_addstr(out, "mmlag");
}

void message_partitions(const struct alert *a, struct buf *out)
{
	size_t shown =
		a->partition_count > LISTED_MAX ? LISTED_MAX : a->partition_count;

	for (size_t i = 0; i < shown; i++)
		(void)buf_printf(out, "%s%d", i > 0 ? " " : "", a->partitions[i]);
	if (shown < a->partition_count)
		(void)buf_printf(out, " and %zu more", a->partition_count - shown);
}

void message_line(const struct alert *a, struct buf *out)
{
	if (a->life.state == ALERT_RESOLVED)
		(void)buf_addstr(out, "RESOLVED ");
	for (const char *p = severity_name(a->severity); *p != '\0'; p++)
		(void)buf_addch(out, (char)toupper((unsigned char)*p));
	(void)buf_printf(out, " %s ", a->rule);
	message_subject(a, out);
	if (a->partition_count > 0) {
		(void)buf_addstr(out, a->partition_count == 1 ? " (partition "
							      : " (partitions ");
		message_partitions(a, out);
		(void)buf_addch(out, ')');
	}
	(void)buf_printf(out, ": %s", a->message);
}

bool message_fires(const struct message *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->alerts[i]->life.state == ALERT_FIRING)
			return true;
	return false;
}

enum severity message_severity(const struct message *m)
{
	bool fires = message_fires(m);
	enum severity worst = SEVERITY_INFO;

	for (size_t i = 0; i < m->n; i++)
		if ((!fires || m->alerts[i]->life.state == ALERT_FIRING) &&
		    m->alerts[i]->severity > worst)
			worst = m->alerts[i]->severity;
	return worst;
}

static bool rule_before(const struct message *m, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(m->alerts[k]->rule, m->alerts[i]->rule) == 0)
			return true;
	return false;
}

void message_title(const struct message *m, struct buf *out)
{
	struct message_group g = message_group_of(m->alerts[0]);
	size_t firing = 0;
	const char *comma = "";

	for (size_t i = 0; i < m->n; i++)
		firing += m->alerts[i]->life.state == ALERT_FIRING;
	if (firing > 0)
		(void)buf_printf(out, "[FIRING:%zu%s] ", firing,
				 m->repeated ? ", still" : "");
	else
		(void)buf_addstr(out, "[RESOLVED] ");
	if (m->n == 1)
		message_subject(m->alerts[0], out);
	else if (*g.host != '\0')
		(void)buf_addstr(out, g.host);
	else if (*g.cluster == '\0' && *g.group == '\0')
		(void)buf_addstr(out, "mmlag");
	else
		(void)buf_printf(out, "%s/%s", g.cluster, g.group);
	(void)buf_addstr(out, ": ");
	for (size_t i = 0; i < m->n; i++) {
		if (rule_before(m, i))
			continue;
		(void)buf_printf(out, "%s%s", comma, m->alerts[i]->rule);
		comma = ", ";
	}
}

void message_text(const struct message *m, struct buf *out)
{
	message_title(m, out);
	(void)buf_addch(out, '\n');
	for (size_t i = 0; i < m->n && i < ALERTS_MAX; i++) {
		const struct alert *a = m->alerts[i];
		char since[WALL_TEXT];

		wall_format(a->life.since, since);
		(void)buf_addch(out, '\n');
		message_line(a, out);
		(void)buf_printf(out, "\n  since %s, incident %s", since, a->incident);
		if (*a->at != '\0')
			(void)buf_printf(out, ", seen on %s", a->at);
		if (*a->changed != '\0')
			(void)buf_printf(out, "; %s", a->changed);
		(void)buf_addch(out, '\n');
	}
	if (m->n > ALERTS_MAX)
		(void)buf_printf(out, "\nand %zu more\n", m->n - ALERTS_MAX);
	if (*m->url != '\0')
		(void)buf_printf(out, "\n%s\n", m->url);
}

/* The labels, sorted by name: they are the identity of the alert, so nothing that
 * changes while it lasts may be among them. */

struct label_pair {
	const char *name, *value;
};

static size_t labels_of(const struct alert *a, char *alertname, size_t size,
			struct label_pair out[7])
{
	const struct label_pair all[] = {
		{"alertname", alertname}, {"cluster", a->cluster},
		{"group", a->group},      {"host", a->host},
		{"rule", a->rule},        {"severity", severity_name(a->severity)},
		{"topic", a->topic},
	};
	size_t n = 0;

	snprintf(alertname, size, "mmlag_%s", a->rule);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (*all[i].value != '\0')
			out[n++] = all[i];
	return n;
}

static void put_time(struct jsonw *w, const char *key, struct wall t)
{
	char stamp[WALL_TEXT];

	wall_format(t, stamp);
	jsonw_key_str(w, key, stamp);
}

/* What is said beside the labels; one that is "" is left out. */

static const char *const annotation_names[] = {"summary",    "description", "incident",
					       "partitions", "value",       "changed",
					       "seen_on"};
#define ANNOTATIONS ARRAY_LEN(annotation_names)

struct annotations {
	const char *v[ANNOTATIONS]; /* in that order */
	struct buf summary, partitions;
	char value[64];
};

/* `out` stays where it is until annotations_fini. */
static void annotations_init(struct annotations *out, const struct alert *a)
{
	*out = (struct annotations){.summary = BUF_INIT(TEXT_MAX),
				    .partitions = BUF_INIT(TEXT_MAX)};
	message_line(a, &out->summary);
	message_partitions(a, &out->partitions);
	if (isfinite(a->value))
		snprintf(out->value, sizeof(out->value), "%.15g", a->value);
	out->v[0] = buf_str(&out->summary);
	out->v[1] = a->message;
	out->v[2] = a->incident;
	out->v[3] = buf_str(&out->partitions);
	out->v[4] = out->value;
	out->v[5] = a->changed;
	out->v[6] = a->at;
}

static void annotations_fini(struct annotations *a)
{
	buf_free(&a->summary);
	buf_free(&a->partitions);
}

static void put_annotations(struct jsonw *w, const char *key,
			    const struct annotations *a)
{
	jsonw_key(w, key);
	jsonw_object(w);
	for (size_t i = 0; i < ANNOTATIONS; i++)
		if (*a->v[i] != '\0')
			jsonw_key_str(w, annotation_names[i], a->v[i]);
	jsonw_end(w);
}

void message_common_annotations(struct jsonw *w, const struct message *m)
{
	struct annotations common, other;

	annotations_init(&common, m->alerts[0]);
	for (size_t i = 1; i < m->n; i++) {
		annotations_init(&other, m->alerts[i]);
		for (size_t k = 0; k < ANNOTATIONS; k++)
			if (strcmp(common.v[k], other.v[k]) != 0)
				common.v[k] = "";
		annotations_fini(&other);
	}
	put_annotations(w, "commonAnnotations", &common);
	annotations_fini(&common);
}

void message_alert_members(struct jsonw *w, const struct message *m,
			   const struct alert *a, struct wall ends)
{
	struct label_pair labels[7];
	struct annotations annotations;
	char alertname[128];
	size_t n = labels_of(a, alertname, sizeof(alertname), labels);

	jsonw_key(w, "labels");
	jsonw_object(w);
	for (size_t i = 0; i < n; i++)
		jsonw_key_str(w, labels[i].name, labels[i].value);
	jsonw_end(w);
	annotations_init(&annotations, a);
	put_annotations(w, "annotations", &annotations);
	annotations_fini(&annotations);
	put_time(w, "startsAt", a->life.since);
	if (a->life.state == ALERT_RESOLVED)
		put_time(w, "endsAt", a->life.ended);
	else if (ends.ms > 0)
		put_time(w, "endsAt", ends);
	else
		jsonw_key_str(w, "endsAt", "0001-01-01T00:00:00Z");
	jsonw_key_str(w, "generatorURL", m->url);
}

void message_fingerprint(const struct alert *a, char out[17])
{
	static const char separator = (char)0xff;
	struct label_pair labels[7];
	char alertname[128];
	size_t n = labels_of(a, alertname, sizeof(alertname), labels);
	uint64_t h = 0;

	for (size_t i = 0; i < n; i++) {
		h = hash_fnv64(labels[i].name, strlen(labels[i].name), h);
		h = hash_fnv64(&separator, 1, h);
		h = hash_fnv64(labels[i].value, strlen(labels[i].value), h);
		h = hash_fnv64(&separator, 1, h);
	}
	snprintf(out, 17, "%016llx", (unsigned long long)h);
}
