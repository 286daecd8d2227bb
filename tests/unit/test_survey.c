/* SPDX-License-Identifier: MIT
 * The one look of `once` and `check`, with a stream that is a fake: what it says, and
 * when nothing comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "follow/stream.h"
#include "follow/survey.h"

#include "banned.h"

#define SETUP_MS 60000 /* what a survey gives a session beside the run's time-out */

/* ---- the stream: its first topic is busy, the second one has nothing to say ---- */

struct stream {
	const struct plan_stream *plan;
	bool told;
};

struct stream *stream_new(const struct plan_stream *p, struct wake *wake,
			  struct far *far, int64_t first_delay_ms, struct board *board)
{
	struct stream *s = mem_calloc(1, sizeof(*s));

	(void)wake;
	(void)far;
	(void)first_delay_ms;
	(void)board;
	s->plan = p;
	return s;
}

void stream_close(struct stream *s)
{
	free(s);
}

void stream_save(struct stream *s, stream_put *put, void *arg)
{
	(void)s;
	(void)put;
	(void)arg;
}

bool stream_restore(struct stream *s, const char *key, const void *bytes, size_t len)
{
	(void)s;
	(void)key;
	(void)bytes;
	(void)len;
	return false;
}

int stream_cores(const struct stream *s)
{
	(void)s;
	return 0;
}

static void say(const struct config_topic *t, const struct gap *g, struct findings *out)
{
	struct finding *f = findings_add(out, t, t->name);

	f->is_gap = true;
	f->gap = *g;
	f->document.json = mem_strdup(g->message);
}

struct step stream_step(struct stream *s, bool read_more, struct findings *out)
{
	struct gap busy;

	(void)read_more;
	gap_set(&busy, REASON_SSH_BUSY, "busy");
	if (!s->told)
		say(s->plan->topics[0], &busy, out);
	s->told = true;
	return STEP_UNTIL(mono_add_ms(clock_mono(), 10));
}

void stream_fail(struct stream *s, const struct gap *g, struct findings *out)
{
	for (size_t i = 0; i < s->plan->n; i++)
		say(s->plan->topics[i], g, out);
}

static void what_gives_nothing_in_time_has_a_gap_and_its_document(void **state)
{
	struct config_topic a = {.name = (char *)"a", .timeout_ms = 50 - SETUP_MS};
	struct config_topic b = {.name = (char *)"b", .timeout_ms = 50 - SETUP_MS};
	const struct config_topic *topics[] = {&a, &b};
	struct plan_stream stream = {.topics = topics, .n = 2};
	struct plan plan = {&stream, 1};
	struct err err = ERR_INIT;
	struct survey survey;

	(void)state;
	assert_int_equal(survey_run(&plan, &survey, &err), 0);
	assert_int_equal(survey.found.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct finding *f =
			&survey.found.v[survey.found.v[0].topic == &a ? i : 1 - i];

		assert_string_equal(f->name, topics[i]->name);
		assert_true(f->is_gap);
		assert_int_equal(f->gap.reason,
				 i == 0 ? REASON_SSH_BUSY : REASON_CLI_TIMEOUT);
		assert_string_equal(f->document.json, f->gap.message);
	}
	survey_fini(&survey);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_gives_nothing_in_time_has_a_gap_and_its_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
