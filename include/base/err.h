/* SPDX-License-Identifier: MIT
 * err: one error scheme for the whole program. A function that can fail takes a
 * `struct err *`, returns 0 or a negative class, and fills in what happened, where
 * and what to do about it. Callers add context with err_wrap; the error is logged
 * once, by an actor or a command. */
#ifndef MMLAG_BASE_ERR_H
#define MMLAG_BASE_ERR_H

#include "base/compiler.h"

enum err_class {
	ERR_OK = 0,
	ERR_AGAIN = -1,     /* nothing is wrong, not ready yet: call again */
	ERR_RETRY = -2,     /* transient: the same call may succeed later */
	ERR_REJECT = -3,    /* this input will never be accepted, others may */
	ERR_PERMANENT = -4, /* an operator has to act first */
	ERR_BUG = -5,       /* our own mistake */
};

struct err {
	enum err_class class;
	int code;       /* for the program: finer than the class, 0 for none; the
			 * function that sets it says which enum it comes from */
	char text[768]; /* for the reader: UTF-8, one line, no final full stop */
};

#define ERR_INIT              \
	{                     \
		ERR_OK, 0, "" \
	}

/* Set class and text; code becomes 0. Returns the class, so that a caller can write
 * `return err_set(...)`. `e` may be NULL (the text is dropped).
 * @thread any */
int err_set(struct err *e, enum err_class class, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

/* As err_set, with a code.  @thread any */
int err_set_code(struct err *e, enum err_class class, int code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* As err_set with ": " and the text of errno value `errnum` behind.  @thread any */
int err_set_errno(struct err *e, enum err_class class, int errnum, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* Put "context: " before the text; class and code stay. Returns the class.
 * @thread any */
int err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The analyzer sees one file at a time and cannot know that a class is never 0. */
#if defined(__clang_analyzer__) && !defined(ERR_DEFINITIONS)
#define err_set(...) (err_set(__VA_ARGS__), ERR_RETRY)
#define err_set_code(...) (err_set_code(__VA_ARGS__), ERR_RETRY)
#define err_set_errno(...) (err_set_errno(__VA_ARGS__), ERR_RETRY)
#define err_wrap(...) (err_wrap(__VA_ARGS__), ERR_RETRY)
#endif

#endif
