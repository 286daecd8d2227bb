/* SPDX-License-Identifier: MIT
 * file: small files whole, and secrets out of files. */
#ifndef MMLAG_BASE_FILE_H
#define MMLAG_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

/* Append the whole file to `out` (bounded by its maximum).  @thread any */
NODISCARD int file_read(const char *path, struct buf *out, struct err *err);

/* The secret in `path`, or for "credential:NAME" in $CREDENTIALS_DIRECTORY/NAME. One
 * trailing newline (LF or CR LF) is cut. Refused when it is no regular file, when group
 * or others can read it, when its owner is neither root nor us, when it is empty or
 * larger than 64 KiB. The caller wipes and frees `out`.
 * @thread any */
NODISCARD int file_read_secret(const char *path, struct buf *out, struct err *err);

/* Only the checks of file_read_secret, which keep the file where it is: for key files.
 * @thread any */
NODISCARD int file_check_secret(const char *path, struct err *err);

/* `path` with "credential:NAME" resolved; the caller frees it.  @thread any */
NODISCARD int file_secret_path(const char *path, char **out, struct err *err);

#endif
