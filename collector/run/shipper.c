/* SPDX-License-Identifier: MIT
 * shipper: see shipper.h. One batch is in hand at a time and sent in parts: normally
 * one, halved after a 413 or a 400 of the whole request until the one document that is
 * to blame stands alone. What is to be sent again goes back to the store. */
#include "run/shipper.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "elastic/elastic.h"

#include "banned.h"

#define ABOUT "elasticsearch"
#define SLOW_MS 30000 /* between tries while an operator has to act */
#define BACKLOG_REST_MIN_MS 50
#define MALFORMED_MAX 3 /* documents in a row, before it is the server's fault */

enum phase {
	IDLE,   /* nothing asked of the store */
	ASKED,  /* a take is under way */
	HOLDING /* a batch is in hand */
};

struct shipper {
	struct wake wake;
	atomic_bool draining;
	const struct config_elastic *config;
	struct elastic *elastic;
	struct store *store;
	enum phase phase;
	enum store_range range; /* of the take under way */
	struct store_batch batch;
	struct bulk_item *verdicts; /* one per document of the batch */
	size_t at, part;            /* the part that is sent next: [at, at + part) */
	struct mono not_before;     /* nothing is sent, nothing asked */
	struct mono next_new;       /* small batches are collected until then */
	struct backoff backoff;
	enum bulk_pace pace; /* of the trouble that is on, with `troubled` */
	bool troubled;
	int trouble_code; /* err.code of it, to log only what changes */
	bool failed;      /* since the last success: ends a drain */
	bool hurried;     /* a drain has begun, nothing is gathered any more */
	int malformed;    /* single documents refused as malformed since a success */
};

int shipper_new(struct shipper **out, const struct config_elastic *c,
		struct store *store, struct err *err)
{
	struct shipper *s = mem_calloc(1, sizeof(*s));
	int rc;

	if (wake_init(&s->wake) != 0) {
		free(s);
		return err_set(err, ERR_RETRY, "no descriptor is left (ulimit -n)");
	}
	rc = elastic_open(&s->elastic, c, &s->wake, err);
	if (rc != 0) {
		wake_fini(&s->wake);
		free(s);
		return rc;
	}
	s->config = c;
	s->store = store;
	s->backoff = (struct backoff)BACKOFF_INIT(1000, 60000);
	*out = s;
	return 0;
}

void shipper_free(struct shipper *s)
{
	if (s == NULL)
		return;
	store_take_cancel(s->store);
	elastic_close(s->elastic);
	store_batch_fini(&s->batch);
	free(s->verdicts);
	wake_fini(&s->wake);
	free(s);
}

struct wake *shipper_wake(struct shipper *s)
{
	return &s->wake;
}

void shipper_drain(struct shipper *s)
{
	atomic_store(&s->draining, true);
	wake_signal(&s->wake);
}

/* Say what is wrong, once for each kind of trouble (the words of one kind differ from
 * node to node), and look for mended credentials where an operator has to act. */
static void trouble(struct shipper *s, enum bulk_pace pace, const struct err *why)
{
	bool news = !s->troubled || pace != s->pace || why->code != s->trouble_code;
	struct err err = ERR_INIT;

	metrics_add(METRIC_BULK_FAILURES, 1);
	s->failed = true;
	if (!s->troubled) /* what waits now, waited through an outage */
		store_mark_backlog(s->store);
	if (news)
		log_warn(ABOUT, "%s; documents wait in the spool, next try %s",
			 why->text, pace == PACE_SLOW ? "every 30 s" : "with backoff");
	if (pace == PACE_SLOW && elastic_reread(s->elastic, &err) != 0 && news)
		log_warn(ABOUT, "%s", err.text);
	s->troubled = true;
	s->pace = pace;
	s->trouble_code = why->code;
}

static void all_is_well(struct shipper *s)
{
	if (s->troubled) {
		log_info(ABOUT, "takes documents again");
		store_mark_backlog(s->store);
	}
	s->troubled = false;
	s->failed = false;
	s->malformed = 0;
	backoff_reset(&s->backoff);
}

static void pause_for(struct shipper *s, enum bulk_pace pace, int64_t wish_ms)
{
	int64_t ms = pace == PACE_SLOW ? SLOW_MS : backoff_next(&s->backoff);

	s->not_before = mono_add_ms(clock_mono(), wish_ms > ms ? wish_ms : ms);
}

/* Give the whole batch back for another time. */
static void put_back(struct shipper *s)
{
	for (size_t i = s->at; i < s->batch.n; i++)
		s->verdicts[i] = (struct bulk_item){.verdict = BULK_RETRY};
	store_settle(s->store, s->batch.rows + s->at, s->verdicts + s->at,
		     s->batch.n - s->at);
	store_batch_fini(&s->batch);
	s->phase = IDLE;
}

static void fail(struct shipper *s, enum bulk_pace pace, int64_t wish_ms,
		 const struct err *why)
{
	trouble(s, pace, why);
	pause_for(s, pace, wish_ms);
	put_back(s);
}

/* One document that the server will not take in any company. */
static void reject_one(struct shipper *s, enum bulk_whole why, const struct err *err)
{
	struct bulk_item v = {.verdict = BULK_REJECT};

	v.status = why == WHOLE_HALVE ? 413 : 400;
	snprintf(v.type, sizeof(v.type), "%s",
		 why == WHOLE_HALVE ? "request_too_large" : "malformed_request");
	snprintf(v.reason, sizeof(v.reason), "%.255s", err->text);
	store_settle(s->store, &s->batch.rows[s->at], &v, 1);
	log_warn(ABOUT, "a document is refused for good: %s", v.reason);
	s->at++;
	s->part = s->batch.n - s->at;
}

