/* SPDX-License-Identifier: MIT */
#include "follow/brokers.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/http.h"
#include "prom/ask.h"
#include "prom/rates.h"
#include "prom/ready.h"

#include "banned.h"

#define TIMEOUT_MS 10000
#define QUERY_MAX 65536
#define BOARD_MAX (1 << 20)
#define DECIMALS 6

struct entry {
	const struct config_broker *config;
	struct http *http; /* NULL until it could be opened */
	struct mono next;
	size_t spelling;           /* the one that gave a series last */
	struct prom_answer answer; /* the last one, and what was made of it */
	struct rates rates;
	bool has_rates;
	struct brokers_status status; /* shared: under the lock */
};

struct brokers {
	const struct config *config;
	struct board *board;
	struct wake wake;
	pthread_mutex_t lock;
	struct entry *entries;
	size_t n;
};

const char *brokers_state_name(enum brokers_state s)
{
	switch (s) {
	case BROKERS_OK:
		return "ok";
	case BROKERS_LOW:
		return "low";
	case BROKERS_NODATA:
		return "nodata";
	case BROKERS_UNKNOWN:
		break;
	}
	return "unknown";
}

struct brokers *brokers_new(const struct config *c, struct board *board)
{
	struct brokers *b = mem_calloc(1, sizeof(*b));
	struct mono now = clock_mono();

	if (wake_init(&b->wake) != 0) {
		free(b);
		return NULL;
	}
	pthread_mutex_init(&b->lock, NULL);
	b->config = c;
	b->board = board;
	b->n = c->broker_count;
	b->entries = mem_calloc(b->n + 1, sizeof(*b->entries));
	for (size_t i = 0; i < b->n; i++) {
		b->entries[i].config = &c->brokers[i];
		b->entries[i].next = now;
		b->entries[i].status = (struct brokers_status){
			.config = &c->brokers[i],
			.since = clock_wall(),
			.since_mono = now,
			.mean = (double)NAN,
		};
	}
	return b;
}

static void forget_rates(struct entry *e)
{
	if (e->has_rates)
		rates_fini(&e->rates);
	e->has_rates = false;
	prom_answer_fini(&e->answer);
}

void brokers_free(struct brokers *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++) {
		http_close(b->entries[i].http);
		forget_rates(&b->entries[i]);
	}
	free(b->entries);
	pthread_mutex_destroy(&b->lock);
	wake_fini(&b->wake);
	free(b);
}

struct wake *brokers_wake(struct brokers *b)
{
	return &b->wake;
}

bool brokers_look(struct brokers *b, size_t i, struct brokers_status *out)
{
	if (i >= b->n)
		return false;
	pthread_mutex_lock(&b->lock);
	*out = b->entries[i].status;
	pthread_mutex_unlock(&b->lock);
	return true;
}

static int open_client(struct brokers *b, struct entry *e, struct err *err)
{
	const struct http_options o = {.username = e->config->username,
				       .password_file = e->config->password_file,
				       .token_file = e->config->token_file,
				       .ca_file = e->config->ca_file,
				       .timeout_ms = TIMEOUT_MS};

	return e->http != NULL ? 0 : http_open(&e->http, &o, &b->wake, err);
}

/* The expression that gave a series last time comes first, then the others. */
static bool next_query(struct entry *e, size_t i, struct buf *query)
{
	buf_reset(query);
	if (e->config->query == NULL)
		return ready_spelling(READY_MESSAGES, i, query);
	buf_addstr(query, e->config->query);
	return i == 0;
}

static int ask(struct entry *e, struct err *err)
{
	struct prom_answer *a = &e->answer;
	struct buf text = BUF_INIT(QUERY_MAX);
	struct prom_query q = {.url = e->config->prometheus, .at = (double)NAN};
	size_t first = e->spelling;
	int rc = 0;

	for (size_t i = first; rc == 0 && a->n == 0 && next_query(e, i, &text); i++) {
		prom_answer_fini(a);
		q.query = buf_str(&text);
		e->spelling = i;
		rc = prom_ask(e->http, &q, a, err);
	}
	if (rc != 0 || a->n == 0)
		e->spelling = 0; /* all of them the next time */
	buf_free(&text);
	return rc;
}

/* Take over what is true now; the state keeps its time while it is the same. */
static void set_state(struct brokers *b, struct entry *e, enum brokers_state state,
		      double mean, const char *message)
{
	struct brokers_status *s = &e->status;
	bool changed = s->state != state;
	enum brokers_state before = s->state;

	pthread_mutex_lock(&b->lock);
	if (changed) {
		s->since = clock_wall();
		s->since_mono = clock_mono();
	}
	s->state = state;
	s->at = clock_wall();
	s->mean = mean;
	snprintf(s->message, sizeof(s->message), "%.*s",
		 (int)utf8_cut(message, strlen(message), sizeof(s->message) - 1),
		 message);
	utf8_plain(s->message);
	pthread_mutex_unlock(&b->lock);
	if (changed && (state == BROKERS_LOW || state == BROKERS_NODATA))
		log_warn(e->config->name, "brokers: %s", s->message);
	else if (changed && before != BROKERS_UNKNOWN)
		log_info(e->config->name, "brokers: the rates are well again");
}

