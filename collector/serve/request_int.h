/* SPDX-License-Identifier: MIT
 * request: one request from its first line to its answer. */
#ifndef MMLAG_SERVE_REQUEST_INT_H
#define MMLAG_SERVE_REQUEST_INT_H

#include "serve/serve_int.h"

/* @thread http */
struct request *request_new(struct door *d, const char *uri);
void request_free(struct request *r); /* NULL is legal */

/* Look at the headers: sets a reply where the request is refused at once.
 * @thread http */
void request_begin(struct serve *s, struct request *r, const struct caller *c,
		   const char *method);

/* Take in a piece of the body; what is too much is dropped, and refused at the end.
 * @thread http */
void request_add(struct request *r, const char *data, size_t n);

/* Everything is there: answer it, or leave it waiting.  @thread http */
void request_answer(struct serve *s, struct request *r, const struct caller *c);

#endif
