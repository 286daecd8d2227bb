/* SPDX-License-Identifier: MIT
 * text: values as the configuration writes them, for the options of commands. */
#ifndef MMLAG_CONFIG_TEXT_H
#define MMLAG_CONFIG_TEXT_H

#include <stdint.h>

#include "base/err.h"

/* Each returns 0 and *out, or ERR_REJECT with what is wrong. Durations come out in
 * milliseconds (500ms, 5s, 1h30m).
 * @thread main */
NODISCARD int config_text_int(const char *text, int64_t *out, struct err *err);
NODISCARD int config_text_real(const char *text, double *out, struct err *err);
NODISCARD int config_text_duration(const char *text, int64_t *out, struct err *err);

#endif
