/* SPDX-License-Identifier: MIT
 * document: a file of docs/ whose end is written by the program. */
#ifndef TESTS_SUPPORT_DOCUMENT_H
#define TESTS_SUPPORT_DOCUMENT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"

/* From `mark` on the file must be `now`; MMLAG_UPDATE=1 writes it anew. */
static void assert_document_is_current(const char *path, const char *mark,
				       const struct buf *now)
{
	struct buf doc = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	const char *table;
	FILE *f;

	if (file_read(path, &doc, &err) != 0)
		fail_msg("%s", err.text);
	table = strstr(buf_str(&doc), mark);
	assert_non_null(table);
	if (getenv("MMLAG_UPDATE") != NULL) {
		f = fopen(path, "w");
		assert_non_null(f);
		fprintf(f, "%.*s%s", (int)(table - buf_str(&doc)), buf_str(&doc),
			buf_str(now));
		fclose(f);
	} else {
		assert_string_equal(table, buf_str(now));
	}
	buf_free(&doc);
}

#endif
