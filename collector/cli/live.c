/* SPDX-License-Identifier: MIT */
#include "cli/live.h"

#include <locale.h>
#include <stdio.h>

#include "cli/interrupt.h"

#include "banned.h"

static int fail(const struct live *l, const struct err *err)
{
	fprintf(stderr, "mmlag %s: %s\n", l->command, err->text);
	return 1;
}

int live_run(const struct live *l,
	     int (*run)(void *arg, struct feed *feed, struct wake *wake), void *arg)
{
	struct feed *feed = NULL;
	struct wake wake;
	struct err err = ERR_INIT;
	int rc;

	setlocale(LC_CTYPE, "");
	if (interrupt_init(&wake, l->screen, &err) != 0)
		return fail(l, &err);
	if (http_global_init(&err) != 0) {
		interrupt_fini(&wake);
		return fail(l, &err);
	}
	rc = feed_open(&feed, l->command, l->path, l->url, &l->http, &wake);
	if (rc == 0)
		rc = run(arg, feed, &wake);
	feed_close(feed);
	http_global_fini();
	interrupt_fini(&wake);
	return rc;
}
