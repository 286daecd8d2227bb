/* SPDX-License-Identifier: MIT
 * record: what must outlive the process beside documents. A record has a kind and a
 * key, unique together, and is bytes to the store. A set of them waits in memory for
 * the next commit. */
#ifndef MMLAG_STORE_RECORD_H
#define MMLAG_STORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are in the file: add at the end. */
enum store_kind {
	STORE_WINDOW,    /* a topic's series: the tailer's */
	STORE_ALERT,     /* the state of an alert */
	STORE_SILENCE,   /* as told on the page */
	STORE_NOTICE,    /* what a receiver has not got yet */
	STORE_RECEIVER,  /* what a receiver has got */
	STORE_OBJECTIVE, /* share of time kept, by topic */
};

/* Called for each record, in order of the key.  @thread the caller's */
typedef void store_record(void *arg, const char *key, const void *bytes, size_t len);

struct record {
	enum store_kind kind;
	char *key;
	void *bytes; /* NULL: the record is to be deleted */
	size_t len;
};

/* Sorted by kind and key; the later word on a record wins. Owns its records. */
struct records {
	struct record *v;
	size_t n, cap;
	int64_t bytes; /* keys included */
};

void records_fini(struct records *r); /* @thread any */

/* Copies key and bytes (NULL to delete).  @thread any */
void records_put(struct records *r, enum store_kind kind, const char *key,
		 const void *bytes, size_t len);

/* Take over what is in `from`, which is empty afterwards. With `older` a record that
 * `to` has too is dropped, else it replaces that one.
 * @thread any */
void records_take(struct records *to, struct records *from, bool older);

/* Forget the first `n`.  @thread any */
void records_drop(struct records *r, size_t n);

/* Call `each` for what is not a deletion among those of `kind`.  @thread any */
void records_each(const struct records *r, enum store_kind kind, store_record *each,
		  void *arg);

#endif
