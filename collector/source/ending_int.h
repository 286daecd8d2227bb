/* SPDX-License-Identifier: MIT
 * ending: why a remote command ended, in words. Private to collector/source. */
#ifndef MMLAG_SOURCE_ENDING_INT_H
#define MMLAG_SOURCE_ENDING_INT_H

#include <stddef.h>

#include "lag/reason.h"
#include "ssh/ssh.h"

#define ENDING_TEXT 480

/* Say how the command of `ssh` ended, with the last line of its stderr, else `stray`
 * (may be ""), and what to do where it ran as another user (`run_as`, may be NULL).
 * @thread the session's */
enum reason ending_tell(const struct ssh *ssh, const char *stray, const char *run_as,
			char out[ENDING_TEXT]);

#endif
