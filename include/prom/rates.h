/* SPDX-License-Identifier: MIT
 * rates: message rates of brokers out of an answer of Prometheus, and what is wrong
 * with them. Pure. */
#ifndef MMLAG_PROM_RATES_H
#define MMLAG_PROM_RATES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "prom/answer.h"

/* What is a warning; NAN: nothing is. */
struct rates_limits {
	double min_rate;   /* of the mean per broker */
	double max_change; /* share by which a row's last rate may differ from its mean
			    */
	double max_skew;   /* times the mean that one broker may have */
};

#define RATES_LIMITS_NONE                             \
	{                                             \
		(double)NAN, (double)NAN, (double)NAN \
	}

/* A sum of series. */
struct rates_row {
	const char *instance, *topic; /* of the answer; NULL where summed up or none */
	double rate;                  /* at the last step; NAN: not finite, or gone */
	const char *odd; /* what it is where it is not finite: "NaN", "+Inf", "-Inf" */
	double *values;  /* one a step, NAN where not finite or not there */
	bool *present;   /* there is a value of that step */
};

struct rates {
	double *times; /* of the steps, seconds since 1970, ascending */
	size_t steps;
	struct rates_row *rows; /* in order of instance and topic */
	size_t n;
	bool brokers_known; /* every series has an instance */
	size_t brokers;     /* distinct ones, at the last step */
	/* At the last step; NAN where nothing is known: mean, min and max are of the
	 * brokers that have a finite rate. */
	double total, mean, min, max;
	size_t not_finite; /* series whose rate is no number: */
	size_t nan, plus_inf, minus_inf;
	struct buf warnings; /* one a line, without a final newline; empty for none */
};

/* Work it out. `by_instance` and `by_topic` say which labels the rows keep. The answer
 * must outlive what is made of it. Of an instance that has series with a topic, those
 * without one are left out: they are the sum of the others. Returns 0 and rates for the
 * caller to end with rates_fini, or ERR_REJECT where there is too much.
 * @thread any */
NODISCARD int rates_read(const struct prom_answer *a, bool by_instance, bool by_topic,
			 const struct rates_limits *limits, struct rates *out,
			 struct err *err);
void rates_fini(struct rates *r);

/* Append "1 NaN, 2 +Inf": what the rates are that are not finite.  @thread any */
void rates_odd(const struct rates *r, struct buf *out);

/* Is there any finite rate?  @thread any */
static inline bool rates_any(const struct rates *r)
{
	return !isnan(r->total);
}

#endif
