/* SPDX-License-Identifier: MIT
 * printed: what `mmlag export config` prints of a configuration, for comparing two of
 * them: no key can be forgotten. */
#ifndef MMLAG_CONFIG_PRINTED_H
#define MMLAG_CONFIG_PRINTED_H

#include <jansson.h>

#include "config/config.h"

/* What stands under one key at the top. The caller's reference; NULL where there is
 * nothing.  @thread any */
json_t *printed(const struct config *c, const char *key);

#endif
