/* SPDX-License-Identifier: MIT
 * expand: the environment in values (scalar_expand). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/scalar_int.h"

#include "banned.h"

#define EXPANDED_MAX (64 << 10)

static bool is_name(const char *p, size_t n)
{
	static const char later[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
		"0123456789";

	if (n == 0 || (*p >= '0' && *p <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (memchr(later, p[i], sizeof(later) - 1) == NULL)
			return false;
	return true;
}

/* Append what stands for the reference at `p`, which begins with "${". Returns the
 * bytes it takes up, or 0. */
static size_t expand_one(const char *p, struct buf *out, struct err *err)
{
	const char *end = strchr(p, '}');
	const char *name = p + 2, *value;
	size_t len, n;
	char *copy;

	if (end == NULL) {
		err_set(err, ERR_REJECT,
			"\"${\" without \"}\"; write $$ for a dollar sign");
		return 0;
	}
	len = (size_t)(end - name);
	n = strcspn(name, ":}");
	if (!is_name(name, n) || memmem(name, len, "${", 2) != NULL) {
		err_set(err, ERR_REJECT,
			"\"%.*s\" is no reference to the environment; write "
			"${NAME} or ${NAME:default}, and $$ for a dollar sign",
			(int)(len > 60 ? 60 : len + 3), p);
		return 0;
	}
	copy = strndup(name, n);
	value = copy != NULL ? getenv(copy) : NULL;
	free(copy);
	if (value != NULL) {
		buf_addstr(out, value);
	} else if (name[n] == ':') {
		buf_add(out, name + n + 1, len - n - 1);
	} else {
		err_set(err, ERR_REJECT,
			"environment variable %.*s is not set; set it, or "
			"write ${%.*s:default}",
			(int)n, name, (int)n, name);
		return 0;
	}
	return len + 3;
}

int scalar_expand(const char *text, char **out, struct err *err)
{
	struct buf b = BUF_INIT(EXPANDED_MAX);
	size_t used;

	for (const char *p = text; *p != '\0'; p += used) {
		used = strcspn(p, "$");
		if (used > 0) {
			buf_add(&b, p, used);
		} else if (p[1] == '{') {
			used = expand_one(p, &b, err);
			if (used == 0) {
				buf_free(&b);
				return ERR_REJECT;
			}
		} else {
			used = p[1] == '$' ? 2 : 1;
			buf_addch(&b, '$');
		}
	}
	if (b.failed) {
		buf_free(&b);
		return err_set(err, ERR_REJECT, "the value is longer than 64 KiB");
	}
	*out = buf_take(&b);
	return 0;
}
