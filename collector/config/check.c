/* SPDX-License-Identifier: MIT */
#include "config/check_int.h"

#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/network.h"
#include "config/jump.h"
#include "config/match.h"

#include "banned.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TOPIC_MAX 249
#define INDEX_MAX 255
#define LABEL_MAX 64

int check_word(const char *text, struct err *err)
{
	if (text[strcspn(text, " \t")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" has a blank in it; write one word", text);
	if (*text == '-')
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" begins with '-', as an option would", text);
	return 0;
}

int check_path(const char *text, struct err *err)
{
	if (*text == '~')
		return err_set(err, ERR_REJECT,
			       "write the whole path; ~ is not expanded");
	return 0;
}

int check_absolute(const char *text, struct err *err)
{
	if (*text != '/')
		return err_set(
			err, ERR_REJECT,
			"write the whole path, from '/' on; \"%.60s\" is relative",
			text);
	return 0;
}

int check_plain_path(const char *text, struct err *err)
{
	if (text[strspn(text, LOWER UPPER DIGITS "._/-+@")] != '\0')
		return err_set(
			err, ERR_REJECT,
			"\"%.60s\": letters, digits and \"._/-+@\" only: the path "
			"stands in an option of the JVM",
			text);
	return check_absolute(text, err);
}

/* "1" to "65535", and nothing behind. */
static bool is_port(const char *text)
{
	size_t n = strspn(text, DIGITS);
	long v = 0;

	if (n == 0 || n > 5 || text[n] != '\0')
		return false;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (text[i] - '0');
	return v >= 1 && v <= 65535;
}

int check_host(const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');

	if (strchr(text, '@') != NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" has a user in it; write it as "
			       "\"user\"",
			       text);
	if (strchr(text, '/') != NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is a host name or address only, "
			       "without '/'",
			       text);
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" has a port in it; write it as "
			       "\"port\"",
			       text);
	if (*text == '[')
		return err_set(err, ERR_REJECT,
			       "an IPv6 address stands without brackets here");
	return check_word(text, err);
}

