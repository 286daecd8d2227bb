/* SPDX-License-Identifier: MIT
 * text_int: pieces of foreign text, which may hold any byte, NUL included, for the
 * readers of this folder. A span borrows; nothing here allocates. */
#ifndef MMLAG_LAG_TEXT_INT_H
#define MMLAG_LAG_TEXT_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const char *p;
	size_t n;
};

enum number {
	NUMBER_OK,
	NUMBER_NONE, /* '-' or "unknown": no value */
	NUMBER_HUGE, /* digits beyond int64: no value we could hold */
	NUMBER_BAD,  /* something else */
};

/* White space inside of a line; a carriage return is one, so CRLF needs no care. */
static inline bool text_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Take the next line off `rest`, without its newline; the last one needs none. False
 * when nothing is left.  @thread any */
bool text_line(struct span *rest, struct span *line);

/* `s` without white space at its end, at both ends.  @thread any */
struct span text_rtrim(struct span s);
struct span text_trim(struct span s);

/* @thread any */
bool text_is(struct span s, const char *word);
bool text_begins(struct span s, const char *word);

/* Where `word` stands first in `s`, NULL when it does not.  @thread any */
const char *text_find(struct span s, const char *word);

/* Split at runs of white space into at most `max` fields; what lies behind them is left
 * out. Returns how many.  @thread any */
size_t text_fields(struct span s, struct span *field, size_t max);

/* -?[0-9]+, '-' or "unknown". `value` is set for NUMBER_OK alone.  @thread any */
enum number text_number(struct span s, int64_t *value);

/* Digits that make a number of at most `max`; -1 for anything else.  @thread any */
int64_t text_digits(struct span s, int64_t max);

#endif
