/* SPDX-License-Identifier: MIT
 * notifier: see notifier.h. Most receivers are told once when something begins or ends,
 * and again after `repeat`: what is new is gathered for `group_wait` into one message
 * for each host or group, which goes through the queue. An Alertmanager does all that
 * itself and wants to hear every minute what fires: it has no queue. */
#include "alarm/notifier.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "notify/notify.h"
#include "alarm/ledger.h"

#include "banned.h"

#define EXPIRES_MS INT64_C(86400000)
#define FIRST_MS 1000
#define CAP_MS 300000
#define CHECK_MS 30000      /* whether something is to be repeated */
#define RESEND_MS 60000     /* to an Alertmanager, which forgets after 5 minutes */
#define CLOSE_FOR_MS 300000 /* it hears of an end for so long */

struct gathering { /* a group that has news */
	char *key;
	struct mono due;
};

struct place { /* one Alertmanager, or the receiver itself */
	bool troubled;
	struct mono due;
	struct wall heard; /* the last success */
	struct backoff backoff;
};

struct notifier {
	char name[32];
	char url[128]; /* of the status page */
	struct wake wake;
	const struct config_receiver *r;
	int64_t group_wait_ms, repeat_ms;
	int64_t steady_ms; /* add it to the monotonic clock's ms */
	enum severity severity;
	struct notify *notify;
	struct ledger ledger;
	struct bulletin *now; /* NULL before the first */
	struct gathering *groups;
	size_t n, cap;
	struct place *places;
	struct backoff backoff;
	struct mono not_before;

	pthread_mutex_t lock;  /* protects what follows */
	struct bulletin *mail; /* not taken yet */
	bool news;             /* in one that was not taken */
	size_t waiting;
	bool troubled;
	char trouble[256];
	struct wall last_success;
};

int notifier_new(struct notifier **out, const struct config_receiver *r,
		 const struct config *c, struct store *store, struct err *err)
{
	struct notifier *n = mem_calloc(1, sizeof(*n));

	snprintf(n->name, sizeof(n->name), "n:%.28s", r->name);
	if (!c->http.off)
		snprintf(n->url, sizeof(n->url), "http://%.110s/", c->http.listen);
	n->r = r;
	n->steady_ms = clock_wall().ms - clock_mono().ns / 1000000;
	n->group_wait_ms = c->alerts.group_wait_ms;
	n->repeat_ms = c->alerts.repeat_ms;
	n->backoff = (struct backoff)BACKOFF_INIT(FIRST_MS, CAP_MS);
	if (!severity_read(r->severity, &n->severity))
		n->severity = SEVERITY_WARNING;
	if (wake_init(&n->wake) != 0) {
		free(n);
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	}
	if (notify_open(&n->notify, r, &n->wake, err) != 0) {
		wake_fini(&n->wake);
		free(n);
		return err_wrap(err, "receiver %s", r->name);
	}
	n->places = mem_calloc(notify_places(n->notify), sizeof(*n->places));
	for (size_t i = 0; i < notify_places(n->notify); i++)
		n->places[i].backoff = n->backoff;
	pthread_mutex_init(&n->lock, NULL);
	ledger_init(&n->ledger, store, r->name);
	n->waiting = n->ledger.n;
	*out = n;
	return 0;
}

void notifier_free(struct notifier *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->n; i++)
		free(n->groups[i].key);
	free(n->groups);
	free(n->places);
	bulletin_unref(n->now);
	bulletin_unref(n->mail);
	ledger_fini(&n->ledger);
	notify_close(n->notify);
	pthread_mutex_destroy(&n->lock);
	wake_fini(&n->wake);
	free(n);
}

const char *notifier_name(const struct notifier *n)
{
	return n->name;
}

struct wake *notifier_wake(struct notifier *n)
{
	return &n->wake;
}

void notifier_tell(struct notifier *n, struct bulletin *b)
{
	struct bulletin *old;

	pthread_mutex_lock(&n->lock);
	old = n->mail;
	n->mail = bulletin_ref(b);
	n->news = n->news || b->news;
	pthread_mutex_unlock(&n->lock);
	bulletin_unref(old);
	wake_signal(&n->wake);
}

