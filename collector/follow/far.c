/* SPDX-License-Identifier: MIT */
#include "follow/far.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "follow/plan.h"
#include "source/source.h"

#include "banned.h"

struct far {
	struct config_topic
		place; /* the topic as it is looked at over there: borrows */
	struct wake wake;
	struct source *source;

	pthread_mutex_t lock; /* a leaf, over what follows: */
	struct ends *news;    /* not yet fetched by the stream */
	struct mono news_taken;
	struct gap gap;
	bool answered;

	struct ends *ends; /* the stream's */
	struct mono taken;
};

int far_new(struct far **out, const struct config_topic *t, int64_t first_delay_ms)
{
	struct config_topic place;
	struct far *f;

	*out = NULL;
	if (!plan_target_place(t, &place))
		return 0;
	f = mem_calloc(1, sizeof(*f));
	if (wake_init(&f->wake) != 0) {
		free(f);
		return -1;
	}
	f->place = place;
	f->source = source_new_ends(&f->place, &f->wake, first_delay_ms);
	pthread_mutex_init(&f->lock, NULL);
	*out = f;
	return 0;
}

void far_free(struct far *f)
{
	if (f == NULL)
		return;
	source_close(f->source);
	ends_free(f->news);
	ends_free(f->ends);
	pthread_mutex_destroy(&f->lock);
	wake_fini(&f->wake);
	free(f);
}

void far_aim(struct far *f, const struct config_topic *t, const char *name)
{
	source_aim(f->source, t, name);
}

struct wake *far_wake(struct far *f)
{
	return &f->wake;
}

static void leave_news(struct far *f, struct reading *r)
{
	struct ends *old;

	pthread_mutex_lock(&f->lock);
	old = f->news;
	f->news = r->ends;
	f->news_taken = r->taken_mono;
	f->gap = *ends_gap(r->ends);
	f->answered = true;
	pthread_mutex_unlock(&f->lock);
	ends_free(old);
	r->ends = NULL;
}

static void leave_gap(struct far *f, const struct gap *gap)
{
	pthread_mutex_lock(&f->lock);
	f->gap = *gap;
	f->answered = true;
	pthread_mutex_unlock(&f->lock);
}

struct step far_step(void *self)
{
	struct far *f = self;
	struct reading reading;
	struct step next;
	struct gap gap;

	if (wake_stopping(&f->wake)) {
		source_close(f->source);
		f->source = NULL;
		return STEP_DONE;
	}
	switch (source_step(f->source, clock_mono(), true, &reading, &gap, &next)) {
	case SOURCE_READING:
		leave_news(f, &reading);
		reading_fini(&reading);
		return STEP_NOW;
	case SOURCE_GAP:
		leave_gap(f, &gap);
		return STEP_NOW;
	case SOURCE_WAIT:
		break;
	}
	return next;
}

static void fetch(struct far *f, struct gap *gap)
{
	struct ends *old = NULL;

	pthread_mutex_lock(&f->lock);
	*gap = f->gap;
	if (f->news != NULL) {
		old = f->ends;
		f->ends = f->news;
		f->taken = f->news_taken;
		f->news = NULL;
	}
	pthread_mutex_unlock(&f->lock);
	ends_free(old);
}

const struct ends *far_ends(struct far *f, struct mono taken, struct gap *gap)
{
	int64_t three = 3 * f->place.interval_ms;
	int64_t longest = f->place.timeout_ms > three ? f->place.timeout_ms : three;

	fetch(f, gap);
	if (gap->reason != REASON_NONE || f->ends == NULL)
		return NULL;
	if (mono_diff_ms(taken, f->taken) > longest) {
		gap_set(gap, REASON_CLI_TIMEOUT, "no look at the target for %lld s",
			(long long)(mono_diff_ms(taken, f->taken) / 1000));
		return NULL;
	}
	return f->ends;
}

bool far_answered(struct far *f)
{
	bool answered;

	pthread_mutex_lock(&f->lock);
	answered = f->answered;
	pthread_mutex_unlock(&f->lock);
	return answered;
}
