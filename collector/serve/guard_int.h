/* SPDX-License-Identifier: MIT
 * guard: who may ask for what. Pure but for reading the token's file; the listener's
 * thread owns it. */
#ifndef MMLAG_SERVE_GUARD_INT_H
#define MMLAG_SERVE_GUARD_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/network.h"
#include "config/config.h"

struct guard {
	const struct config_http *config;
	char host[256]; /* of `listen`, without port and brackets */
	struct network *trusted;
	bool has_token;
	unsigned char token[HASH_SHA256_LEN]; /* its hash */
};

/* What is known of the one who asks. */
struct caller {
	bool local;                /* through control.sock: may do everything */
	struct address peer, ours; /* both ends of the connection */
	bool certified;            /* showed a certificate of client_ca_file */
	const char *host;          /* its Host header; NULL for none */
	bool nameless;             /* has none, and HTTP/1.1 wants one */
	const char *authorization; /* its Authorization header; NULL for none */
};

/* `c` is borrowed.  @thread main */
void guard_init(struct guard *g, const struct config_http *c);
void guard_fini(struct guard *g);

/* Read the token anew. On failure the old one stays in force.  @thread http */
NODISCARD int guard_reread(struct guard *g, struct err *err);

/* Is the Host one of ours? (A page of another name that was made to point here must
 * not read through a browser.)  @thread http */
bool guard_host(const struct guard *g, const struct caller *c);

/* May it read? May it change something?  @thread http */
bool guard_reads(const struct guard *g, const struct caller *c);
bool guard_changes(const struct guard *g, const struct caller *c);

/* Does a page of this Origin header belong to this Host header?  @thread any */
bool guard_same_origin(const char *origin, const char *host);

#endif
