/* SPDX-License-Identifier: MIT */
#include "lag/frame.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "lag/text_int.h"

#include "banned.h"

#define MARK_MAX 256           /* a longer line is no mark */
#define STRAY_MAX 4096u        /* what frame_stray gives */
#define KEEP_MAX (256u << 10)  /* a larger buffer is given back after the run */
#define CORES_MAX 100000       /* more is nonsense */
#define EPOCH_MAX 253402300799 /* the end of the year 9999 */

enum state {
	OUTSIDE, /* before the first run, between two */
	RUNNING, /* behind a begin mark: this is the command's stdout */
	EXITED,  /* behind an exit mark */
};

struct mark {
	char kind; /* 'C', 'B', 'A', 'X', 'E' */
	uint64_t number;
	struct span value;
};

struct frame {
	char *prefix; /* "@mmlag K " */
	size_t prefix_len;
	size_t max;
	enum state state;
	struct frame_run run;
	uint64_t last;      /* number of the last run begun */
	bool any;           /* one has begun */
	bool begun;         /* FRAME_BEGIN waits to be told */
	bool told;          /* the last event lent `out`: empty it at the next call */
	const char *broken; /* the run in hand is, for this reason */
	struct buf out;     /* of the run in hand */
	struct buf said;    /* what stood before its mark A */
	struct buf line;    /* the line in hand, while it may be a mark */
	bool inside;        /* the line in hand is none, its beginning is in `out` */
	char stray[2 * STRAY_MAX + 1];
	size_t stray_len;
	int cores; /* of the host */
};

struct frame *frame_new(const char *nonce, size_t max)
{
	struct frame *f = mem_calloc(1, sizeof(*f));

	f->prefix = mem_printf("@mmlag %s ", nonce);
	f->prefix_len = strlen(f->prefix);
	f->max = max;
	buf_init(&f->out, max + 1); /* the newline of the exit mark */
	buf_init(&f->said, max + 1);
	buf_init(&f->line, MARK_MAX);
	return f;
}

void frame_free(struct frame *f)
{
	if (f == NULL)
		return;
	buf_free(&f->out);
	buf_free(&f->said);
	buf_free(&f->line);
	free(f->prefix);
	free(f);
}

static void keep_stray(struct frame *f, const char *p, size_t n)
{
	if (n > STRAY_MAX) {
		p += n - STRAY_MAX;
		n = STRAY_MAX;
	}
	if (f->stray_len + n > 2 * STRAY_MAX) {
		memmove(f->stray, f->stray + f->stray_len - STRAY_MAX, STRAY_MAX);
		f->stray_len = STRAY_MAX;
	}
	for (size_t i = 0; i < n; i++) {
		f->stray[f->stray_len] = p[i];
		if (p[i] == '\0')
			f->stray[f->stray_len] = ' ';
		f->stray_len++;
	}
	f->stray[f->stray_len] = '\0';
}

const char *frame_stray(const struct frame *f)
{
	return f->stray + (f->stray_len > STRAY_MAX ? f->stray_len - STRAY_MAX : 0);
}

int frame_cores(const struct frame *f)
{
	return f->cores;
}

/* Bytes that are no mark. */
static void take(struct frame *f, const char *p, size_t n)
{
	if (f->state != RUNNING)
		keep_stray(f, p, n);
	else if (f->broken == NULL && buf_add(&f->out, p, n) != 0)
		f->broken = "its output is longer than the limit";
}

/* The newline in front of a mark belongs to the mark. */
static void drop_newline(struct frame *f)
{
	struct buf *b = &f->out;

	if (f->state != RUNNING) {
		if (f->stray_len > 0 && f->stray[f->stray_len - 1] == '\n')
			f->stray[--f->stray_len] = '\0';
	} else if (b->len > 0 && b->data[b->len - 1] == '\n') {
		b->data[--b->len] = '\0';
	}
	if (b->len > f->max && f->broken == NULL)
		f->broken = "its output is longer than the limit";
}

static bool mark_kind(char c)
{
	return c == 'C' || c == 'B' || c == 'A' || c == 'X' || c == 'E';
}

