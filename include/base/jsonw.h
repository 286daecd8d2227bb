/* SPDX-License-Identifier: MIT
 * jsonw: writes JSON by appending to a buffer; commas are its own affair. Strings may
 * hold any bytes: invalid UTF-8 becomes U+FFFD, control characters are escaped. No
 * errors of its own: the buffer's `failed` says whether all fitted. */
#ifndef MMLAG_BASE_JSONW_H
#define MMLAG_BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define JSONW_DEPTH 32

struct jsonw {
	struct buf *out;
	unsigned depth;
	bool comma;              /* a value stands before, on this level */
	char close[JSONW_DEPTH]; /* what ends each open level */
};

/* The buffer stays the caller's.  @thread any */
struct jsonw jsonw_start(struct buf *out);

/* Open an object or array; jsonw_end closes the innermost one.  @thread any */
void jsonw_object(struct jsonw *w);
void jsonw_array(struct jsonw *w);
void jsonw_end(struct jsonw *w);

/* A member's name; its value must follow.  @thread any */
void jsonw_key(struct jsonw *w, const char *key);

/* Values. NULL strings become null; so do numbers that are not finite. jsonw_real
 * always writes a decimal point, with at most `decimals` digits behind it (at least
 * one).  @thread any */
void jsonw_str(struct jsonw *w, const char *s);
void jsonw_strn(struct jsonw *w, const char *s, size_t n);
void jsonw_int(struct jsonw *w, int64_t v);
void jsonw_real(struct jsonw *w, double v, int decimals);
void jsonw_bool(struct jsonw *w, bool v);
void jsonw_null(struct jsonw *w);
void jsonw_raw(struct jsonw *w, const char *json, size_t n); /* finished JSON text */

/* Name and value in one call.  @thread any */
void jsonw_key_str(struct jsonw *w, const char *key, const char *s);
void jsonw_key_int(struct jsonw *w, const char *key, int64_t v);

/* One JSON string with its quotation marks, without a writer.  @thread any */
void jsonw_quote(struct buf *out, const char *s, size_t n);

/* Length in bytes of the valid UTF-8 sequence at `s` (at most `n` bytes are there),
 * 0 when it is not one.  @thread any */
size_t utf8_sequence(const unsigned char *s, size_t n);

/* Replace control characters, C1 and DEL included, by '?': what is left cannot forge a
 * line or speak to a terminal.  @thread any */
void utf8_plain(char *text);

/* The largest length <= `max` at which `s` can be cut without splitting a UTF-8
 * sequence.  @thread any */
size_t utf8_cut(const char *s, size_t len, size_t max);

#endif
