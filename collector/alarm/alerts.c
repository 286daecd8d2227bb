/* SPDX-License-Identifier: MIT */
#include "alarm/alerts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "document/alert.h"

#include "banned.h"

#define RECORD_MAX (4 << 20)

static char *record_key(const struct alert *a)
{
	return mem_printf("%s\n%s\n%s\n%s\n%s\n%s", a->cluster, a->group, a->topic,
			  a->host, a->rule, severity_name(a->severity));
}

/* The same order as alert_compare. */
static int compare(const struct alert *a, const struct condition *c)
{
	const char *const left[] = {a->cluster, a->group, a->topic, a->host, a->rule};
	const char *const right[] = {c->cluster, c->group, c->topic, c->host, c->rule};

	for (size_t i = 0; i < ARRAY_LEN(left); i++) {
		int order = strcmp(left[i], right[i]);

		if (order != 0)
			return order;
	}
	return (int)c->severity - (int)a->severity;
}

struct restoring {
	struct alerts *alerts;
	struct store *store;
	struct alert_now now;
};

static void restore_one(void *arg, const char *key, const void *bytes, size_t len)
{
	const struct restoring *r = arg;
	struct alerts *all = r->alerts;
	json_t *root = json_loadb(bytes, len, 0, NULL);
	struct alert a;
	bool ok = alert_read(root, &a);

	json_decref(root);
	if (ok)
		alert_wake_up(&a.life, r->now);
	if (!ok || a.life.state == ALERT_NONE) {
		store_put(r->store, STORE_ALERT, key, NULL, 0);
		alert_fini(&a);
		return;
	}
	MEM_GROW(all->v, all->n, all->cap);
	all->v[all->n++] = (struct alerts_entry){.alert = a};
}

static int by_name(const void *a, const void *b)
{
	const struct alerts_entry *left = a, *right = b;

	return alert_compare(&left->alert, &right->alert);
}

void alerts_restore(struct alerts *a, struct store *store, struct alert_now now)
{
	struct restoring r = {a, store, now};

	store_each(store, STORE_ALERT, restore_one, &r);
	if (a->n > 1)
		qsort(a->v, a->n, sizeof(*a->v), by_name);
}

void alerts_fini(struct alerts *a)
{
	for (size_t i = 0; i < a->n; i++)
		alert_fini(&a->v[i].alert);
	free(a->v);
	*a = (struct alerts){NULL, 0, 0};
}

static struct alerts_entry *insert(struct alerts *a, size_t at,
				   const struct condition *c)
{
	MEM_GROW(a->v, a->n, a->cap);
	memmove(a->v + at + 1, a->v + at, (a->n - at) * sizeof(*a->v));
	a->n++;
	a->v[at] = (struct alerts_entry){
		.alert = {.rule = mem_strdup(c->rule),
			  .severity = c->severity,
			  .cluster = mem_strdup(c->cluster),
			  .group = mem_strdup(c->group),
			  .topic = mem_strdup(c->topic),
			  .host = mem_strdup(c->host),
			  .at = mem_strdup(c->at),
			  .partitions = mem_calloc(1, sizeof(int32_t)),
			  .value = c->value,
			  .message = mem_strdup(c->message),
			  .changed = mem_strdup("")}};
	return &a->v[at];
}

struct alerts_entry *alerts_find(struct alerts *a, const struct condition *c)
{
	size_t low = 0, high = a->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = compare(&a->v[mid].alert, c);

		if (order == 0)
			return &a->v[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return c->fact == FACT_HOLDS ? insert(a, low, c) : NULL;
}

static void set_text(char **to, const char *text)
{
	if (strcmp(*to, text) == 0)
		return;
	free(*to);
	*to = mem_strdup(text);
}

bool alerts_update(struct alerts_entry *e, const struct condition *c)
{
	struct alert *a = &e->alert;
	size_t bytes = c->partition_count * sizeof(*c->partitions);
	bool others = a->partition_count != c->partition_count ||
		      (bytes > 0 && memcmp(a->partitions, c->partitions, bytes) != 0);

	set_text(&a->at, c->at);
	set_text(&a->message, c->message);
	a->value = c->value;
	if (!others)
		return false;
	a->partitions = mem_realloc(a->partitions, c->partition_count + 1,
				    sizeof(*a->partitions));
	if (bytes > 0)
		memcpy(a->partitions, c->partitions, bytes);
	a->partition_count = c->partition_count;
	return true;
}

static void save_one(struct alerts_entry *e, struct store *store)
{
	struct buf record = BUF_INIT(RECORD_MAX);
	struct jsonw w = jsonw_start(&record);
	char *key = record_key(&e->alert);

	alert_write(&w, &e->alert);
	if (e->alert.life.state == ALERT_NONE)
		store_put(store, STORE_ALERT, key, NULL, 0);
	else if (!record.failed)
		store_put(store, STORE_ALERT, key, record.data, record.len);
	e->dirty = false;
	free(key);
	buf_free(&record);
}

void alerts_save(struct alerts *a, struct store *store)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->n; i++) {
		struct alerts_entry *e = &a->v[i];

		if (e->dirty)
			save_one(e, store);
		if (e->alert.life.state == ALERT_NONE)
			alert_fini(&e->alert);
		else
			a->v[kept++] = *e;
	}
	a->n = kept;
}
