/* SPDX-License-Identifier: MIT */
#include "alarm/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "document/alert.h"

#include "banned.h"

#define RECORD_MAX (8 << 20)

static char *notice_key(const struct ledger *l, uint64_t number)
{
	return mem_printf("%s\n%016" PRIx64, l->receiver, number);
}

static void notice_fini(struct notice *n)
{
	for (size_t i = 0; i < n->n; i++)
		alert_fini(&n->alerts[i]);
	free(n->alerts);
}

/* Reading */

static void read_told(void *arg, const char *key, const void *bytes, size_t len)
{
	struct ledger *l = arg;
	json_t *root, *v;
	size_t i;

	if (strcmp(key, l->receiver) != 0)
		return;
	root = json_loadb(bytes, len, 0, NULL);
	json_array_foreach(root, i, v)
	{
		const char *incident =
			json_string_value(json_object_get(v, "incident"));
		struct told *t;

		if (incident == NULL || strlen(incident) != 16)
			continue;
		t = ledger_add(l, incident);
		t->at.ms = (int64_t)json_integer_value(json_object_get(v, "at"));
		t->delivered = json_is_true(json_object_get(v, "delivered"));
		t->lost = json_is_true(json_object_get(v, "lost"));
		t->closing = json_is_true(json_object_get(v, "closing"));
	}
	json_decref(root);
}

static bool read_notice(const json_t *root, struct notice *out)
{
	const json_t *alerts = json_object_get(root, "alerts");
	bool ok = json_array_size(alerts) > 0;

	out->made.ms = (int64_t)json_integer_value(json_object_get(root, "made"));
	out->repeated = json_is_true(json_object_get(root, "repeated"));
	out->alerts = mem_calloc(json_array_size(alerts) + 1, sizeof(*out->alerts));
	for (size_t i = 0; i < json_array_size(alerts); i++)
		ok = alert_read(json_array_get(alerts, i), &out->alerts[out->n++]) &&
		     ok;
	return ok;
}

static void read_queue(void *arg, const char *key, const void *bytes, size_t len)
{
	struct ledger *l = arg;
	size_t prefix = strlen(l->receiver);
	struct notice n = {.n = 0};
	json_t *root;
	bool ok;

	if (strncmp(key, l->receiver, prefix) != 0 || key[prefix] != '\n')
		return;
	n.number = strtoull(key + prefix + 1, NULL, 16);
	root = json_loadb(bytes, len, 0, NULL);
	ok = read_notice(root, &n);
	json_decref(root);
	if (!ok) {
		store_put(l->store, STORE_NOTICE, key, NULL, 0);
		notice_fini(&n);
		return;
	}
	MEM_GROW(l->queue, l->n, l->cap);
	l->queue[l->n++] = n;
	l->last = n.number;
}

static bool end_is_queued(const struct ledger *l, const char *incident)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->queue[i].n; k++) {
			const struct alert *a = &l->queue[i].alerts[k];

			if (a->life.state == ALERT_RESOLVED &&
			    strcmp(a->incident, incident) == 0)
				return true;
		}
	return false;
}

void ledger_init(struct ledger *l, struct store *store, const char *receiver)
{
	*l = (struct ledger){.store = store, .receiver = mem_strdup(receiver)};
	store_each(store, STORE_RECEIVER, read_told, l);
	store_each(store, STORE_NOTICE, read_queue, l);
	/* A message that was lost with the file is to be made again. */
	for (size_t i = 0; i < l->told_count; i++)
		l->told[i].closing =
			l->told[i].closing && end_is_queued(l, l->told[i].incident);
}

struct sweep {
	struct store *store;
	enum store_kind kind;
	const char *const *names;
	size_t n;
};

/* The key is the name, or begins with it and a line feed. */
static void sweep_one(void *arg, const char *key, const void *bytes, size_t len)
{
	const struct sweep *s = arg;
	size_t prefix = strcspn(key, "\n");

	(void)bytes;
	(void)len;
	for (size_t i = 0; i < s->n; i++)
		if (strlen(s->names[i]) == prefix &&
		    strncmp(key, s->names[i], prefix) == 0)
			return;
	store_put(s->store, s->kind, key, NULL, 0);
}

void ledger_sweep(struct store *store, const char *const *names, size_t n)
{
	static const enum store_kind kinds[] = {STORE_RECEIVER, STORE_NOTICE};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct sweep s = {store, kinds[i], names, n};

		store_each(store, kinds[i], sweep_one, &s);
	}
}

void ledger_fini(struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		notice_fini(&l->queue[i]);
	free(l->queue);
	free(l->told);
	free(l->receiver);
	*l = (struct ledger){.store = NULL};
}

