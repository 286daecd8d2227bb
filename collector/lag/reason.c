/* SPDX-License-Identifier: MIT */
#include "lag/reason.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"

#include "banned.h"

static const char *const names[] = {
#define REASON_NAME(symbol, name) name,
	REASONS(REASON_NAME)
#undef REASON_NAME
};

const char *reason_name(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? names[r] : "none";
}

bool reason_is_host(enum reason r)
{
	switch (r) {
	case REASON_SSH_UNREACHABLE:
	case REASON_SSH_BUSY:
	case REASON_SSH_HOST_KEY:
	case REASON_SSH_AUTH:
	case REASON_SSH_ALGORITHM:
	case REASON_SSH_SESSIONS:
	case REASON_SSH_LOST:
	case REASON_HOST_DISK_FULL:
		return true;
	case REASON_NONE:
	case REASON_CLI_MISSING:
	case REASON_CLI_USAGE:
	case REASON_CLI_ERROR:
	case REASON_CLI_TIMEOUT:
	case REASON_COMMAND_ENDED:
	case REASON_BROKER_UNREACHABLE:
	case REASON_GROUP_NOT_FOUND:
	case REASON_NOT_A_CONSUMER_GROUP:
	case REASON_MIRRORMAKER2:
	case REASON_TOPIC_ABSENT:
	case REASON_NO_OFFSETS:
	case REASON_BAD_OUTPUT:
	case REASON_SOURCE_ERROR:
	case REASON_COUNT:
		break;
	}
	return false;
}

/* Append one character to g->message, which holds `used` bytes; returns the new length,
 * or 0 when it does not fit. */
static size_t append(struct gap *g, size_t used, const char *s, size_t n)
{
	if (n > REASON_MESSAGE_MAX - used)
		return 0;
	memcpy(g->message + used, s, n);
	return used + n;
}

/* C1 too: in UTF-8 they are two bytes, and some terminals obey them. */
static bool is_control(const unsigned char *s)
{
	return *s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0);
}

/* One line of valid UTF-8 in REASON_MESSAGE_MAX bytes: what a host printed may be
 * anything. */
static void repair(struct gap *g, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;
	size_t next;

	for (size_t i = 0; i < len; used = next) {
		size_t n = utf8_sequence(s + i, len - i);

		if (n == 0)
			next = append(g, used, "\xef\xbf\xbd", 3);
		else if (is_control(s + i))
			next = append(g, used, " ", 1);
		else
			next = append(g, used, text + i, n);
		if (next == 0)
			break;
		i += n > 0 ? n : 1;
	}
	while (used > 0 && g->message[used - 1] == ' ')
		used--;
	g->message[used] = '\0';
}

enum reason gap_set(struct gap *g, enum reason r, const char *fmt, ...)
{
	char text[4 * REASON_MESSAGE_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	g->reason = r;
	repair(g, text, strlen(text));
	return r;
}
