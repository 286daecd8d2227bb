/* SPDX-License-Identifier: MIT
 * screen: the terminal of a live command: raw keys, the alternate screen, and only
 * those lines written that have changed. Whatever ends the command must call
 * screen_close, which puts everything back. */
#ifndef MMLAG_CLI_SCREEN_H
#define MMLAG_CLI_SCREEN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wake.h"

struct screen;

/* Standard input and output must be a terminal that can move its cursor.  @thread main
 */
NODISCARD int screen_open(struct screen **out, struct err *err);
void screen_close(struct screen *s); /* NULL is legal */

/* Leave the terminal to others, and take it again (all lines are written anew then).
 * @thread main */
void screen_leave(struct screen *s);
void screen_enter(struct screen *s);

/* Whatever stands there now, write all lines anew.  @thread main */
void screen_renew(struct screen *s);

/* @thread main */
void screen_size(struct screen *s, size_t *width, size_t *height);

/* Show lines parted by newlines.  @thread main */
void screen_paint(struct screen *s, const struct buf *lines);

/* The next key that was pressed (a character, or an enum top_key), or KEY_NONE; a
 * lone ESC is told from the beginning of a key's sequence by a short wait. *gone
 * becomes true when the terminal is.
 * @thread main */
int screen_key(struct screen *s, struct wake *wake, bool *gone);

#endif