/* Judge the items of the part that was sent. The slowest pace among those to be sent
 * again decides. */
static void settle_part(struct shipper *s, int64_t wish_ms, const struct err *err)
{
	enum bulk_pace pace = PACE_AGAIN;
	size_t retry = 0, rejected = 0;

	for (size_t i = s->at; i < s->at + s->part; i++) {
		const struct bulk_item *v = &s->verdicts[i];

		if (v->verdict == BULK_RETRY) {
			retry++;
			if (v->pace > pace)
				pace = v->pace;
		}
		rejected += v->verdict == BULK_REJECT;
	}
	store_settle(s->store, s->batch.rows + s->at, s->verdicts + s->at, s->part);
	if (rejected > 0)
		log_warn(ABOUT, "%zu of %zu documents are refused for good: %s",
			 rejected, s->part, err->text);
	s->at += s->part;
	s->part = s->batch.n - s->at;
	if (retry > 0) {
		trouble(s, pace, err);
		pause_for(s, pace, wish_ms);
	} else {
		all_is_well(s);
	}
}

/* A backlog is not to push a recovering server over. */
static void rest_after(struct shipper *s, struct mono began)
{
	int64_t took = mono_diff_ms(clock_mono(), began);
	struct mono until =
		mono_add_ms(clock_mono(),
			    took > BACKLOG_REST_MIN_MS ? took : BACKLOG_REST_MIN_MS);

	if (s->batch.backlog && mono_before(s->not_before, until))
		s->not_before = until;
}

static void send_part(struct shipper *s)
{
	struct err err = ERR_INIT;
	struct mono began = clock_mono();
	int64_t wish_ms = -1;
	enum bulk_whole whole;

	metrics_add(METRIC_BULK_REQUESTS, 1);
	whole = elastic_bulk(s->elastic, s->batch.documents + s->at, s->part,
			     s->verdicts + s->at, &wish_ms, began, &err);
	if (whole != WHOLE_ITEMS && wake_stopping(&s->wake)) {
		put_back(s); /* we cut the request off ourselves */
		return;
	}
	switch (whole) {
	case WHOLE_ITEMS:
		settle_part(s, wish_ms, &err);
		rest_after(s, began);
		break;
	case WHOLE_HALVE:
	case WHOLE_BISECT:
		if (s->part > 1)
			s->part /= 2;
		else if (whole == WHOLE_BISECT && ++s->malformed > MALFORMED_MAX) {
			/* One document can be the poison, not every one. */
			fail(s, PACE_SLOW, wish_ms, &err);
			return;
		} else
			reject_one(s, whole, &err);
		break;
	case WHOLE_AGAIN:
		fail(s, PACE_AGAIN, wish_ms, &err);
		return;
	case WHOLE_BOOTSTRAP:
		fail(s, PACE_BOOTSTRAP, wish_ms, &err);
		return;
	case WHOLE_SLOW:
		fail(s, PACE_SLOW, wish_ms, &err);
		return;
	}
	if (s->at == s->batch.n) {
		store_batch_fini(&s->batch);
		s->phase = IDLE;
	}
}

static void ask(struct shipper *s, enum store_range range)
{
	s->range = range;
	s->phase = ASKED;
	store_take_ask(s->store, &s->wake, range, (size_t)s->config->bulk_documents,
		       (size_t)s->config->bulk_bytes);
}

/* The answer to a take. An empty one of new documents leads to the backlog, an empty
 * one of that to a rest. Returns true when the drain is over. */
static bool taken(struct shipper *s)
{
	struct store_status status;

	if (!store_take_get(s->store, &s->batch))
		return false;
	s->phase = IDLE;
	if (s->batch.n > 0) {
		s->verdicts =
			mem_realloc(s->verdicts, s->batch.n, sizeof(*s->verdicts));
		s->at = 0;
		s->part = s->batch.n;
		s->phase = HOLDING;
		return false;
	}
	store_batch_fini(&s->batch);
	if (s->range == STORE_NEW) {
		ask(s, STORE_BACKLOG);
		return false;
	}
	if (!atomic_load(&s->draining)) {
		s->next_new = mono_add_ms(clock_mono(), s->config->bulk_delay_ms);
		return false;
	}
	/* What is still staged comes with the store's next commit. */
	store_status(s->store, &status);
	s->next_new = mono_add_ms(clock_mono(), STORE_COMMIT_MS / 4);
	return status.documents == 0;
}

struct step shipper_step(void *self)
{
	struct shipper *s = self;
	struct mono now = clock_mono();
	bool draining = atomic_load(&s->draining);

	if (wake_stopping(&s->wake) || (draining && s->failed)) {
		if (s->phase == HOLDING)
			put_back(s);
		return STEP_DONE;
	}
	if (draining && !s->hurried) {
		s->hurried = true;
		s->next_new = now;
	}
	if (mono_before(now, s->not_before) && !draining)
		return STEP_UNTIL(s->not_before);
	switch (s->phase) {
	case IDLE:
		if (mono_before(now, s->next_new))
			return STEP_UNTIL(s->next_new);
		ask(s, STORE_NEW);
		return STEP_UNTIL(MONO_NEVER);
	case ASKED:
		if (taken(s))
			return STEP_DONE;
		return s->phase == ASKED ? STEP_UNTIL(MONO_NEVER) : STEP_NOW;
	case HOLDING:
		send_part(s);
		return STEP_NOW;
	}
	return STEP_DONE;
}
