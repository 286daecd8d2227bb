/* SPDX-License-Identifier: MIT
 * reason: why a topic has no data. The names are those of gap documents, metrics and
 * alerts; users rely on them. */
#ifndef MMLAG_LAG_REASON_H
#define MMLAG_LAG_REASON_H

#include <stdbool.h>

/* symbol, name */
#define REASONS(X)                                      \
	X(NONE, "none")                                 \
	X(SSH_UNREACHABLE, "ssh_unreachable")           \
	X(SSH_BUSY, "ssh_busy")                         \
	X(SSH_HOST_KEY, "ssh_host_key")                 \
	X(SSH_AUTH, "ssh_auth")                         \
	X(SSH_ALGORITHM, "ssh_algorithm")               \
	X(SSH_SESSIONS, "ssh_sessions")                 \
	X(SSH_LOST, "ssh_lost")                         \
	X(HOST_DISK_FULL, "host_disk_full")             \
	X(CLI_MISSING, "cli_missing")                   \
	X(CLI_USAGE, "cli_usage")                       \
	X(CLI_ERROR, "cli_error")                       \
	X(CLI_TIMEOUT, "cli_timeout")                   \
	X(COMMAND_ENDED, "command_ended")               \
	X(BROKER_UNREACHABLE, "broker_unreachable")     \
	X(GROUP_NOT_FOUND, "group_not_found")           \
	X(NOT_A_CONSUMER_GROUP, "not_a_consumer_group") \
	X(MIRRORMAKER2, "mirrormaker2")                 \
	X(TOPIC_ABSENT, "topic_absent")                 \
	X(NO_OFFSETS, "no_offsets")                     \
	X(BAD_OUTPUT, "bad_output")                     \
	X(SOURCE_ERROR, "source_error")

enum reason {
#define REASON_ENUM(symbol, name) REASON_##symbol,
	REASONS(REASON_ENUM)
#undef REASON_ENUM
		REASON_COUNT
};

#define REASON_MESSAGE_MAX 300 /* bytes of a gap's message, without the NUL */

/* Why there is no data: the reason, and a message for people: UTF-8, one line, at most
 * REASON_MESSAGE_MAX bytes. */
struct gap {
	enum reason reason;
	char message[REASON_MESSAGE_MAX + 1];
};

/* The name as in gap documents.  @thread any */
const char *reason_name(enum reason r);

/* Is it the host that failed, so that all its topics are without data?  @thread any */
bool reason_is_host(enum reason r);

/* Fill in a gap. The formatted text is repaired to one line of valid UTF-8 and cut at
 * a character. Returns `r`.  @thread any */
enum reason gap_set(struct gap *g, enum reason r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
