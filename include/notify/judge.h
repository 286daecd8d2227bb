/* SPDX-License-Identifier: MIT
 * judge: what the answer of a receiver that speaks HTTP means for the message. Pure. */
#ifndef MMLAG_NOTIFY_JUDGE_H
#define MMLAG_NOTIFY_JUDGE_H

#include <stddef.h>

#include "config/config.h"

enum notify_verdict {
	NOTIFY_TAKEN,
	NOTIFY_LATER, /* somebody may mend it: a URL, a token, a server */
	NOTIFY_NEVER, /* refused, however often it is sent */
	NOTIFY_ODD,   /* 2xx, but not as such a receiver says yes: it is another one, or
		       * says no in its own way; as NOTIFY_LATER */
};

/* Judge by status and body.  @thread any */
enum notify_verdict notify_judge(enum receiver_type type, int status, const char *body,
				 size_t len);

#endif
