/* SPDX-License-Identifier: MIT
 * exposition: the text of a metrics page (Prometheus text format 0.0.4, and what
 * OpenMetrics adds to it), read as it comes: memory does not grow with the page. Pure.
 * What the series mean is not known here (exporter). */
#ifndef MMLAG_LAG_EXPOSITION_H
#define MMLAG_LAG_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct metric_label {
	const char *name, *value; /* value: escapes undone */
};

/* One series of the page. Strings hold no NUL but their last. */
struct metric {
	const char *name;
	const struct metric_label *labels; /* as they stand, each name once */
	size_t n_labels;
	double value;    /* may be NAN or infinite */
	bool integral;   /* the number is an integer that int64 holds: */
	int64_t integer; /* exactly that; else the nearest one, 0 for NAN */
};

#define EXPOSITION_LINE_MAX (1u << 20) /* bytes */
#define EXPOSITION_LABELS_MAX 256      /* of one series */

struct exposition;

/* `each` gets every series, in order; what it is given lives until it returns.
 * @thread any; each belongs to one */
struct exposition *exposition_new(void (*each)(void *arg, const struct metric *m),
				  void *arg);
void exposition_free(struct exposition *x); /* NULL is legal */

/* The next bytes, cut anywhere. Returns 0, or ERR_REJECT at the first line that is no
 * series, comment or blank: the page is not to be believed then, and further calls
 * fail alike. Time stamps and exemplars are passed over; what stands behind `# EOF`
 * too.
 * @thread the owner's */
NODISCARD int exposition_feed(struct exposition *x, const char *data, size_t len,
			      struct err *err);

/* The page is over. `whole`: the transfer is known to be complete; otherwise a last
 * line without its newline may be cut off, and is ERR_REJECT.
 * @thread the owner's */
NODISCARD int exposition_end(struct exposition *x, bool whole, struct err *err);

/* The value of a label, NULL when there is none.  @thread any */
const char *metric_label(const struct metric *m, const char *name);

/* A number as pages have it (also `4.259513e+06`, `+Inf`, `NaN`): fills value, integral
 * and integer of `m`; false when the text is none.  @thread any */
bool metric_number(const char *text, struct metric *m);

#endif
