/* SPDX-License-Identifier: MIT
 * log: lines on standard error. Called by actors and commands only; floors below them
 * return errors. Each line names what it speaks of (`about`: an actor, host or topic).
 * A line with the same `about` and format that comes more than LOG_BURST times within
 * LOG_WINDOW is held back and summed up ("… N more like this"). */
#ifndef MMLAG_BASE_LOG_H
#define MMLAG_BASE_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

#define LOG_BURST 5
#define LOG_WINDOW_MS 10000

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_LOGFMT, LOG_JSON };

/* Before any thread is started. JSON is in ECS form. With `colour` the level is
 * coloured (text format only).
 * @thread main */
void log_open(enum log_level level, enum log_format format, bool colour);

/* While threads run.  @thread any */
void log_set_format(enum log_format format);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* One line. Control characters in the text become '?', so that a hostile host cannot
 * forge a line. Where nobody reads standard error any more, one line waits for a
 * second; those after it are left out until somebody does, and counted.
 * @thread any  @locks log's own, a leaf */
void log_line(enum log_level level, const char *about, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                    \
	do {                                              \
		if (log_wants(LOG_DEBUG))                 \
			log_line(LOG_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
