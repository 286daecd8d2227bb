/* SPDX-License-Identifier: MIT
 * source: the SSH pipeline; other kinds are scrape's. Owns the session, the decoder of
 * its output, and the clock of the host. Closed → (open, blocking) → streaming → closed
 * with a time to try again. Not here: the remote program (script), the link (ssh), what
 * the bytes mean (lag). */
#include "source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/random.h"
#include "lag/frame.h"
#include "lag/hostclock.h"
#include "lag/line.h"
#include "source/ending_int.h"
#include "source/scrape_int.h"
#include "source/script.h"
#include "ssh/remote.h"
#include "ssh/ssh.h"

#include "banned.h"

#define RUN_MAX (64 << 20) /* stdout of one run: over 300,000 rows */
#define LINE_MAX_LEN (1 << 20)
#define LINE_MS (1000 / SOURCE_LINES_A_SECOND)
#define LINES_AHEAD_MS 100000 /* of lines: ten thousand at once */
#define HELD_MS 100           /* between looks at a command that gives more */
#define SLOW_MS 30000         /* at least, where an operator has to act */
#define STEADY_MS 30000       /* data for so long forgives earlier failures */
#define HOST_SLACK_MS 15000   /* for the host to end a run that is over its time */

struct source {
	struct scrape *scrape; /* of another kind: the rest is unused then */
	const struct config_topic *topic;
	struct wake *wake;
	int64_t first_delay_ms;
	struct ssh *ssh; /* NULL while closed */
	struct mono retry_at;
	struct backoff backoff;
	char nonce[17];
	struct frame *frame;
	struct lines *lines;
	uint64_t line_number;
	const char *data; /* not yet decoded; inside the session's buffer */
	size_t len;
	struct mono opened, last_sign; /* a mark or a line */
	struct hostclock host_clock;
	struct mono last_taken;
	struct mono paid_until; /* what the lines so far have used up of their time */
	bool flooded;           /* by lines, until there is time to spare */
	bool mm2;               /* MirrorMaker 2 runs on the host */
	int cores;              /* of the host; 0: not told */
	struct target_topics target;
	bool aims_at_all;
	bool only_ends; /* it looks at the target and nothing else */
};

void reading_fini(struct reading *r)
{
	table_free(r->table);
	r->table = NULL;
	ends_free(r->ends);
	r->ends = NULL;
	sample_fini(&r->sample);
}

struct source *source_new(const struct config_topic *t, struct wake *wake,
			  int64_t first_delay_ms)
{
	struct source *s = mem_calloc(1, sizeof(*s));

	s->topic = t;
	s->wake = wake;
	s->first_delay_ms = first_delay_ms;
	s->backoff = (struct backoff)BACKOFF_INIT(1000, 60000);
	if (t->source != SOURCE_SSH)
		s->scrape = scrape_new(t, wake, first_delay_ms);
	return s;
}

struct source *source_new_ends(const struct config_topic *t, struct wake *wake,
			       int64_t first_delay_ms)
{
	struct source *s = source_new(t, wake, first_delay_ms);

	s->only_ends = true;
	return s;
}

void source_aim(struct source *s, const struct config_topic *t, const char *name)
{
	if (name == NULL)
		s->aims_at_all = true;
	else
		target_add(&s->target, &t->target, name);
}

/* What the script is to ask the target for; NULL where there is none, or somebody else
 * asks it. */
static const struct target_topics *aim(const struct source *s)
{
	static const struct target_topics all = {NULL, 0, 0};

	if (!s->aims_at_all && s->target.n == 0)
		return NULL;
	return s->aims_at_all ? &all : &s->target;
}

static void disconnect(struct source *s)
{
	metrics_add(METRIC_SSH_SESSIONS, s->ssh != NULL ? -1 : 0);
	ssh_close(s->ssh);
	s->ssh = NULL;
	frame_free(s->frame);
	s->frame = NULL;
	lines_free(s->lines);
	s->lines = NULL;
	s->data = NULL;
	s->len = 0;
}

void source_close(struct source *s)
{
	if (s == NULL)
		return;
	scrape_close(s->scrape);
	disconnect(s);
	target_topics_fini(&s->target);
	free(s);
}

/* Close, and try again after a pause. A session that worked for a while is a new
 * beginning, not one more failure; where an operator has to act first, a guest that
 * keeps knocking is shut out. */
