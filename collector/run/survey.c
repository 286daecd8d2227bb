/* SPDX-License-Identifier: MIT */
#include "run/survey.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "run/actor.h"

#include "banned.h"

#define SETUP_MS 60000 /* for the session, beside the run's own time-out */

struct look { /* one stream, and its thread's */
	const struct plan_stream *plan;
	struct wake wake;
	struct actor actor;
	struct stream *stream;
	struct findings step_found; /* of one step */
	struct findings found;      /* the answers so far, by place in the plan */
	size_t answered;
	struct mono deadline;
};

static void answer(struct look *l, struct finding *f)
{
	for (size_t i = 0; i < l->plan->n; i++) {
		struct finding *mine = &l->found.v[i];

		if (l->plan->topics[i] != f->topic || mine->document.json != NULL)
			continue;
		if (f->is_gap && f->gap.reason == REASON_SSH_BUSY) {
			mine->gap = f->gap; /* said if nothing better comes */
			continue;
		}
		*mine = *f;
		f->document.json = NULL;
		f->document.topic = NULL;
		l->answered++;
	}
}

static void nothing_came(struct look *l)
{
	for (size_t i = 0; i < l->plan->n; i++) {
		struct finding *mine = &l->found.v[i];

		if (mine->document.json == NULL) {
			mine->is_gap = true;
			if (mine->gap.reason != REASON_NONE)
				continue;
			gap_set(&mine->gap, REASON_CLI_TIMEOUT,
				"no answer within %lld s",
				(long long)((mine->topic->timeout_ms + SETUP_MS) /
					    1000));
		}
	}
}

static struct step look_step(void *self)
{
	struct look *l = self;
	struct step next = stream_step(l->stream, true, &l->step_found);

	for (size_t i = 0; i < l->step_found.n; i++)
		answer(l, &l->step_found.v[i]);
	findings_reset(&l->step_found);
	if (l->answered == l->plan->n)
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
	l->plan = p;
	if (wake_init(&l->wake) != 0)
		return err_set_errno(err, ERR_RETRY, errno, "no descriptor is left");
	l->found.v = mem_calloc(p->n, sizeof(*l->found.v));
	l->found.n = l->found.cap = p->n;
	for (size_t i = 0; i < p->n; i++)
		l->found.v[i].topic = p->topics[i];
	l->stream = stream_new(p->topics, p->n, &l->wake, 0, NULL);
	l->deadline = mono_add_ms(clock_mono(), p->topics[0]->timeout_ms + SETUP_MS);
	return actor_start(&l->actor, p->topics[0]->name, look_step, l, &l->wake, NULL,
			   err);
}

/* Move the answers to the end of `out`. */
static void look_end(struct look *l, struct findings *out)
{
	wake_stop(&l->wake);
	actor_join(&l->actor);
	for (size_t i = 0; i < l->found.n; i++) {
		MEM_GROW(out->v, out->n, out->cap);
		out->v[out->n++] = l->found.v[i];
	}
	free(l->found.v);
	findings_fini(&l->step_found);
	stream_close(l->stream);
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
