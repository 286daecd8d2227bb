/* SPDX-License-Identifier: MIT
 * scout: one look around on a host before there is a configuration: is Kafka there, of
 * which version, which groups does it list, and what does it say of each. */
#ifndef MMLAG_SOURCE_SCOUT_H
#define MMLAG_SOURCE_SCOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"
#include "lag/table.h"

#define SCOUT_GROUPS_MAX 20 /* described; all are listed */
#define SCOUT_OUTPUT_MAX (32 << 20)

/* What one call of the CLI gave. */
struct scout_group {
	char *name;
	struct table *table; /* NULL where the group was not described */
};

struct scout {
	char fingerprint[64]; /* of the host's key, "SHA256:…" */
	char *version;        /* of Kafka, "" when it cannot be told */
	char *missing;        /* what stands in place of the CLI: a sentence, or NULL */
	struct gap failure;   /* of the list of groups; REASON_NONE: it came */
	bool mm2;             /* MirrorMaker 2 runs on the host */
	struct scout_group *groups; /* as the CLI lists them */
	size_t n, cap;
};

/* What to look at. All but `group` and `command_config` must be given. */
struct scout_target {
	const char *kafka_home, *bootstrap_server;
	const char *command_config; /* relative to kafka_home; NULL for none */
	const char *group;          /* NULL: all that are listed */
};

/* Append the bash program that looks around; `tag` marks what belongs to it in its
 * output and must not occur in anything else.
 * @thread any */
void scout_script(struct buf *out, const struct scout_target *what, const char *tag);

/* Read its output into `s`, which is empty before.  @thread any */
void scout_read(struct scout *s, const char *out, size_t len, const char *tag);

/* Log in to the host of `t`, whose `command` is a scout_script with `tag`, wait for its
 * one run to end, and read what it printed. On failure err.code is an enum reason.
 * @thread a command; blocks for at most t->timeout_ms and the set-up */
NODISCARD int scout_run(struct scout *s, const struct config_topic *t, const char *tag,
			struct wake *wake, struct err *err);

void scout_fini(struct scout *s);

#endif
