/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "banned.h"

void random_bytes(void *out, size_t n)
{
	unsigned char *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			perror("mmlag: getrandom");
			abort();
		}
		p += got;
		n -= (size_t)got;
	}
}

uint64_t random_below(uint64_t bound)
{
	uint64_t v;

	if (bound == 0)
		return 0;
	random_bytes(&v, sizeof(v));
	return v % bound; /* the bias is below 2^-40 for every bound used here */
}
