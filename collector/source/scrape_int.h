/* SPDX-License-Identifier: MIT
 * scrape_int: the sources that ask over HTTP: another program's metrics page, or a
 * query of Prometheus. One request an interval, begin to begin; what a request brings
 * is the whole truth of its time. */
#ifndef MMLAG_SOURCE_SCRAPE_INT_H
#define MMLAG_SOURCE_SCRAPE_INT_H

#include "http/http.h"
#include "source/source.h"

struct scrape;

/* As the functions of source.h; `t` is a topic whose source is not SOURCE_SSH.
 * @thread tailer; scrape_new any */
struct scrape *scrape_new(const struct config_topic *t, struct wake *wake,
			  int64_t first_delay_ms);
void scrape_close(struct scrape *s); /* NULL is legal */
enum source_event scrape_step(struct scrape *s, struct mono now, bool read_more,
			      struct reading *reading, struct gap *gap,
			      struct step *next);

/* One request, in full: a table, or NULL with `gap` filled in; ERR_AGAIN in *class
 * where the owner is to stop, ERR_REJECT where the credentials were refused.
 * @thread tailer; blocks for at most the topic's timeout */
struct table *scrape_page(struct http *h, const struct config_topic *t, struct gap *gap,
			  int *class);
struct table *scrape_query(struct http *h, const struct config_topic *t,
			   struct gap *gap, int *class);

#endif
