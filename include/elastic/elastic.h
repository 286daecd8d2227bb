/* SPDX-License-Identifier: MIT
 * elastic: the Elasticsearch or OpenSearch cluster as the shipper sees it: several
 * nodes, one index that is created from the mapping when it does not exist, bulk
 * requests, and a look ahead at what would go wrong. Belongs to one thread; blocks in
 * http_exchange; never logs. */
#ifndef MMLAG_ELASTIC_ELASTIC_H
#define MMLAG_ELASTIC_ELASTIC_H

#include "base/clock.h"
#include "base/err.h"
#include "base/wake.h"
#include "config/config.h"
#include "document/bulk.h"
#include "document/document.h"

struct elastic;

/* `c` is borrowed for the life of the object. `wake` may be NULL (see http_open).
 * @thread shipper, or a command */
NODISCARD int elastic_open(struct elastic **out, const struct config_elastic *c,
			   struct wake *wake, struct err *err);
void elastic_close(struct elastic *e);

/* Send documents[0..n) in one request to the next living node, after a look, at the
 * same node, whether their indices are there; they are created from the mapping where
 * they are not. Nothing is sent for n == 0. Fills verdicts[n] only for WHOLE_ITEMS. On
 * a transport failure the node is marked dead (1 s doubling to 60 s); where nothing was
 * sent the next living node gets the request at once, else WHOLE_AGAIN is returned.
 * *retry_after_ms is the server's wish, -1 for none. `err` as in bulk_read, a
 * bulk_trouble in err.code in all cases.
 * @thread the owner's; blocks */
enum bulk_whole elastic_bulk(struct elastic *e, const struct document *documents,
			     size_t n, struct bulk_item *verdicts,
			     int64_t *retry_after_ms, struct mono now, struct err *err);

/* Read the credential files again.  @thread the owner's */
NODISCARD int elastic_reread(struct elastic *e, struct err *err);

enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_FAILURE };

/* One line of the preflight: what was looked at, how it is, what to do. Called within
 * elastic_preflight.  @thread the caller's */
typedef void elastic_finding(void *arg, enum finding_level level, const char *subject,
			     const char *text);

/* Look ahead, without changing anything: reachable, product and version, privileges
 * (what may not be seen is a warning that names the privilege; only a refused
 * create_doc is a failure), the mapping against our fields and `partitions` (the
 * largest number expected of a topic), integer against `largest_lag`, topic.keyword,
 * the field limit, blocks, and `documents_a_year`.
 * @thread a command; blocks */
void elastic_preflight(struct elastic *e, int partitions, int64_t largest_lag,
		       int64_t documents_a_year, elastic_finding *each, void *arg);

/* The same for the daemon at its start, but for the nodes, and with a few seconds for
 * each answer; documents_a_year 0: unknown. While the server is not there, or is not
 * ready, or refuses the credentials, the failure is returned and nothing was said: try
 * again after the first success.
 * @thread shipper; blocks */
NODISCARD int elastic_look_ahead(struct elastic *e, int partitions, int64_t largest_lag,
				 int64_t documents_a_year, elastic_finding *each,
				 void *arg, struct err *err);

/* What an existing index lacks, as the body of a PUT _mapping; "" when nothing. With
 * `apply` it is sent. The body is appended to `out`.
 * @thread a command; blocks */
NODISCARD int elastic_fix_mapping(struct elastic *e, bool apply, struct buf *out,
				  struct err *err);

/* The built-in mapping: the body of mappings/mapping.json.  @thread any */
extern const char elastic_builtin_mapping[];

#endif
