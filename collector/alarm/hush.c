/* SPDX-License-Identifier: MIT */
#include "alarm/hush.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/zone.h"
#include "document/silence.h"
#include "lag/quiet.h"

#include "banned.h"

#define MINUTE_MS INT64_C(60000)
#define WEEK_MINUTES (8 * 24 * 60)
#define RECORD_MAX (1 << 16)
#define ALL_DAYS 127U

struct hours {
	struct quiet quiet;
	struct zone *zone;
	enum severity severity; /* up to this one */
	struct wall until;      /* it is quiet until then, 0: it is not */
};

struct hush {
	struct store *store;
	struct silence *v;
	size_t n, cap;
	struct hours *hours;
	size_t hour_count;
	struct wall now;
};

static int read_hours(const struct config_quiet *c, struct hours *out, struct err *err)
{
	*out = (struct hours){.quiet = {.days = c->days.n == 0 ? ALL_DAYS : 0}};
	for (size_t i = 0; i < c->days.n; i++)
		out->quiet.days |= quiet_day(c->days.v[i]);
	out->quiet.from = quiet_time(c->from);
	out->quiet.to = quiet_time(c->to);
	if (!severity_read(c->severity, &out->severity) || out->quiet.days == 0 ||
	    out->quiet.from < 0 || out->quiet.to < 0)
		return err_set(err, ERR_PERMANENT,
			       "alerts.quiet: not a time of day, or no severity");
	return zone_open(&out->zone, c->timezone, err);
}

static size_t find(const struct hush *h, const char *id)
{
	size_t i = 0;

	while (i < h->n && strcmp(h->v[i].id, id) != 0)
		i++;
	return i;
}

static void drop(struct hush *h, size_t i)
{
	store_put(h->store, STORE_SILENCE, h->v[i].id, NULL, 0);
	silence_fini(&h->v[i]);
	h->v[i] = h->v[--h->n];
}

static void add(struct hush *h, const struct silence *s)
{
	size_t i = find(h, s->id);

	if (i < h->n) {
		silence_fini(&h->v[i]);
	} else {
		MEM_GROW(h->v, h->n, h->cap);
		h->n++;
	}
	h->v[i] = *s;
}

/* One that has ended meanwhile is no silence any more, and is not read as one. */
static void restore(void *arg, const char *key, const void *bytes, size_t len)
{
	struct hush *h = arg;
	struct silence s;
	struct err err = ERR_INIT;

	if (silence_read(bytes, len, h->now, &s, &err) == 0 && s.id != NULL) {
		add(h, &s);
		return;
	}
	silence_fini(&s);
	store_put(h->store, STORE_SILENCE, key, NULL, 0);
}

int hush_new(struct hush **out, const struct config *c, struct store *store,
	     struct err *err)
{
	struct hush *h = mem_calloc(1, sizeof(*h));

	h->store = store;
	h->now = clock_wall();
	h->hours = mem_calloc(c->alerts.quiet_count + 1, sizeof(*h->hours));
	for (size_t i = 0; i < c->alerts.quiet_count; i++) {
		h->hour_count++;
		if (read_hours(&c->alerts.quiet[i], &h->hours[i], err) != 0) {
			hush_free(h);
			return err->class;
		}
	}
	store_each(store, STORE_SILENCE, restore, h);
	*out = h;
	return 0;
}

void hush_free(struct hush *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n; i++)
		silence_fini(&h->v[i]);
	for (size_t i = 0; i < h->hour_count; i++)
		zone_free(h->hours[i].zone);
	free(h->v);
	free(h->hours);
	free(h);
}

static char *new_id(void)
{
	unsigned char bytes[8];
	char *id = mem_calloc(1, 2 * sizeof(bytes) + 1);

	random_bytes(bytes, sizeof(bytes));
	hash_hex(bytes, sizeof(bytes), id);
	return id;
}

bool hush_ask(struct hush *h, const char *json, size_t len, struct wall now,
	      struct buf *what)
{
	struct buf record = BUF_INIT(RECORD_MAX);
	struct err err = ERR_INIT;
	struct silence s;
	char stamp[WALL_TEXT];
	size_t i;

	if (silence_read(json, len, now, &s, &err) != 0) {
		(void)buf_printf(what, "a silence that is none: %s", err.text);
		return false;
	}
	if (s.until.ms == 0) {
		i = find(h, s.id);
		(void)buf_printf(what, "silence %s ends", s.id);
		if (i < h->n)
			drop(h, i);
		silence_fini(&s);
		return true;
	}
	if (s.id == NULL)
		s.id = new_id();
	silence_write(&record, &s);
	store_put(h->store, STORE_SILENCE, s.id, record.data, record.len);
	wall_format(s.until, stamp);
	(void)buf_printf(what, "silence until %s: %s", stamp, buf_str(&record));
	buf_free(&record);
	add(h, &s);
	return true;
}

static bool quiet_now(const struct hours *q, struct wall t)
{
	struct zone_local l = zone_local(q->zone, t);

	return quiet_holds(&q->quiet, l.weekday, l.second);
}

/* When they end: to the minute, and always within a week, unless they never do. */
static struct wall quiet_end(const struct hours *q, struct wall now)
{
	struct wall t = {now.ms - now.ms % MINUTE_MS};

	for (int i = 0; i < WEEK_MINUTES && quiet_now(q, t); i++)
		t.ms += MINUTE_MS;
	return t.ms > now.ms ? t : (struct wall){now.ms + 1};
}

bool hush_look(struct hush *h, struct wall now)
{
	bool changed = false;

	h->now = now;
	for (size_t i = 0; i < h->n;) {
		if (h->v[i].until.ms > now.ms) {
			i++;
			continue;
		}
		drop(h, i);
		changed = true;
	}
	for (size_t i = 0; i < h->hour_count; i++) {
		struct hours *q = &h->hours[i];
		bool was = q->until.ms != 0, is = quiet_now(q, now);

		if (is && (!was || q->until.ms <= now.ms))
			q->until = quiet_end(q, now);
		else if (!is)
			q->until.ms = 0;
		changed = changed || is != was;
	}
	return changed;
}

struct wall hush_until(const struct hush *h, const struct alert *a)
{
	const struct silence_subject what = {a->cluster, a->group, a->topic,
					     *a->host != '\0' ? a->host : a->at,
					     a->rule};
	struct wall until = {0};

	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].until.ms > until.ms &&
		    silence_covers(&h->v[i], &what, h->now))
			until = h->v[i].until;
	for (size_t i = 0; i < h->hour_count; i++)
		if (a->severity <= h->hours[i].severity &&
		    h->hours[i].until.ms > until.ms)
			until = h->hours[i].until;
	return until;
}

void hush_show(const struct hush *h, struct buf *out)
{
	(void)buf_addch(out, '[');
	for (size_t i = 0; i < h->n; i++) {
		if (i > 0)
			(void)buf_addch(out, ',');
		silence_write(out, &h->v[i]);
	}
	(void)buf_addch(out, ']');
}