static enum source_event give_up(struct source *s, enum err_class class,
				 struct mono now)
{
	if (s->ssh != NULL && mono_diff_ms(now, s->opened) >= STEADY_MS)
		backoff_reset(&s->backoff);
	disconnect(s);
	s->retry_at =
		mono_add_ms(now, class == ERR_PERMANENT
					 ? SLOW_MS + (int64_t)random_below(SLOW_MS)
					 : backoff_next(&s->backoff));
	return SOURCE_GAP;
}

static bool is_line(const struct source *s)
{
	return s->topic->format == FORMAT_LINE;
}

static void new_decoder(struct source *s)
{
	s->line_number = 0;
	if (is_line(s))
		s->lines = lines_new(LINE_MAX_LEN);
	else
		s->frame = frame_new(s->nonce, RUN_MAX);
}

static enum source_event open_session(struct source *s, struct mono now,
				      struct gap *gap, struct step *next)
{
	struct buf script = BUF_INIT(1 << 20), exec = BUF_INIT(4 << 20);
	struct err err = ERR_INIT;
	unsigned char nonce[8];
	int rc;

	random_bytes(nonce, sizeof(nonce));
	hash_hex(nonce, sizeof(nonce), s->nonce);
	if (is_line(s))
		buf_addstr(&script, s->topic->command);
	else if (s->only_ends)
		script_ends_loop(&script, s->topic, s->nonce, s->first_delay_ms,
				 aim(s));
	else
		script_loop(&script, s->topic, s->nonce, s->first_delay_ms, 0, aim(s));
	remote_command(&exec, buf_str(&script), s->topic->run_as,
		       s->topic->watchdog_ms);
	rc = ssh_open(&s->ssh, s->topic, buf_str(&exec), s->wake, &err);
	buf_free(&script);
	buf_free(&exec);
	now = clock_mono();
	if (rc == ERR_AGAIN) { /* told to stop */
		*next = STEP_UNTIL(mono_add_ms(now, 1000));
		return SOURCE_WAIT;
	}
	if (rc != 0) {
		metrics_add(METRIC_SSH_FAILURES, 1);
		s->ssh = NULL;
		gap_set(gap,
			err.code != 0 ? (enum reason)err.code : REASON_SSH_UNREACHABLE,
			"%s", err.text);
		return give_up(s, rc, now);
	}
	metrics_add(METRIC_SSH_OPENS, 1);
	metrics_add(METRIC_SSH_SESSIONS, 1);
	new_decoder(s);
	s->opened = s->last_sign = now;
	*next = STEP_NOW;
	return SOURCE_WAIT;
}

/* The monotonic time of a wall-clock time in the near past. */
static struct mono mono_of(struct source *s, struct wall t, struct wall arrived,
			   struct mono now)
{
	struct mono m = mono_add_ms(now, t.ms - arrived.ms);

	if (mono_before(m, s->last_taken))
		m = s->last_taken;
	s->last_taken = m;
	return m;
}

/* Does stderr tell that MirrorMaker 2 runs on the host? The script looks now and then.
 */
static void note_mm2(struct source *s, const char *err)
{
	char mark[64];

	snprintf(mark, sizeof(mark), "@mmlag %s mm2", s->nonce);
	if (strstr(err, mark) != NULL)
		s->mm2 = true;
}

/* A group that is not there, on a host where MirrorMaker 2 runs, has a name. */
static void name_mm2(const struct source *s, struct gap *gap)
{
	if (!s->mm2 || (gap->reason != REASON_GROUP_NOT_FOUND &&
			gap->reason != REASON_NOT_A_CONSUMER_GROUP))
		return;
	gap_set(gap, REASON_MIRRORMAKER2,
		"group '%s' is not there, and MirrorMaker 2 runs on the host: it commits "
		"to no consumer group; take its lag from its JMX metrics (source: "
		"prometheus)",
		s->topic->group != NULL ? s->topic->group : "");
}

/* Whom the CLI asked, and from where: neither is plain from its own words. */
static void name_broker(const struct source *s, struct gap *gap)
{
	struct gap said = *gap;

	if (gap->reason == REASON_BROKER_UNREACHABLE &&
	    s->topic->bootstrap_server != NULL)
		gap_set(gap, said.reason, "%.100s, asked from %.60s: %s",
			s->topic->bootstrap_server, s->topic->host, said.message);
}

