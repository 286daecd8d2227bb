/* SPDX-License-Identifier: MIT
 * alarm: see alarm.h. Looks once a second whether the board has changed, and every few
 * seconds whether it has or not, because silence is a fact too. */
#include "alarm/alarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "document/alert.h"
#include "notify/message.h"
#include "alarm/alerts.h"
#include "alarm/condition.h"
#include "alarm/hush.h"
#include "alarm/objectives.h"

#include "banned.h"

#define ABOUT "alert"
#define TICK_MS 1000
#define LOOK_MS 5000  /* at the latest, with a board that stands still */
#define SAVE_MS 60000 /* of what changes without an event */
#define TELL_MS 30000 /* the same, to receivers: what is repeated is to be true */
#define ORPHAN_MS 600000
#define SECTION_MAX (8 << 20)
#define WAITING_MAX 1000 /* documents; then the store drops its oldest for them */

struct alarm {
	struct wake wake;
	const struct config *config;
	struct store *store;
	struct board *board;
	struct brokers *brokers; /* NULL without any */
	struct notifier *const *notifiers;
	size_t notifier_count;
	struct hush *hush;
	struct alerts alerts;
	struct objectives objectives;
	uint64_t look, seen_version;
	struct alert_now now, last;
	int64_t steady_ms; /* add it to the monotonic clock's ms */
	struct mono next_look, next_save, next_tell;
	bool changed;             /* what receivers and pages are told is old */
	struct document *waiting; /* the store has no room for them yet */
	size_t n, cap;
};

/* The beginning and the end */

static struct alert_now now_of(const struct alarm *a)
{
	return (struct alert_now){clock_mono().ns / 1000000 + a->steady_ms,
				  clock_wall()};
}

int alarm_new(struct alarm **out, const struct config *c, struct store *store,
	      struct board *board, struct err *err)
{
	struct alarm *a = mem_calloc(1, sizeof(*a));

	a->config = c;
	a->store = store;
	a->board = board;
	a->steady_ms = clock_wall().ms - clock_mono().ns / 1000000;
	if (hush_new(&a->hush, c, store, err) != 0) {
		free(a);
		return err->class;
	}
	if (wake_init(&a->wake) != 0) {
		hush_free(a->hush);
		free(a);
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	}
	a->now = a->last = now_of(a);
	alerts_restore(&a->alerts, store, a->now);
	objectives_restore(&a->objectives, store);
	a->changed = true;
	*out = a;
	return 0;
}

void alarm_free(struct alarm *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		document_fini(&a->waiting[i]);
	free(a->waiting);
	objectives_fini(&a->objectives);
	alerts_fini(&a->alerts);
	hush_free(a->hush);
	wake_fini(&a->wake);
	free(a);
}

void alarm_tell(struct alarm *a, struct notifier *const *notifiers, size_t n)
{
	a->notifiers = notifiers;
	a->notifier_count = n;
}

void alarm_look_at_brokers(struct alarm *a, struct brokers *b)
{
	a->brokers = b;
}

struct wake *alarm_wake(struct alarm *a)
{
	return &a->wake;
}

/* What happens to an alert */

/* One line a change: how bad, which rule, of what, which partitions, what it says. */
static void tell(const struct alert *a, const char *what)
{
	struct buf partitions = BUF_INIT(4096), about = BUF_INIT(4096);

	message_subject(a, &about);
	message_partitions(a, &partitions);
	log_line(a->life.state == ALERT_FIRING && a->severity > SEVERITY_INFO
			 ? LOG_WARN
			 : LOG_INFO,
		 ABOUT, "%s: %s %s of %s%s%s: %s [%s]", what,
		 severity_name(a->severity), a->rule, buf_str(&about),
		 partitions.len > 0 ? ", partitions " : "", buf_str(&partitions),
		 a->message, a->incident);
	buf_free(&partitions);
	buf_free(&about);
}

/* What is for information only is shown, and no more. */
static void write_document(struct alarm *a, const struct alert *alert)
{
	struct document d;

	if (alert->severity == SEVERITY_INFO)
		return;
	d = document_alert(alert, a->now.wall);
	board_document(a->board, d.json, d.len);
	MEM_GROW(a->waiting, a->n, a->cap);
	a->waiting[a->n++] = d;
	metrics_add(METRIC_SAMPLES, 1);
}

static void hand_over(struct alarm *a, bool force)
{
	if (a->n > 0 &&
	    store_append(a->store, a->waiting, a->n, force || a->n > WAITING_MAX) == 0)
		a->n = 0;
}

static void set_changed(struct alert *a, char *text)
{
	free(a->changed);
	a->changed = text;
}

static void end_message(struct alert *a, const char *why)
{
	char *text = mem_printf("%s (was: %s)", why, a->message);

	free(a->message);
	a->message = text;
	set_changed(a, mem_strdup(why));
}

