/* SPDX-License-Identifier: MIT
 * mem: small allocations of our own, which abort the program when there is no memory
 * (systemd starts it again, the spool survives). Whatever is sized by a peer goes into
 * a bounded buffer (base/buf) and fails as an ordinary error. */
#ifndef MMLAG_BASE_MEM_H
#define MMLAG_BASE_MEM_H

#include <stddef.h>

#include "base/compiler.h"

/* All return memory that the caller frees with free(); never NULL.  @thread any */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n, size_t size); /* n * size, checked for overflow */
char *mem_strdup(const char *s);                   /* NULL gives NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Make room in `*array` for one element more than `n`, doubling `*cap`. */
#define MEM_GROW(array, n, cap)                                              \
	do {                                                                 \
		if ((n) == (cap)) {                                          \
			(cap) = (cap) == 0 ? 8 : (cap)*2;                    \
			(array) = mem_realloc((array), (cap),                \
					      sizeof(__typeof__(*(array)))); \
		}                                                            \
	} while (0)

/* Overwrite a secret; not optimised away. NULL is legal.  @thread any */
void mem_wipe(void *p, size_t n);

#endif
