/* SPDX-License-Identifier: MIT
 * shipper: see shipper.h. One batch is in hand at a time and sent in parts: normally
 * one, halved after a 413 or a 400 of the whole request until the one document that is
 * to blame stands alone. When a request fails, all of it goes back to the store and the
 * shipper pauses; what an answer tells to send again waits apart (parking). */
#include "ship/shipper.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "elastic/elastic.h"
#include "ship/outlook.h"
#include "ship/parking.h"
#include "ship/standing.h"

#include "banned.h"

#define ABOUT "elasticsearch"
#define SLOW_MS 30000 /* between tries while an operator has to act */
#define BACKLOG_REST_MIN_MS 50
#define OUTAGE_MIN_MS 10000
#define MALFORMED_MAX 3 /* documents in a row, before it is the server's fault */
#define SOUR_MAX 2      /* refused parts in a row, before it is everybody's trouble */
#define WAVE_MS 5000    /* between waves of parked documents that are refused */
#define WAVE_MAX 1000
#define LOOK_SOON_MS 1000
#define LOOK_AGAIN_MS 600000

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
	bool looked; /* ahead, at the index: once a life */
	bool tried_to_look;
	struct mono next_look; /* not before */
	struct standing standing;
	bool failing; /* since the last success: ends a drain */
	struct mono failing_since;
	bool stale_secrets, no_secrets; /* to be read again; could not be */
	bool hurried;  /* a drain has begun, nothing is gathered any more */
	int malformed; /* single documents refused as malformed since a success */
	int sour;      /* parts with new documents, none of them taken, since then */

	struct parking parking;
	struct mono next_wave;
	size_t wave_max;
	int64_t *wave_rows; /* [wave_max] */
	struct bulk_item *wave_verdicts;
};

int shipper_new(struct shipper **out, const struct config_elastic *c,
		struct store *store, struct board *board, struct err *err)
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
	standing_init(&s->standing, board);
	s->wave_max = c->bulk_documents > 2 ? (size_t)c->bulk_documents / 2 : 1;
	if (s->wave_max > WAVE_MAX)
		s->wave_max = WAVE_MAX;
	s->wave_rows = mem_calloc(s->wave_max, sizeof(*s->wave_rows));
	s->wave_verdicts = mem_calloc(s->wave_max, sizeof(*s->wave_verdicts));
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
	parking_fini(&s->parking);
	free(s->wave_rows);
	free(s->wave_verdicts);
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

/* Something went wrong. Where an operator has to act, he may mend the credentials: they
 * are read again before the next try. */
static void failing(struct shipper *s, enum bulk_pace pace)
{
	if (!s->failing)
		s->failing_since = clock_mono();
	s->failing = true;
	s->stale_secrets |= pace == PACE_SLOW;
}

static void refresh_secrets(struct shipper *s)
{
	struct err err = ERR_INIT;
	int rc;

	if (!s->stale_secrets)
		return;
	s->stale_secrets = false;
	rc = elastic_reread(s->elastic, &err);
	if (rc != 0 && !s->no_secrets)
		log_warn(ABOUT, "%s", err.text);
	s->no_secrets = rc != 0;
}

/* Documents were taken. What waited through a real outage goes behind what is new; a
 * short one is not worth it. */
static void all_is_well(struct shipper *s)
{
	if (s->failing && mono_diff_ms(clock_mono(), s->failing_since) >= OUTAGE_MIN_MS)
		store_mark_backlog(s->store);
	s->failing = false;
	s->sour = 0;
	s->malformed = 0;
	backoff_reset(&s->backoff);
	standing_accepted(&s->standing);
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
	metrics_add(METRIC_BULK_FAILURES, 1);
	(void)standing_refused(&s->standing, pace, why);
	failing(s, pace);
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
	(void)parking_forget(&s->parking, s->batch.rows[s->at]);
	store_settle(s->store, &s->batch.rows[s->at], &v, 1);
	log_warn(ABOUT, "a document is refused for good: %s", v.reason);
	s->at++;
	s->part = s->batch.n - s->at;
}

/* What an answer says in all. */
struct tally {
	size_t again, rejected;
	size_t fresh;        /* of those to be sent again: for the first time */
	enum bulk_pace pace; /* the slowest of them */
	struct err again_why, rejected_why;
};

static struct tally count(const struct shipper *s)
{
	struct tally t = {.pace = PACE_AGAIN};

	for (size_t i = s->at; i < s->at + s->part; i++) {
		const struct bulk_item *v = &s->verdicts[i];

		if (v->verdict == BULK_REJECT && t.rejected++ == 0)
			bulk_explain(v, &t.rejected_why);
		if (v->verdict != BULK_RETRY)
			continue;
		if (t.again++ == 0)
			bulk_explain(v, &t.again_why);
		t.fresh += !parking_knows(&s->parking, s->batch.rows[i]);
		if (v->pace > t.pace)
			t.pace = v->pace;
	}
	return t;
}

/* Park what is to be sent again, where there is room, and settle the rest. */
static void settle_items(struct shipper *s, bool room, int64_t wish_ms)
{
	struct mono now = clock_mono();
	size_t n = 0;

	for (size_t i = s->at; i < s->at + s->part; i++) {
		const struct bulk_item *v = &s->verdicts[i];
		int64_t row = s->batch.rows[i];

		if (v->verdict == BULK_RETRY && room) {
			parking_add(&s->parking, row, v, wish_ms, now);
			continue;
		}
		if (v->verdict != BULK_RETRY && parking_forget(&s->parking, row))
			s->next_wave = now; /* they are taken again */
		s->batch.rows[s->at + n] = row;
		s->verdicts[s->at + n++] = *v;
	}
	store_settle(s->store, s->batch.rows + s->at, s->verdicts + s->at, n);
}

