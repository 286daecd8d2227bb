/* SPDX-License-Identifier: MIT
 * value: one text to one member of a structure, as its row of the table says. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/check_int.h"
#include "config/scalar_int.h"
#include "config/schema_int.h"

#include "banned.h"

#define PIN "SHA256:"
#define PIN_LEN 43 /* of base64 without padding */

_Static_assert(sizeof(enum threshold_on) == sizeof(int), "enums are stored as int");

bool schema_has_control(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\n' && *p != '\t') || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0))
			return true;
	return false;
}

static int check_string(const struct key *key, const char *text, struct err *err)
{
	bool lines = key->type == KEY_TEXT || key->type == KEY_LITERAL;
	bool path = key->type == KEY_PATH || key->type == KEY_FILE ||
		    key->type == KEY_SECRET;

	if (*text == '\0')
		return err_set(err, ERR_REJECT,
			       "is empty; write a value, or remove the key");
	if (schema_has_control(text) || (!lines && strpbrk(text, "\n\t") != NULL))
		return err_set(
			err, ERR_REJECT,
			"has a control character, tab or line break in it; remove it");
	if (path && check_path(text, err) != 0)
		return ERR_REJECT;
	return key->check != NULL ? key->check(text, err) : 0;
}

int schema_put_string(const struct key *key, char **member, const char *text,
		      struct err *err)
{
	int rc = check_string(key, text, err);

	if (rc != 0)
		return rc;
	free(*member);
	*member = mem_strdup(text);
	return 0;
}

void schema_print_number(const struct key *key, int64_t v, struct buf *out)
{
	if (key->type == KEY_DURATION)
		scalar_print_duration(out, v);
	else if (key->type == KEY_SIZE)
		scalar_print_size(out, v);
	else
		buf_printf(out, "%" PRId64, v);
}

static int check_range(const struct key *key, int64_t v, struct err *err)
{
	struct buf b = BUF_INIT(256);

	if (v >= key->min && v <= key->max)
		return 0;
	schema_print_number(key, v, &b);
	if (v < key->min) {
		buf_addstr(&b, " is too little; at least ");
		schema_print_number(key, key->min, &b);
	} else {
		buf_addstr(&b, " is too much; at most ");
		schema_print_number(key, key->max, &b);
	}
	err_set(err, ERR_REJECT, "%s", buf_str(&b));
	buf_free(&b);
	return ERR_REJECT;
}

static int put_integer(const struct key *key, void *member, const char *text,
		       struct err *err)
{
	int64_t v = 0;
	int rc, narrow;

	if (key->type == KEY_DURATION)
		rc = scalar_duration(text, &v, err);
	else if (key->type == KEY_SIZE)
		rc = scalar_size(text, &v, err);
	else
		rc = scalar_int(text, &v, err);
	if (rc == 0)
		rc = check_range(key, v, err);
	if (rc != 0)
		return rc;
	narrow = (int)v;
	if (key->size == sizeof(narrow))
		memcpy(member, &narrow, sizeof(narrow));
	else
		memcpy(member, &v, sizeof(v));
	return 0;
}

static int put_real(const struct key *key, double *member, const char *text,
		    struct err *err)
{
	double v = 0;
	int rc = key->type == KEY_SHARE ? scalar_share(text, &v, err)
					: scalar_real(text, &v, err);

	if (rc == 0 && v < 0)
		return err_set(err, ERR_REJECT, "%s is too little; at least 0", text);
	if (rc == 0)
		*member = v;
	return rc;
}

static int refuse_name(const struct key *key, const char *text, struct err *err)
{
	const char *near = schema_nearest(key->names, text);
	struct buf all = BUF_INIT(512);

	for (int i = 0; key->names[i] != NULL; i++)
		buf_printf(&all, "%s%s", i == 0 ? "" : ", ", key->names[i]);
	if (near != NULL)
		err_set(err, ERR_REJECT, "\"%.60s\" is not known; did you mean \"%s\"?",
			text, near);
	else
		err_set(err, ERR_REJECT, "\"%.60s\" is not known; it is one of %s",
			text, buf_str(&all));
	buf_free(&all);
	return ERR_REJECT;
}

/* An enum, or a bool for two names. */
static int put_enum(const struct key *key, void *member, const char *text,
		    struct err *err)
{
	for (int i = 0; key->names[i] != NULL; i++) {
		bool flag = i != 0;

		if (strcmp(key->names[i], text) != 0)
			continue;
		if (key->size == sizeof(i))
			memcpy(member, &i, sizeof(i));
		else
			memcpy(member, &flag, sizeof(flag));
		return 0;
	}
	return refuse_name(key, text, err);
}

static int put_host_key(const struct key *key, struct config_topic *t, const char *text,
			struct err *err)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	const char *digest = text + strlen(PIN);

	if (strncmp(text, PIN, strlen(PIN)) != 0) {
		free(t->host_key_pin);
		t->host_key_pin = NULL;
		return put_enum(key, &t->host_key, text, err);
	}
	if (strspn(digest, base64) != PIN_LEN ||
	    (digest[PIN_LEN] != '\0' && strcmp(digest + PIN_LEN, "=") != 0))
		return err_set(err, ERR_REJECT,
			       "a fingerprint is " PIN " and %d characters, as "
			       "`ssh-keygen -lf` prints it",
			       PIN_LEN);
	t->host_key = HOST_KEY_PINNED;
	free(t->host_key_pin);
	t->host_key_pin = mem_strndup(text, strlen(PIN) + PIN_LEN);
	return 0;
}

/* `of` stands beside it in the same map. */
static int put_level(const struct key *key, double *member, const char *text,
		     const struct node *map, struct err *err)
{
	const struct node *of = tree_find(map, "of");
	int64_t ms;
	int rc;

	if (of == NULL || of->kind != NODE_SCALAR || strcmp(of->text, "time") != 0) {
		rc = put_real(key, member, text, NULL);
		return rc == 0 ? 0
			       : err_set(err, ERR_REJECT,
					 "\"%.60s\" is no number of messages; "
					 "for a duration, write `of: time` beside it",
					 text);
	}
	rc = scalar_duration(text, &ms, err);
	if (rc == 0)
		*member = (double)ms;
	return rc;
}

int schema_put(const struct key *key, void *base, const char *text,
	       const struct node *map, struct err *err)
{
	void *member = schema_member(key, base);

	switch (key->type) {
	case KEY_STRING:
	case KEY_TEXT:
	case KEY_LITERAL:
	case KEY_PATH:
	case KEY_FILE:
	case KEY_SECRET:
		return schema_put_string(key, member, text, err);
	case KEY_INT:
	case KEY_DURATION:
	case KEY_SIZE:
		return put_integer(key, member, text, err);
	case KEY_REAL:
	case KEY_SHARE:
		return put_real(key, member, text, err);
	case KEY_BOOL:
		return scalar_bool(text, member, err);
	case KEY_ENUM:
		return put_enum(key, member, text, err);
	case KEY_LEVEL:
		return put_level(key, member, text, map, err);
	case KEY_HOST_KEY:
		return put_host_key(key, base, text, err);
	case KEY_STRINGS:
	case KEY_PAIRS:
	case KEY_SECTION:
	case KEY_SECTIONS:
	case KEY_DEFAULTS:
		break;
	}
	return err_set(err, ERR_BUG, "no scalar");
}
