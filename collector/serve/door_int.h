/* SPDX-License-Identifier: MIT
 * door: one listening socket with its connections (a libmicrohttpd daemon that the
 * listener's thread drives). What a peer can take is bounded: the number of
 * connections (the oldest gives way to a new one), the age of each, its memory. */
#ifndef MMLAG_SERVE_DOOR_INT_H
#define MMLAG_SERVE_DOOR_INT_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"

#define DOOR_CONNECTIONS 64
#define DOOR_CROWDED (DOOR_CONNECTIONS - 8) /* from here on the oldest gives way */
#define DOOR_AGE_MS 30000
#define DOOR_LAST_ANSWER_MS 15000 /* an older connection ends with its next answer */
#define DOOR_IDLE_S 10
#define DOOR_MEMORY (16 << 10)

struct serve;
struct door;
struct request;

/* PEM texts; `cert` NULL for plain HTTP. */
struct door_tls {
	const char *cert, *key, *client_ca;
};

/* Listen on "host:port", or on the socket file `path`, which replaces what stands
 * there. Returns a descriptor or a negative class: ERR_RETRY, the address is taken or
 * not there (yet); ERR_AGAIN, `w` was told to stop while a name was looked up.
 * @thread http */
NODISCARD int door_listen(const char *listen, struct wake *w, struct err *err);
NODISCARD int door_listen_local(const char *path, struct err *err);

/* Take over the socket on success.  @thread http */
NODISCARD int door_open(struct door **out, struct serve *s, int fd, bool local,
			const struct door_tls *tls, struct err *err);
void door_close(struct door *d); /* NULL is legal */

/* A descriptor of the same socket, for a door that takes this one's place.
 * @thread http */
int door_socket(const struct door *d);

/* Let nobody in any more, but answer those who are inside: each connection ends with
 * its next answer. Another door may have the socket.  @thread http */
void door_retire(struct door *d);

/* Is nobody inside?  @thread http */
bool door_is_empty(const struct door *d);

/* To be polled for input.  @thread http */
int door_fd(const struct door *d);

/* Do what can be done now. Returns when to call at the latest.  @thread http */
struct mono door_run(struct door *d, struct mono now);

/* After a run: somebody knocks and cannot be let in, because no descriptor is left. The
 * door is to be tried again, but not at once and for ever.  @thread http */
bool door_is_stuck(const struct door *d);

/* Send r->reply, which is there now.  @thread http */
void door_resume(struct request *r);

#endif