/* Judge the items of the part that was sent. Where some are taken, those to be sent
 * again wait apart, and nobody waits for them; the whole shipper pauses only when
 * documents that it had not seen before are refused again and again. */
static void settle_part(struct shipper *s, int64_t wish_ms)
{
	const struct tally t = count(s);
	bool room = parking_has_room(&s->parking, t.fresh);

	settle_items(s, room, wish_ms);
	if (t.rejected > 0)
		log_warn(ABOUT, "%zu of %zu documents are refused for good: %s",
			 t.rejected, s->part, t.rejected_why.text);
	if (t.again > 0) {
		(void)standing_partly(&s->standing, t.pace, &t.again_why, t.again,
				      s->part);
		failing(s, t.pace);
	}
	if (t.again < s->part)
		all_is_well(s);
	else
		s->sour += t.fresh > 0;
	if (s->sour >= SOUR_MAX)
		standing_stuck(&s->standing);
	if (t.again > 0 && (!room || s->sour >= SOUR_MAX))
		pause_for(s, room ? PACE_AGAIN : PACE_SLOW, wish_ms);
	standing_parked(&s->standing, s->parking.n);
	s->at += s->part;
	s->part = s->batch.n - s->at;
}

/* Let a wave of those that are due go back to the store, where the next take finds
 * them: at most half a batch, so that others have room beside them. While they are
 * refused a wave comes every few seconds; when they are taken, at once. */
static void release_due(struct shipper *s)
{
	struct mono now = clock_mono();
	size_t n;

	if (mono_before(now, s->next_wave))
		return;
	n = parking_release(&s->parking, now, s->wave_max, s->wave_rows,
			    s->wave_verdicts);
	if (n == 0)
		return;
	store_settle(s->store, s->wave_rows, s->wave_verdicts, n);
	s->next_wave = mono_add_ms(now, WAVE_MS);
}

/* The end: all that wait apart belong to the store again. */
static void release_all(struct shipper *s)
{
	int64_t row;
	struct bulk_item v;

	while (parking_take(&s->parking, &row, &v))
		store_settle(s->store, &row, &v, 1);
	standing_parked(&s->standing, 0);
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

/* Look ahead once, before the first document. A server that is not there yet is looked
 * at after it has taken some: nothing waits for the look but the one batch. */
static void look_ahead(struct shipper *s)
{
	struct err err = ERR_INIT;

	s->looked = outlook_tell(s->elastic, s->standing.board, &err) == 0;
	s->next_look = mono_add_ms(clock_mono(),
				   s->tried_to_look ? LOOK_AGAIN_MS : LOOK_SOON_MS);
	s->tried_to_look = true;
}

static enum bulk_whole post_part(struct shipper *s, int64_t *wish_ms, struct err *err)
{
	struct mono began = clock_mono();
	enum bulk_whole whole;
	int64_t took;

	refresh_secrets(s);
	metrics_add(METRIC_BULK_REQUESTS, 1);
	metrics_set(METRIC_BULK_IN_FLIGHT, (int64_t)s->part);
	whole = elastic_bulk(s->elastic, s->batch.documents + s->at, s->part,
			     s->verdicts + s->at, wish_ms, began, err);
	took = mono_diff_ms(clock_mono(), began);
	metrics_set(METRIC_BULK_IN_FLIGHT, 0);
	metrics_add(METRIC_BULK_MS, took);
	metrics_set(METRIC_BULK_LAST_MS, took);
	return whole;
}

static void send_part(struct shipper *s)
{
	struct err err = ERR_INIT;
	struct mono began = clock_mono();
	int64_t wish_ms = -1;
	enum bulk_whole whole = post_part(s, &wish_ms, &err);

	if (whole != WHOLE_ITEMS && wake_stopping(&s->wake)) {
		put_back(s); /* we cut the request off ourselves */
		return;
	}
	switch (whole) {
	case WHOLE_ITEMS:
		settle_part(s, wish_ms);
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
	/* What is still staged comes with the store's next commit. What waits apart is
	 * for the next life. */
	store_status(s->store, &status);
	s->next_new = mono_add_ms(clock_mono(), STORE_COMMIT_MS / 4);
	return status.documents <= (int64_t)parking_waiting(&s->parking);
}

static struct step turn(struct shipper *s)
{
	struct mono now = clock_mono();
	bool draining = atomic_load(&s->draining);

	if (wake_stopping(&s->wake) || (draining && s->failing)) {
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
		if (!draining)
			release_due(s);
		ask(s, STORE_NEW);
		return STEP_UNTIL(MONO_NEVER);
	case ASKED:
		if (taken(s))
			return STEP_DONE;
		return s->phase == ASKED ? STEP_UNTIL(MONO_NEVER) : STEP_NOW;
	case HOLDING:
		if (!s->looked && !s->failing && !draining &&
		    !mono_before(now, s->next_look))
			look_ahead(s);
		else
			send_part(s);
		return STEP_NOW;
	}
	return STEP_DONE;
}

struct step shipper_step(void *self)
{
	struct shipper *s = self;
	struct step next = turn(s);

	if (next.done)
		release_all(s);
	standing_tell(&s->standing);
	return next;
}
