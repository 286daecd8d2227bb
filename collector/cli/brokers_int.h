/* SPDX-License-Identifier: MIT
 * brokers_int: what `mmlag brokers` was asked, for asking it (brokers.c) and for
 * printing the answer (brokers_show.c). */
#ifndef MMLAG_CLI_BROKERS_INT_H
#define MMLAG_CLI_BROKERS_INT_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/http.h"
#include "prom/ask.h"
#include "prom/rates.h"

struct brokers {
	const char *metric;     /* NULL: messages */
	const char *expression; /* --query; NULL: that of the metric */
	bool by_instance, by_topic;
	bool json, csv;
	struct rates_limits limits;
	struct prom_query query; /* its query text lives in `text` */
	struct buf text;
	struct http_options options;
};

/* Print what was found on stdout, as asked. Warnings go there too where people read.
 * @thread main */
void brokers_show(const struct brokers *b, const struct rates *r);

/* The JSON of it, without a newline.  @thread any */
void brokers_json(const struct brokers *b, const struct rates *r, struct buf *out);

/* The lines of --csv.  @thread any */
void brokers_csv(const struct rates *r, struct buf *out);

#endif
