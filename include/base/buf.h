/* SPDX-License-Identifier: MIT
 * buf: a growing byte buffer with a hard maximum.
 * Invariants: data is NULL or has data[len] == '\0' (len does not count it, and the
 * bytes may hold NUL); len <= max. A write that would pass the maximum, or for which
 * there is no memory, changes nothing, returns -1 and sets `failed`, so that a run of
 * writes may be checked once at its end. */
#ifndef MMLAG_BASE_BUF_H
#define MMLAG_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
	bool failed;
};

#define BUF_INIT(maximum)                    \
	{                                    \
		NULL, 0, 0, (maximum), false \
	}

/* Empty, with a maximum of `max` bytes; nothing is allocated yet.  @thread any */
void buf_init(struct buf *b, size_t max);

/* Free the memory; the maximum stays. Legal on an empty buffer.  @thread any */
void buf_free(struct buf *b);

/* Forget the content and the failure, keep the memory.  @thread any */
void buf_reset(struct buf *b);

/* Append. Return 0, or -1 as described above. `p` must not lie inside `b`.
 * @thread any */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_addstr(struct buf *b, const char *s);
int buf_addch(struct buf *b, char c);
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Make room for `n` more bytes at data + len without changing len. Returns 0 or -1.
 * @thread any */
int buf_reserve(struct buf *b, size_t n);

/* Drop the first `n` (<= len) bytes.  @thread any */
void buf_consume(struct buf *b, size_t n);

/* Hand the bytes over as a NUL-terminated string which the caller frees; the buffer is
 * empty afterwards. Never NULL.  @thread any */
char *buf_take(struct buf *b);

/* The content as a string that lives until the next change; "" when empty. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data == NULL ? "" : b->data;
}

#endif
