/* SPDX-License-Identifier: MIT
 * config_text: a configuration out of a string, and its findings as text. */
#ifndef MMLAG_TESTS_CONFIG_TEXT_H
#define MMLAG_TESTS_CONFIG_TEXT_H

#include <string.h>

#include "base/buf.h"
#include "config/config.h"

/* What a topic needs; topics follow. */
#define TOPIC_DEFAULTS                                                               \
	"defaults: {host: h, user: u, key_file: /k, kafka_home: /kafka, group: g,\n" \
	"           bootstrap_server: 'b:9092'}\n"

/* NULL after errors. All findings as "line:column: text\n", a warning with "warning: "
 * before its text, are appended to `said`. */
static inline struct config *parse_bytes(const char *text, size_t len, struct buf *said)
{
	struct config_findings f;
	struct config *c = NULL;
	struct err err = ERR_INIT;
	int rc = config_parse("test.yaml", text, len, &c, &f, &err);

	for (size_t i = 0; i < f.n; i++)
		buf_printf(said, "%d:%d: %s%s\n", f.v[i].line, f.v[i].column,
			   f.v[i].warning ? "warning: " : "", f.v[i].text);
	if ((rc == 0) != (c != NULL) || (rc != 0 && rc != ERR_PERMANENT))
		buf_addstr(said, "the contract is broken\n");
	config_findings_free(&f);
	return c;
}

static inline struct config *parse(const char *text, struct buf *said)
{
	return parse_bytes(text, strlen(text), said);
}

#endif
