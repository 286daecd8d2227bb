/* SPDX-License-Identifier: MIT
 * scalar: text of a configuration value to a number, and back. Every refusal says what
 * to write instead. */
#ifndef MMLAG_CONFIG_SCALAR_INT_H
#define MMLAG_CONFIG_SCALAR_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* Each returns 0 and *out, or ERR_REJECT. Durations come out in milliseconds (500ms,
 * 5s, 1h30m), sizes in bytes (64KiB), shares as 0..1 (99.5% or 0.995).
 * @thread main */
NODISCARD int scalar_int(const char *text, int64_t *out, struct err *err);
NODISCARD int scalar_real(const char *text, double *out, struct err *err);
NODISCARD int scalar_share(const char *text, double *out, struct err *err);
NODISCARD int scalar_bool(const char *text, bool *out, struct err *err);
NODISCARD int scalar_duration(const char *text, int64_t *out, struct err *err);
NODISCARD int scalar_size(const char *text, int64_t *out, struct err *err);

/* The shortest text that is read back as the same value.  @thread main */
void scalar_print_real(struct buf *out, double v);
void scalar_print_duration(struct buf *out, int64_t ms);
void scalar_print_size(struct buf *out, int64_t bytes);

/* Replace ${VAR} and ${VAR:default} by the environment's values, and $$ by $. Returns 0
 * and *out, which the caller frees, or ERR_REJECT.
 * @thread main */
NODISCARD int scalar_expand(const char *text, char **out, struct err *err);

#endif
