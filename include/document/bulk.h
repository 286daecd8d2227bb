/* SPDX-License-Identifier: MIT
 * bulk: the body of a _bulk request, and what its answer says of each document. Pure:
 * bytes in, verdicts out. The error map is in docs/delivery.md. */
#ifndef MMLAG_DOCUMENT_BULK_H
#define MMLAG_DOCUMENT_BULK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "document/document.h"

enum bulk_verdict {
	BULK_DONE,      /* stored: forget it */
	BULK_DUPLICATE, /* was stored before: forget it */
	BULK_RETRY,     /* keep it, send it again */
	BULK_REJECT,    /* will never be stored: dead letter */
};

/* How to go on when something is to be sent again; slower is larger. */
enum bulk_pace {
	PACE_AGAIN,     /* exponential backoff */
	PACE_BOOTSTRAP, /* create what is missing first */
	PACE_SLOW,      /* an operator has to act: slowly, one log line at the change */
};

/* What kind of thing stands in the way, for the metrics and to tell one trouble from
 * another. */
enum bulk_trouble {
	TROUBLE_NONE,
	TROUBLE_UNREACHABLE, /* no answer; this and the next are the transport's */
	TROUBLE_TLS,
	TROUBLE_CREDENTIALS, /* who we are, or what we may */
	TROUBLE_BLOCKED,     /* disk full, read-only */
	TROUBLE_OVERLOADED,
	TROUBLE_SERVER,
	TROUBLE_INDEX,  /* absent, closed, without a place to write to */
	TROUBLE_ANSWER, /* a success that cannot be used */
	TROUBLE_REFUSED,
	TROUBLE_KINDS
};

/* The kind of an answer that is no success, or of a success that cannot be used.
 * `type` is error.type, "" for none.  @thread any */
enum bulk_trouble bulk_trouble_of(int status, const char *type);

struct bulk_item {
	enum bulk_verdict verdict;
	enum bulk_pace pace; /* of BULK_RETRY */
	int status;
	char type[64];    /* error.type, "" for none */
	char reason[256]; /* error.reason, cut; "" for none */
};

/* What the answer to a whole request means. */
enum bulk_whole {
	WHOLE_ITEMS,     /* see the items */
	WHOLE_AGAIN,     /* nothing is settled: same ids again, with backoff */
	WHOLE_BOOTSTRAP, /* the same, after creating what is missing */
	WHOLE_SLOW,      /* the same, slowly; an operator has to act */
	WHOLE_HALVE,     /* too large: halve; a single document is a reject */
	WHOLE_BISECT,    /* malformed: halve down to the poison, which is a reject */
};

/* The name of the index for a document of time `t`: `pattern` with {yyyy.MM} or
 * {yyyy.MM.dd} filled in, UTC. Returns 0, or -1 when `out` is too small.
 * @thread any */
int bulk_index_name(const char *pattern, struct wall t, char *out, size_t size);

/* Append action and source line of one document. Returns 0, or -1 when `out` is full
 * (then nothing was appended).
 * @thread any */
int bulk_add(struct buf *out, const char *index, const char *id, const char *json,
	     size_t len);

/* Read an answer to a request of the documents sent[n]: HTTP status and body. Where
 * items have an _id it must be that of the document in the same place; with `sent` NULL
 * it is not looked at. Fills items[n] only for WHOLE_ITEMS. `err` holds the first
 * refusal's words for the log, with a bulk_trouble in err.code, class ERR_OK when there
 * was none.
 * @thread any */
enum bulk_whole bulk_read(int status, const char *body, size_t len,
			  const struct document *sent, struct bulk_item *items,
			  size_t n, struct err *err);

/* The words for an item that was refused or is to be sent again, as in bulk_read.
 * @thread any */
void bulk_explain(const struct bulk_item *item, struct err *err);

#endif
