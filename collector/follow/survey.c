/* SPDX-License-Identifier: MIT */
#include "follow/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/actor.h"

#include "banned.h"

#define SETUP_MS 60000 /* for the session, beside the run's own time-out */
#define AGAIN_MS 100   /* while the other side has not answered */

struct look { /* one stream, and its thread's */
	const struct plan_stream *plan;
	struct wake wake;
	struct actor actor;
	struct far *far; /* looks at the mirror's other side; may be NULL */
	struct actor far_actor;
	struct stream *stream;
	struct findings step_found; /* of one step */
	struct findings found;      /* the answers */
	bool *answered;             /* each entry of the plan, in an earlier step */
	struct findings busy;       /* said of entries for which nothing better comes */
	struct mono deadline;
	struct mono far_deadline; /* the topics' answers do not wait any longer */
};

/* What a stream found, by its place in the plan; of a pattern, by name. */
static int by_place(const void *va, const void *vb)
{
	const struct finding *a = va, *b = vb;

	if (a->topic != b->topic)
		return a->topic < b->topic ? -1 : 1;
	return strcmp(a->name, b->name);
}

static size_t place_of(const struct look *l, const struct finding *f)
{
	size_t i = 0;

	while (l->plan->topics[i] != f->topic)
		i++;
	return i;
}

static void move(struct findings *to, struct finding *f)
{
	MEM_GROW(to->v, to->n, to->cap);
	to->v[to->n++] = *f;
	*f = (struct finding){.topic = f->topic};
}

/* The first answer counts; that of a pattern is all that one step found for it. */
static void take_step(struct look *l)
{
	size_t before = l->found.n;

	for (size_t i = 0; i < l->step_found.n; i++) {
		struct finding *f = &l->step_found.v[i];
		size_t place = place_of(l, f);

		if (l->answered[place] || f->notice != NULL)
			continue;
		f->cores = stream_cores(l->stream);
		if (f->is_gap && f->gap.reason == REASON_SSH_BUSY)
			move(&l->busy, f);
		else
			move(&l->found, f);
	}
	for (size_t i = before; i < l->found.n; i++)
		l->answered[place_of(l, &l->found.v[i])] = true;
}

static bool has_all(const struct look *l)
{
	size_t n = 0;

	while (n < l->plan->n && l->answered[n])
		n++;
	return n == l->plan->n;
}

/* What was busy to the end says so; of the rest it is said that nothing came. */
static void nothing_came(struct look *l)
{
	struct gap gap;

	for (size_t i = 0; i < l->busy.n; i++) {
		bool *answered = &l->answered[place_of(l, &l->busy.v[i])];

		if (!*answered)
			move(&l->found, &l->busy.v[i]);
		*answered = true;
	}
	gap_set(&gap, REASON_CLI_TIMEOUT, "no answer within %lld s",
		(long long)((l->plan->topics[0]->timeout_ms + SETUP_MS) / 1000));
	stream_fail(l->stream, &gap, &l->step_found);
	take_step(l);
	findings_reset(&l->step_found);
}

/* One look over there is enough. */
static struct step far_look_step(void *self)
{
	struct step next = far_step(self);

	return far_answered(self) ? STEP_DONE : next;
}

/* Nothing is read before the other side has answered, so that it is in the answers. */
static struct step look_step(void *self)
{
	struct look *l = self;
	bool ready = l->far == NULL || actor_ended(&l->far_actor) ||
		     !mono_before(clock_mono(), l->far_deadline);
	struct step next = stream_step(l->stream, ready, &l->step_found);

	if (!ready) {
		next.fd = -1;
		next.until = mono_min(next.until, mono_add_ms(clock_mono(), AGAIN_MS));
	}
	take_step(l);
	findings_reset(&l->step_found);
	if (has_all(l))
		return STEP_DONE;
	if (!mono_before(clock_mono(), l->deadline)) {
		nothing_came(l);
		return STEP_DONE;
	}
	next.until = mono_min(next.until, l->deadline);
	return next;
}

static int look_start(struct look *l, const struct plan_stream *p, struct err *err)
{
	int64_t timeout_ms = p->topics[0]->timeout_ms;

	l->plan = p;
	if (wake_init(&l->wake) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	l->answered = mem_calloc(p->n, sizeof(*l->answered));
	if (far_new(&l->far, p->topics[0], 0) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	l->stream = stream_new(p, &l->wake, l->far, 0, NULL);
	l->deadline = mono_add_ms(clock_mono(), timeout_ms + SETUP_MS);
	l->far_deadline = mono_add_ms(clock_mono(), (timeout_ms + SETUP_MS) / 2);
	if (l->far != NULL && actor_start(&l->far_actor, "target", far_look_step,
					  l->far, far_wake(l->far), &l->wake, err) != 0)
		return err->class;
	return actor_start(&l->actor, "look", look_step, l, &l->wake, NULL, err);
}

/* Move the answers to the end of `out`. */
static void look_end(struct look *l, struct findings *out)
{
	wake_stop(&l->wake);
	if (l->far != NULL)
		wake_stop(far_wake(l->far));
	actor_join(&l->actor);
	actor_join(&l->far_actor);
	if (l->found.n > 1)
		qsort(l->found.v, l->found.n, sizeof(*l->found.v), by_place);
	for (size_t i = 0; i < l->found.n; i++) {
		MEM_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = l->found.v[i];
	}
	free(l->found.v);
	free(l->answered);
	findings_fini(&l->busy);
	findings_fini(&l->step_found);
	stream_close(l->stream);
	far_free(l->far);
	wake_fini(&l->wake);
}

int survey_run(const struct plan *p, struct survey *out, struct err *err)
{
	struct look *looks = mem_calloc(p->n, sizeof(*looks));
	size_t started = 0;
	int rc = 0;

	*out = (struct survey){{NULL, 0, 0}};
	for (; rc == 0 && started < p->n; started++)
		rc = look_start(&looks[started], &p->streams[started], err);
	for (size_t i = 0; i < started; i++) {
		if (rc == 0)
			actor_join(&looks[i].actor);
		look_end(&looks[i], &out->found);
	}
	free(looks);
	return rc;
}

void survey_fini(struct survey *s)
{
	findings_fini(&s->found);
}