/* What was told */

struct told *ledger_find(const struct ledger *l, const char *incident)
{
	for (size_t i = 0; i < l->told_count; i++)
		if (strcmp(l->told[i].incident, incident) == 0)
			return &l->told[i];
	return NULL;
}

struct told *ledger_add(struct ledger *l, const char *incident)
{
	struct told *t = ledger_find(l, incident);

	if (t != NULL)
		return t;
	MEM_GROW(l->told, l->told_count, l->told_cap);
	t = &l->told[l->told_count++];
	*t = (struct told){.delivered = false};
	snprintf(t->incident, sizeof(t->incident), "%s", incident);
	return t;
}

void ledger_forget(struct ledger *l, const char *incident)
{
	struct told *t = ledger_find(l, incident);

	if (t != NULL)
		*t = l->told[--l->told_count];
}

static void put_flag(struct jsonw *w, const char *key, bool v)
{
	jsonw_key(w, key);
	jsonw_bool(w, v);
}

void ledger_save(struct ledger *l)
{
	struct buf record = BUF_INIT(RECORD_MAX);
	struct jsonw w = jsonw_start(&record);

	jsonw_array(&w);
	for (size_t i = 0; i < l->told_count; i++) {
		const struct told *t = &l->told[i];

		jsonw_object(&w);
		jsonw_key_str(&w, "incident", t->incident);
		jsonw_key_int(&w, "at", t->at.ms);
		put_flag(&w, "delivered", t->delivered);
		put_flag(&w, "lost", t->lost);
		put_flag(&w, "closing", t->closing);
		jsonw_end(&w);
	}
	jsonw_end(&w);
	if (!record.failed)
		store_put(l->store, STORE_RECEIVER, l->receiver, record.data,
			  record.len);
	buf_free(&record);
}

/* The queue */

static void save_notice(struct ledger *l, const struct notice *n)
{
	struct buf record = BUF_INIT(RECORD_MAX);
	struct jsonw w = jsonw_start(&record);
	char *key = notice_key(l, n->number);

	jsonw_object(&w);
	jsonw_key_int(&w, "made", n->made.ms);
	put_flag(&w, "repeated", n->repeated);
	jsonw_key(&w, "alerts");
	jsonw_array(&w);
	for (size_t i = 0; i < n->n; i++)
		alert_write(&w, &n->alerts[i]);
	jsonw_end(&w);
	jsonw_end(&w);
	if (!record.failed)
		store_put(l->store, STORE_NOTICE, key, record.data, record.len);
	free(key);
	buf_free(&record);
}

bool ledger_push(struct ledger *l, struct alert *alerts, size_t n, bool repeated,
		 struct wall now)
{
	bool full = l->n >= LEDGER_QUEUE_MAX;

	if (full)
		ledger_drop(l);
	MEM_GROW(l->queue, l->n, l->cap);
	l->queue[l->n] = (struct notice){.number = ++l->last,
					 .made = now,
					 .repeated = repeated,
					 .alerts = alerts,
					 .n = n};
	save_notice(l, &l->queue[l->n++]);
	for (size_t i = 0; i < n; i++) {
		struct told *t = ledger_add(l, alerts[i].incident);

		t->at = now;
		t->lost = false;
		t->closing = alerts[i].life.state == ALERT_RESOLVED;
	}
	ledger_save(l);
	return full;
}

static void pop(struct ledger *l)
{
	char *key = notice_key(l, l->queue[0].number);

	store_put(l->store, STORE_NOTICE, key, NULL, 0);
	free(key);
	notice_fini(&l->queue[0]);
	l->n--;
	memmove(l->queue, l->queue + 1, l->n * sizeof(*l->queue));
	ledger_save(l);
}

void ledger_delivered(struct ledger *l, struct wall now)
{
	const struct notice *n = &l->queue[0];

	for (size_t i = 0; i < n->n; i++) {
		struct told *t = ledger_find(l, n->alerts[i].incident);

		if (n->alerts[i].life.state == ALERT_RESOLVED) {
			ledger_forget(l, n->alerts[i].incident);
		} else if (t != NULL) {
			t->delivered = true;
			t->at = now;
		}
	}
	pop(l);
}

void ledger_drop(struct ledger *l)
{
	const struct notice *n = &l->queue[0];

	for (size_t i = 0; i < n->n; i++) {
		struct told *t = ledger_find(l, n->alerts[i].incident);

		if (n->alerts[i].life.state == ALERT_RESOLVED)
			ledger_forget(l, n->alerts[i].incident);
		else if (t != NULL && !t->delivered)
			t->lost = true;
	}
	pop(l);
}
