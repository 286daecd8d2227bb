/* SPDX-License-Identifier: MIT
 * Any answer to a bulk request: no crash, and no document given up or forgotten without
 * the words that allow it. Input: "STATUS COUNT\n" and the body. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document/bulk.h"

#define ITEMS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_item(const struct bulk_item *v, const struct err *err)
{
	int s = v->status;

	assert(memchr(v->type, '\0', sizeof(v->type)) != NULL);
	assert(memchr(v->reason, '\0', sizeof(v->reason)) != NULL);
	switch (v->verdict) {
	case BULK_DONE:
		assert(s >= 200 && s <= 299 && *v->type == '\0');
		break;
	case BULK_DUPLICATE:
		assert(s == 409);
		break;
	case BULK_REJECT:
		assert(s >= 400 && s <= 499);
		assert(s != 401 && s != 403 && s != 404 && s != 408 && s != 429);
		assert(err->class != ERR_OK);
		break;
	case BULK_RETRY:
		assert(v->pace == PACE_AGAIN || v->pace == PACE_BOOTSTRAP ||
		       v->pace == PACE_SLOW);
		assert(err->class != ERR_OK);
		break;
	default:
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = memchr(data, '\n', size < 32 ? size : 32);
	struct bulk_item items[ITEMS_MAX] = {{.status = 0}};
	struct err err = ERR_INIT;
	enum bulk_whole whole;
	char head[33] = "", *end;
	size_t n, skip;
	long status;

	if (line == NULL)
		return 0;
	skip = (size_t)(line + 1 - data);
	memcpy(head, data, skip - 1);
	status = strtol(head, &end, 10);
	n = strtoul(end, NULL, 10) % (ITEMS_MAX + 1);
	if (status < 0 || status > 999)
		return 0;
	whole = bulk_read((int)status, (const char *)data + skip, size - skip, NULL,
			  items, n, &err);
	assert(memchr(err.text, '\0', sizeof(err.text)) != NULL);
	if (whole != WHOLE_ITEMS) {
		assert(err.class != ERR_OK && err.text[0] != '\0');
		return 0;
	}
	assert(status >= 200 && status <= 299);
	for (size_t i = 0; i < n; i++)
		check_item(&items[i], &err);
	return 0;
}
