/* SPDX-License-Identifier: MIT
 * mail: one mail through an SMTP server (libcurl), or a look whether it lets us in. TLS
 * where the server offers it, and always where a password is sent. Never logs. */
#ifndef MMLAG_HTTP_MAIL_H
#define MMLAG_HTTP_MAIL_H

#include <stddef.h>

#include "base/err.h"
#include "base/wake.h"

/* All borrowed. */
struct mail {
	const char
		*server; /* "mail.example.com", with ":port", or smtp://… smtps://… */
	const char *from;
	const char *const *to;
	size_t to_count;
	const char *username, *password; /* NULL: none */
	const char *text; /* headers and body, lines end with CR LF; NULL:
			   * log in, say NOOP, and go */
	size_t len;
	long timeout_ms;
};

/* Send it. ERR_RETRY for what may go later (4xx included), ERR_REJECT where the server
 * refuses an address or the mail for good. `wake` (may be NULL) stops it within a
 * second.
 * @thread the owner's; blocks for at most the timeout */
NODISCARD int mail_send(const struct mail *m, struct wake *wake, struct err *err);

#endif
