/* SPDX-License-Identifier: MIT */
#include "source/scrape_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"

#include "banned.h"

#define HELD_MS 1000 /* between two looks whether there is room again */

struct scrape {
	const struct config_topic *topic;
	struct wake *wake;
	struct http *http; /* NULL until it could be opened */
	int64_t first_delay_ms;
	bool begun;
	struct mono next; /* begin of the next request */
	char nonce[17];
	uint64_t number; /* of requests */
	struct mono last_taken;
};

struct scrape *scrape_new(const struct config_topic *t, struct wake *wake,
			  int64_t first_delay_ms)
{
	struct scrape *s = mem_calloc(1, sizeof(*s));
	unsigned char nonce[8];

	s->topic = t;
	s->wake = wake;
	s->first_delay_ms = first_delay_ms;
	random_bytes(nonce, sizeof(nonce));
	hash_hex(nonce, sizeof(nonce), s->nonce);
	return s;
}

void scrape_close(struct scrape *s)
{
	if (s == NULL)
		return;
	http_close(s->http);
	free(s);
}

static int open_client(struct scrape *s, struct gap *gap)
{
	const struct config_topic *t = s->topic;
	const struct http_options o = {.username = t->username,
				       .password_file = t->password_file,
				       .token_file = t->token_file,
				       .ca_file = t->ca_file,
				       .timeout_ms = (long)t->timeout_ms};
	struct err err = ERR_INIT;

	if (s->http != NULL || http_open(&s->http, &o, s->wake, &err) == 0)
		return 0;
	gap_set(gap, REASON_SOURCE_ERROR, "%s", err.text);
	return ERR_PERMANENT;
}

/* The begins stay on their grid; those that were missed are left out. */
static void plan_next(struct scrape *s, struct mono now)
{
	int64_t late = mono_diff_ms(now, s->next), interval = s->topic->interval_ms;

	s->next = mono_add_ms(s->next, (late / interval + 1) * interval);
}

static struct table *ask(struct scrape *s, struct gap *gap, int *class)
{
	struct table *t;

	*class = open_client(s, gap);
	if (*class != 0)
		return NULL;
	t = s->topic->source == SOURCE_EXPORTER
		    ? scrape_page(s->http, s->topic, gap, class)
		    : scrape_query(s->http, s->topic, gap, class);
	if (t == NULL && *class == ERR_REJECT) { /* with what its files hold then */
		http_close(s->http);
		s->http = NULL;
	}
	return t;
}

static enum source_event fill(struct scrape *s, struct mono began, struct table *t,
			      struct reading *r, struct gap *gap)
{
	struct mono now = clock_mono();

	if (table_failure(t)->reason != REASON_NONE) {
		*gap = *table_failure(t);
		table_free(t);
		return SOURCE_GAP;
	}
	memset(r, 0, sizeof(*r));
	r->sample = (struct sample)SAMPLE_INIT;
	r->table = t;
	r->taken = clock_wall();
	r->taken_mono = mono_before(now, s->last_taken) ? s->last_taken : now;
	s->last_taken = r->taken_mono;
	r->sample_ms = mono_diff_ms(now, began);
	snprintf(r->key, sizeof(r->key), "%lld %llu %s", (long long)r->taken.ms,
		 (unsigned long long)s->number, s->nonce);
	return SOURCE_READING;
}

enum source_event scrape_step(struct scrape *s, struct mono now, bool read_more,
			      struct reading *reading, struct gap *gap,
			      struct step *next)
{
	struct table *t;
	int class = 0;

	if (!s->begun)
		s->next = mono_add_ms(now, s->first_delay_ms);
	s->begun = true;
	*next = STEP_UNTIL(s->next);
	if (mono_before(now, s->next))
		return SOURCE_WAIT;
	if (!read_more) {
		*next = STEP_UNTIL(mono_add_ms(now, HELD_MS));
		return SOURCE_WAIT;
	}
	s->number++;
	t = ask(s, gap, &class);
	if (t == NULL && class == ERR_AGAIN) { /* told to stop */
		*next = STEP_UNTIL(mono_add_ms(now, HELD_MS));
		return SOURCE_WAIT;
	}
	plan_next(s, clock_mono());
	*next = STEP_NOW;
	return t == NULL ? SOURCE_GAP : fill(s, now, t, reading, gap);
}