/* The table of a run; false where it gave none, with `gap` filled in. */
static bool read_table(struct source *s, const struct frame_run *run, struct reading *r,
		       struct gap *gap)
{
	struct cli_output output = {.out = run->out,
				    .out_len = run->out_len,
				    .exit_code = run->exit_code};
	const struct gap *failure;

	output.err = ssh_stderr(s->ssh, &output.err_len);
	note_mm2(s, output.err);
	r->table =
		table_read(&output, s->topic->command == NULL ? s->topic->group : NULL);
	ssh_stderr_reset(s->ssh);
	failure = table_failure(r->table);
	if (failure->reason != REASON_NONE) {
		*gap = *failure;
		name_mm2(s, gap);
		name_broker(s, gap);
		reading_fini(r);
		return false;
	}
	if (run->aside)
		r->ends = ends_read(run->said, run->said_len, run->said_code);
	return true;
}

static enum source_event take_run(struct source *s, const struct frame_run *run,
				  struct mono now, struct reading *r, struct gap *gap)
{
	struct wall arrived = clock_wall();

	memset(r, 0, sizeof(*r));
	r->sample = (struct sample)SAMPLE_INIT;
	if (s->only_ends)
		r->ends = ends_read(run->out, run->out_len, run->exit_code);
	else if (!read_table(s, run, r, gap))
		return SOURCE_GAP;
	r->taken = run->end_ms >= 0 ? hostclock_correct(&s->host_clock, run->end_ms,
							arrived, now)
				    : arrived;
	r->taken_mono = mono_of(s, r->taken, arrived, now);
	r->sample_ms = run->begin_ms >= 0 && run->end_ms >= run->begin_ms
			       ? run->end_ms - run->begin_ms
			       : -1;
	snprintf(r->key, sizeof(r->key), "%s %llu %s", run->begin_mark,
		 (unsigned long long)run->number, s->nonce);
	return SOURCE_READING;
}

static enum source_event decode_frames(struct source *s, struct mono now,
				       struct reading *r, struct gap *gap)
{
	struct frame_run run;

	for (;;) {
		switch (frame_next(s->frame, &s->data, &s->len, &run)) {
		case FRAME_BEGIN:
			s->last_sign = now;
			s->cores = frame_cores(s->frame);
			break;
		case FRAME_RUN:
			s->last_sign = now;
			return take_run(s, &run, now, r, gap);
		case FRAME_BROKEN:
			metrics_add(METRIC_FRAMES_BROKEN, 1);
			gap_set(gap, REASON_BAD_OUTPUT, "%s", run.broken);
			return SOURCE_GAP;
		case FRAME_MORE:
			return SOURCE_WAIT;
		}
	}
}

/* Does the command give more lines than are taken in? Reading waits then, and so does
 * the command: nothing is dropped, and no other topic has to make room. */
static bool is_flooded(struct source *s, struct mono now)
{
	int64_t ahead = mono_diff_ms(s->paid_until, now);

	if (ahead >= LINES_AHEAD_MS)
		s->flooded = true;
	else if (ahead <= 0)
		s->flooded = false;
	return ahead >= LINES_AHEAD_MS;
}

static void count_line(struct source *s, struct mono now)
{
	s->last_sign = now;
	s->line_number++;
	if (mono_before(s->paid_until, now))
		s->paid_until = now;
	s->paid_until = mono_add_ms(s->paid_until, LINE_MS);
}

static enum source_event decode_lines(struct source *s, struct mono now,
				      struct reading *r, struct gap *gap)
{
	const char *line;
	size_t len;

	switch (lines_next(s->lines, &s->data, &s->len, &line, &len)) {
	case LINE_FULL:
		count_line(s, now);
		memset(r, 0, sizeof(*r));
		r->sample = (struct sample)SAMPLE_INIT;
		if (line_read(line, len, s->topic->partitions, &r->sample, gap) !=
		    REASON_NONE)
			return SOURCE_GAP;
		r->taken = clock_wall();
		r->taken_mono = now;
		r->sample_ms = -1;
		r->flooded = s->flooded;
		snprintf(r->key, sizeof(r->key), "%s %llu", s->nonce,
			 (unsigned long long)s->line_number);
		return SOURCE_READING;
	case LINE_TOO_LONG:
		count_line(s, now);
		gap_set(gap, REASON_BAD_OUTPUT, "a line of more than %d bytes",
			LINE_MAX_LEN);
		return SOURCE_GAP;
	case LINE_MORE:
		break;
	}
	return SOURCE_WAIT;
}

