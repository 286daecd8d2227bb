/* SPDX-License-Identifier: MIT */
#include "ssh/hostkey_int.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/file.h"
#include "base/mem.h"
#include "lag/reason.h"

#include "banned.h"

#define FILE_MAX (4 << 20)
#define BLOB_MAX 16384
#define LINE_SHOWN 300 /* a longer line would not be whole in an error */

/* Two that meet the same new host must not both add it. */
static pthread_mutex_t append_lock = PTHREAD_MUTEX_INITIALIZER;

void hostkeys_init(struct hostkeys *h, const char *host, int port)
{
	memset(h, 0, sizeof(*h));
	h->plain = mem_strdup(host);
	for (char *p = h->plain; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	h->name = port == 22 ? mem_strdup(h->plain)
			     : mem_printf("[%s]:%d", h->plain, port);
}

static void forget_entries(struct hostkeys *h)
{
	for (size_t i = 0; i < h->n; i++)
		buf_free(&h->v[i].blob);
	h->n = 0;
	h->unreadable[0] = '\0';
}

void hostkeys_fini(struct hostkeys *h)
{
	forget_entries(h);
	free(h->v);
	free(h->name);
	free(h->plain);
}

void hostkey_type(struct span blob, char *out, size_t size)
{
	struct wire w = {blob.p, blob.len, false};
	struct span type = wire_string(&w);

	snprintf(out, size, "%.*s", (int)type.len, (const char *)type.p);
}

/* Shell-like wildcards, as in ssh: '*' and '?'. */
static bool matches_pattern(struct span pattern, const char *name)
{
	size_t i = 0, star = SIZE_MAX;
	const char *resume = name;

	while (*name != '\0') {
		int c = i < pattern.len ? tolower(pattern.p[i]) : 0;

		if (c == '*') {
			star = i++;
			resume = name;
		} else if (c != 0 && (c == '?' || c == (unsigned char)*name)) {
			i++;
			name++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			name = ++resume;
		} else {
			return false;
		}
	}
	while (i < pattern.len && pattern.p[i] == '*')
		i++;
	return i == pattern.len;
}

/* |1|salt|HMAC-SHA1 of the name| in base64. */
static bool matches_hash(struct span field, const char *name)
{
	const char *text = (const char *)field.p + 3;
	size_t left = field.len - 3;
	const char *bar = memchr(text, '|', left);
	struct buf salt = BUF_INIT(64), hash = BUF_INIT(64);
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	bool same = false;

	if (bar != NULL && wire_unbase64(text, (size_t)(bar - text), &salt) == 0 &&
	    wire_unbase64(bar + 1, left - (size_t)(bar + 1 - text), &hash) == 0 &&
	    HMAC(EVP_sha1(), salt.data, (int)salt.len, (const unsigned char *)name,
		 strlen(name), mac, &mac_len) != NULL)
		same = hash.len == mac_len && memcmp(hash.data, mac, mac_len) == 0;
	buf_free(&salt);
	buf_free(&hash);
	return same;
}

/* Does the first field of a line, a list of patterns or one hash, mean `name`? */
static bool matches(struct span field, const char *name)
{
	bool found = false;

	if (field.len > 3 && memcmp(field.p, "|1|", 3) == 0)
		return matches_hash(field, name);
	while (field.len > 0) {
		const unsigned char *comma = memchr(field.p, ',', field.len);
		struct span one = {field.p, comma == NULL ? field.len
							  : (size_t)(comma - field.p)};
		size_t step = one.len + (comma != NULL);
		bool negated = one.len > 0 && one.p[0] == '!';

		if (negated) {
			one.p++;
			one.len--;
		}
		if (matches_pattern(one, name)) {
			if (negated)
				return false;
			found = true;
		}
		field.p += step;
		field.len -= step;
	}
	return found;
}

/* The next field of a line, separated by blanks. */
static struct span take_field(struct span *line)
{
	struct span f;

	while (line->len > 0 && (*line->p == ' ' || *line->p == '\t')) {
		line->p++;
		line->len--;
	}
	f = *line;
	for (f.len = 0; f.len < line->len && f.p[f.len] != ' ' && f.p[f.len] != '\t';
	     f.len++)
		;
	line->p += f.len;
	line->len -= f.len;
	return f;
}

static void add_line(struct hostkeys *h, const char *file, int number, struct span line)
{
	struct hostkey_entry e = {file, number, false, false, BUF_INIT(BLOB_MAX)};
	struct span names = take_field(&line), type, key;
	char inner[64];

	if (names.len == 0 || names.p[0] == '#')
		return;
	if (names.p[0] == '@') {
		e.revoked = span_is(names, "@revoked");
		if (!e.revoked)
			return;
		names = take_field(&line);
	}
	type = take_field(&line);
	key = take_field(&line);
	e.named = matches(names, h->name);
	if (!e.named && !matches(names, h->plain))
		return;
	if (wire_unbase64((const char *)key.p, key.len, &e.blob) == 0)
		hostkey_type((struct span){(unsigned char *)e.blob.data, e.blob.len},
			     inner, sizeof(inner));
	else
		inner[0] = '\0';
	if (inner[0] == '\0' || !span_is(type, inner)) {
		buf_free(&e.blob);
		return;
	}
	MEM_GROW(h->v, h->n, h->cap);
	h->v[h->n++] = e;
}

void hostkeys_add_text(struct hostkeys *h, const char *file, const char *text,
		       size_t len)
{
	int number = 0;

	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);
		size_t step = n + (newline != NULL);

		if (n > 0 && text[n - 1] == '\r')
			n--;
		add_line(h, file, ++number,
			 (struct span){(const unsigned char *)text, n});
		text += step;
		len -= step;
	}
}

