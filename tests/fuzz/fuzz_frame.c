/* SPDX-License-Identifier: MIT
 * fuzz_frame: any bytes as the stream of a session with nonce "k" and runs of at most
 * 64 bytes. However they are cut, the same events come out; so do the lines. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lag/frame.h"

#include "banned.h"

#define RUN_MAX 64
#define LINE_MAX_BYTES 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Append what happened as text. */
static void note_run(struct buf *log, enum frame_event event,
		     const struct frame_run *run)
{
	assert(event == FRAME_BEGIN || event == FRAME_RUN || event == FRAME_BROKEN);
	assert((event == FRAME_BROKEN) == (run->broken != NULL));
	assert(run->out_len <= RUN_MAX);
	assert(run->begin_ms >= -1 && run->end_ms >= -1);
	assert(run->exit_code >= -1 && run->exit_code <= 255);
	buf_printf(log, "%d %llu %lld %lld %s %d %s [", (int)event,
		   (unsigned long long)run->number, (long long)run->begin_ms,
		   (long long)run->end_ms, run->begin_mark, run->exit_code,
		   run->broken != NULL ? run->broken : "");
	buf_add(log, run->out, run->out_len);
	buf_addstr(log, "]\n");
}

static void note_line(struct buf *log, enum line_event event, const char *line,
		      size_t len)
{
	assert(event == LINE_TOO_LONG || len <= LINE_MAX_BYTES);
	buf_printf(log, "%d ", (int)event);
	if (event == LINE_FULL)
		buf_add(log, line, len);
	buf_addch(log, '\n');
}

static void feed(struct frame *f, struct lines *l, struct buf *log,
		 struct buf *line_log, const char *p, size_t n)
{
	const char *line_p = p;
	size_t line_n = n;
	struct frame_run run;
	enum frame_event event;
	enum line_event line_event;
	const char *line;
	size_t len;

	while ((event = frame_next(f, &p, &n, &run)) != FRAME_MORE)
		note_run(log, event, &run);
	assert(n == 0);
	while ((line_event = lines_next(l, &line_p, &line_n, &line, &len)) != LINE_MORE)
		note_line(line_log, line_event, line, len);
	assert(line_n == 0 && strlen(frame_stray(f)) <= 4096);
}

/* Feed all, `step` bytes at a time. */
static struct buf replay(const char *p, size_t size, size_t step)
{
	struct buf log = BUF_INIT(SIZE_MAX / 2);
	struct buf line_log = BUF_INIT(SIZE_MAX / 2);
	struct frame *f = frame_new("k", RUN_MAX);
	struct lines *l = lines_new(LINE_MAX_BYTES);

	for (size_t i = 0; i < size; i += step)
		feed(f, l, &log, &line_log, p + i, size - i < step ? size - i : step);
	buf_addstr(&log, frame_stray(f));
	buf_add(&log, line_log.data, line_log.len);
	buf_free(&line_log);
	frame_free(f);
	lines_free(l);
	return log;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t steps[] = {1, 2, 7, 30};
	struct buf whole = replay((const char *)data, size, size > 0 ? size : 1);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct buf cut = replay((const char *)data, size, steps[i]);

		assert(cut.len == whole.len);
		assert(whole.len == 0 || memcmp(cut.data, whole.data, whole.len) == 0);
		buf_free(&cut);
	}
	buf_free(&whole);
	return 0;
}
