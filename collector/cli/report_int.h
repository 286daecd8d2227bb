/* SPDX-License-Identifier: MIT
 * report_int: the parts of the command `report`. Each appends lines to `out`, which is
 * redacted before it is printed. */
#ifndef MMLAG_CLI_REPORT_INT_H
#define MMLAG_CLI_REPORT_INT_H

#include "base/buf.h"
#include "config/config.h"

/* This program's version and those of the libraries that it runs with.  @thread main */
void report_versions(struct buf *out);

/* Kernel, distribution, cores, memory, limits, what systemd set.  @thread main */
void report_system(struct buf *out);

/* Everything that the configuration says, as `export config` has it, without what may
 * be secret: values of `env:`, arguments of commands, paths of receivers' URLs.
 * @thread main */
void report_config(const struct config *c, struct buf *out);

/* Files that it names: where, owner, mode, usable or why not; no content.
 * @thread main */
void report_files(const struct config *c, struct buf *out);

/* What lies in the state directory, and who works there.  @thread main */
void report_state(const char *dir, struct buf *out);

#endif
