/* SPDX-License-Identifier: MIT
 * ask: a query to a Prometheus server, over its HTTP API. */
#ifndef MMLAG_PROM_ASK_H
#define MMLAG_PROM_ASK_H

#include "http/http.h"
#include "prom/answer.h"

/* Times are seconds since 1970; NAN: not given. */
struct prom_query {
	const char *url;   /* of the server, with or without a final '/' */
	const char *query; /* PromQL */
	bool range;        /* from `start` to `end`, a point every `step` seconds */
	double start, end, step;
	double at; /* of an instant query; NAN: the server's now */
};

/* err.code of prom_ask, beside the class. */
enum prom_failure {
	PROM_NO_ANSWER = 1, /* no HTTP answer came */
	PROM_REFUSED,       /* an answer that is no success, or not understood */
	PROM_DENIED,        /* the same, for want of credentials */
	PROM_STOPPED,       /* the thread was told to stop */
};

/* Send and wait. Returns 0 and an answer for the caller to end with prom_answer_fini;
 * else err.code is a prom_failure and the text has Prometheus' own words.
 * @thread the owner's of `h`; blocks for at most its timeout */
NODISCARD int prom_ask(struct http *h, const struct prom_query *q,
		       struct prom_answer *out, struct err *err);

#endif
