/* SPDX-License-Identifier: MIT
 * answer: what Prometheus' query API says, as values. Pure: the bytes come in. */
#ifndef MMLAG_PROM_ANSWER_H
#define MMLAG_PROM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct prom_label {
	char *name, *value;
};

struct prom_point {
	double time;     /* seconds since 1970 */
	double value;    /* may be NAN or infinite */
	int64_t integer; /* exactly that where it is an int64; else the nearest */
};

struct prom_series {
	struct prom_label *labels;
	size_t n_labels;
	struct prom_point *points; /* one of an instant query; oldest first */
	size_t n;
};

struct prom_answer {
	struct prom_series *series;
	size_t n;
	char *warnings; /* one a line, NULL for none */
};

/* Read the body of an answer. Returns 0 and an answer for the caller to end with
 * prom_answer_fini, or ERR_REJECT: Prometheus' own words where it refused, what is
 * wrong with the answer otherwise. A scalar is a series without labels.
 * @thread any */
NODISCARD int prom_answer_read(const char *body, size_t len, struct prom_answer *out,
			       struct err *err);
void prom_answer_fini(struct prom_answer *a);

/* The value of a label, NULL when there is none.  @thread any */
const char *prom_label(const struct prom_series *s, const char *name);

#endif
