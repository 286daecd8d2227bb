/* SPDX-License-Identifier: MIT
 * log: one write(2) a line, so that lines of threads never mix. */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"

#include "banned.h"

#define LINE_MAX_BYTES 4096
#define SITES 256 /* held-back bookkeeping; a collision only shares a limit */

struct site {
	uint64_t key;
	struct mono since;
	unsigned seen;
};

static atomic_int threshold = LOG_INFO;
static atomic_int format = LOG_TEXT;
static bool coloured;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards `sites` */
static struct site sites[SITES];

static const char *const names[] = {"error", "warn", "info", "debug"};
static const char *const colours[] = {"\033[31m", "\033[33m", "", "\033[2m"};

void log_open(enum log_level level, enum log_format f, bool colour)
{
	atomic_store(&threshold, (int)level);
	atomic_store(&format, (int)f);
	coloured = colour;
}

void log_change(enum log_level level, enum log_format f)
{
	atomic_store(&threshold, (int)level);
	atomic_store(&format, (int)f);
}

void log_set_level(enum log_level level)
{
	atomic_store(&threshold, (int)level);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load(&threshold);
}

/* Count this line. Returns -1 to hold it back, else how many like it were held back
 * in the window that ended. */
static int admit(const char *about, const char *fmt)
{
	uint64_t key =
		hash_fnv64(fmt, strlen(fmt), hash_fnv64(about, strlen(about), 0));
	struct mono now = clock_mono();
	struct site *s = &sites[key % SITES];
	int held = 0;

	pthread_mutex_lock(&lock);
	if (s->key != key || mono_diff_ms(now, s->since) >= LOG_WINDOW_MS) {
		if (s->key == key && s->seen > LOG_BURST)
			held = (int)(s->seen - LOG_BURST);
		*s = (struct site){key, now, 0};
	}
	if (++s->seen > LOG_BURST)
		held = -1;
	pthread_mutex_unlock(&lock);
	return held;
}

static void write_line(enum log_level level, const char *about, const char *text)
{
	struct buf out = BUF_INIT(2 * LINE_MAX_BYTES + 256);
	char when[WALL_TEXT];
	int f = atomic_load(&format);
	size_t done = 0;

	wall_format(clock_wall(), when);
	if (f == LOG_JSON) {
		struct jsonw w = jsonw_start(&out);

		jsonw_object(&w);
		jsonw_key_str(&w, "@timestamp", when);
		jsonw_key_str(&w, "log.level", names[level]);
		jsonw_key_str(&w, "message", text);
		jsonw_key_str(&w, "ecs.version", "8.11.0");
		jsonw_key_str(&w, "log.logger", about);
		jsonw_end(&w);
	} else if (f == LOG_LOGFMT) {
		buf_printf(&out, "ts=%s level=%s about=", when, names[level]);
		jsonw_quote(&out, about, strlen(about));
		buf_addstr(&out, " msg=");
		jsonw_quote(&out, text, strlen(text));
	} else {
		buf_printf(&out, "%s %s%-5s%s %s: %s", when,
			   coloured ? colours[level] : "", names[level],
			   coloured && *colours[level] ? "\033[0m" : "", about, text);
	}
	buf_addch(&out, '\n');
	while (done < out.len) {
		ssize_t n = write(STDERR_FILENO, out.data + done, out.len - done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	buf_free(&out);
}

void log_line(enum log_level level, const char *about, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	int held;

	if (!log_wants(level))
		return;
	held = level == LOG_DEBUG ? 0 : admit(about, fmt);
	if (held < 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	utf8_plain(text);
	if (held > 0) {
		size_t n = strlen(text);

		snprintf(text + n, sizeof(text) - n, " (%d more like this)", held);
	}
	write_line(level, about, text);
}