static enum source_event ended(struct source *s, struct mono now, struct gap *gap)
{
	char words[ENDING_TEXT];
	enum reason reason =
		ending_tell(s->ssh, s->frame != NULL ? frame_stray(s->frame) : "",
			    s->topic->run_as, words);

	gap_set(gap, reason, "%s; it is started again", words);
	metrics_add(METRIC_SSH_FAILURES, 1);
	return give_up(s, reason == REASON_SSH_AUTH ? ERR_PERMANENT : ERR_RETRY, now);
}

/* How long the far end may keep silent before it counts as dead. */
static int64_t silence_ms(const struct source *s)
{
	if (is_line(s))
		return s->topic->timeout_ms;
	return s->topic->interval_ms + s->topic->timeout_ms + s->first_delay_ms +
	       (aim(s) != NULL ? target_timeout_ms(s->topic) : 0) + HOST_SLACK_MS;
}

static enum source_event silent(struct source *s, struct mono now, struct gap *gap)
{
	if (is_line(s))
		gap_set(gap, REASON_CLI_TIMEOUT,
			"no line for %lld s; the command is "
			"started again",
			(long long)(s->topic->timeout_ms / 1000));
	else
		gap_set(gap, REASON_SSH_LOST,
			"no sign of the remote loop for %lld s%s%s",
			(long long)(silence_ms(s) / 1000),
			*frame_stray(s->frame) ? "; it said: " : "",
			frame_stray(s->frame));
	metrics_add(METRIC_SSH_FAILURES, 1);
	return give_up(s, ERR_RETRY, now);
}

static enum source_event read_link(struct source *s, struct mono now, bool read_more,
				   struct gap *gap, struct step *next)
{
	struct err err = ERR_INIT;
	const char *data;
	size_t len;

	switch (ssh_step(s->ssh, now, read_more, &data, &len, &err)) {
	case SSH_DATA:
		s->data = data;
		s->len = len;
		*next = STEP_NOW;
		return SOURCE_WAIT;
	case SSH_ENDED:
		return ended(s, now, gap);
	case SSH_FAILED:
		metrics_add(METRIC_SSH_FAILURES, 1);
		gap_set(gap, err.code != 0 ? (enum reason)err.code : REASON_SSH_LOST,
			"%s", err.text);
		return give_up(s, ERR_RETRY, now);
	case SSH_WAIT:
		break;
	}
	if (read_more && mono_diff_ms(now, s->last_sign) > silence_ms(s))
		return silent(s, now, gap);
	*next = ssh_poll(s->ssh, now);
	next->until =
		mono_min(next->until, mono_add_ms(s->last_sign, silence_ms(s) + 1));
	return SOURCE_WAIT;
}

int source_cores(const struct source *s)
{
	return s->cores;
}

/* One turn without taking in more; the descriptor stays readable meanwhile. */
static enum source_event hold_lines(struct source *s, struct mono now, struct gap *gap,
				    struct step *next)
{
	enum source_event e;

	s->last_sign = now;
	e = read_link(s, now, false, gap, next);
	next->fd = -1;
	next->until = mono_min(next->until, mono_add_ms(now, HELD_MS));
	return e;
}

enum source_event source_step(struct source *s, struct mono now, bool read_more,
			      struct reading *reading, struct gap *gap,
			      struct step *next)
{
	*next = STEP_NOW;
	if (s->scrape != NULL)
		return scrape_step(s->scrape, now, read_more, reading, gap, next);
	if (s->ssh == NULL) {
		if (mono_before(now, s->retry_at)) {
			*next = STEP_UNTIL(s->retry_at);
			return SOURCE_WAIT;
		}
		return open_session(s, now, gap, next);
	}
	if (is_line(s) && is_flooded(s, now))
		return hold_lines(s, now, gap, next);
	if (!read_more)
		s->last_sign = now; /* the silence is ours */
	if (s->len > 0 && read_more) {
		enum source_event e = is_line(s) ? decode_lines(s, now, reading, gap)
						 : decode_frames(s, now, reading, gap);

		if (e == SOURCE_GAP)
			metrics_add(METRIC_LINES_REFUSED, 1);
		if (e != SOURCE_WAIT)
			return e;
	}
	return read_link(s, now, read_more, gap, next);
}