void notifier_show(struct notifier *n, struct jsonw *w)
{
	static const char *const types[] = {"alertmanager", "webhook", "slack",
					    "pagerduty",    "email",   "command"};

	pthread_mutex_lock(&n->lock);
	jsonw_object(w);
	jsonw_key_str(w, "name", n->r->name);
	jsonw_key_str(w, "type", types[n->r->type]);
	jsonw_key_int(w, "waiting", (int64_t)n->waiting);
	jsonw_key(w, "ok");
	jsonw_bool(w, !n->troubled);
	jsonw_key_str(w, "trouble", n->troubled ? n->trouble : NULL);
	jsonw_key(w, "last_success");
	if (n->last_success.ms > 0)
		jsonw_int(w, n->last_success.ms);
	else
		jsonw_null(w);
	jsonw_end(w);
	pthread_mutex_unlock(&n->lock);
}

/* Near the time of day, and goes on evenly when that is set: a message is no day old,
 * and none is due again, because of that. What is kept is told by it. */
static struct wall steady(const struct notifier *n)
{
	return (struct wall){clock_mono().ns / 1000000 + n->steady_ms};
}

/* How it goes */

static bool any_trouble(const struct notifier *n)
{
	for (size_t i = 0; i < notify_places(n->notify); i++)
		if (n->places[i].troubled)
			return true;
	return false;
}

static void went_well(struct notifier *n, size_t place)
{
	bool was = n->places[place].troubled;

	metrics_add(METRIC_NOTICES_SENT, 1);
	n->places[place].troubled = false;
	pthread_mutex_lock(&n->lock);
	n->troubled = any_trouble(n);
	n->last_success = clock_wall();
	pthread_mutex_unlock(&n->lock);
	if (was)
		log_info(n->name, "takes messages again");
}

/* Say what is wrong once, until it goes well again. */
static void went_wrong(struct notifier *n, size_t place, const struct err *err)
{
	bool was = n->places[place].troubled;

	metrics_add(METRIC_NOTICES_FAILED, 1);
	n->places[place].troubled = true;
	pthread_mutex_lock(&n->lock);
	n->troubled = true;
	snprintf(n->trouble, sizeof(n->trouble), "%.*s",
		 (int)utf8_cut(err->text, strlen(err->text), sizeof(n->trouble) - 1),
		 err->text);
	pthread_mutex_unlock(&n->lock);
	if (!was)
		log_warn(n->name, "%s; tried again with backoff", err->text);
}

static void count_waiting(struct notifier *n)
{
	pthread_mutex_lock(&n->lock);
	n->waiting = n->ledger.n;
	pthread_mutex_unlock(&n->lock);
}

static struct mono later(struct backoff *b, int64_t wish_ms)
{
	int64_t ms = backoff_next(b);

	return mono_add_ms(clock_mono(), wish_ms > ms ? wish_ms : ms);
}

/* What there is to tell */

/* Is the incident known of no more? Then nothing is left to be told about it. */
static void forget_the_gone(struct notifier *n)
{
	struct ledger *l = &n->ledger;
	size_t kept = 0;

	for (size_t i = 0; i < l->told_count; i++)
		l->told[i].seen = l->told[i].closing;
	for (size_t i = 0; i < n->now->n; i++) {
		struct told *t = ledger_find(l, n->now->v[i].alert.incident);

		if (t != NULL)
			t->seen = true;
	}
	for (size_t i = 0; i < l->told_count; i++)
		if (l->told[i].seen)
			l->told[kept++] = l->told[i];
	if (kept != l->told_count) {
		l->told_count = kept;
		ledger_save(l);
	}
}

static void take_mail(struct notifier *n)
{
	struct bulletin *mail;
	bool news;

	pthread_mutex_lock(&n->lock);
	mail = n->mail;
	news = n->news;
	n->mail = NULL;
	n->news = false;
	pthread_mutex_unlock(&n->lock);
	if (mail == NULL)
		return;
	bulletin_unref(n->now);
	n->now = mail;
	forget_the_gone(n);
	for (size_t i = 0; news && i < notify_places(n->notify); i++)
		if (n->places[i].backoff.failures == 0)
			n->places[i].due = clock_mono();
}

enum news { NONE, NEWS, AGAIN };

static enum news news_of(const struct notifier *n, const struct bulletin_entry *e)
{
	const struct told *t = ledger_find(&n->ledger, e->alert.incident);

	if (e->alert.severity < n->severity)
		return NONE;
	if (e->alert.life.state == ALERT_RESOLVED)
		return t != NULL && !t->lost && !t->closing ? NEWS : NONE;
	if (e->held)
		return NONE;
	if (t == NULL)
		return NEWS;
	if (n->ledger.n > 0) /* who has not got the last word needs no other yet */
		return NONE;
	return steady(n).ms - t->at.ms >= n->repeat_ms ? AGAIN : NONE;
}

