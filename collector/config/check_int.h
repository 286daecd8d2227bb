/* SPDX-License-Identifier: MIT
 * check: rules for single values, named in the table of keys. */
#ifndef MMLAG_CONFIG_CHECK_INT_H
#define MMLAG_CONFIG_CHECK_INT_H

#include "base/err.h"

/* Each returns 0, or ERR_REJECT with what is wrong and what to write; secrets in the
 * value are not repeated.
 * @thread main */
NODISCARD int check_word(const char *text,
			 struct err *err); /* no blanks, no '-' first */
NODISCARD int check_path(const char *text, struct err *err); /* no ~ */
NODISCARD int check_absolute(const char *text, struct err *err);
/* An absolute path without anything that a shell or a JVM option would divide. */
NODISCARD int check_plain_path(const char *text, struct err *err);
NODISCARD int check_host(const char *text, struct err *err);
NODISCARD int check_topic(const char *text, struct err *err);
NODISCARD int check_match(const char *text, struct err *err);
NODISCARD int check_jump(const char *text, struct err *err);
NODISCARD int check_bootstrap(const char *text, struct err *err);
NODISCARD int check_url(const char *text, struct err *err);
NODISCARD int check_index(const char *text, struct err *err);
NODISCARD int check_fingerprint(const char *text, struct err *err);
NODISCARD int check_listen(const char *text, struct err *err);
NODISCARD int check_network(const char *text, struct err *err);
NODISCARD int check_label(const char *text, struct err *err);
NODISCARD int check_variable(const char *text, struct err *err);

#endif
