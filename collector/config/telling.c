/* SPDX-License-Identifier: MIT
 * telling: what the keys of alerts and receivers must say together (resolve_telling).
 */
#include <string.h>

#include "base/compiler.h"
#include "base/zone.h"
#include "config/finding_int.h"
#include "config/resolve_int.h"
#include "lag/alert.h"
#include "lag/quiet.h"

#include "banned.h"

static const struct node *at(const struct node *map, const char *key)
{
	const struct node *v = tree_find(map, key);

	return v != NULL ? v : map;
}

static void check_severity(const struct resolver *r, const struct node *map,
			   const char *text)
{
	const struct node *v = at(map, "severity");
	enum severity s;

	if (text != NULL && !severity_read(text, &s))
		finding_error(r->f, v->line, v->column,
			      "severity: \"%.60s\" is none of info, warning, critical",
			      text);
}

static void check_time(const struct resolver *r, const struct node *map,
		       const char *key, const char *text)
{
	const struct node *v = at(map, key);

	if (text != NULL && quiet_time(text) < 0)
		finding_error(r->f, v->line, v->column,
			      "%s: \"%.60s\" is no time of day; write \"22:00\"", key,
			      text);
}

static void check_quiet(const struct resolver *r, const struct node *map,
			const struct config_quiet *q)
{
	const struct node *v = at(map, "days");
	struct zone *zone = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < q->days.n; i++)
		if (quiet_day(q->days.v[i]) == 0)
			finding_error(r->f, v->line, v->column,
				      "days: \"%.60s\" is none of mon tue wed thu fri "
				      "sat sun",
				      q->days.v[i]);
	check_time(r, map, "from", q->from);
	check_time(r, map, "to", q->to);
	check_severity(r, map, q->severity);
	v = at(map, "timezone");
	if (q->timezone != NULL && zone_open(&zone, q->timezone, &err) != 0)
		finding_error(r->f, v->line, v->column, "timezone: %s", err.text);
	zone_free(zone);
}

static void need(const struct resolver *r, const struct node *map,
		 const struct config_receiver *x, bool is_there, const char *what)
{
	if (!is_there)
		finding_error(r->f, map->line, map->column, "receiver \"%.60s\": %s",
			      x->name != NULL ? x->name : "", what);
}

/* Keys of some types of receivers: of no use with another one. */
static const struct {
	const char *key;
	unsigned types; /* a bit for each */
	const char *names;
} keys_of_types[] = {
#define ONLY(type) (1u << RECEIVER_##type)
	{"url_file", ONLY(WEBHOOK) | ONLY(SLACK) | ONLY(PAGERDUTY),
	 "webhook, slack and pagerduty"},
	{"routing_key_file", ONLY(PAGERDUTY), "pagerduty"},
	{"smtp", ONLY(EMAIL), "email"},
	{"from", ONLY(EMAIL), "email"},
	{"to", ONLY(EMAIL), "email"},
	{"username", ONLY(EMAIL), "email"},
	{"argv", ONLY(COMMAND), "command"},
	{"template_file", ONLY(WEBHOOK) | ONLY(SLACK) | ONLY(EMAIL),
	 "webhook, slack and email"},
};

static void warn_useless(const struct resolver *r, const struct node *map,
			 const struct config_receiver *x)
{
	for (size_t i = 0; i < ARRAY_LEN(keys_of_types); i++) {
		const struct node *v = tree_find(map, keys_of_types[i].key);

		if (v != NULL && (keys_of_types[i].types & (1u << x->type)) == 0)
			finding_warn(r->f, v->key_line, v->key_column,
				     "\"%s\" is of use with type %s only",
				     keys_of_types[i].key, keys_of_types[i].names);
	}
}

static void check_receiver(const struct resolver *r, const struct node *map,
			   const struct config_receiver *x)
{
	size_t urls = x->urls.n + (x->url_file != NULL);

	check_severity(r, map, x->severity);
	if (tree_find(map, "type") != NULL)
		warn_useless(r, map, x);
	need(r, map, x, (x->username == NULL) == (x->password_file == NULL),
	     "\"username\" and \"password_file\" need each other");
	switch (x->type) {
	case RECEIVER_ALERTMANAGER:
		need(r, map, x, x->urls.n > 0,
		     "an alertmanager needs \"urls\", one for each member");
		break;
	case RECEIVER_WEBHOOK:
	case RECEIVER_SLACK:
		need(r, map, x, urls == 1,
		     "needs \"url_file\", or one URL in \"urls\"");
		break;
	case RECEIVER_PAGERDUTY:
		need(r, map, x, x->routing_key_file != NULL,
		     "pagerduty needs \"routing_key_file\"");
		need(r, map, x, urls <= 1, "has more than one URL");
		break;
	case RECEIVER_EMAIL:
		need(r, map, x, x->smtp != NULL && x->from != NULL && x->to.n > 0,
		     "email needs \"smtp\", \"from\" and \"to\"");
		break;
	case RECEIVER_COMMAND:
		need(r, map, x, x->argv.n > 0, "command needs \"argv\"");
		break;
	}
}

static void check_name(const struct resolver *r, const struct node *entry,
		       const char *what, const char *name, const char *before)
{
	if (name != NULL && before != NULL && strcmp(name, before) == 0)
		finding_error(r->f, entry->line, entry->column,
			      "%s \"%.60s\" stands here a second time", what, name);
}

static void check_names(const struct resolver *r, const struct node *receivers,
			const struct node *brokers)
{
	const struct config *c = r->c;

	for (size_t i = 0; receivers != NULL && i < c->receiver_count; i++)
		for (size_t k = 0; k < i; k++)
			check_name(r, &receivers->child[i], "receiver",
				   c->receivers[i].name, c->receivers[k].name);
	for (size_t i = 0; brokers != NULL && i < c->broker_count; i++)
		for (size_t k = 0; k < i; k++)
			check_name(r, &brokers->child[i],
				   "brokers:", c->brokers[i].name, c->brokers[k].name);
}

void resolve_telling(const struct resolver *r)
{
	const struct node *quiet = tree_find(tree_find(r->root, "alerts"), "quiet");
	const struct node *receivers = tree_find(r->root, "receivers");
	const struct node *brokers = tree_find(r->root, "brokers");
	const struct config *c = r->c;

	for (size_t i = 0; quiet != NULL && i < c->alerts.quiet_count && i < quiet->n;
	     i++)
		check_quiet(r, &quiet->child[i], &c->alerts.quiet[i]);
	check_names(r, receivers, brokers);
	for (size_t i = 0; receivers != NULL && i < c->receiver_count; i++)
		check_receiver(r, &receivers->child[i], &c->receivers[i]);
}
