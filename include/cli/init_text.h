/* SPDX-License-Identifier: MIT
 * init_text: the pure parts of `mmlag init`: what is looked at → a configuration to
 * look with, and what was found → the configuration that is printed. */
#ifndef MMLAG_CLI_INIT_TEXT_H
#define MMLAG_CLI_INIT_TEXT_H

#include "base/buf.h"
#include "source/scout.h"

/* The options; strings are borrowed, NULL for those that were not given. */
struct init_target {
	const char *host, *port, *user, *key_file, *passphrase_file, *host_key, *run_as;
	struct scout_target look;
};

/* Append the configuration, as JSON, of a topic that runs `script` once. A new host's
 * key goes into the directory `scratch`, not into the user's files.
 * @thread main */
void init_scout_config(const struct init_target *t, const char *script,
		       const char *scratch, const char *timeout, struct buf *out);

/* Append the configuration that is printed.  @thread main */
void init_print(const struct init_target *t, const struct scout *found,
		struct buf *out);

/* Topics that were found, and groups that have some.  @thread main */
size_t init_topic_count(const struct scout *found);
size_t init_group_count(const struct scout *found);

/* Remove what init_scout_config's scratch directory holds, and it.  @thread main */
void init_clean(const char *scratch);

#endif
