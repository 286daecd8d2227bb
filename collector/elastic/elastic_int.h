/* SPDX-License-Identifier: MIT
 * elastic_int: what the parts of elastic/ share: index and bulk (elastic.c), the nodes
 * (pool.c), comparing mappings (mapping.c), looking ahead (preflight.c). */
#ifndef MMLAG_ELASTIC_INT_H
#define MMLAG_ELASTIC_INT_H

#include <jansson.h>

#include "elastic/elastic.h"
#include "http/http.h"

#define INDEX_NAME_MAX 256
#define KNOWN_MAX 8 /* indices of different dates that a backlog may need at once */

struct node {
	char *url; /* without a slash at its end */
	struct mono dead_until;
	int failures; /* in a row */
};

struct known {
	char name[INDEX_NAME_MAX]; /* "" for none */
	struct mono looked;
	bool hidden; /* we may not look: view_index_metadata is refused */
};

struct elastic {
	const struct config_elastic *c;
	struct http *http;
	struct buf mapping; /* the body of the PUT that creates an index */
	struct node *nodes;
	size_t n, at; /* nodes; the one whose turn it is */
	struct known known[KNOWN_MAX];
	size_t known_next;
	long timeout_ms; /* of each exchange; 0: that of the configuration */
	struct buf body; /* of the last bulk; the memory is used again */
};

struct call {
	const char *method, *path; /* the path begins with a slash */
	const char *type;          /* NULL: JSON, when there is a body */
	const char *body;
	size_t len;
	size_t answer_max; /* 0: http's own */
};

/* The turn of the next node, for all that is asked until the next call. */
void pool_turn(struct elastic *e);

/* Ask the node whose turn it is, or the next living one after it, and another one when
 * nothing was sent. All dead: the one that is due first. The caller ends `a` with
 * http_answer_fini in every case. *node is the URL of the one that answered. */
NODISCARD int pool_ask(struct elastic *e, const struct call *c, struct mono now,
		       struct http_answer *a, const char **node, struct err *err);

/* Make sure that the index for a document of time `t` exists: looked at before each
 * bulk (a look is good for 500 ms, so that a backlog does not ask twice), because a
 * server that may create indices by itself would make a deleted one anew with a guessed
 * mapping; created from the mapping when it is absent. A race with another creator is a
 * success. An alias or data stream of that name is taken as it stands. Where
 * view_index_metadata is refused, a create is tried instead, once a minute, and its
 * refusal is no failure. Class ERR_RETRY or ERR_PERMANENT on failure, with a
 * bulk_trouble in err.code. */
NODISCARD int elastic_prepare(struct elastic *e, struct wall t, struct mono now,
			      struct err *err);

/* Ask this node and no other; it is marked dead or living. */
NODISCARD int pool_ask_node(struct elastic *e, struct node *n, const struct call *c,
			    struct mono now, struct http_answer *a, struct err *err);

/* The answer's body as JSON, NULL when it is none; to be let go with json_decref. */
json_t *answer_json(const struct http_answer *a);

/* Type and reason of an answer that is no success, as one text. */
void answer_words(const struct http_answer *a, char *out, size_t size);

/* "/NAME" and `rest`, the name percent-encoded. */
void index_path(const char *name, const char *rest, char *out, size_t size);

/* Compare the mapping of an index with ours. Each finding goes to `each` (may be NULL);
 * what can be added to the mapping is put into the object `lacks`. Returns the number
 * of its fields, as the server counts them against the field limit. */
int mapping_compare(const json_t *theirs, const json_t *ours, int64_t largest_lag,
		    json_t *lacks, elastic_finding *each, void *arg);

/* How many of p0 … p(partitions-1) the mapping does not have yet. */
int mapping_missing_partitions(const json_t *theirs, int partitions);

/* How many of our other fields it does not have yet. */
int mapping_missing_fields(const json_t *theirs, const json_t *ours);

/* The index behind our name whose mapping counts (of several the last by name, which is
 * the one written to), and its mapping; NULL when the answer holds none. */
const json_t *mapping_newest(const json_t *answer, const char **index);

#endif
