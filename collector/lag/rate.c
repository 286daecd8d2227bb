/* SPDX-License-Identifier: MIT */
#include "lag/rate.h"

#include <math.h>
#include <string.h>

#include "banned.h"

#define RATE_STEP_MS (RATE_SPAN_MS / 20)

void rate_add(struct rate *r, double more, int64_t now_ms)
{
	double total = more + (r->n > 0 ? r->v[r->n - 1].total : 0);

	/* the newest point moves until it is a step away from the one before */
	if (r->n >= 2 && r->v[r->n - 1].time_ms - r->v[r->n - 2].time_ms < RATE_STEP_MS)
		r->n--;
	/* two points stay, however rare samples are */
	while (r->n == RATE_POINTS ||
	       (r->n >= 2 && r->v[0].time_ms < now_ms - RATE_SPAN_MS)) {
		r->n--;
		memmove(&r->v[0], &r->v[1], (size_t)r->n * sizeof(r->v[0]));
	}
	r->v[r->n++] = (struct rate_point){now_ms, total};
}

/* The least-squares line: a consumer that commits once a minute climbs in steps, and
 * the difference of the two ends would be a step off. */
double rate_slope(const struct rate *r)
{
	double t = 0, total = 0, tt = 0, product = 0;
	double n = r->n;

	if (r->n < 2 || r->v[r->n - 1].time_ms - r->v[0].time_ms < RATE_LEAST_MS)
		return NAN;
	for (int32_t i = 0; i < r->n; i++) {
		double x = (double)(r->v[i].time_ms - r->v[0].time_ms) / 1000;
		double y = r->v[i].total - r->v[0].total;

		t += x;
		total += y;
		tt += x * x;
		product += x * y;
	}
	return fmax(0, (n * product - t * total) / (n * tt - t * t));
}
