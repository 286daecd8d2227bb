/* SPDX-License-Identifier: MIT
 * fuzz_judge: any bytes as a line of `mmlag judge`: the answer is one line of JSON, a
 * verdict that belongs to its rule or an error, and it is the same the second time. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "cli/judge.h"
#include "lag/rules.h"

#include "banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_verdict(const json_t *o)
{
	const char *status = json_string_value(json_object_get(o, "status"));
	const char *rule = json_string_value(json_object_get(o, "rule"));
	int r = RULE_INCOMPLETE;

	assert(json_object_size(o) == 2 && status != NULL && rule != NULL);
	while (r < RULE_LAG_FALLING && strcmp(rule_name((enum rule)r), rule) != 0)
		r++;
	assert(strcmp(rule_name((enum rule)r), rule) == 0);
	assert(strcmp(verdict_name(rule_verdict((enum rule)r)), status) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = BUF_INIT(1 << 16);
	struct buf second = BUF_INIT(1 << 16);
	bool good = judge_line((const char *)data, size, &first);
	json_t *o = json_loadb(first.data, first.len, JSON_REJECT_DUPLICATES, NULL);

	assert(!first.failed && first.len > 0);
	assert(memchr(first.data, '\n', first.len) == NULL);
	assert(json_is_object(o));
	if (good)
		check_verdict(o);
	else
		assert(json_object_size(o) == 1 &&
		       json_string_length(json_object_get(o, "error")) > 0);
	assert(judge_line((const char *)data, size, &second) == good);
	assert(strcmp(buf_str(&first), buf_str(&second)) == 0);
	json_decref(o);
	buf_free(&first);
	buf_free(&second);
	return 0;
}