int check_topic(const char *text, struct err *err)
{
	size_t n = strlen(text);

	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return err_set(err, ERR_REJECT, "Kafka takes no topic called \"%s\"",
			       text);
	if (n > TOPIC_MAX)
		return err_set(err, ERR_REJECT,
			       "a topic name has at most 249 characters, this "
			       "one has %zu",
			       n);
	if (text[strspn(text, LOWER UPPER DIGITS "._-")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no topic name: letters, digits, "
			       "'.', '_' and '-' only",
			       text);
	return 0;
}

int check_match(const char *text, struct err *err)
{
	regex_t r;
	int rc = match_compile(&r, text, err);

	if (rc == 0)
		regfree(&r);
	return rc;
}

int check_jump(const char *text, struct err *err)
{
	struct jump_hop hops[JUMP_HOPS_MAX];
	int n = jump_read(text, hops, err);

	return n < 0 ? n : 0;
}

int check_bootstrap(const char *text, struct err *err)
{
	char one[256];

	if (text[strcspn(text, " \t")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" has a blank in it; write "
			       "host:9092,host:9092",
			       text);
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");
		const char *colon;

		if (n >= sizeof(one))
			return err_set(err, ERR_REJECT,
				       "\"%.60s...\" is longer than a host name can be",
				       p);
		memcpy(one, p, n);
		one[n] = '\0';
		colon = strrchr(one, ':');
		if (n == 0 || colon == one)
			return err_set(err, ERR_REJECT,
				       "\"%.60s\" lacks a host; write "
				       "host:9092,host:9092",
				       text);
		if (colon == NULL || !is_port(colon + 1))
			return err_set(err, ERR_REJECT,
				       "\"%.60s\" has no port; write "
				       "%.60s:9092",
				       one, one);
		p += n;
		if (*p == '\0')
			return 0;
	}
}

/* The authority of a URL, without brackets, must be HOST or HOST:PORT. */
static int check_authority(const char *p, size_t n, struct err *err)
{
	const char *bracket = *p == '[' ? memchr(p, ']', n) : NULL;
	size_t host = bracket != NULL ? (size_t)(bracket - p) + 1 : strcspn(p, ":/");
	char port[8];

	if (host == 0 || (*p == '[' && bracket == NULL))
		return err_set(err, ERR_REJECT, "the URL lacks a host");
	if (host >= n)
		return 0;
	if (p[host] != ':' || n - host - 1 >= sizeof(port))
		return err_set(err, ERR_REJECT,
			       "the URL's host is not understood; write "
			       "http://host:9200");
	memcpy(port, p + host + 1, n - host - 1);
	port[n - host - 1] = '\0';
	if (!is_port(port))
		return err_set(err, ERR_REJECT, "\"%s\" is no port (1 to 65535)", port);
	return 0;
}

int check_url(const char *text, struct err *err)
{
	const char *p = strstr(text, "://");
	size_t n;

	if (memchr(text, '@', strlen(text)) != NULL)
		return err_set(err, ERR_REJECT,
			       "no user and password in a URL; write them as "
			       "\"username\" and \"password_file\"");
	if (p == NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no URL; write http://%.60s or "
			       "https://%.60s",
			       text, text, text);
	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\": only http:// and https:// are "
			       "spoken",
			       text);
	p += strlen("://");
	/* what is behind the host may be a secret, as the path of a webhook is */
	n = strcspn(p, "/?# \t\\\"<>");
	if (p[strcspn(p, "?# \t\\\"<>")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.*s/...\": a URL here ends with the host, the port, "
			       "or a plain path, without '?', '#', quotes or blanks",
			       (int)(p - text + (ptrdiff_t)n), text);
	if (strstr(p + n, "//") != NULL || strstr(p + n, "/.") != NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.*s/...\": the path is not plain; leave out '//' "
			       "and '/.'",
			       (int)(p - text + (ptrdiff_t)n), text);
	return check_authority(p, n, err);
}

/* {yyyy.MM} or {yyyy.MM.dd} at `p`: its length, else 0. */
static size_t index_date(const char *p)
{
	static const char *const dates[] = {"{yyyy.MM}", "{yyyy.MM.dd}"};

	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		if (strncmp(p, dates[i], strlen(dates[i])) == 0)
			return strlen(dates[i]);
	return 0;
}

int check_index(const char *text, struct err *err)
{
	if (strlen(text) > INDEX_MAX)
		return err_set(err, ERR_REJECT,
			       "an index name has at most 255 bytes, this one has %zu",
			       strlen(text));
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
		return err_set(err, ERR_REJECT,
			       "Elasticsearch takes no index called \"%s\"", text);
	if (strchr("-_+", *text) != NULL)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\": an index name does not begin with "
			       "'%c'",
			       text, *text);
	for (const char *p = text; *p != '\0'; p++) {
		size_t date = index_date(p);

		if (*p == '{' && date == 0)
			return err_set(err, ERR_REJECT,
				       "\"%.60s\": in an index name only "
				       "{yyyy.MM} and {yyyy.MM.dd} are known",
				       text);
		if (date > 0)
			p += date - 1;
		else if (isupper((unsigned char)*p))
			return err_set(err, ERR_REJECT,
				       "\"%.60s\": an index name is in lower "
				       "case",
				       text);
		else if (strchr("\\/*?\"<>| ,#:}", *p) != NULL)
			return err_set(err, ERR_REJECT,
				       "\"%.60s\": an index name has no '%c'", text,
				       *p);
	}
	return 0;
}

int check_fingerprint(const char *text, struct err *err)
{
	size_t digits = 0;
	const char *p = text;

	for (; isxdigit((unsigned char)*p) || (*p == ':' && digits % 2 == 0); p++)
		digits += *p != ':';
	if (*p != '\0' || digits != 64)
		return err_set(err, ERR_REJECT,
			       "a SHA-256 fingerprint has 64 hexadecimal digits, "
			       "with or without ':' between the bytes");
	return 0;
}

int check_listen(const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');

	if (colon == NULL || colon == text || !is_port(colon + 1))
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no address to listen on; write it "
			       "like 127.0.0.1:9308 or [::1]:9308",
			       text);
	return check_word(text, err);
}

int check_network(const char *text, struct err *err)
{
	struct network n;

	if (network_parse(text, &n) != 0)
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no network; write it like 10.0.0.0/8 or "
			       "fd00::/8",
			       text);
	return 0;
}

int check_label(const char *text, struct err *err)
{
	if (*text == '\0' || strlen(text) > LABEL_MAX ||
	    text[strspn(text, LOWER UPPER DIGITS "_-")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.70s\" is no label name: letters, digits, '_' "
			       "and '-', at most 64",
			       text);
	return 0;
}

int check_variable(const char *text, struct err *err)
{
	if (*text == '\0' || strchr(DIGITS, *text) != NULL ||
	    text[strspn(text, LOWER UPPER DIGITS "_")] != '\0')
		return err_set(err, ERR_REJECT,
			       "\"%.60s\" is no name of an environment "
			       "variable",
			       text);
	return 0;
}
