/* SPDX-License-Identifier: MIT
 * remote: what is sent to a host as the exec command: one line that means the same to
 * every login shell (bash, dash, zsh, ksh, busybox, csh, tcsh, fish) and starts a bash
 * script under a watchdog. Pure: text out.
 * Such a line has no newline, no '!' (csh expands it even inside quotes) and no two
 * backslashes in a row (fish makes one of them). */
#ifndef MMLAG_SSH_REMOTE_H
#define MMLAG_SSH_REMOTE_H

#include <stdint.h>

#include "base/buf.h"

/* Append `value` as one word of bash, $'…': letters, digits and " ._/:@%+=,-" as they
 * are, every other byte as a three-digit octal escape.
 * @thread any */
void remote_quote(struct buf *out, const char *value);

/* Append a line of bash that gives a variable this value; NULL is the empty one.
 * @thread any */
void remote_assign(struct buf *out, const char *name, const char *value);

/* Append the command that runs `script` by bash (4.0 or newer), as `run_as` through
 * sudo unless that is NULL. The script may be anything: it arrives byte by byte. Its
 * stdin is /dev/null; stdout and stderr are the channel's; its exit code is the
 * command's.
 * The watchdog reads the channel's stdin, one line a heartbeat. At the end of file, or
 * when `watchdog_ms` pass without a line, every process of the remote session is
 * killed, whatever its process group; nothing but bash and /proc is needed. Leftovers
 * of a script that ended by itself are killed likewise, as sshd then closes that stdin.
 * Only a process that started a session of its own escapes. Under a server that starts
 * no session for a command, descendants are killed instead.
 * @thread any */
void remote_command(struct buf *out, const char *script, const char *run_as,
		    int64_t watchdog_ms);

#endif
