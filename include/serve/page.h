/* SPDX-License-Identifier: MIT
 * page: the files of the status page, embedded at build by scripts/embed-page out of
 * collector/serve/page/. */
#ifndef MMLAG_SERVE_PAGE_H
#define MMLAG_SERVE_PAGE_H

#include <stddef.h>

struct page_file {
	const char *path; /* as it is asked for: "/app.js"; "/" is index.html */
	const char *type; /* its Content-Type */
	const char *etag; /* quoted, changes when the bytes do */
	const unsigned char *data, *gzip;
	size_t len, gzip_len;
};

extern const struct page_file serve_page_files[];
extern const size_t serve_page_file_count;

#endif