static char *group_key(const struct notifier *n, const struct alert *a)
{
	struct message_group g = message_group_of(a);

	if (notify_is_single(n->notify))
		return mem_strdup(a->incident);
	return mem_printf("%s\n%s\n%s", g.cluster, g.group, g.host);
}

/* Begin to gather for each group that has news. */
static void gather(struct notifier *n)
{
	for (size_t i = 0; n->now != NULL && i < n->now->n; i++) {
		enum news news = news_of(n, &n->now->v[i]);
		size_t k = 0;
		char *key;

		if (news == NONE)
			continue;
		key = group_key(n, &n->now->v[i].alert);
		while (k < n->n && strcmp(n->groups[k].key, key) != 0)
			k++;
		if (k < n->n) {
			free(key);
			continue;
		}
		MEM_GROW(n->groups, n->n, n->cap);
		n->groups[n->n++] = (struct gathering){
			key,
			mono_add_ms(clock_mono(), news == NEWS ? n->group_wait_ms : 0)};
	}
}

/* Does the alert go into its group's message: it fires, or its end is news? */
static bool belongs(const struct notifier *n, const struct bulletin_entry *e)
{
	if (e->alert.life.state == ALERT_RESOLVED)
		return news_of(n, e) == NEWS;
	return e->alert.severity >= n->severity && !e->held;
}

static void compose(struct notifier *n, const char *key)
{
	struct alert *alerts = mem_calloc(n->now->n + 1, sizeof(*alerts));
	bool news = false, any = false;
	size_t count = 0;

	for (size_t i = 0; i < n->now->n; i++) {
		const struct bulletin_entry *e = &n->now->v[i];
		char *its = group_key(n, &e->alert);

		if (strcmp(its, key) == 0 && belongs(n, e)) {
			enum news what = news_of(n, e);

			news = news || what == NEWS;
			any = any || what != NONE;
			alerts[count++] = alert_copy(&e->alert);
		}
		free(its);
	}
	if (!any) { /* it went as it came */
		for (size_t i = 0; i < count; i++)
			alert_fini(&alerts[i]);
		free(alerts);
		return;
	}
	if (ledger_push(&n->ledger, alerts, count, !news, steady(n))) {
		metrics_add(METRIC_NOTICES_DROPPED, 1);
		log_warn(n->name, "too many messages wait: the oldest is given up");
	}
}

static struct mono compose_due(struct notifier *n)
{
	struct mono next = MONO_NEVER;
	size_t kept = 0;

	for (size_t i = 0; i < n->n; i++) {
		if (mono_before(clock_mono(), n->groups[i].due)) {
			next = mono_min(next, n->groups[i].due);
			n->groups[kept++] = n->groups[i];
			continue;
		}
		compose(n, n->groups[i].key);
		free(n->groups[i].key);
	}
	n->n = kept;
	return next;
}

/* Telling it */

/* A message from those of the notice that may be told: an end only where the beginning
 * was delivered. */
static size_t choose(const struct notifier *n, const struct notice *notice,
		     const struct alert **out)
{
	size_t count = 0;

	for (size_t i = 0; i < notice->n; i++) {
		const struct alert *a = &notice->alerts[i];
		const struct told *t = ledger_find(&n->ledger, a->incident);

		if (a->life.state == ALERT_FIRING || (t != NULL && t->delivered))
			out[count++] = a;
	}
	return count;
}

static void tell_log(const struct notifier *n, const struct message *m)
{
	struct buf title = BUF_INIT(1 << 16);

	message_title(m, &title);
	log_info(n->name, "told: %s", buf_str(&title));
	buf_free(&title);
}

static void give_up(struct notifier *n, const char *why)
{
	metrics_add(METRIC_NOTICES_DROPPED, 1);
	log_warn(n->name, "a message is given up: %s", why);
	ledger_drop(&n->ledger);
}