void hostkeys_add_files(struct hostkeys *h, const struct config_strings *files)
{
	for (size_t i = 0; i < files->n; i++) {
		struct buf text = BUF_INIT(FILE_MAX);
		struct err err = ERR_INIT;

		if (access(files->v[i], F_OK) != 0 &&
		    (errno == ENOENT || errno == ENOTDIR))
			continue;
		if (file_read(files->v[i], &text, &err) == 0)
			hostkeys_add_text(h, files->v[i], buf_str(&text), text.len);
		else
			snprintf(h->unreadable, sizeof(h->unreadable), "%.250s",
				 err.text);
		buf_free(&text);
	}
}

static bool is_key(const struct hostkey_entry *e, struct span blob)
{
	return e->blob.len == blob.len && memcmp(e->blob.data, blob.p, blob.len) == 0;
}

enum hostkey_verdict hostkeys_judge(const struct hostkeys *h, struct span blob,
				    const struct hostkey_entry **entry)
{
	enum hostkey_verdict verdict = HOSTKEY_NEW;

	*entry = NULL;
	for (size_t i = 0; i < h->n; i++) {
		const struct hostkey_entry *e = &h->v[i];

		if (e->revoked && is_key(e, blob)) {
			*entry = e;
			return HOSTKEY_REVOKED;
		}
		if (e->revoked || verdict == HOSTKEY_MATCH)
			continue;
		if (is_key(e, blob)) {
			*entry = e;
			verdict = HOSTKEY_MATCH;
		} else if (e->named && verdict == HOSTKEY_NEW) {
			*entry = e;
			verdict = HOSTKEY_CHANGED;
		}
	}
	return verdict;
}

/* In the order in which ssh prefers them. */
static const struct {
	const char *type, *methods;
} types[] = {
	{"ssh-ed25519", "ssh-ed25519"},
	{"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"},
	{"ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384"},
	{"ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521"},
	{"ssh-rsa", "rsa-sha2-512,rsa-sha2-256,ssh-rsa"},
};

static bool is_on_file(const struct hostkeys *h, const char *type, bool named)
{
	char have[64];

	for (size_t i = 0; i < h->n; i++) {
		const struct hostkey_entry *e = &h->v[i];

		if (e->revoked || e->named != named)
			continue;
		hostkey_type((struct span){(unsigned char *)e->blob.data, e->blob.len},
			     have, sizeof(have));
		if (strcmp(have, type) == 0)
			return true;
	}
	return false;
}