static void act(struct alarm *a, struct alerts_entry *e, enum alert_event what)
{
	struct alert *alert = &e->alert;

	if (what == ALERT_STAYS)
		return;
	e->dirty = true;
	a->changed = true;
	switch (what) {
	case ALERT_BEGINS:
		set_changed(alert, mem_strdup("pending"));
		break;
	case ALERT_FIRES:
		set_changed(alert, mem_strdup("fires"));
		tell(alert, "fires");
		write_document(a, alert);
		break;
	case ALERT_RESOLVES:
	case ALERT_FADES:
		end_message(alert, what == ALERT_RESOLVES
					   ? "it is over"
					   : "nothing is known of it any more");
		tell(alert, "resolved");
		write_document(a, alert);
		break;
	case ALERT_STAYS:
	case ALERT_DROPS:
	case ALERT_FORGETS:
		break;
	}
}

static void other_partitions(struct alarm *a, struct alerts_entry *e)
{
	struct buf now = BUF_INIT(4096);

	if (e->alert.life.state == ALERT_FIRING) {
		message_partitions(&e->alert, &now);
		set_changed(&e->alert,
			    mem_printf("partitions are now %s",
				       now.len > 0 ? buf_str(&now) : "none"));
	}
	buf_free(&now);
	e->dirty = true;
	a->changed = true;
}

static void step_alert(struct alarm *a, struct alerts_entry *e,
		       const struct alert_policy *p, enum alert_fact fact,
		       struct wall since)
{
	enum alert_state was = e->alert.life.state;
	enum alert_event what = alert_step(&e->alert.life, p, fact, since, a->now);

	if ((was == ALERT_NONE || was == ALERT_RESOLVED) &&
	    e->alert.life.state != was && e->alert.life.state != ALERT_NONE)
		alert_name_incident(&e->alert);
	act(a, e, what);
}

/* Is the lag of a partition that the alert names not known now? */
static bool names_unknown(const struct alert *a, const struct sample *s)
{
	for (size_t i = 0, k = 0; i < s->n && k < a->partition_count; i++) {
		while (k < a->partition_count && a->partitions[k] < s->rows[i].number)
			k++;
		if (k < a->partition_count && a->partitions[k] == s->rows[i].number &&
		    !s->rows[i].has_lag)
			return true;
	}
	return false;
}

static void each_condition(void *arg, const struct condition *c)
{
	struct alarm *a = arg;
	struct alerts_entry *e = alerts_find(&a->alerts, c);
	enum alert_fact fact = c->fact;

	if (e == NULL)
		return;
	if (fact == FACT_AWAY && c->lags != NULL && names_unknown(&e->alert, c->lags))
		fact = FACT_UNKNOWN;
	e->look = a->look;
	if ((c->fact == FACT_HOLDS || c->fact == FACT_BETWEEN) &&
	    (e->alert.life.state != ALERT_RESOLVED || c->fact == FACT_HOLDS) &&
	    alerts_update(e, c))
		other_partitions(a, e);
	step_alert(a, e, &c->policy, fact, c->since);
}

/* What no view speaks of any more: the topic left the configuration, or the group. */
static void step_orphans(struct alarm *a)
{
	static const struct alert_policy p = {0, 0, ORPHAN_MS};

	for (size_t i = 0; i < a->alerts.n; i++)
		if (a->alerts.v[i].look != a->look)
			step_alert(a, &a->alerts.v[i], &p, FACT_UNKNOWN,
				   (struct wall){0});
}

/* A look at everything */

static void look_at_brokers(struct alarm *a)
{
	struct brokers_status status;

	for (size_t i = 0; a->brokers != NULL && brokers_look(a->brokers, i, &status);
	     i++)
		condition_brokers(&status, each_condition, a);
}

static void look(struct alarm *a)
{
	struct board_views views = board_look(a->board);
	struct store_status store;
	struct condition_facts facts = {.mono = clock_mono(),
					.wall = a->now.wall,
					.builtin = a->config->alerts.builtin,
					.ships = a->config->elastic.set,
					.store = &store};

	store_status(a->store, &store);
	a->look++;
	a->seen_version = views.version;
	condition_look(&views, &facts, each_condition, a);
	look_at_brokers(a);
	objectives_look(&a->objectives, &views, a->last.ms, a->now.ms, each_condition,
			a);
	step_orphans(a);
	board_views_fini(&views);
	a->last = a->now;
}

static void take_requests(struct alarm *a)
{
	struct buf request = BUF_INIT(1 << 20), what = BUF_INIT(1 << 16);

	while (board_asked(a->board, BOARD_ASK_SILENCE, &request)) {
		bool done = hush_ask(a->hush, buf_str(&request), request.len,
				     a->now.wall, &what);

		log_line(done ? LOG_INFO : LOG_WARN, ABOUT, "%s", buf_str(&what));
		a->changed = true;
		buf_reset(&request);
		buf_reset(&what);
	}
	buf_free(&request);
	buf_free(&what);
}

/* Telling it */

/* A worse alert of the same rule fires: entries stand beside each other, the worse
 * first. */
static bool is_outdone(const struct alerts *a, size_t i)
{
	const struct alert *worse = i > 0 ? &a->v[i - 1].alert : NULL;
	const struct alert *it = &a->v[i].alert;

	return worse != NULL && worse->life.state == ALERT_FIRING &&
	       strcmp(worse->rule, it->rule) == 0 &&
	       strcmp(worse->topic, it->topic) == 0 &&
	       strcmp(worse->group, it->group) == 0 &&
	       strcmp(worse->cluster, it->cluster) == 0 &&
	       strcmp(worse->host, it->host) == 0;
}