static void send_first(struct notifier *n)
{
	const struct notice *notice = &n->ledger.queue[0];
	const struct alert **alerts = mem_calloc(notice->n, sizeof(struct alert *));
	struct message m = {.url = n->url,
			    .alerts = alerts,
			    .n = choose(n, notice, alerts),
			    .now = {notice->made.ms + clock_wall().ms - steady(n).ms},
			    .repeated = notice->repeated};
	struct notify_answer answer;
	struct err err = ERR_INIT;
	int rc;

	if (steady(n).ms - notice->made.ms >= EXPIRES_MS) {
		give_up(n, "it could not be delivered for a day");
	} else if (m.n == 0) {
		ledger_drop(&n->ledger);
	} else if ((rc = notify_send(n->notify, 0, &m, &answer, &err)) == 0) {
		went_well(n, 0);
		tell_log(n, &m);
		ledger_delivered(&n->ledger, steady(n));
		backoff_reset(&n->backoff);
	} else if (!wake_stopping(&n->wake) && rc == ERR_REJECT) {
		metrics_add(METRIC_NOTICES_FAILED, 1);
		give_up(n, err.text);
	} else if (!wake_stopping(&n->wake)) {
		went_wrong(n, 0, &err);
		n->not_before = later(&n->backoff, answer.retry_ms);
	}
	free(alerts);
	count_waiting(n);
}

static struct step step_queue(struct notifier *n)
{
	struct mono next;

	gather(n);
	next = compose_due(n);
	count_waiting(n);
	if (n->ledger.n > 0) {
		if (!mono_before(clock_mono(), n->not_before)) {
			send_first(n);
			return STEP_NOW;
		}
		next = mono_min(next, n->not_before);
	}
	if (n->ledger.told_count > 0)
		next = mono_min(next, mono_add_ms(clock_mono(), CHECK_MS));
	return STEP_UNTIL(next);
}

/* Alertmanagers */

/* What this one hears now: all that fires, and for a while what has ended. */
static size_t choose_steady(const struct notifier *n, const struct place *p,
			    const struct alert **out)
{
	size_t count = 0;

	for (size_t i = 0; n->now != NULL && i < n->now->n; i++) {
		const struct bulletin_entry *e = &n->now->v[i];
		const struct alert *a = &e->alert;
		bool fresh = a->life.ended.ms >= p->heard.ms ||
			     clock_wall().ms - a->life.ended.ms < CLOSE_FOR_MS;

		if (a->severity < n->severity)
			continue;
		if (a->life.state == ALERT_RESOLVED
			    ? fresh && ledger_find(&n->ledger, a->incident) != NULL
			    : !e->held)
			out[count++] = a;
	}
	return count;
}

static void note_told(struct notifier *n, const struct message *m)
{
	bool news = false;

	for (size_t i = 0; i < m->n; i++) {
		struct told *t = ledger_find(&n->ledger, m->alerts[i]->incident);

		if (t != NULL)
			continue;
		t = ledger_add(&n->ledger, m->alerts[i]->incident);
		t->at = m->now;
		t->delivered = true;
		news = true;
	}
	if (news) {
		ledger_save(&n->ledger);
		tell_log(n, m);
	}
}

static void send_steady(struct notifier *n, size_t i)
{
	struct place *p = &n->places[i];
	const struct alert **alerts =
		mem_calloc(n->now != NULL ? n->now->n + 1 : 1, sizeof(struct alert *));
	struct message m = {.url = n->url, .alerts = alerts, .now = clock_wall()};
	struct notify_answer answer;
	struct err err = ERR_INIT;

	m.n = choose_steady(n, p, alerts);
	p->due = mono_add_ms(clock_mono(), RESEND_MS);
	if (m.n == 0) {
		p->due = MONO_NEVER; /* until there is news */
	} else if (notify_send(n->notify, i, &m, &answer, &err) == 0) {
		went_well(n, i);
		note_told(n, &m);
		p->heard = m.now;
		backoff_reset(&p->backoff);
	} else if (!wake_stopping(&n->wake)) {
		int64_t ms = backoff_next(&p->backoff);

		went_wrong(n, i, &err);
		ms = ms < RESEND_MS ? ms : RESEND_MS;
		ms = ms > answer.retry_ms ? ms : answer.retry_ms;
		p->due = mono_add_ms(clock_mono(), ms);
	}
	free(alerts);
}

static struct step step_steady(struct notifier *n)
{
	struct mono next = MONO_NEVER;

	for (size_t i = 0; i < notify_places(n->notify); i++) {
		if (!mono_before(clock_mono(), n->places[i].due)) {
			send_steady(n, i);
			return STEP_NOW;
		}
		next = mono_min(next, n->places[i].due);
	}
	return STEP_UNTIL(next);
}

struct step notifier_step(void *self)
{
	struct notifier *n = self;

	if (wake_stopping(&n->wake))
		return STEP_DONE;
	take_mail(n);
	return notify_is_steady(n->notify) ? step_steady(n) : step_queue(n);
}