static void judge(struct brokers *b, struct entry *e)
{
	const struct rates_limits none = RATES_LIMITS_NONE;
	struct err err = ERR_INIT;
	char text[200];

	if (rates_read(&e->answer, true, false, &none, &e->rates, &err) != 0) {
		set_state(b, e, BROKERS_NODATA, (double)NAN, err.text);
		return;
	}
	e->has_rates = true;
	if (!rates_any(&e->rates)) {
		set_state(b, e, BROKERS_NODATA, (double)NAN,
			  e->answer.n == 0
				  ? "the query gives no series; is the brokers' JMX "
				    "exporter still scraped?"
				  : "no rate is finite");
		return;
	}
	snprintf(
		text, sizeof(text),
		"the mean of %zu broker%s is %.1f messages a second, below the minimum "
		"of %.1f",
		e->rates.brokers, e->rates.brokers == 1 ? "" : "s", e->rates.mean,
		e->config->min_rate);
	if (e->rates.mean < e->config->min_rate)
		set_state(b, e, BROKERS_LOW, e->rates.mean, text);
	else
		set_state(b, e, BROKERS_OK, e->rates.mean, "");
}

static void key_real(struct jsonw *w, const char *key, double v)
{
	jsonw_key(w, key);
	jsonw_real(w, v, DECIMALS);
}

static void put_instances(struct jsonw *w, const struct rates *r)
{
	jsonw_key(w, "instances");
	jsonw_array(w);
	for (size_t i = 0; i < r->n; i++) {
		jsonw_object(w);
		jsonw_key_str(w, "instance", r->rows[i].instance);
		key_real(w, "rate", r->rows[i].rate);
		jsonw_end(w);
	}
	jsonw_end(w);
}

static void put_entry(struct jsonw *w, const struct entry *e)
{
	const struct rates none = {.total = (double)NAN,
				   .mean = (double)NAN,
				   .min = (double)NAN,
				   .max = (double)NAN};
	const struct rates *r = e->has_rates ? &e->rates : &none;
	const struct brokers_status *s = &e->status; /* written by this thread only */

	jsonw_object(w);
	jsonw_key_str(w, "name", e->config->name);
	jsonw_key_str(w, "state", brokers_state_name(s->state));
	jsonw_key_int(w, "since", s->since.ms);
	jsonw_key_int(w, "at", s->at.ms);
	jsonw_key_str(w, "message", *s->message != '\0' ? s->message : NULL);
	if (e->has_rates && r->brokers_known)
		jsonw_key_int(w, "brokers", (int64_t)r->brokers);
	else
		jsonw_key_str(w, "brokers", NULL);
	key_real(w, "total", r->total);
	key_real(w, "mean", r->mean);
	key_real(w, "min", r->min);
	key_real(w, "max", r->max);
	key_real(w, "min_rate", e->config->min_rate);
	jsonw_key_int(w, "not_finite", (int64_t)r->not_finite);
	put_instances(w, r);
	jsonw_end(w);
}

static void show(struct brokers *b)
{
	struct buf json = BUF_INIT(BOARD_MAX);
	struct jsonw w = jsonw_start(&json);

	if (b->board == NULL)
		return;
	jsonw_array(&w);
	for (size_t i = 0; i < b->n; i++)
		put_entry(&w, &b->entries[i]);
	jsonw_end(&w);
	if (!json.failed)
		board_tell(b->board, BOARD_BROKERS, json.data, json.len);
	buf_free(&json);
}

static void look(struct brokers *b, struct entry *e)
{
	struct err err = ERR_INIT;
	int rc = open_client(b, e, &err);

	forget_rates(e);
	if (rc == 0)
		rc = ask(e, &err);
	if (rc != 0 && err.code == PROM_STOPPED)
		return;
	if (rc == 0)
		judge(b, e);
	else
		set_state(b, e, BROKERS_NODATA, (double)NAN, err.text);
	if (err.code == PROM_DENIED) { /* with what its files hold then */
		http_close(e->http);
		e->http = NULL;
	}
	show(b);
}

struct step brokers_step(void *self)
{
	struct brokers *b = self;
	struct mono next = MONO_NEVER;

	if (wake_stopping(&b->wake))
		return STEP_DONE;
	for (size_t i = 0; i < b->n; i++) {
		struct entry *e = &b->entries[i];

		if (!mono_before(clock_mono(), e->next)) {
			look(b, e);
			e->next = mono_add_ms(e->next, e->config->interval_ms);
			if (mono_before(e->next, clock_mono()))
				e->next = mono_add_ms(clock_mono(),
						      e->config->interval_ms);
			return STEP_NOW;
		}
		next = mono_min(next, e->next);
	}
	return STEP_UNTIL(next);
}
