/* SPDX-License-Identifier: MIT
 * compiler: the few attributes that all headers use. */
#ifndef MMLAG_BASE_COMPILER_H
#define MMLAG_BASE_COMPILER_H

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
