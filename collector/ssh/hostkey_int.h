/* SPDX-License-Identifier: MIT
 * hostkey: is it the host that we mean? Reads known_hosts files as OpenSSH does (hashed
 * names, wildcards, negation, [host]:port, @revoked; @cert-authority is ignored),
 * judges a key, and adds a line for one that is accepted as new. libssh2's own reader
 * gives up at the first bad line and does not know @revoked. */
#ifndef MMLAG_SSH_HOSTKEY_INT_H
#define MMLAG_SSH_HOSTKEY_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "ssh/wire_int.h"

struct hostkey_entry {
	const char *file; /* borrowed */
	int line;
	bool revoked;
	bool named; /* by the name with its port; false: by the host's plain name */
	struct buf blob;
};

/* What the files say of one host. */
struct hostkeys {
	char *name;  /* as in known_hosts: host, or [host]:port */
	char *plain; /* the host alone */
	struct hostkey_entry *v;
	size_t n, cap;
	char unreadable[256]; /* what kept a file from being read, or "" */
};

enum hostkey_verdict {
	HOSTKEY_MATCH,
	HOSTKEY_NEW,     /* nothing is on file for the host */
	HOSTKEY_CHANGED, /* something is, but not this key */
	HOSTKEY_REVOKED,
};

/* @thread any */
void hostkeys_init(struct hostkeys *h, const char *host, int port);
void hostkeys_fini(struct hostkeys *h);

/* Take in one file's text; lines that make no sense are skipped. `file` stays the
 * caller's and must live as long as `h`.  @thread any */
void hostkeys_add_text(struct hostkeys *h, const char *file, const char *text,
		       size_t len);

/* Take in the files that exist.  @thread any */
void hostkeys_add_files(struct hostkeys *h, const struct config_strings *files);

/* Judge a key. For CHANGED and REVOKED `*entry` is what it was judged by.
 * @thread any */
enum hostkey_verdict hostkeys_judge(const struct hostkeys *h, struct span blob,
				    const struct hostkey_entry **entry);

/* Append the algorithms to ask the host for, comma-separated: those on file first,
 * since a host with several keys shows only one.  @thread any */
void hostkeys_methods(const struct hostkeys *h, struct buf *out);

/* Append the known_hosts line (without newline) that would accept the key.  @thread any
 */
void hostkeys_line(const struct hostkeys *h, struct span blob, struct buf *out);

/* The whole decision for `t`, under its policy; adds to the first file what is accepted
 * as new (not where that is the default one and there is no state directory yet).
 * ERR_PERMANENT with reason ssh_host_key.
 * @thread tailer  @locks its own, process-wide, around the file it appends to */
NODISCARD int hostkeys_check(struct hostkeys *h, const struct config_topic *t,
			     struct span blob, struct err *err);

/* The name of a key's type, "" when the blob makes no sense.  @thread any */
void hostkey_type(struct span blob, char *out, size_t size);

#endif