static void tell_notifiers(struct alarm *a)
{
	struct bulletin *b = bulletin_new(a->alerts.n);

	b->news = a->changed;
	for (size_t i = 0; i < a->alerts.n; i++) {
		const struct alert *alert = &a->alerts.v[i].alert;
		struct bulletin_entry *e = &b->v[b->n];

		if (alert->life.state < ALERT_FIRING)
			continue;
		e->alert = alert_copy(alert);
		e->held =
			hush_until(a->hush, alert).ms != 0 || is_outdone(&a->alerts, i);
		b->n++;
	}
	for (size_t i = 0; i < a->notifier_count; i++)
		notifier_tell(a->notifiers[i], b);
	bulletin_unref(b);
}

static void show_alerts(struct alarm *a)
{
	struct buf json = BUF_INIT(SECTION_MAX);
	struct jsonw w = jsonw_start(&json);

	jsonw_array(&w);
	for (size_t i = 0; i < a->alerts.n; i++) {
		const struct alert *alert = &a->alerts.v[i].alert;

		alert_show(&w, alert, hush_until(a->hush, alert));
	}
	jsonw_end(&w);
	if (!json.failed)
		board_tell(a->board, BOARD_ALERTS, buf_str(&json), json.len);
	buf_reset(&json);
	hush_show(a->hush, &json);
	if (!json.failed)
		board_tell(a->board, BOARD_SILENCES, buf_str(&json), json.len);
	buf_free(&json);
}

static void show_objectives(struct alarm *a)
{
	struct buf json = BUF_INIT(SECTION_MAX);

	objectives_show(&a->objectives, a->now.ms, &json);
	if (!json.failed)
		board_tell(a->board, BOARD_OBJECTIVES, buf_str(&json), json.len);
	buf_free(&json);
}

static void show_receivers(struct alarm *a)
{
	struct buf json = BUF_INIT(SECTION_MAX);
	struct jsonw w = jsonw_start(&json);

	jsonw_array(&w);
	for (size_t i = 0; i < a->notifier_count; i++)
		notifier_show(a->notifiers[i], &w);
	jsonw_end(&w);
	board_tell(a->board, BOARD_RECEIVERS, buf_str(&json), json.len);
	buf_free(&json);
}

static void count(const struct alarm *a)
{
	static const enum metric pending[] = {METRIC_ALERTS_PENDING_INFO,
					      METRIC_ALERTS_PENDING_WARNING,
					      METRIC_ALERTS_PENDING_CRITICAL};
	static const enum metric firing[] = {METRIC_ALERTS_FIRING_INFO,
					     METRIC_ALERTS_FIRING_WARNING,
					     METRIC_ALERTS_FIRING_CRITICAL};
	int64_t n[2][SEVERITIES] = {{0}, {0}};

	for (size_t i = 0; i < a->alerts.n; i++) {
		const struct alert *alert = &a->alerts.v[i].alert;

		n[0][alert->severity] += alert->life.state == ALERT_PENDING;
		n[1][alert->severity] += alert->life.state == ALERT_FIRING;
	}
	for (int s = 0; s < SEVERITIES; s++) {
		metrics_set(pending[s], n[0][s]);
		metrics_set(firing[s], n[1][s]);
	}
}

static void save(struct alarm *a, struct mono now)
{
	if (!mono_before(now, a->next_save)) {
		for (size_t i = 0; i < a->alerts.n; i++)
			a->alerts.v[i].dirty = true;
		objectives_save(&a->objectives, a->store, a->now.ms);
		a->next_save = mono_add_ms(now, SAVE_MS);
	}
	alerts_save(&a->alerts, a->store);
}

static void publish(struct alarm *a, struct mono now)
{
	if (a->changed || !mono_before(now, a->next_tell)) {
		tell_notifiers(a);
		a->next_tell = mono_add_ms(now, TELL_MS);
	}
	if (a->changed)
		count(a);
	a->changed = false;
	show_alerts(a); /* values and messages change without an event */
	show_objectives(a);
	show_receivers(a);
	/* Our own sections are no reason to look again. */
	a->seen_version = board_version(a->board);
}

struct step alarm_step(void *self)
{
	struct alarm *a = self;
	struct mono now = clock_mono();

	a->now = now_of(a);
	if (wake_stopping(&a->wake)) {
		a->next_save = now;
		save(a, now);
		hand_over(a, true);
		return STEP_DONE;
	}
	take_requests(a);
	a->changed = hush_look(a->hush, a->now.wall) || a->changed;
	if (a->changed || board_version(a->board) != a->seen_version ||
	    !mono_before(now, a->next_look)) {
		look(a);
		a->next_look = mono_add_ms(now, LOOK_MS);
		save(a, now);
		publish(a, now);
	}
	hand_over(a, false);
	return STEP_UNTIL(mono_add_ms(now, TICK_MS));
}
