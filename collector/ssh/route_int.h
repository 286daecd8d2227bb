/* SPDX-License-Identifier: MIT
 * route: how a host is reached: what our configuration says, filled up with what
 * `ssh -G` says of the host where `ssh_config` asks for that. */
#ifndef MMLAG_SSH_ROUTE_INT_H
#define MMLAG_SSH_ROUTE_INT_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"

struct route {
	struct config_topic t; /* complete: host, port, user, key_file, … are final */
	const char *name;      /* the host as configured */
	const char *key_name;  /* what the host is called in known_hosts files; NULL:
				* by t.host and t.port */
	const char *command;   /* a ProxyCommand for the shell, or NULL; t.proxy_jump
				* (NULL or "none": no bastion) goes before it */
	char **own;            /* strings of ours in the above */
	size_t n, cap;
};

/* Work out how to reach the host of `t`, which must outlive the route. Runs `ssh -G`
 * where it has to, at most 5 s. On success the caller ends it with route_fini. Reason
 * source_error.
 * @thread tailer; blocks */
NODISCARD int route_find(struct route *r, const struct config_topic *t,
			 struct wake *wake, struct err *err);
void route_fini(struct route *r);

/* Take what the output of `ssh -G` says into a route that was begun with `t`; `home` is
 * what ~ stands for. Exposed for its test.
 * @thread any */
NODISCARD int route_read(struct route *r, const char *text, const char *home,
			 struct err *err);

#endif
