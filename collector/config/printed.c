/* SPDX-License-Identifier: MIT
 * printed: see printed.h. */
#include "config/printed.h"

#include "base/buf.h"

#include "banned.h"

#define CONFIG_MAX (64 << 20)

json_t *printed(const struct config *c, const char *key)
{
	struct buf text = BUF_INIT(CONFIG_MAX);
	json_t *root, *part;

	config_print(c, &text);
	root = json_loadb(buf_str(&text), text.len, 0, NULL);
	part = json_incref(json_object_get(root, key));
	json_decref(root);
	buf_free(&text);
	return part;
}
