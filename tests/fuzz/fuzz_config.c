/* SPDX-License-Identifier: MIT
 * fuzz_config: any bytes as a configuration. It is accepted, or there is an error with
 * a place; what was accepted is printed, and that is accepted as the same. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "config/config.h"

#include "banned.h"

#define PRINTED_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In order of place, with words, at least one error if there must be. */
static void check_findings(const struct config_findings *f, bool refused)
{
	size_t errors = 0;

	for (size_t i = 0; i < f->n; i++) {
		assert(f->v[i].text != NULL && f->v[i].text[0] != '\0');
		assert(f->v[i].line >= 0 && f->v[i].column >= 0);
		assert(i == 0 || f->v[i].line >= f->v[i - 1].line);
		errors += !f->v[i].warning;
	}
	assert((errors > 0) == refused);
}

/* Bytes beyond ASCII may be repaired in JSON, so they are not compared. */
static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static void check_printed(const struct config *c)
{
	struct buf first = BUF_INIT(PRINTED_MAX), second = BUF_INIT(PRINTED_MAX);
	struct config_findings f;
	struct config *again = NULL;
	struct err err = ERR_INIT;

	config_print(c, &first);
	if (!first.failed && first.len < (4 << 20) && is_ascii(buf_str(&first))) {
		if (config_parse("again", first.data, first.len, &again, &f, &err) != 0)
			abort();
		config_print(again, &second);
		assert(strcmp(first.data, second.data) == 0);
		config_unref(again);
		config_findings_free(&f);
	}
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_findings f;
	struct config *c = NULL;
	struct err err = ERR_INIT;
	int rc = config_parse("fuzz", (const char *)data, size, &c, &f, &err);

	check_findings(&f, rc != 0);
	assert((c == NULL) == (rc != 0));
	config_findings_free(&f);
	if (c != NULL) {
		assert(c->topic_count > 0);
		check_printed(c);
	}
	config_unref(c);
	return 0;
}
