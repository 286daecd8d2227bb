/* SPDX-License-Identifier: MIT
 * store_kit: what the tests of the store share: a directory of their own, documents
 * that are told apart by a number, the balance of the accounts. */
#ifndef MMLAG_TESTS_STORE_KIT_H
#define MMLAG_TESTS_STORE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "document/document.h"

#define KIT_T0 INT64_C(1795000000000)

static char kit_dir[256], kit_path[300];

__attribute__((unused)) static int kit_setup(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	snprintf(kit_dir, sizeof(kit_dir), "%s/mmlag-store-XXXXXX",
		 base == NULL ? "/tmp" : base);
	if (mkdtemp(kit_dir) == NULL)
		return -1;
	snprintf(kit_path, sizeof(kit_path), "%s/mmlag.db", kit_dir);
	metrics_reset();
	return 0;
}

/* Call `each` (may be NULL) for the files in the directory whose name holds `part`;
 * returns how many there are. */
__attribute__((unused)) static int kit_files(const char *part,
					     void (*each)(const char *))
{
	DIR *d = opendir(kit_dir);
	struct dirent *e;
	char path[600];
	int n = 0;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (*e->d_name == '.' || strstr(e->d_name, part) == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", kit_dir, e->d_name);
		if (each != NULL)
			each(path);
		n++;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

__attribute__((unused)) static void kit_remove(const char *path)
{
	if (remove(path) != 0)
		fprintf(stderr, "cannot remove %s\n", path);
}

__attribute__((unused)) static int kit_teardown(void **state)
{
	(void)state;
	kit_files("", kit_remove);
	return rmdir(kit_dir);
}

/* Document number `n`, with JSON of `len` bytes (at least 24). */
__attribute__((unused)) static struct document kit_document(int64_t n, size_t len)
{
	struct document d = {.t = {KIT_T0 + n}, .topic = mem_strdup("orders")};

	snprintf(d.id, sizeof(d.id), "%013" PRId64 "-%032" PRId64, d.t.ms, n);
	d.json = mem_calloc(len + 1, 1);
	memset(d.json, ' ', len);
	d.len = (size_t)snprintf(d.json, len + 1, "{\"n\":%" PRId64, n);
	d.json[d.len] = ' ';
	d.json[len - 1] = '}';
	d.len = len;
	return d;
}

/* The number of a document. */
__attribute__((unused)) static int64_t kit_number(const struct document *d)
{
	return strtoll(d->json + strlen("{\"n\":"), NULL, 10);
}

/* Documents that have reached their end, by the metrics. */
__attribute__((unused)) static int64_t kit_ended(void)
{
	return metrics_get(METRIC_DOC_INDEXED) + metrics_get(METRIC_DOC_DUPLICATE) +
	       metrics_get(METRIC_DOC_REJECTED) + metrics_get(METRIC_DOC_EVICTED) +
	       metrics_get(METRIC_DOC_EXPIRED);
}

#endif
