/* SPDX-License-Identifier: MIT
 * document: one sample, gap or alert as the JSON document that is indexed, and its
 * deterministic id. Pure. */
#ifndef MMLAG_DOCUMENT_DOCUMENT_H
#define MMLAG_DOCUMENT_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lag/assess.h"
#include "lag/reason.h"
#include "lag/sample.h"

#define DOCUMENT_MAX (64 << 20) /* bytes of JSON: over 300,000 partitions */
#define DOCUMENT_ID_LEN 46      /* 13 digits, '-', 32 hex digits */

struct label {
	const char *name, *value;
};

/* What a document speaks of. Strings are borrowed; NULL or "" leaves the field out
 * (but the cluster: NULL is written as "default"). */
struct origin {
	const char *cluster, *group, *topic, *host;
	const char *match; /* gap of a pattern that found nothing: instead of topic */
	const struct label *labels;
	size_t label_count;
};

/* A finished document on its way to the index. Owned by whoever holds it. */
struct document {
	struct wall t; /* its @timestamp */
	char id[DOCUMENT_ID_LEN + 1];
	char *topic; /* for accounts; "" for none */
	char *json;  /* one line, no newline */
	size_t len;
};

/* Free the strings. Legal on a zeroed struct.  @thread any */
void document_fini(struct document *d);

/* The id of a document of `o` at `t`: kind and key as the README's "Documents" section
 * tells: sample (key: begin mark, run number, nonce, or nonce and line number), gap
 * (reason, time), alert (incident, state, time). A gap of a pattern has the pattern in
 * the topic's place; any other missing part counts as the empty string.
 * @thread any */
void document_id(char out[DOCUMENT_ID_LEN + 1], struct wall t, const struct origin *o,
		 const char *kind, const char *key);

/* Append the JSON of a sample. `a` may be NULL (nothing is known but the sample).
 * @thread any */
void document_sample(struct buf *out, const struct origin *o, const struct sample *s,
		     const struct assessment *a);

/* Append the JSON of a gap document.  @thread any */
void document_gap(struct buf *out, const struct origin *o, const struct gap *g,
		  struct wall now, struct wall since);

/* Make a document of finished JSON: copies topic, takes the bytes out of `json`.
 * @thread any */
struct document document_make(struct wall t, const struct origin *o, const char *kind,
			      const char *key, struct buf *json);

#endif