void hostkeys_methods(const struct hostkeys *h, struct buf *out)
{
	bool done[ARRAY_LEN(types)] = {false};

	/* On file by its name, on file by the plain name, the rest. */
	for (int rank = 0; rank < 3; rank++)
		for (size_t i = 0; i < ARRAY_LEN(types); i++) {
			if (done[i] ||
			    (rank < 2 && !is_on_file(h, types[i].type, rank == 0)))
				continue;
			done[i] = true;
			buf_printf(out, "%s%s", out->len > 0 ? "," : "",
				   types[i].methods);
		}
}

void hostkeys_line(const struct hostkeys *h, struct span blob, struct buf *out)
{
	char type[64];

	hostkey_type(blob, type, sizeof(type));
	buf_printf(out, "%s %s ", h->name, type);
	wire_base64(out, blob.p, blob.len);
}

/* Append one line, on a line of its own even when the last one was not ended. */
static int append_line(const char *file, struct buf *line, struct err *err)
{
	int fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	char last = '\n';
	off_t size;
	ssize_t n;

	if (fd < 0)
		goto fail;
	size = lseek(fd, 0, SEEK_END);
	if (size > 0 && pread(fd, &last, 1, size - 1) != 1)
		goto fail;
	if (last != '\n') {
		struct buf whole = BUF_INIT(line->max + 1);

		buf_addch(&whole, '\n');
		buf_add(&whole, line->data, line->len);
		buf_free(line);
		*line = whole;
	}
	n = write(fd, line->data, line->len);
	if (n == (ssize_t)line->len) {
		close(fd);
		return 0;
	}
	if (n >= 0)
		errno = ENOSPC;
fail:
	err_set_errno(err, ERR_PERMANENT, errno, "%s", file);
	if (fd >= 0)
		close(fd);
	return err_wrap(err, "the host key of a new host cannot be noted");
}

/* What to do about a key that is not on file: the line, or, for keys that are too long
 * to be shown, the pin. */
static void advise(const struct hostkeys *h, const struct config_topic *t,
		   struct span blob, const char *fingerprint, struct buf *out)
{
	struct buf line = BUF_INIT(2 * BLOB_MAX);

	hostkeys_line(h, blob, &line);
	if (line.len <= LINE_SHOWN && t->known_hosts.n > 0)
		buf_printf(out, "add to %s: %s", t->known_hosts.v[0], buf_str(&line));
	else
		buf_printf(out, "set host_key: %s", fingerprint);
	buf_free(&line);
}

/* A key of another type is as strange as a changed one, but may be a matter of what the
 * library can ask for: 1.10 knows no RSA host keys with SHA-2. The messages leave out
 * the line to add where it would not fit into a gap's message. */
static void refuse_changed(const struct hostkeys *h, const struct hostkey_entry *entry,
			   const char *type, const char *shown, const char *advice,
			   struct err *err)
{
	struct span blob = {(unsigned char *)entry->blob.data, entry->blob.len};
	char known[FINGERPRINT_TEXT], old[64];

	hostkey_type(blob, old, sizeof(old));
	wire_fingerprint(blob.p, blob.len, known);
	if (strcmp(old, type) != 0)
		err_set(err, ERR_PERMANENT,
			"%s:%d knows %s by an %s key only, the host shows %s %s; if "
			"that is right, %s",
			entry->file, entry->line, h->name, old, type, shown, advice);
	else
		err_set(err, ERR_PERMANENT,
			"host key of %s has changed: it shows %s, %s:%d has %s: an "
			"attack, or a new host; if new, delete that line and set "
			"host_key: accept-new",
			h->name, shown, entry->file, entry->line, known);
}