static bool mark_read(const struct frame *f, struct span line, struct mark *m)
{
	struct span field[3];
	size_t n;

	if (line.n < f->prefix_len || memcmp(line.p, f->prefix, f->prefix_len) != 0)
		return false;
	line.p += f->prefix_len;
	line.n -= f->prefix_len;
	n = text_fields(line, field, 3);
	if (n < 2 || field[0].n != 1 || !mark_kind(field[0].p[0]))
		return false;
	/* a 64-bit counter of runs never needs its last bit */
	if (text_digits(field[1], INT64_MAX) < 0)
		return false;
	m->kind = field[0].p[0];
	m->number = (uint64_t)text_digits(field[1], INT64_MAX);
	m->value = n == 3 ? field[2] : (struct span){"", 0};
	return true;
}

/* Seconds, maybe with a fraction behind a point or a comma, as milliseconds. What is
 * no fraction (a date that knows no %N prints "1700000000.N") is left out. */
static int64_t epoch_ms(struct span s)
{
	struct span seconds = {s.p, 0};
	int64_t ms = 0, whole;
	int64_t scale = 100;

	while (seconds.n < s.n && s.p[seconds.n] >= '0' && s.p[seconds.n] <= '9')
		seconds.n++;
	whole = text_digits(seconds, EPOCH_MAX);
	if (whole < 0)
		return -1;
	if (seconds.n < s.n && (s.p[seconds.n] == '.' || s.p[seconds.n] == ','))
		for (size_t i = seconds.n + 1; i < s.n && scale > 0; i++, scale /= 10) {
			if (s.p[i] < '0' || s.p[i] > '9')
				break;
			ms += (s.p[i] - '0') * scale;
		}
	return whole * 1000 + ms;
}

static void empty(struct buf *b)
{
	if (b->cap > KEEP_MAX)
		buf_free(b);
	else
		buf_reset(b);
}

static void give_back(struct frame *f)
{
	empty(&f->out);
	empty(&f->said);
}

static enum frame_event tell_broken(struct frame *f, struct frame_run *run,
				    const char *why)
{
	*run = f->run;
	run->out = "";
	run->out_len = 0;
	run->aside = false;
	run->broken = why;
	f->broken = NULL;
	f->state = OUTSIDE;
	give_back(f);
	return FRAME_BROKEN;
}

static enum frame_event tell_begin(struct frame *f, struct frame_run *run)
{
	f->begun = false;
	*run = f->run;
	return FRAME_BEGIN;
}

static void start_run(struct frame *f, const struct mark *m)
{
	size_t n = m->value.n < sizeof(f->run.begin_mark) - 1
			   ? m->value.n
			   : sizeof(f->run.begin_mark) - 1;

	f->run = (struct frame_run){.number = m->number,
				    .begin_ms = epoch_ms(m->value),
				    .end_ms = -1,
				    .exit_code = -1,
				    .out = ""};
	memcpy(f->run.begin_mark, m->value.p, n);
	f->last = m->number;
	f->any = true;
	f->begun = true;
	f->state = RUNNING;
}

static enum frame_event on_begin(struct frame *f, const struct mark *m,
				 struct frame_run *run)
{
	bool open = f->state != OUTSIDE;

	if (f->any && m->number <= f->last) {
		if (!open)
			f->run = (struct frame_run){.number = m->number,
						    .begin_ms = -1,
						    .end_ms = -1};
		return tell_broken(f, run, "the numbers of the runs do not rise");
	}
	if (open)
		tell_broken(f, run,
			    "it was cut off: the next run began before its end");
	start_run(f, m);
	return open ? FRAME_BROKEN : tell_begin(f, run);
}

/* What came so far was the target's. It has lost what is too long for it, and the run
 * goes on: a failed look there spoils no sample. */
static enum frame_event on_aside(struct frame *f, const struct mark *m,
				 struct frame_run *run)
{
	struct buf said = f->said;

	if (f->state == OUTSIDE)
		return FRAME_MORE;
	if (f->state != RUNNING || m->number != f->run.number || f->run.aside)
		return tell_broken(f, run, "its marks are out of order");
	f->said = f->out;
	f->out = said;
	if (f->broken != NULL)
		buf_reset(&f->said);
	f->broken = NULL;
	f->run.aside = true;
	f->run.said_code = (int)text_digits(m->value, 255);
	return FRAME_MORE;
}

static enum frame_event on_exit_code(struct frame *f, const struct mark *m,
				     struct frame_run *run)
{
	if (f->state == OUTSIDE)
		return FRAME_MORE;
	if (f->state != RUNNING || m->number != f->run.number)
		return tell_broken(f, run, "its marks are out of order");
	f->run.exit_code = (int)text_digits(m->value, 255);
	f->state = EXITED;
	return FRAME_MORE;
}

