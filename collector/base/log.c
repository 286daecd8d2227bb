/* SPDX-License-Identifier: MIT
 * log: one write(2) a line, so that lines of threads never mix. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/jsonw.h"

#include "banned.h"

#define LINE_MAX_BYTES 4096
#define SITES 256        /* held-back bookkeeping; a collision only shares a limit */
#define PATIENCE_MS 1000 /* with whoever reads the lines */

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
static int stream = STDERR_FILENO;
static bool stream_is_socket;
static atomic_bool stuck; /* nobody reads */
static atomic_long lost;  /* lines, meanwhile */

static const char *const names[] = {"error", "warn", "info", "debug"};
static const char *const colours[] = {"\033[31m", "\033[33m", "", "\033[2m"};

/* Standard error is shared with whoever started us, so that its flags are not ours to
 * change: a pipe or a terminal is opened once more, as one that never blocks. */
static void open_stream(void)
{
	struct stat st;
	int fd = -1;

	if (stream != STDERR_FILENO || fstat(STDERR_FILENO, &st) != 0)
		return;
	stream_is_socket = S_ISSOCK(st.st_mode);
	if (S_ISFIFO(st.st_mode) || isatty(STDERR_FILENO) == 1)
		fd = open("/proc/self/fd/2",
			  O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0)
		stream = fd;
}

void log_open(enum log_level level, enum log_format f, bool colour)
{
	open_stream();
	atomic_store(&threshold, (int)level);
	atomic_store(&format, (int)f);
	coloured = colour;
}

void log_set_format(enum log_format f)
{
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

static ssize_t put(const char *data, size_t len)
{
	return stream_is_socket ? send(stream, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				: write(stream, data, len);
}

/* Returns false when nobody reads: who logs does not wait for that but once. */
static bool put_all(const char *data, size_t len)
{
	struct pollfd room = {stream, POLLOUT, 0};

	while (len > 0) {
		ssize_t n = put(data, len);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
			return true; /* nobody ever will */
		} else if (errno == EAGAIN &&
			   poll(&room, 1, atomic_load(&stuck) ? 0 : PATIENCE_MS) == 0) {
			atomic_store(&stuck, true);
			return false;
		}
	}
	atomic_store(&stuck, false);
	return true;
}

static bool write_line(enum log_level level, const char *about, const char *text)
{
	struct buf out = BUF_INIT(2 * LINE_MAX_BYTES + 256);
	char when[WALL_TEXT];
	int f = atomic_load(&format);
	bool read;

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
	read = put_all(out.data, out.len);
	buf_free(&out);
	return read;
}

/* The line, and before it how many are missing since nobody read. */
static void tell(enum log_level level, const char *about, const char *text)
{
	long missing = atomic_exchange(&lost, 0);
	char words[80];

	if (missing > 0) {
		snprintf(words, sizeof(words),
			 "%ld lines are missing here: nobody read them", missing);
		if (!write_line(LOG_WARN, "log", words)) {
			atomic_fetch_add(&lost, missing + 1);
			return;
		}
	}
	if (!write_line(level, about, text))
		atomic_fetch_add(&lost, 1);
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
	tell(level, about, text);
}