static int refuse(const struct hostkeys *h, const struct config_topic *t,
		  struct span blob, enum hostkey_verdict verdict,
		  const struct hostkey_entry *entry, struct err *err)
{
	struct buf advice = BUF_INIT(1024);
	char type[64], shown[FINGERPRINT_TEXT];

	hostkey_type(blob, type, sizeof(type));
	wire_fingerprint(blob.p, blob.len, shown);
	advise(h, t, blob, shown, &advice);
	if (verdict == HOSTKEY_REVOKED)
		err_set(err, ERR_PERMANENT,
			"host key of %s, %s %s, is revoked by %s:%d", h->name, type,
			shown, entry->file, entry->line);
	else if (verdict == HOSTKEY_CHANGED)
		refuse_changed(h, entry, type, shown, buf_str(&advice), err);
	else
		err_set(err, ERR_PERMANENT,
			"host key of %s is unknown: it shows %s %s%s%s; if that is right, %s",
			h->name, type, shown, *h->unreadable ? "; not read: " : "",
			h->unreadable, buf_str(&advice));
	buf_free(&advice);
	err->code = REASON_SSH_HOST_KEY;
	return ERR_PERMANENT;
}

/* The default file stands in the state directory, which the daemon makes at its first
 * start. Commands that look before that leave nothing behind. */
static bool is_too_early(const struct config_topic *t)
{
	const char *file = t->known_hosts.v[0];
	const char *slash = strrchr(file, '/');
	bool missing;
	char *dir;

	if (t->known_hosts_explicit || t->ssh_config || slash == NULL)
		return false;
	dir = mem_printf("%.*s", (int)(slash - file), file);
	missing = access(dir, F_OK) != 0 && errno == ENOENT;
	free(dir);
	return missing;
}

/* Look again under the lock, then add the key. */
static int accept_new(struct hostkeys *h, const struct config_topic *t,
		      struct span blob, struct err *err)
{
	struct buf line = BUF_INIT(2 * BLOB_MAX);
	const struct hostkey_entry *entry;
	enum hostkey_verdict verdict;
	int rc = 0;

	hostkeys_line(h, blob, &line);
	buf_addch(&line, '\n');
	pthread_mutex_lock(&append_lock);
	forget_entries(h);
	hostkeys_add_files(h, &t->known_hosts);
	verdict = hostkeys_judge(h, blob, &entry);
	if (verdict == HOSTKEY_NEW && !is_too_early(t))
		rc = append_line(t->known_hosts.v[0], &line, err);
	pthread_mutex_unlock(&append_lock);
	buf_free(&line);
	if (verdict != HOSTKEY_NEW && verdict != HOSTKEY_MATCH)
		return refuse(h, t, blob, verdict, entry, err);
	if (rc != 0)
		err->code = REASON_SSH_HOST_KEY;
	return rc;
}

static int check_pin(const struct hostkeys *h, const char *pin, struct span blob,
		     struct err *err)
{
	char type[64], shown[FINGERPRINT_TEXT];

	wire_fingerprint(blob.p, blob.len, shown);
	if (strncmp(pin, shown, strlen(shown)) == 0 &&
	    strspn(pin + strlen(shown), "=") == strlen(pin + strlen(shown)))
		return 0;
	hostkey_type(blob, type, sizeof(type));
	return err_set_code(
		err, ERR_PERMANENT, REASON_SSH_HOST_KEY,
		"host key of %s is not the one of host_key: it shows %s %s, "
		"configured is %s: an attack, or a new host; if new, change "
		"host_key",
		h->name, type, shown, pin);
}

int hostkeys_check(struct hostkeys *h, const struct config_topic *t, struct span blob,
		   struct err *err)
{
	const struct hostkey_entry *entry;
	enum hostkey_verdict verdict = hostkeys_judge(h, blob, &entry);

	if (verdict == HOSTKEY_REVOKED)
		return refuse(h, t, blob, verdict, entry, err);
	if (t->host_key == HOST_KEY_PINNED)
		return check_pin(h, t->host_key_pin, blob, err);
	if (verdict == HOSTKEY_MATCH)
		return 0;
	/* A file that cannot be read may hold another key of the host. */
	if (verdict == HOSTKEY_NEW && t->host_key == HOST_KEY_ACCEPT_NEW &&
	    t->known_hosts.n > 0 && *h->unreadable == '\0')
		return accept_new(h, t, blob, err);
	return refuse(h, t, blob, verdict, entry, err);
}