static enum frame_event on_end(struct frame *f, const struct mark *m,
			       struct frame_run *run)
{
	if (f->state == OUTSIDE)
		return FRAME_MORE;
	f->run.end_ms = epoch_ms(m->value);
	if (f->state != EXITED || m->number != f->run.number)
		return tell_broken(f, run, "its marks are out of order");
	if (f->broken != NULL)
		return tell_broken(f, run, f->broken);
	f->state = OUTSIDE;
	f->told = true;
	*run = f->run;
	run->out = buf_str(&f->out);
	run->out_len = f->out.len;
	run->said = buf_str(&f->said);
	run->said_len = f->said.len;
	return FRAME_RUN;
}

static enum frame_event on_mark(struct frame *f, const struct mark *m,
				struct frame_run *run)
{
	drop_newline(f);
	if (m->kind == 'C') {
		f->cores = m->number <= CORES_MAX ? (int)m->number : 0;
		return FRAME_MORE;
	}
	if (m->kind == 'B')
		return on_begin(f, m, run);
	if (m->kind == 'A')
		return on_aside(f, m, run);
	return m->kind == 'X' ? on_exit_code(f, m, run) : on_end(f, m, run);
}

/* The whole of f->line, without its newline: a mark, or text. */
static enum frame_event on_line(struct frame *f, struct frame_run *run)
{
	struct mark m;
	enum frame_event event = FRAME_MORE;

	if (mark_read(f, (struct span){buf_str(&f->line), f->line.len}, &m)) {
		event = on_mark(f, &m, run);
	} else {
		take(f, buf_str(&f->line), f->line.len);
		take(f, "\n", 1);
	}
	buf_reset(&f->line);
	return event;
}

/* Take bytes up to a newline, or all. Only what begins like a mark is held back. */
static enum frame_event feed(struct frame *f, const char **data, size_t *len,
			     struct frame_run *run)
{
	const char *p = *data;
	const char *end = memchr(p, '\n', *len);
	size_t n = end != NULL ? (size_t)(end - p) : *len;
	size_t whole = n + (end != NULL);
	bool plain = f->inside || (f->line.len == 0 && n > 0 && p[0] != '@');

	*data += whole;
	*len -= whole;
	if (!plain && buf_add(&f->line, p, n) != 0) {
		take(f, buf_str(&f->line), f->line.len);
		buf_reset(&f->line);
		plain = true;
	}
	if (plain) {
		take(f, p, whole);
		f->inside = end == NULL;
		return FRAME_MORE;
	}
	return end != NULL ? on_line(f, run) : FRAME_MORE;
}

enum frame_event frame_next(struct frame *f, const char **data, size_t *len,
			    struct frame_run *run)
{
	enum frame_event event = FRAME_MORE;

	if (f->told) {
		give_back(f);
		f->told = false;
	}
	if (f->begun)
		return tell_begin(f, run);
	while (event == FRAME_MORE && *len > 0)
		event = feed(f, data, len, run);
	return event;
}

struct lines {
	struct buf buf;
	size_t max;
	bool told;     /* the last event lent the line */
	bool too_long; /* the line in hand is dropped */
};

struct lines *lines_new(size_t max)
{
	struct lines *l = mem_calloc(1, sizeof(*l));

	l->max = max;
	buf_init(&l->buf, max + 1); /* the carriage return */
	return l;
}

void lines_free(struct lines *l)
{
	if (l == NULL)
		return;
	buf_free(&l->buf);
	free(l);
}

enum line_event lines_next(struct lines *l, const char **data, size_t *len,
			   const char **line, size_t *line_len)
{
	const char *end = *len > 0 ? memchr(*data, '\n', *len) : NULL;
	size_t n = end != NULL ? (size_t)(end - *data) : *len;
	bool too_long;

	if (l->told)
		buf_reset(&l->buf);
	l->told = end != NULL;
	if (!l->too_long && buf_add(&l->buf, *data, n) != 0)
		l->too_long = true;
	*data += n + (end != NULL);
	*len -= n + (end != NULL);
	if (end == NULL)
		return LINE_MORE;
	*line = buf_str(&l->buf);
	*line_len = l->buf.len;
	if (*line_len > 0 && (*line)[*line_len - 1] == '\r')
		--*line_len;
	too_long = l->too_long || *line_len > l->max;
	l->too_long = false;
	return too_long ? LINE_TOO_LONG : LINE_FULL;
}
